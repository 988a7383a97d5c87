//! The wall clock that messages are signed with.

use jiff::Timestamp;

/// A wall clock. Waiting and deadlines use tokio's clock, so that tests and simulations can pause it.
pub trait WallClock: Send + Sync {
    /// The current time as this machine believes it to be.
    fn now(&self) -> Timestamp;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl WallClock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
