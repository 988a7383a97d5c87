//! Time as a person is told of it. (The same file in `llm-client` and `loki-client`, which share no code.)

use std::fmt;
use std::time::Duration;

/// How long something took or takes, in tenths of a second: `65s`, `9.4s`. What is left of a deadline has nine decimals
/// otherwise. Only what is shorter than a tenth is shown in milliseconds.
pub(crate) struct Wait(pub(crate) Duration);

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let tenths = (millis + 50) / 100;
        match (tenths / 10, tenths % 10) {
            (0, 0) => write!(f, "{millis}ms"),
            (seconds, 0) => write!(f, "{seconds}s"),
            (seconds, tenths) => write!(f, "{seconds}.{tenths}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_has_one_decimal_at_most() {
        for (nanos, shown) in [
            (0, "0ms"),
            (20_000_000, "20ms"),
            (50_000_000, "0.1s"),
            (1_234_567_891, "1.2s"),
            (9_960_000_000, "10s"),
            (65_000_000_000, "65s"),
            (86_400_000_000_001, "86400s"),
        ] {
            assert_eq!(Wait(Duration::from_nanos(nanos)).to_string(), shown);
        }
    }
}
