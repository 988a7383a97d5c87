//! Shapes: messages without their values, as hashes.

use crate::lex::{Kind, Piece, VARIABLE, mix};

const LONGEST_CYCLE: usize = 8;

/// Leaves of every row of at least three equal runs of pieces only the first: lists of numbers differ in length from
/// line to line.
pub(crate) fn collapse(pieces: &mut Vec<Piece>) {
    let variables = pieces.iter().filter(|piece| piece.kind == Kind::Variable).count();
    if variables < 3 {
        return;
    }
    let mut from = 0;
    while from + 3 <= pieces.len() {
        let cycle = (1..=LONGEST_CYCLE).find_map(|length| {
            let equal = pieces[from..]
                .iter()
                .zip(pieces.get(from + length..)?)
                .take_while(|(a, b)| a.hash == b.hash && a.kind == b.kind)
                .count();
            let has_variable = pieces[from..from + length].iter().any(|piece| piece.kind == Kind::Variable);
            (equal >= 2 * length && has_variable).then_some((length, equal / length * length))
        });
        if let Some((length, repeated)) = cycle {
            let end = pieces[from + length + repeated - 1].end;
            pieces.drain(from + length..from + length + repeated);
            // The last piece stands for all the repetitions, so that nothing of the line is lost.
            pieces[from + length - 1].end = end;
            from += length;
        } else {
            from += 1;
        }
    }
}

fn at_place(hash: u64, place: usize) -> u64 {
    mix(hash ^ (place as u64).wrapping_mul(0xd6e8_feb8_6659_fd93))
}

/// The hash of a shape: a sum over its pieces, so that leaving out one word is one subtraction.
pub(crate) fn hash(pieces: &[Piece]) -> u64 {
    let sum = |sum: u64, (place, piece): (usize, &Piece)| sum.wrapping_add(at_place(piece.hash, place));
    pieces.iter().enumerate().fold(pieces.len() as u64, sum)
}

/// The words of a shape that has just been seen for the first time.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    key: u64,
    /// Place and hash of each word.
    words: Vec<(usize, u64)>,
}

impl Shape {
    pub(crate) fn new(pieces: &[Piece], key: u64) -> Self {
        let words = pieces.iter().enumerate().filter(|(_, piece)| piece.kind == Kind::Word);
        Self { key, words: words.map(|(place, piece)| (place, piece.hash)).collect() }
    }

    pub(crate) fn word_count(&self) -> usize {
        self.words.len()
    }

    /// The indices by which the words are known to [`key_without`](Self::key_without).
    pub(crate) fn words(&self) -> std::ops::Range<usize> {
        0..self.words.len()
    }

    /// The key of this shape with a variable instead of one word.
    pub(crate) fn key_without(&self, word: usize) -> u64 {
        let (place, hash) = self.words[word];
        self.key.wrapping_sub(at_place(hash, place)).wrapping_add(at_place(VARIABLE, place))
    }

    /// This shape with a variable instead of one word.
    pub(crate) fn without(&self, word: usize) -> Self {
        let mut words = self.words.clone();
        words.remove(word);
        Self { key: self.key_without(word), words }
    }
}
