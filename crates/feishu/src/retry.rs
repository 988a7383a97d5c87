//! How long to wait before the next try.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Tries of one message in all, the first included. Repeats in a smaller form do not count.
pub(crate) const MAX_TRIES: u32 = 5;
/// After "too many" nothing helps sooner.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The pause before try number `tries + 1`: doubled each time, up to half as much again drawn on top, never shorter than
/// what the answer asked for. `draw` is in `[0, 1)`.
pub(crate) fn pause(tries: u32, asked: Option<Duration>, draw: f64) -> Duration {
    let doubled =
        FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1))).min(LONGEST_PAUSE);
    let own = doubled + (doubled / 2).mul_f64(draw);
    own.max(asked.unwrap_or_default().min(LONGEST_PAUSE))
}

/// Numbers in `[0, 1)` that a seed reproduces (SplitMix64).
#[derive(Debug)]
pub(crate) struct Jitter(AtomicU64);

impl Jitter {
    /// Without a seed, another one in each process and client.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self(AtomicU64::new(seed.unwrap_or_else(|| RandomState::new().hash_one(0))))
    }

    pub(crate) fn draw(&self) -> f64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut mixed = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // The upper half has 32 bits, which a float holds exactly.
        f64::from(u32::try_from(mixed >> 32).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_start_at_a_second_double_and_stay_within_their_bounds() {
        let pauses: Vec<_> = (1..8).map(|tries| pause(tries, None, 0.0).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(pause(1, None, 0.5), Duration::from_millis(1250));
        assert_eq!(pause(1, Some(Duration::from_secs(7)), 0.0), Duration::from_secs(7));
        assert_eq!(pause(1, Some(Duration::from_secs(86_400)), 0.0), LONGEST_PAUSE);
    }

    #[test]
    fn the_same_seed_draws_the_same_numbers() {
        let draw = |seed| -> Vec<f64> {
            let jitter = Jitter::new(Some(seed));
            (0..100).map(|_| jitter.draw()).collect()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert!(draw(7).iter().all(|drawn| (0.0..1.0).contains(drawn)));
        let mean = draw(7).iter().sum::<f64>() / 100.0;
        assert!((0.4..0.6).contains(&mean), "{mean}");
    }
}
