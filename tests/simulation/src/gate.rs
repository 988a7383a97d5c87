//! The gate of one process: every port call passes it on the way out and on the way back.
//!
//! Here a process is frozen (a stalled leader is a future held back) or dies (a crash is a dropped future),
//! exactly before or after a chosen step. What it asked for goes on without it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::pending;
use spotpool_operator::ports::PoolKey;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::site::{Site, Step};

/// The way out or the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// Before the call leaves the process.
    Before,
    /// After it took effect, before the process learns of it.
    After,
}

/// Which step springs a trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bait {
    /// A step of this kind.
    Step(Step),
    /// Any step that changes something.
    Effect,
}

/// What a trap does to the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// It stands still for so long.
    Freeze(Duration),
    /// It is no more.
    Die,
    /// Nothing: somebody wants to know.
    Tell,
}

/// Waits for one step of one process.
#[derive(Debug)]
pub struct Trap {
    /// Which steps.
    pub bait: Bait,
    /// Only steps about this pool; a call to the cloud is about none.
    pub pool: Option<PoolKey>,
    /// Out or back.
    pub edge: Edge,
    /// So many of them pass first.
    pub skip: u32,
    /// What happens.
    pub deed: Deed,
    /// Told when it does.
    pub sprung: Option<oneshot::Sender<Site>>,
}

impl Trap {
    /// A trap for the first such step about anything, and the ear that hears it spring.
    pub fn new(bait: Bait, edge: Edge, deed: Deed) -> (Self, oneshot::Receiver<Site>) {
        let (sprung, told) = oneshot::channel();
        (Self { bait, pool: None, edge, skip: 0, deed, sprung: Some(sprung) }, told)
    }

    fn fits(&self, site: &Site, edge: Edge) -> bool {
        let step = match self.bait {
            Bait::Step(step) => step == site.step,
            Bait::Effect => site.step.is_effect(),
        };
        step && edge == self.edge && (self.pool.is_none() || site.pool.is_none() || self.pool == site.pool)
    }
}

/// See the module.
#[derive(Default)]
pub struct Gate {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    frozen_until: Option<Instant>,
    dead: bool,
    effects: u64,
    traps: Vec<Trap>,
}

impl Gate {
    /// Waits for a step.
    pub fn arm(&self, trap: Trap) {
        self.lock().traps.push(trap);
    }

    /// Nobody waits any more.
    pub fn disarm(&self) {
        self.lock().traps.clear();
    }

    /// From now on nothing passes.
    pub fn kill(&self) {
        self.lock().dead = true;
    }

    /// Whether it is dead.
    pub fn is_dead(&self) -> bool {
        self.lock().dead
    }

    /// The process stands still from now on.
    pub fn freeze(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut state = self.lock();
        state.frozen_until = Some(state.frozen_until.map_or(until, |old| old.max(until)));
    }

    /// How many effects left so far.
    pub fn effects(&self) -> u64 {
        self.lock().effects
    }

    /// A call is about to leave, or its answer is about to arrive. Never returns in a dead process.
    pub async fn pass(&self, site: &Site, edge: Edge) {
        self.spring(site, edge);
        loop {
            match self.hold() {
                Hold::Free => return,
                Hold::Until(until) => sleep_until(until).await,
                Hold::Forever => pending().await,
            }
        }
    }

    fn spring(&self, site: &Site, edge: Edge) {
        let mut state = self.lock();
        if edge == Edge::Before && site.step.is_effect() {
            state.effects += 1;
        }
        if state.dead {
            return;
        }
        let Some(index) = state.traps.iter().position(|trap| trap.fits(site, edge)) else { return };
        if state.traps[index].skip > 0 {
            state.traps[index].skip -= 1;
            return;
        }
        let trap = state.traps.remove(index);
        match trap.deed {
            Deed::Freeze(time) => {
                let until = Instant::now() + time;
                state.frozen_until = Some(state.frozen_until.map_or(until, |old| old.max(until)));
            }
            Deed::Die => state.dead = true,
            Deed::Tell => {}
        }
        if let Some(sprung) = trap.sprung {
            // Nobody may be waiting any more; the deed is done all the same.
            let _ = sprung.send(site.clone());
        }
    }

    fn hold(&self) -> Hold {
        let state = self.lock();
        match state.frozen_until {
            _ if state.dead => Hold::Forever,
            Some(until) if until > Instant::now() => Hold::Until(until),
            _ => Hold::Free,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Hold {
    Free,
    Until(Instant),
    Forever,
}

/// A process's whole work: polled only while its gate lets it live.
pub struct Held<F> {
    work: Pin<Box<F>>,
    gate: Arc<Gate>,
    thaw: Option<Pin<Box<Sleep>>>,
}

impl<F: Future> Held<F> {
    /// Holds `work` back whenever `gate` is frozen.
    pub fn new(work: F, gate: Arc<Gate>) -> Self {
        Self { work: Box::pin(work), gate, thaw: None }
    }
}

impl<F: Future> Future for Held<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        loop {
            if let Some(thaw) = &mut self.thaw {
                if thaw.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.thaw = None;
            }
            match self.gate.hold() {
                Hold::Forever => return Poll::Pending,
                Hold::Until(until) => self.thaw = Some(Box::pin(sleep_until(until))),
                Hold::Free => return self.work.as_mut().poll(context),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(step: Step) -> Site {
        Site { step, pool: Some(PoolKey::new("default", "a")), object: "a-1".to_owned() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_frozen_process_goes_on_when_its_time_is_over() {
        let gate = Arc::new(Gate::default());
        let (trap, told) =
            Trap::new(Bait::Step(Step::Attempt), Edge::After, Deed::Freeze(Duration::from_secs(90)));
        gate.arm(trap);
        let inner = Arc::clone(&gate);
        let work = async move {
            let start = Instant::now();
            inner.pass(&site(Step::Attempt), Edge::Before).await;
            let before = start.elapsed();
            // A deadline of the process does not fire while the process stands still.
            let attempt = site(Step::Attempt);
            let passed = tokio::time::timeout(Duration::from_secs(5), inner.pass(&attempt, Edge::After));
            (before, passed.await.is_ok(), start.elapsed())
        };
        let (before, passed, after) = Held::new(work, Arc::clone(&gate)).await;
        assert_eq!(before, Duration::ZERO);
        assert!(passed, "the answer was there when the process went on");
        assert_eq!(after, Duration::from_secs(90));
        assert_eq!(told.await.expect("the trap has sprung").step, Step::Attempt);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_passes_the_gate_of_a_dead_process() {
        let gate = Arc::new(Gate::default());
        let (trap, _told) = Trap::new(Bait::Effect, Edge::Before, Deed::Die);
        gate.arm(trap);
        gate.pass(&site(Step::ReadPool), Edge::Before).await;
        let run = site(Step::Run);
        let dying = gate.pass(&run, Edge::Before);
        assert!(tokio::time::timeout(Duration::from_secs(3600), dying).await.is_err());
        assert!(gate.is_dead());
    }
}
