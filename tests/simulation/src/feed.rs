//! Watch events on their way to the processes: late, lost, doubled and spurious, as hints may be.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::Stream;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spotpool_operator::ports::PoolKey;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::site::{owner, pool_key};
use crate::store::Commit;

/// Who wakes whom.
pub struct Feed {
    state: Mutex<State>,
}

struct State {
    rng: ChaCha8Rng,
    lost: f64,
    late: f64,
    subscribers: BTreeMap<u32, mpsc::UnboundedSender<PoolKey>>,
}

impl Feed {
    /// Nobody listens yet. `lost` and `late` are the chances of each hint.
    pub fn new(seed: u64, lost: f64, late: f64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { state: Mutex::new(State { rng, lost, late, subscribers: BTreeMap::new() }) }
    }

    /// From now on nothing is lost or late.
    pub fn calm(&self) {
        let mut state = self.lock();
        state.lost = 0.0;
        state.late = 0.0;
    }

    /// The hints for one process.
    pub fn subscribe(&self, process: u32) -> impl Stream<Item = PoolKey> + Send + use<> {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        self.lock().subscribers.insert(process, sender);
        futures::stream::poll_fn(move |context| receiver.poll_recv(context))
    }

    /// The process is no more.
    pub fn unsubscribe(&self, process: u32) {
        self.lock().subscribers.remove(&process);
    }

    /// A change in the store.
    pub fn on_commit(&self, commit: &Commit) {
        let key = match commit {
            Commit::Pool { before, after, .. } => {
                after.as_ref().or(before.as_ref()).and_then(|pool| pool_key(pool))
            }
            Commit::Instance { before, after, .. } => {
                after.as_ref().or(before.as_ref()).and_then(|instance| owner(instance))
            }
            Commit::Secret { .. } => None,
        };
        let Some(key) = key else { return };
        let mut state = self.lock();
        let State { rng, lost, late, subscribers } = &mut *state;
        for sender in subscribers.values() {
            if *lost > 0.0 && rng.random_bool(*lost) {
                continue;
            }
            let slow = *late > 0.0 && rng.random_bool(*late);
            let delay = if slow { rng.random_range(1000..30_000) } else { rng.random_range(2..40) };
            let (sender, key) = (sender.clone(), key.clone());
            tokio::spawn(async move {
                sleep(Duration::from_millis(delay)).await;
                // Its process may be gone.
                let _ = sender.send(key);
            });
        }
    }

    /// A watch that begins anew: every pool, to one process or to all.
    pub fn relist(&self, pools: &[PoolKey], only: Option<u32>) {
        let state = self.lock();
        for (process, sender) in &state.subscribers {
            if only.is_none_or(|only| only == *process) {
                for pool in pools {
                    let _ = sender.send(pool.clone());
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
