//! Time as Loki counts it: nanoseconds since the Unix epoch.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Nanoseconds since the Unix epoch, from the year 1677 to 2262.
///
/// Arithmetic stops at the ends of that range: what is asked of Loki is a window, and a window beyond them holds
/// nothing.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nanos(i64);

impl Nanos {
    /// The first instant there is.
    pub const MIN: Self = Self(i64::MIN);
    /// The last instant there is.
    pub const MAX: Self = Self(i64::MAX);

    /// So many nanoseconds after the epoch.
    pub const fn new(nanos: i64) -> Self {
        Self(nanos)
    }

    /// So many seconds after the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds after the epoch.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Later by a duration.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }

    /// Earlier by a duration.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(duration)))
    }

    /// The next nanosecond.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The time from `earlier` to here; zero when it is not earlier.
    pub const fn since(self, earlier: Self) -> Duration {
        if self.0 <= earlier.0 { Duration::ZERO } else { Duration::from_nanos(self.0.abs_diff(earlier.0)) }
    }
}

/// A duration in nanoseconds; the longest there is when it is longer.
pub(crate) fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// The digits that Loki's API takes.
impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Timestamp::from(*self))
    }
}

impl From<Nanos> for Timestamp {
    fn from(nanos: Nanos) -> Self {
        // All of our range lies within jiff's.
        Self::from_nanosecond(nanos.0.into()).unwrap_or_default()
    }
}

/// Times outside of the range become its end.
impl From<Timestamp> for Nanos {
    fn from(timestamp: Timestamp) -> Self {
        let nanos = timestamp.as_nanosecond();
        Self(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
    }
}

/// A span of time: from `start` on, before `end`.
///
/// That is how Loki takes the bounds of a log query, in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// The first instant inside.
    pub start: Nanos,
    /// The first instant after.
    pub end: Nanos,
}

impl Window {
    /// From `start` on, before `end`. With `end` at or before `start` it is empty.
    pub const fn new(start: Nanos, end: Nanos) -> Self {
        Self { start, end }
    }

    /// The one nanosecond.
    pub const fn instant(at: Nanos) -> Self {
        Self { start: at, end: at.next() }
    }

    /// Nothing can be inside.
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// How long it is.
    pub const fn length(self) -> Duration {
        self.end.since(self.start)
    }

    /// Whether the instant is inside.
    pub fn contains(self, at: Nanos) -> bool {
        self.start <= at && at < self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stops_at_its_ends() {
        assert_eq!(Nanos::MAX.next(), Nanos::MAX);
        assert_eq!(Nanos::MIN.before(Duration::from_secs(1)), Nanos::MIN);
        assert_eq!(Nanos::new(5).since(Nanos::new(7)), Duration::ZERO);
        assert_eq!(Nanos::MAX.since(Nanos::MIN), Duration::from_nanos(u64::MAX));
        assert_eq!(Nanos::from(Timestamp::MAX), Nanos::MAX);
        assert_eq!(Nanos::from(Timestamp::MIN), Nanos::MIN);
        for end in [Nanos::MIN, Nanos::MAX, Nanos::new(-1)] {
            assert_eq!(Nanos::from(Timestamp::from(end)), end);
        }
    }

    #[test]
    fn a_window_holds_its_start_and_not_its_end() {
        let window = Window::instant(Nanos::new(7));
        assert!(window.contains(Nanos::new(7)) && !window.contains(Nanos::new(8)));
        assert!(Window::new(Nanos::new(7), Nanos::new(7)).is_empty());
    }

    #[test]
    fn a_time_is_sent_as_digits_and_shown_as_a_date() {
        let time = Nanos::from_seconds(1_795_186_568);
        assert_eq!(format!("{time} {time:?}"), "1795186568000000000 2026-11-20T14:56:08Z");
    }
}
