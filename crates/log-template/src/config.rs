//! What can be chosen.

use serde::{Deserialize, Serialize};

/// How a miner decides, and how much it may remember.
///
/// The defaults are for every log: nothing has to be chosen per program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Config {
    /// So much evidence at one place, all else being equal, shows that a value stands there. Each different word there
    /// counts for 1 (a state), 2 or 4 (a name).
    pub evidence: u32,
    /// What a value with digits at the same place counts for.
    pub number: u32,
    /// So many different masked lines are remembered.
    pub most_shapes: usize,
    /// So many templates are remembered.
    pub most_templates: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { evidence: 8, number: 6, most_shapes: 32 * 1024, most_templates: 16 * 1024 }
    }
}
