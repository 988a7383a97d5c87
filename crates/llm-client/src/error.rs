//! One error type, whose variants are named for what the caller may do next.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::tool::list;
use crate::wait::Wait;
use crate::{Class, Violation};

/// A cause of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Which call to which service: how every error begins.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// The client's name, such as `deepseek`.
    pub service: Arc<str>,
    /// `complete`, `stream` or `structured`.
    pub operation: &'static str,
}

impl Call {
    /// A call, for the errors of other implementations of [`Chat`](crate::Chat) and of mocks.
    pub fn new(service: impl Into<Arc<str>>, operation: &'static str) -> Self {
        Self { service: service.into(), operation }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.service, self.operation)
    }
}

/// Which deadline passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deadline {
    /// Nothing of the answer had come; keep-alive comments and blank lines do not count.
    FirstByte,
    /// The answer was not complete.
    Total,
}

/// Why a call did not give what was asked. No variant holds a key, a part of the prompt or of an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No request left: always safe to repeat.
    #[error("{call}: nothing was sent (repeating may help)")]
    NotSent {
        /// The call.
        call: Call,
        /// What kept it.
        source: BoxError,
    },
    /// No request left, and none will: the certificate is not trusted, or what listens there speaks no TLS.
    #[error(
        "{call}: no TLS connection can be made (repeating does not help: check the base URL and the certificate)"
    )]
    Tls {
        /// The call.
        call: Call,
        /// What kept it.
        source: BoxError,
    },
    /// The connection broke before the answer was complete. It may have cost something.
    #[error("{call}: the connection broke before the answer was complete (repeating may help)")]
    Broken {
        /// The call.
        call: Call,
        /// What happened.
        source: BoxError,
    },
    /// A deadline passed. It may have cost something.
    #[error("{call}: {} after {} (repeating may help)", late(deadline), Wait(*after))]
    Late {
        /// The call.
        call: Call,
        /// Which deadline.
        deadline: Deadline,
        /// How long it was.
        after: Duration,
    },
    /// The endpoint answered with an error, before or in the middle of the answer.
    #[error("{call}: {}{}: {message:?} ({class})", status_text(status), code_text(code.as_deref()))]
    Api {
        /// The call.
        call: Call,
        /// The HTTP status; `None` when the error came in the middle of a stream.
        status: Option<u16>,
        /// How it is to be handled, from one table for all dialects.
        class: Class,
        /// The endpoint's code or type, whichever it has.
        code: Option<String>,
        /// Its words: for people, never to decide on. Capped, without key and prompt.
        message: String,
        /// What the endpoint's support asks for.
        request_id: Option<Box<str>>,
        /// A `Retry-After` of the answer, uncapped.
        retry_after: Option<Duration>,
    },
    /// Something answered that is not a chat endpoint: a gateway's page of HTML, another API.
    #[error("{call}: not a chat endpoint: status {status}, {content_type}: {words:?} ({})",
            if *retryable { "repeating may help" } else { "repeating does not help: check the base URL" })]
    NotTheApi {
        /// The call.
        call: Call,
        /// The HTTP status.
        status: u16,
        /// The answer's `Content-Type`, or what it looks like.
        content_type: String,
        /// How it begins, or where a redirect leads: text only, capped, without key and prompt.
        words: String,
        /// Whether the status is one that passes (408, 429, 5xx).
        retryable: bool,
        /// How long the answer asked to wait.
        retry_after: Option<Duration>,
    },
    /// The endpoint's answer is broken: JSON that ends in the middle, no choices, a stream without an end.
    #[error("{call}: {what} (repeating may help)")]
    Decode {
        /// The call.
        call: Call,
        /// What is wrong with it.
        what: String,
    },
    /// The model said nothing at all.
    #[error("{call}: the model said nothing (repeating may help)")]
    Empty {
        /// The call.
        call: Call,
    },
    /// The limit of tokens cut an answer that has to be whole.
    #[error(
        "{call}: the answer was cut after {completion_tokens} tokens (repeating does not help: allow more)"
    )]
    Truncated {
        /// The call.
        call: Call,
        /// The tokens that it had, 0 when the endpoint did not count.
        completion_tokens: u64,
    },
    /// The model refused, or a filter took the answer.
    #[error("{call}: {} (repeating does not help)",
            if *filtered { "a filter took the answer" } else { "the model refused" })]
    Withheld {
        /// The call.
        call: Call,
        /// A filter of the endpoint's, and not the model itself.
        filtered: bool,
    },
    /// Two answers in a row did not fit the schema.
    #[error("{call}: the answer does not fit its schema: {} (another model may do better)", list(violations))]
    Unfit {
        /// The call.
        call: Call,
        /// What is wrong with the second one. One violation without a place when it was no JSON.
        violations: Vec<Violation>,
    },
    /// The token budget does not have what the call may cost. Nothing was sent.
    #[error("{call}: the token budget has {available} left and this may cost {needed} (wait for its reset)")]
    BudgetSpent {
        /// The call.
        call: Call,
        /// What the call could have cost at most.
        needed: u64,
        /// What was there.
        available: u64,
    },
    /// The prompt does not fit into the model's context window. Nothing was sent: an endpoint that drops the rest of a
    /// prompt without a word (Ollama) would have answered all the same.
    #[error(
        "{call}: the prompt has at least {at_least} tokens and the context window {context_window} (repeating does not help: \
         shorten the prompt, or raise the model's window and the client's)"
    )]
    PromptTooLong {
        /// The call.
        call: Call,
        /// What the prompt has at the very least.
        at_least: u64,
        /// What the client was told: see [`crate::HttpChatBuilder::context_window`].
        context_window: u64,
    },
    /// The provider was not asked, since it kept failing. Nothing was sent.
    #[error("{call}: not asked for another {}, since it kept failing", Wait(*wait))]
    Resting {
        /// The call.
        call: Call,
        /// How long it is left alone.
        wait: Duration,
    },
    /// No provider of a list gave an answer.
    #[error("{call}: no provider answered: {}", each(failures))]
    AllFailed {
        /// The call.
        call: Call,
        /// What each said, in order.
        failures: Vec<Error>,
    },
    /// The request is one that no endpoint takes. Nothing was sent, and repeating does not help.
    #[error("{call}: {what} (repeating does not help)")]
    Invalid {
        /// The call.
        call: Call,
        /// What to change.
        what: String,
    },
    /// The client itself cannot be built.
    #[error("build the chat client: {what}")]
    Config {
        /// What to change.
        what: String,
        /// What kept it, when something below did.
        source: Option<BoxError>,
    },
}

