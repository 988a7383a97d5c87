//! Which failures are worth another try, and when.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::limit::TooLate;
use crate::{Class, Error};

/// Tries of one request in all, the first included.
pub(crate) const MAX_TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);

/// How a call may be repeated by the client itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Reads and terminations: doing it twice is doing it once.
    Idempotent,
    /// Launches: every repetition is a decision that only the caller can take.
    Never,
}

/// Whether an idempotent call that failed like this may succeed when it is simply sent again.
pub(crate) fn is_passing(error: &Error) -> bool {
    match error {
        Error::Unknown { .. } | Error::Protocol { .. } => true,
        Error::NotSent { source, .. } => !source.is::<TooLate>(),
        Error::Api { class, .. } => matches!(class, Class::Retry | Class::Throttled),
        Error::Invalid { .. } | Error::Config { .. } => false,
    }
}

/// The pause before try number `tries + 1`: exponential, half of it drawn, never shorter than what the answer
/// asked for. `draw` is in `[0, 1)`.
pub(crate) fn pause(tries: u32, asked: Option<Duration>, draw: f64) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1)));
    let full = doubled.min(LONGEST_PAUSE);
    let own = full / 2 + (full / 2).mul_f64(draw);
    own.max(asked.unwrap_or_default().min(LONGEST_RETRY_AFTER))
}

/// Numbers in `[0, 1)` that a seed reproduces. The operating system's would make a simulation impossible to
/// replay.
#[derive(Debug)]
pub(crate) struct Jitter {
    seed: u64,
    drawn: AtomicU64,
}

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, drawn: AtomicU64::new(0) }
    }

    pub(crate) fn draw(&self) -> f64 {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let hash = Sha256::new().chain_update(self.seed.to_le_bytes()).chain_update(drawn.to_le_bytes());
        let bytes = hash.finalize();
        let number = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        f64::from(number) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_stay_within_their_bounds() {
        let pauses: Vec<_> = (1..8).map(|tries| pause(tries, None, 0.0).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 2500, 2500]);
        let pauses: Vec<_> = (1..8).map(|tries| pause(tries, None, 0.999_999).as_millis()).collect();
        assert_eq!(pauses, [199, 399, 799, 1599, 3199, 4999, 4999]);
        assert!(pause(u32::MAX, None, 0.5) <= LONGEST_PAUSE);
    }

    #[test]
    fn what_the_cloud_asks_for_is_honoured_and_capped() {
        assert_eq!(pause(1, Some(Duration::from_secs(7)), 0.0), Duration::from_secs(7));
        assert_eq!(pause(1, Some(Duration::from_secs(86_400)), 0.0), LONGEST_RETRY_AFTER);
    }

    #[test]
    fn the_same_seed_draws_the_same_numbers() {
        let draw = |seed| -> Vec<f64> {
            let jitter = Jitter::new(seed);
            (0..100).map(|_| jitter.draw()).collect()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert!(draw(7).iter().all(|drawn| (0.0..1.0).contains(drawn)));
        let mean = draw(7).iter().sum::<f64>() / 100.0;
        assert!((0.4..0.6).contains(&mean), "{mean}");
    }
}
