//! What can be wrong with a saved state.

/// Why a saved state cannot be loaded. In every case the way on is to start with an empty miner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The bytes were not written by [`Miner::save`](crate::Miner::save).
    #[error("these bytes are not a saved state of a miner")]
    NotAState,
    /// The state was written by another version of this crate, whose templates could not be found again.
    #[error("the state has format {found}, and this version reads format {expected}")]
    Format {
        /// The format of the state.
        found: u32,
        /// The format that this version reads and writes.
        expected: u32,
    },
    /// The state was cut, or bytes in it were changed.
    #[error("the state is damaged: its length or its checksum is wrong")]
    Damaged,
    /// The checksum is right, but no miner has such a state.
    #[error("the state contradicts itself")]
    Contradictory,
}
