//! What time it is: the world's own, and what each process believes.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use spotpool_operator::ports::Clock;
use tokio::time::Instant;

/// The world's time: tokio's paused clock, counted from a date.
#[derive(Debug, Clone, Copy)]
pub struct Truth {
    epoch: Timestamp,
    start: Instant,
}

impl Truth {
    /// Now is `epoch`.
    pub fn starting(epoch: Timestamp) -> Self {
        Self { epoch, start: Instant::now() }
    }

    /// Since the start.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// The instant `since` after the start.
    pub fn instant(&self, since: Duration) -> Instant {
        self.start + since
    }

    /// The date `since` after the start.
    pub fn date(&self, since: Duration) -> Timestamp {
        later(self.epoch, since)
    }
}

impl Clock for Truth {
    fn now(&self) -> Timestamp {
        self.date(self.elapsed())
    }
}

fn later(from: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| from.checked_add(by).ok()).unwrap_or(from)
}

/// The wall clock of one process.
#[derive(Debug)]
pub struct SkewedClock {
    truth: Truth,
    ahead_millis: AtomicI64,
}

impl SkewedClock {
    /// Ahead of the truth by so much, or behind it.
    pub fn new(truth: Truth, ahead_millis: i64) -> Self {
        Self { truth, ahead_millis: AtomicI64::new(ahead_millis) }
    }

    /// Somebody sets the clock.
    pub fn step(&self, millis: i64) {
        self.ahead_millis.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.ahead_millis.load(Ordering::Relaxed));
        let now = self.truth.now();
        now.checked_add(ahead).unwrap_or(now)
    }
}
