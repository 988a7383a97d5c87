//! What the probes tell: whether this process does its work (healthz), and whether it would be missed
//! (readyz).

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// A driver that has not come round for so long is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(60);
/// A standby that has not reached the API server for so long could not take over.
const OUT_OF_REACH_AFTER: Duration = Duration::from_secs(10);
/// How often a driver is asked for a sign of life.
const BEAT_EVERY: Duration = Duration::from_secs(2);

/// What this process is, and when it last showed that it works.
#[derive(Debug)]
pub struct Health {
    started: Instant,
    role: AtomicU8,
    driver: Moment,
    api_server: Moment,
}

/// What this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// It waits for the Lease.
    Standby = 0,
    /// It works.
    Leading = 1,
    /// It was told to stop and lets calls in flight end.
    Stopping = 2,
}

/// What a probe is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the answer is a good one.
    pub good: bool,
    /// Why, for people.
    pub why: String,
}

impl Health {
    /// A standby that has not done anything yet.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            role: AtomicU8::new(Role::Standby as u8),
            driver: Moment::default(),
            api_server: Moment::default(),
        })
    }

    /// This process is something else from now on.
    pub fn becomes(&self, role: Role) {
        if role == Role::Leading {
            self.driver.set(self.started);
        }
        self.role.store(role as u8, Ordering::Release);
    }

    /// What this process is.
    pub fn role(&self) -> Role {
        match self.role.load(Ordering::Acquire) {
            0 => Role::Standby,
            1 => Role::Leading,
            _ => Role::Stopping,
        }
    }

    /// The API server has answered.
    pub fn api_server_answered(&self) {
        self.api_server.set(self.started);
    }

    /// The stream, with a sign of life at every turn of whoever reads it: a driver that no longer comes
    /// back to its stream of hints is stuck, whatever it waits for.
    pub fn pulse<S: Stream + Unpin>(self: &Arc<Self>, stream: S) -> Pulse<S> {
        let mut beat = tokio::time::interval(BEAT_EVERY);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Pulse { health: Arc::clone(self), beat, stream }
    }

    /// The answer to `/healthz`: bad when this process should be restarted.
    pub fn alive(&self) -> Verdict {
        match self.driver.age(self.started) {
            Some(age) if self.role() != Role::Standby && age > STUCK_AFTER => {
                Verdict { good: false, why: format!("the driver has not come round for {} s", age.as_secs()) }
            }
            _ => Verdict { good: true, why: "ok".to_owned() },
        }
    }

    /// The answer to `/readyz`: good when this process works, or could take over.
    pub fn ready(&self) -> Verdict {
        match (self.role(), self.api_server.age(self.started)) {
            (Role::Leading, _) => Verdict { good: true, why: "leading".to_owned() },
            (Role::Stopping, _) => Verdict { good: false, why: "stopping".to_owned() },
            (Role::Standby, Some(age)) if age <= OUT_OF_REACH_AFTER => {
                Verdict { good: true, why: "standing by".to_owned() }
            }
            (Role::Standby, _) => Verdict { good: false, why: "the API server cannot be reached".to_owned() },
        }
    }
}

/// A point in time that many may set, in milliseconds after the start plus one; 0 is never.
#[derive(Debug, Default)]
struct Moment(AtomicU64);

impl Moment {
    fn set(&self, started: Instant) {
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.0.store(millis + 1, Ordering::Release);
    }

    fn age(&self, started: Instant) -> Option<Duration> {
        let at = self.0.load(Ordering::Acquire).checked_sub(1)?;
        Some(started.elapsed().saturating_sub(Duration::from_millis(at)))
    }
}

/// See [`Health::pulse`].
#[derive(Debug)]
pub struct Pulse<S> {
    health: Arc<Health>,
    beat: Interval,
    stream: S,
}

impl<S: Stream + Unpin> Stream for Pulse<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.health.driver.set(self.health.started);
        // Polled until it is pending, so that the next beat wakes the reader even when nothing else does.
        while self.beat.poll_tick(context).is_ready() {}
        Pin::new(&mut self.stream).poll_next(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;

    #[tokio::test(start_paused = true)]
    async fn a_driver_that_stops_reading_its_hints_is_stuck_after_a_minute() {
        let health = Health::new();
        health.becomes(Role::Leading);
        let mut hints = health.pulse(futures::stream::pending::<()>());

        let quiet = tokio::time::timeout(Duration::from_secs(600), hints.next()).await;
        assert!(quiet.is_err());
        assert!(health.alive().good, "a driver that waits for hints is not stuck");

        tokio::time::advance(STUCK_AFTER + Duration::from_secs(5)).await;
        assert!(!health.alive().good);
    }

    #[tokio::test(start_paused = true)]
    async fn a_standby_is_ready_only_while_it_reaches_the_api_server() {
        let health = Health::new();
        assert!(!health.ready().good);
        health.api_server_answered();
        assert_eq!(health.ready(), Verdict { good: true, why: "standing by".to_owned() });
        tokio::time::advance(OUT_OF_REACH_AFTER + Duration::from_secs(1)).await;
        assert!(!health.ready().good);
        assert!(health.alive().good, "restarting would not bring the API server back");
    }

    #[tokio::test(start_paused = true)]
    async fn a_leader_is_ready_and_one_that_stops_is_not() {
        let health = Health::new();
        health.becomes(Role::Leading);
        assert_eq!(health.ready(), Verdict { good: true, why: "leading".to_owned() });
        health.becomes(Role::Stopping);
        assert!(!health.ready().good);
    }
}
