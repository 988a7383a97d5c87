//! One scene: its own chance, and a hand on the world.

use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spotpool_operator::crd::{SpotInstance, SpotPool};
use spotpool_operator::ports::PoolKey;
use tokio::time::{Instant, sleep};

use crate::kind::Kind;
use crate::nature::{KEYS, NAMESPACE};
use crate::site::Step;
use crate::site::pool_key;
use crate::store::ObjectKey;
use crate::weather::{Mishap, Rule};
use crate::world::World;

/// One thing that happens, with its own generator: scenes overlap, and none takes from another's chance.
pub struct Scene {
    /// The world.
    pub world: Arc<World>,
    /// Its chance.
    pub rng: ChaCha8Rng,
    /// Waits for the helm instead of giving up when somebody else has it.
    pub insists: bool,
}

impl Scene {
    /// A scene of its own chance.
    pub fn new(world: &Arc<World>, seed: u64) -> Self {
        Self { world: Arc::clone(world), rng: ChaCha8Rng::seed_from_u64(seed), insists: false }
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, choice: &[T]) -> T {
        choice[self.rng.random_range(0..choice.len())]
    }

    /// With this chance.
    pub fn chance(&mut self, chance: f64) -> bool {
        self.rng.random_bool(chance)
    }

    /// Between so many seconds, to the millisecond.
    pub fn secs(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.rng.random_range(least * 1000..=most * 1000))
    }

    /// Lets so much time pass.
    pub async fn wait(&mut self, least: u64, most: u64) {
        let time = self.secs(least, most);
        sleep(time).await;
    }

    /// Something happened.
    pub fn tell(&self, about: &str, text: impl FnOnce() -> String) {
        self.world.trace.tell(about, || format!("** {}", text()));
    }

    /// A fault of this kind happened.
    pub fn count(&self, kind: Kind, about: &str, text: impl FnOnce() -> String) {
        self.world.weather.count(kind);
        self.tell(about, text);
    }

    /// A key pair that pools use: id, key and the name of its Secret.
    pub fn key_pair(&mut self) -> (&'static str, &'static str, &'static str) {
        let used = if self.world.nature.second_key { &KEYS[..] } else { &KEYS[..1] };
        self.pick(used)
    }

    /// Some pool that is not leaving.
    pub fn pool(&mut self) -> Option<SpotPool> {
        let pools = self.world.home().around.store.all_pools();
        let staying: Vec<SpotPool> =
            pools.into_iter().filter(|pool| pool.metadata.deletion_timestamp.is_none()).collect();
        if staying.is_empty() { None } else { Some(staying[self.rng.random_range(0..staying.len())].clone()) }
    }

    /// Some SpotInstance of this pool that is not leaving.
    pub fn instance(&mut self, pool: &SpotPool) -> Option<SpotInstance> {
        let uid = pool.uid().unwrap_or_default();
        let cluster = &self.world.home().around.cluster_uid;
        let mut instances = self.world.home().around.store.all_instances();
        instances.retain(|instance| {
            instance.spec.pool.uid == uid
                && instance.metadata.deletion_timestamp.is_none()
                && instance.spec.cluster_id == *cluster
        });
        if instances.is_empty() {
            None
        } else {
            Some(instances[self.rng.random_range(0..instances.len())].clone())
        }
    }

    /// Some living machine of this pool.
    pub fn machine(&mut self, pool: &SpotPool) -> Option<String> {
        let machines = self.world.machines_of(pool);
        if machines.is_empty() {
            None
        } else {
            Some(machines[self.rng.random_range(0..machines.len())].clone())
        }
    }

    /// Makes the pool want a launch soon: a machine vanishes, somebody deletes a SpotInstance, or the
    /// minimum goes up. A pool that wants one anyhow is left alone. Whether anything was done.
    pub fn provoke(&mut self, pool: &SpotPool) -> bool {
        let Some(key) = pool_key(pool) else { return false };
        let store = &self.world.home().around.store.clone();
        let Some(current) = store.peek_pool(&key) else { return false };
        let spec = &current.spec;
        if spec.minimum < 1 || (spec.minimum < 3 && spec.maximum < 4 && self.chance(0.15)) {
            self.count(Kind::Edit, &key.name, || format!("minimum of {key} goes up by one"));
            let edited = store.edit_pool(&key, |spec| {
                spec.minimum += 1;
                spec.maximum = spec.maximum.max(spec.minimum);
            });
            return edited.is_ok();
        }
        if self.chance(0.15)
            && let Some(instance) = self.instance(&current)
        {
            let name = instance.name_any();
            self.count(Kind::DeletedInstance, &key.name, || format!("somebody deletes SpotInstance {name}"));
            return store.delete_instance_by_hand(&ObjectKey::new(NAMESPACE, name)).is_ok();
        }
        let Some(machine) = self.machine(&current) else { return true };
        self.count(Kind::Vanish, &key.name, || format!("machine {machine} vanishes"));
        self.world.cloud.with(|cloud| cloud.vanish(&machine)).is_ok()
    }

    /// Adds a rule to the weather.
    pub fn rule(
        &self,
        kind: Kind,
        steps: &'static [Step],
        mishap: Mishap,
        chance: f64,
        lasts: Duration,
        times: u32,
    ) {
        let until = Instant::now() + lasts;
        self.world.weather.add(Rule { kind, steps, object: None, mishap, chance, until, times });
    }

    /// The key of some pool's object.
    pub fn key(pool: &SpotPool) -> PoolKey {
        PoolKey::new(pool.namespace().unwrap_or_default(), pool.name_any())
    }
}
