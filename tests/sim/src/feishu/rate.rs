//! The rates of one webhook: 5 in any second and 100 in any minute.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const PER_SECOND: usize = 5;
const PER_MINUTE: usize = 100;

/// What came to a webhook.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// All of the last minute, refused or not.
    came: VecDeque<Instant>,
    /// Of these, those that were let through.
    passed: VecDeque<Instant>,
    pub(super) most: Most,
}

/// The most that ever came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Most {
    in_a_second: usize,
    in_a_minute: usize,
}

impl Window {
    /// Notes a request; false when it is one too many.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        for times in [&mut self.came, &mut self.passed] {
            while times.front().is_some_and(|at| now.duration_since(*at) >= MINUTE) {
                times.pop_front();
            }
        }
        self.came.push_back(now);
        self.most.in_a_minute = self.most.in_a_minute.max(self.came.len());
        self.most.in_a_second = self.most.in_a_second.max(within_a_second(&self.came, now));
        let passes = self.passed.len() < PER_MINUTE && within_a_second(&self.passed, now) < PER_SECOND;
        if passes {
            self.passed.push_back(now);
        }
        passes
    }
}

fn within_a_second(times: &VecDeque<Instant>, now: Instant) -> usize {
    times.iter().rev().take_while(|at| now.duration_since(**at) < SECOND).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn both_windows_slide() {
        let start = Instant::now();
        let mut window = Window::default();
        for _ in 0..5 {
            assert!(window.take(start));
        }
        assert!(!window.take(start + Duration::from_millis(999)));
        assert!(window.take(start + SECOND));
        assert_eq!(window.most, Most { in_a_second: 6, in_a_minute: 7 });

        let mut window = Window::default();
        let taken = (0..120).filter(|n| window.take(start + *n * SECOND / 4)).count();
        assert_eq!(taken, 100);
        assert!(window.take(start + MINUTE));
    }
}
