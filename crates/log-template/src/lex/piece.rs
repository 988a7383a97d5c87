//! Pieces and their hashes.

use serde::{Deserialize, Serialize};

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Text that is part of the statement in the program.
    Word = 0,
    /// A value.
    Variable = 1,
    /// One sign, or a run of the same sign.
    Mark = 2,
}

/// A part of a message, by its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) kind: Kind,
    /// Bytes from the beginning of the message.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Equal for equal words, for equal marks, and for all variables.
    pub(crate) hash: u64,
}

/// The hash of every variable.
pub(crate) const VARIABLE: u64 = 0x9e37_79b9_7f4a_7c15;
const SEED: u64 = 0x2545_f491_4f6c_dd1d;

impl Piece {
    pub(crate) fn is_mark(&self, byte: u8) -> bool {
        self.kind == Kind::Mark && self.hash == mark_hash(byte)
    }

    /// A sign that may stand within one value.
    pub(super) fn is_joint(&self) -> bool {
        [b':', b',', b'/'].iter().any(|&byte| self.is_mark(byte))
    }
}

pub(super) fn word(text: &[u8], start: usize, end: usize) -> Piece {
    Piece { kind: Kind::Word, start: start as u32, end: end as u32, hash: word_hash(&text[start..end]) }
}

pub(super) fn mark(byte: u8, start: usize, end: usize) -> Piece {
    Piece { kind: Kind::Mark, start: start as u32, end: end as u32, hash: mark_hash(byte) }
}

/// Signs that are not ASCII.
pub(super) fn wide_mark(text: &[u8], start: usize, end: usize) -> Piece {
    let hash = piece_hash(Kind::Mark, &text[start..end]);
    Piece { kind: Kind::Mark, start: start as u32, end: end as u32, hash }
}

fn mark_hash(byte: u8) -> u64 {
    mix(u64::from(byte) | 1 << 32)
}

/// The hash of a piece with this text.
pub(crate) fn piece_hash(kind: Kind, text: &[u8]) -> u64 {
    match kind {
        Kind::Word => word_hash(text),
        Kind::Variable => VARIABLE,
        Kind::Mark => match text.first() {
            Some(&byte) if byte.is_ascii() => mark_hash(byte),
            _ => !word_hash(text),
        },
    }
}

/// Spreads the bits of `value` over all 64.
#[inline]
pub(crate) fn mix(value: u64) -> u64 {
    let product = u128::from(value ^ SEED) * u128::from(0xa076_1d64_78bd_642f_u64);
    (product as u64) ^ ((product >> 64) as u64)
}

pub(crate) fn word_hash(bytes: &[u8]) -> u64 {
    let mut state = bytes.len() as u64;
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        state = mix(state ^ u64::from_le_bytes(*chunk)).rotate_left(23);
    }
    let mut last = 0;
    for &byte in rest {
        last = last << 8 | u64::from(byte);
    }
    mix(state ^ last).wrapping_add(SEED)
}
