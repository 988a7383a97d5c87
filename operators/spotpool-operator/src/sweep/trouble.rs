//! What a look at the cloud that failed tells.

use std::time::Duration;

use tencent_cvm::{Class, Error};

use crate::blame;

/// Why the latest sweep failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The handling class, when the cloud answered.
    pub class: Option<Class>,
    /// The cloud's code, when it answered.
    pub code: Option<String>,
    /// What support asks for.
    pub request_id: Option<String>,
    /// The error in words.
    pub text: String,
    /// For how long no sweep has succeeded.
    pub lasted: Duration,
}

/// What lasts longer is an outage, not a hiccup.
pub const OUTAGE: Duration = Duration::from_secs(30);

impl Trouble {
    /// What an error tells people.
    pub fn of(error: &Error) -> Self {
        Self {
            class: error.class(),
            code: error.code().map(str::to_owned),
            request_id: error.request_id().map(str::to_owned),
            text: blame::with_causes(error),
            lasted: Duration::ZERO,
        }
    }

    /// Repeating the same question will not help: the key, the region or the account has to change.
    pub fn is_lasting(&self) -> bool {
        self.class.is_some_and(|class| {
            !matches!(class, Class::Retry | Class::Throttled | Class::Unknown | Class::Wait)
        })
    }

    /// What the cloud said and what to do about it.
    pub fn advice(&self) -> String {
        let advice = self.class.map_or("", Class::advice);
        blame::sentence(&self.text, self.code.as_deref().unwrap_or_default(), advice)
    }

    /// The key, its token or its permissions.
    pub fn is_auth(&self) -> bool {
        self.class == Some(Class::Auth)
    }
}
