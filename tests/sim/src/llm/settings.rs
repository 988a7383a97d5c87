//! What kind of endpoint it is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Dialect;

/// All of it can be changed while it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Whose dialect it speaks.
    pub dialect: Dialect,
    /// The models that it has.
    pub models: Vec<String>,
    /// Tokens of prompt and answer together.
    pub context: u64,
    /// Requests that it takes in any 60 s; no limit when 0.
    pub requests_per_minute: u64,
    /// Tokens that it takes in any 60 s; no limit when 0.
    pub tokens_per_minute: u64,
    /// Time between the pieces of a stream, in seconds.
    pub pace: f64,
}

impl Settings {
    /// An endpoint of this dialect with one model, a window of 8192 tokens and no other limit.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            models: vec!["sim-chat".to_owned()],
            context: 8192,
            requests_per_minute: 0,
            tokens_per_minute: 0,
            pace: 0.0,
        }
    }

    /// Time between the pieces of a stream.
    pub(super) fn pace(&self) -> Duration {
        Duration::try_from_secs_f64(self.pace).unwrap_or_default()
    }
}
