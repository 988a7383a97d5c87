//! One error type, whose variants are named for what the caller may do next.

use std::time::Duration;

use crate::{Action, Class};

/// A cause of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a call did not give what was asked.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No request left: always safe to repeat.
    #[error("{action}: nothing was sent")]
    NotSent {
        /// The call.
        action: Action,
        /// What kept it.
        source: BoxError,
    },
    /// A request was sent and no usable answer came (a timeout, a cut connection, a status other than
    /// 200, a body that is no envelope): it may have taken effect.
    #[error("{action}: sent, but the outcome is unknown")]
    Unknown {
        /// The call.
        action: Action,
        /// What went wrong.
        source: BoxError,
    },
    /// The cloud answered with an error.
    #[error("{action}: the cloud answered {code}: {message} (RequestId {request_id})")]
    Api {
        /// The call.
        action: Action,
        /// The error code, `Family.Detail`.
        code: String,
        /// How this code is to be handled, from the one table.
        class: Class,
        /// The cloud's text: for people, never to decide on. Capped.
        message: String,
        /// What Tencent's support asks for.
        request_id: String,
        /// A `Retry-After` of the answer, if it had one.
        retry_after: Option<Duration>,
    },
    /// The answer was complete, but did not hold what the call promises (a repeated page without end, a
    /// launch that named no machine). For `RunInstances` read it as [`Error::Unknown`].
    #[error("{action}: {what}")]
    Protocol {
        /// The call.
        action: Action,
        /// What was wrong with the answer.
        what: String,
        /// What Tencent's support asks for, when the answer had one.
        request_id: Option<String>,
    },
    /// The request itself is not one that the cloud accepts (too many filters, an empty list of ids).
    /// Nothing was sent, and repeating it will not help.
    #[error("{action}: {what}")]
    Invalid {
        /// The call.
        action: Action,
        /// What to change.
        what: String,
    },
}

/// How far a call got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nothing left this machine.
    NotSent,
    /// Sent, outcome unknown.
    Unknown,
    /// The cloud answered.
    Answered,
}

impl Error {
    /// How far the call got.
    pub fn reach(&self) -> Reach {
        match self {
            Self::NotSent { .. } | Self::Invalid { .. } => Reach::NotSent,
            Self::Unknown { .. } | Self::Protocol { .. } => Reach::Unknown,
            Self::Api { .. } => Reach::Answered,
        }
    }
}
