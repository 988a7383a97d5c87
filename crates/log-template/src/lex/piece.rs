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
        const JOINTS: [u64; 3] = [mark_hash(b':'), mark_hash(b','), mark_hash(b'/')];
        self.kind == Kind::Mark && JOINTS.contains(&self.hash)
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

const fn mark_hash(byte: u8) -> u64 {
    mix(byte as u64 | 1 << 32)
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
pub(crate) const fn mix(value: u64) -> u64 {
    let product = (value ^ SEED) as u128 * 0xa076_1d64_78bd_642f;
    (product as u64) ^ ((product >> 64) as u64)
}

pub(crate) fn word_hash(bytes: &[u8]) -> u64 {
    // In all bits: in the lowest alone it would make `no` and `non` one word.
    let mut state = (bytes.len() as u64).wrapping_mul(VARIABLE);
    // The last eight bytes may overlap those before them: the length is part of the hash.
    let last = match (bytes.last_chunk(), bytes.first_chunk(), bytes.last_chunk(), bytes) {
        (Some(last), ..) => {
            for chunk in bytes[..bytes.len() - 1].as_chunks::<8>().0 {
                state = mix(state ^ u64::from_le_bytes(*chunk)).rotate_left(23);
            }
            u64::from_le_bytes(*last)
        }
        (None, Some(first), Some(last), _) => {
            u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
        }
        (.., [first, .., last]) => {
            u64::from(*first) << 16 | u64::from(bytes[bytes.len() / 2]) << 8 | u64::from(*last)
        }
        (.., [only]) => u64::from(*only),
        _ => 0,
    };
    mix(state ^ last).wrapping_add(SEED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_up_to_three_letters_have_hashes_of_their_own() {
        let letters = b'a'..=b'z';
        let mut hashes: Vec<u64> = letters.clone().map(|a| word_hash(&[a])).collect();
        for a in letters.clone() {
            for b in letters.clone() {
                hashes.push(word_hash(&[a, b]));
                hashes.extend(letters.clone().map(|c| word_hash(&[a, b, c])));
            }
        }
        let words = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), words);
    }
}
