//! Why a request is refused, before a dialect says it in its own way.

/// A refusal and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: Reason,
    pub(super) message: String,
    /// The field that is wrong, where the dialect says so.
    pub(super) param: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    NoKey,
    WrongKey,
    Forbidden,
    NoModel,
    NoSuchPath,
    NoBalance,
    /// A spending limit, by its code.
    Quota(String),
    RateLimited,
    Overloaded,
    TooLong,
    TooLarge,
    Moderated,
    /// A parameter; OpenAI's code for it, if it has one.
    Invalid(Option<&'static str>),
    Unprocessable,
}

impl Reason {
    /// Where a dialect has no status of its own for it.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::NoKey | Self::WrongKey => 401,
            Self::NoBalance => 402,
            Self::Forbidden => 403,
            Self::NoModel | Self::NoSuchPath => 404,
            Self::TooLarge => 413,
            Self::Unprocessable => 422,
            Self::Quota(_) | Self::RateLimited => 429,
            Self::Overloaded => 503,
            Self::TooLong | Self::Moderated | Self::Invalid(_) => 400,
        }
    }
}

impl Refusal {
    pub(super) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), param: None }
    }

    /// A parameter that nobody takes.
    pub(super) fn of(param: &'static str, message: impl Into<String>) -> Self {
        Self { param: Some(param), ..Self::new(Reason::Invalid(None), message) }
    }

    /// With OpenAI's code for it.
    pub(super) fn coded(mut self, code: &'static str) -> Self {
        self.reason = Reason::Invalid(Some(code));
        self
    }
}
