//! Why a redactor cannot be built.

/// Why a redactor cannot be built. Nothing else in this crate fails: every text can be redacted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The operating system gave no random bytes for a key: give one
    /// ([`Key::from_bytes`](crate::Key::from_bytes)).
    #[error("the operating system gave no random bytes for a key")]
    NoRandomness,
    /// A key that could be guessed: take 32 random bytes.
    #[error("a key of {bytes} bytes can be guessed; at least {least} are needed")]
    ShortKey {
        /// Its bytes.
        bytes: usize,
        /// The fewest that are taken.
        least: usize,
    },
    /// No class and no group has this name: [`classes`](crate::classes) lists them.
    #[error("no class or group is called {name:?}")]
    UnknownClass {
        /// The name that was asked for.
        name: String,
    },
    /// The name of an extra pattern is none: it must be new, and of lower-case letters, digits and `-`.
    #[error("an extra pattern cannot be called {name:?}: {why}")]
    BadName {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An extra pattern is no regular expression, or would match everywhere: mend it.
    #[error("the pattern of {name:?} cannot be used")]
    BadPattern {
        /// The name of the pattern.
        name: String,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An extra pattern would take more memory than is allowed: make it smaller.
    #[error("the pattern of {name:?} is too big: {what} may take {limit} bytes at most")]
    PatternTooBig {
        /// The name of the pattern.
        name: String,
        /// What of it is too big.
        what: &'static str,
        /// The most that is allowed, in bytes.
        limit: usize,
    },
    /// More extra patterns than are allowed.
    #[error("at most {limit} extra patterns are taken")]
    TooManyPatterns {
        /// The most that are allowed.
        limit: usize,
    },
}
