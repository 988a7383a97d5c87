//! Arithmetic on wall-clock times that cannot overflow: a status edited by hand may hold any year.

use jiff::Timestamp;
use std::time::Duration;

/// `from` plus `by`, at most the end of time.
pub fn later(from: Timestamp, by: Duration) -> Timestamp {
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// `from` minus `by`, at least the beginning of time.
pub fn earlier(from: Timestamp, by: Duration) -> Timestamp {
    from.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// From `from` until `to`; zero when `to` is not later.
pub fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO)
}
