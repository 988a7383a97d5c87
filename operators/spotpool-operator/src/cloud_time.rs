//! The cloud's clock, learnt from the `Date` headers of the sweeps.
//!
//! All times of the launch protocol are the cloud's. The offset is kept against the monotonic clock, not
//! against this machine's wall clock, so that a step of the wall clock cannot move it; and it is
//! distrusted at once when the two clocks disagree about how much time has passed (a step, a suspended
//! machine).

use jiff::Timestamp;
use std::time::Duration;
use tencent_cvm::ServerTime;
use tokio::time::Instant;

use crate::span::{between, earlier, later};

/// Older than this, an offset is worth nothing.
pub const OFFSET_LIFE: Duration = Duration::from_secs(300);
/// An answer that took longer tells too little about when the `Date` was written.
const SLOWEST_ANSWER: Duration = Duration::from_secs(4);
/// How far the two clocks of this machine may drift apart before the offset is distrusted.
const TOLERANCE: Duration = Duration::from_secs(2);

/// One reading of the cloud's clock.
#[derive(Debug, Clone, Copy)]
pub struct CloudTime {
    cloud: Timestamp,
    at: Instant,
    wall: Timestamp,
}

impl CloudTime {
    /// From an answer's `Date` (whole seconds, truncated) read when this machine's clock said `wall_now`.
    /// `None` when the answer was too slow to tell.
    pub fn learn(seen: ServerTime, wall_now: Timestamp, now: Instant) -> Option<Self> {
        (seen.round_trip <= SLOWEST_ANSWER).then(|| Self {
            cloud: later(seen.date, Duration::from_millis(500) + seen.round_trip / 2),
            at: seen.received,
            wall: earlier(wall_now, now.saturating_duration_since(seen.received)),
        })
    }

    /// The cloud's time at `now`; `None` when the reading is too old or the clocks disagree.
    pub fn now(&self, now: Instant, wall_now: Timestamp) -> Option<Timestamp> {
        let age = now.saturating_duration_since(self.at);
        let by_wall = later(self.wall, age);
        let apart = between(by_wall, wall_now).max(between(wall_now, by_wall));
        (age <= OFFSET_LIFE && apart <= TOLERANCE).then(|| later(self.cloud, age))
    }

    /// The cloud's time at an instant near the reading, before or after.
    pub fn at(&self, instant: Instant) -> Timestamp {
        if instant >= self.at {
            later(self.cloud, instant.saturating_duration_since(self.at))
        } else {
            earlier(self.cloud, self.at.saturating_duration_since(instant))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(round_trip: Duration) -> (Option<CloudTime>, Instant, Timestamp) {
        let (now, wall) = (Instant::now(), Timestamp::from_second(1_000_000).unwrap());
        let seen = ServerTime { date: Timestamp::from_second(2_000_000).unwrap(), round_trip, received: now };
        (CloudTime::learn(seen, wall, now), now, wall)
    }

    #[test]
    fn the_clouds_time_goes_on_with_the_monotonic_clock() {
        let (time, now, wall) = reading(Duration::from_secs(1));
        let ten = Duration::from_secs(10);
        assert_eq!(
            time.unwrap().now(now + ten, later(wall, ten)),
            Some("1970-01-24T03:33:31Z".parse().unwrap())
        );
    }

    #[test]
    fn a_stepped_wall_clock_an_old_reading_and_a_slow_answer_are_distrusted() {
        let (time, now, wall) = reading(Duration::ZERO);
        let time = time.unwrap();
        let ten = Duration::from_secs(10);
        assert_eq!(time.now(now + ten, wall), None, "the wall clock fell 10 s behind");
        assert_eq!(time.now(now + ten, later(wall, ten * 2)), None, "the wall clock ran 10 s ahead");
        let old = OFFSET_LIFE + Duration::from_secs(1);
        assert_eq!(time.now(now + old, later(wall, old)), None);
        assert!(reading(Duration::from_secs(5)).0.is_none());
    }
}