impl Error {
    /// Which call failed; `None` when there is no client to call with.
    pub fn call(&self) -> Option<&Call> {
        match self {
            Self::NotSent { call, .. }
            | Self::Tls { call, .. }
            | Self::Broken { call, .. }
            | Self::Late { call, .. }
            | Self::Api { call, .. }
            | Self::NotTheApi { call, .. }
            | Self::Decode { call, .. }
            | Self::Empty { call }
            | Self::Truncated { call, .. }
            | Self::Withheld { call, .. }
            | Self::Unfit { call, .. }
            | Self::BudgetSpent { call, .. }
            | Self::PromptTooLong { call, .. }
            | Self::Resting { call, .. }
            | Self::AllFailed { call, .. }
            | Self::Invalid { call, .. } => Some(call),
            Self::Config { .. } => None,
        }
    }

    /// The same error of the operation that the caller has asked for, which makes calls of another.
    pub(crate) fn within(mut self, operation: &'static str) -> Self {
        if let Self::AllFailed { failures, .. } = &mut self {
            let inner = std::mem::take(failures);
            *failures = inner.into_iter().map(|failure| failure.within(operation)).collect();
        }
        match &mut self {
            Self::NotSent { call, .. }
            | Self::Tls { call, .. }
            | Self::Broken { call, .. }
            | Self::Late { call, .. }
            | Self::Api { call, .. }
            | Self::NotTheApi { call, .. }
            | Self::Decode { call, .. }
            | Self::Empty { call }
            | Self::Truncated { call, .. }
            | Self::Withheld { call, .. }
            | Self::Unfit { call, .. }
            | Self::BudgetSpent { call, .. }
            | Self::PromptTooLong { call, .. }
            | Self::Resting { call, .. }
            | Self::AllFailed { call, .. }
            | Self::Invalid { call, .. } => call.operation = operation,
            Self::Config { .. } => {}
        }
        self
    }

    /// How an endpoint's error is to be handled, when it answered with one.
    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Api { class, .. } => Some(*class),
            _ => None,
        }
    }

    /// Whether the same call may succeed when it is made again after a pause. Repeating is always safe, but an answer
    /// that got lost may have cost something.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NotSent { .. }
            | Self::Broken { .. }
            | Self::Late { .. }
            | Self::Decode { .. }
            | Self::Empty { .. }
            | Self::Resting { .. } => true,
            Self::Api { class, .. } => class.is_retryable(),
            Self::NotTheApi { retryable, .. } => *retryable,
            Self::AllFailed { failures, .. } => failures.iter().any(Self::is_retryable),
            Self::Tls { .. }
            | Self::Truncated { .. }
            | Self::Withheld { .. }
            | Self::Unfit { .. }
            | Self::BudgetSpent { .. }
            | Self::PromptTooLong { .. }
            | Self::Invalid { .. }
            | Self::Config { .. } => false,
        }
    }

    /// How long to wait at least, when somebody said so. Of several providers, the shortest.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Api { retry_after, .. } | Self::NotTheApi { retry_after, .. } => *retry_after,
            Self::Resting { wait, .. } => Some(*wait),
            Self::AllFailed { failures, .. } => {
                failures.iter().filter(|failure| failure.is_retryable()).filter_map(Self::retry_after).min()
            }
            _ => None,
        }
    }

    /// The id under which the endpoint's support finds the call.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Api { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
    }
}

fn late(deadline: &Deadline) -> &'static str {
    match deadline {
        Deadline::FirstByte => "nothing of the answer had come",
        Deadline::Total => "the answer was not complete",
    }
}

fn status_text(status: &Option<u16>) -> String {
    status.map_or_else(|| "in the middle of the answer".to_owned(), |status| format!("status {status}"))
}

fn code_text(code: Option<&str>) -> String {
    code.map(|code| format!(" {code}")).unwrap_or_default()
}

fn each(failures: &[Error]) -> String {
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
}
