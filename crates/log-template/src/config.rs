//! What can be chosen.

/// How a miner decides, and how much it may remember.
///
/// The defaults are for every log: nothing has to be chosen per program.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// So many different words at one place, all else being equal, show that a value stands there.
    pub distinct_values: u32,
    /// The same, when hardly any other word is left to say what the line is about.
    pub distinct_values_of_short: u32,
    /// How many different words a value with digits at the same place counts for.
    pub weight_of_number: u32,
    /// So many different masked lines are remembered.
    pub most_shapes: usize,
    /// So many templates are remembered.
    pub most_templates: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            distinct_values: 4,
            distinct_values_of_short: 8,
            weight_of_number: 3,
            most_shapes: 32 * 1024,
            most_templates: 16 * 1024,
        }
    }
}
