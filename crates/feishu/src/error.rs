//! One error type, whose variants are named for what the caller may do next.

use std::fmt;
use std::time::Duration;

use crate::Class;
use crate::answer::NotFeishu;

/// A cause of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What was asked of Feishu.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A message to a custom bot's group.
    Send,
    /// A flow's trigger.
    Trigger,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Send => "feishu: send a message",
            Self::Trigger => "feishu: trigger a flow",
        })
    }
}

/// Why a message was not delivered, or not known to be.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing left this machine: always safe to repeat.
    #[error("{operation}: nothing was sent, repeating is safe")]
    NotSent {
        /// What was asked.
        operation: Operation,
        /// What kept it.
        source: BoxError,
    },
    /// Nothing left this machine, and nothing will: the certificate is not trusted, or what listens there speaks no TLS.
    #[error(
        "{operation}: no TLS connection can be made; repeating does not help: check the webhook and what is between"
    )]
    Tls {
        /// What was asked.
        operation: Operation,
        /// What kept it.
        source: BoxError,
    },
    /// Something on the way answered in Feishu's place, with a redirect or a fault of the request: the message is not in the
    /// group.
    #[error(
        "{operation}: not delivered, the answer is not Feishu's; repeating does not help: check the webhook and what is \
         between"
    )]
    NotFeishu {
        /// What was asked.
        operation: Operation,
        /// Its status, and its words or where it redirects to.
        source: NotFeishu,
    },
    /// It was sent and no usable answer came: it may stand in the group. Feishu knows no idempotency key, so
    /// repeat it only if its readers can tell a double, by a [reference](crate::Message::with_reference).
    #[error("{operation}: sent, but the outcome is unknown; repeating may show it twice")]
    Unknown {
        /// What was asked.
        operation: Operation,
        /// What went wrong.
        source: BoxError,
    },
    /// Feishu refused it: it does not stand in the group.
    #[error("{operation}: refused with code {code} `{message}`: {}", class.advice())]
    Refused {
        /// What was asked.
        operation: Operation,
        /// The body's `code`.
        code: i64,
        /// Feishu's own words: for people, never to decide on. Capped, without secrets.
        message: String,
        /// What the code means.
        class: Class,
        /// The answer's HTTP status, which is usually 200.
        status: u16,
        /// A `Retry-After` of the answer, if it had one.
        retry_after: Option<Duration>,
    },
    /// The webhook's rates leave no room before the deadline, or Feishu or a gateway before it said that it was one too many
    /// and there is no time for another try. The message is not in the group and waits nowhere: ask again after `wait`.
    #[error("{operation}: the rate limit leaves no room for another {}; repeating then helps", tenths(*.wait))]
    RateLimited {
        /// What was asked.
        operation: Operation,
        /// There is no room before this time has passed. Others may take it then.
        wait: Duration,
        /// What was answered to the last try; `None` when this client knew by itself.
        source: Option<BoxError>,
    },
    /// The message cannot be sent as it is (a flow's payload over the cap, an image through a bot with a keyword).
    /// Nothing was sent, and repeating it does not help.
    #[error("{operation}: {what}; repeating does not help")]
    Invalid {
        /// What was asked.
        operation: Operation,
        /// What to change.
        what: String,
    },
    /// A webhook, a key or another setting that cannot be used.
    #[error("feishu: configuration: {what}")]
    Config {
        /// What to change.
        what: String,
        /// What kept it, when something below did.
        source: Option<BoxError>,
    },
}

/// In seconds, with one decimal and rounded up: who waits for as long as it says has waited long enough.
pub(crate) fn tenths(time: Duration) -> String {
    let tenths = time.as_nanos().div_ceil(100_000_000);
    match tenths % 10 {
        0 => format!("{} s", tenths / 10),
        tenth => format!("{}.{tenth} s", tenths / 10),
    }
}

impl Error {
    /// What Feishu's code means, when it answered with one.
    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Refused { class, .. } => Some(*class),
            _ => None,
        }
    }

    /// Feishu's code, when it answered with one.
    pub fn code(&self) -> Option<i64> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether the same call may be made again as it stands, after [`retry_after`](Self::retry_after), and without
    /// the danger that the message appears twice. [`Error::Unknown`] is not: see there.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NotSent { .. } | Self::RateLimited { .. } => true,
            Self::Refused { class, .. } => class.is_passing(),
            Self::Tls { .. }
            | Self::NotFeishu { .. }
            | Self::Unknown { .. }
            | Self::Invalid { .. }
            | Self::Config { .. } => false,
        }
    }

    /// It was one too many, by Feishu's word or a gateway's.
    pub(crate) fn is_throttled(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Refused { class: Class::Throttled, .. })
    }

    /// The last error of a call, after which nothing leaves for `pause`: it says so when it was one too many.
    pub(crate) fn with_wait(self, pause: Duration) -> Self {
        let wait = pause.max(self.retry_after().unwrap_or_default());
        match self {
            error if wait.is_zero() => error,
            Self::RateLimited { operation, source, .. } => Self::RateLimited { operation, wait, source },
            Self::Refused { operation, class: Class::Throttled, .. } => {
                Self::RateLimited { operation, wait, source: Some(Box::new(self)) }
            }
            other => other,
        }
    }

    /// How long to wait at least before the next try, when somebody said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { wait, .. } => Some(*wait),
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_tenths_of_a_second_and_suffices() {
        for (nanos, told) in [
            (0, "0 s"),
            (1, "0.1 s"),
            (100_000_000, "0.1 s"),
            (1_234_567_891, "1.3 s"),
            (1_999_999_999, "2 s"),
            (7_000_000_000, "7 s"),
            (86_399_900_000_001, "86400 s"),
        ] {
            let wait = Duration::from_nanos(nanos);
            let error = Error::RateLimited { operation: Operation::Send, wait, source: None };
            let text = format!("leaves no room for another {told}; repeating then helps");
            assert!(error.to_string().ends_with(&text), "{error}");
        }
    }
}
