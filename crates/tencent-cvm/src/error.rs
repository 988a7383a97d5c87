//! One error type, whose variants are named for what the caller may do next.

use std::sync::Arc;
use std::time::Duration;

use crate::envelope::NotTheApi;
use crate::{Action, Class, codes};

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
    /// The client itself cannot be built.
    #[error("build the CVM client: {what}")]
    Config {
        /// What to change.
        what: String,
        /// What kept it, when something below did.
        source: Option<BoxError>,
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
            Self::NotSent { .. } | Self::Invalid { .. } | Self::Config { .. } => Reach::NotSent,
            Self::Unknown { .. } | Self::Protocol { .. } => Reach::Unknown,
            Self::Api { .. } => Reach::Answered,
        }
    }

    /// The call that failed; `None` when there is no client to call with.
    pub fn action(&self) -> Option<Action> {
        match self {
            Self::NotSent { action, .. }
            | Self::Unknown { action, .. }
            | Self::Api { action, .. }
            | Self::Protocol { action, .. }
            | Self::Invalid { action, .. } => Some(*action),
            Self::Config { .. } => None,
        }
    }

    /// The cloud's error code, when it answered with one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Api { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Whether the answer proves that the call's first and only sending made nothing.
    ///
    /// True for the definite refusals ([`Class::is_definite_refusal`]); for every code that the table knows by its
    /// whole name, the cloud's own trouble apart, since key, rate, money and parameters are checked before anything is
    /// made; and for an unknown code whose family names the caller or a parameter. An unknown `FailedOperation.…`,
    /// `OperationDenied.…` or the like may be told after an instance was made: find out by name.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Api { action, code, class, .. } => {
                class.is_definite_refusal()
                    || !matches!(class, Class::Unknown | Class::Retry)
                        && codes::is_checked_first(*action, code)
            }
            _ => false,
        }
    }

    /// How the cloud's error code is to be handled, when it answered with one.
    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Api { class, .. } => Some(*class),
            _ => None,
        }
    }

    /// The id under which Tencent's support finds the call.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Api { request_id, .. } => Some(request_id.as_str()),
            Self::Protocol { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
        .filter(|id| !id.is_empty())
    }

    /// How long the answer asked to wait, uncapped.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Api { retry_after, .. } => *retry_after,
            Self::Unknown { source, .. } => source.downcast_ref::<NotTheApi>()?.retry_after,
            _ => None,
        }
    }

    /// Whether the same call may be made again as it stands, after a pause, without the danger of doing it
    /// twice. A launch whose outcome is unknown is not.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NotSent { .. } => true,
            Self::Unknown { action, .. } | Self::Protocol { action, .. } => action.is_idempotent(),
            Self::Api { class, .. } => matches!(class, Class::Retry | Class::Throttled | Class::Wait),
            Self::Invalid { .. } | Self::Config { .. } => false,
        }
    }

    /// The same error once for each of `n` that shared one request.
    pub(crate) fn for_each_of(self, n: usize) -> Vec<Self> {
        match self {
            Self::NotSent { action, source } => {
                shared(source, n).map(|source| Self::NotSent { action, source }).collect()
            }
            Self::Unknown { action, source } => {
                shared(source, n).map(|source| Self::Unknown { action, source }).collect()
            }
            Self::Api { action, code, class, message, request_id, retry_after } => (0..n)
                .map(|_| Self::Api {
                    action,
                    code: code.clone(),
                    class,
                    message: message.clone(),
                    request_id: request_id.clone(),
                    retry_after,
                })
                .collect(),
            Self::Protocol { action, what, request_id } => (0..n)
                .map(|_| Self::Protocol { action, what: what.clone(), request_id: request_id.clone() })
                .collect(),
            Self::Invalid { action, what } => {
                (0..n).map(|_| Self::Invalid { action, what: what.clone() }).collect()
            }
            Self::Config { what, .. } => {
                (0..n).map(|_| Self::Config { what: what.clone(), source: None }).collect()
            }
        }
    }
}

/// A cause that several errors have in common.
#[derive(Debug, Clone)]
struct SharedCause(Arc<BoxError>);

impl std::fmt::Display for SharedCause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for SharedCause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

fn shared(source: BoxError, n: usize) -> impl Iterator<Item = BoxError> {
    let cause = SharedCause(Arc::new(source));
    (0..n).map(move |_| -> BoxError { Box::new(cause.clone()) })
}
