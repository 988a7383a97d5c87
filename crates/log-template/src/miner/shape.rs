//! Shapes: messages without their values, as hashes.

use super::evidence::{self, Weight};
use crate::Template;
use crate::lex::{self, Kind, Piece, VARIABLE, mix};

const LONGEST_CYCLE: usize = 8;

/// The pieces of a message, with lists cut short.
pub(crate) fn read(message: &[u8], pieces: &mut Vec<Piece>) {
    lex::lex(message, pieces);
    collapse(pieces);
}

/// Leaves of every row of at least three equal runs of pieces the first, and makes one value of the others: lists
/// differ in length from line to line.
fn collapse(pieces: &mut Vec<Piece>) {
    let variables = pieces.iter().filter(|piece| piece.kind == Kind::Variable).count();
    if variables < 3 {
        return;
    }
    let same = |(a, b): &(&Piece, &Piece)| a.hash == b.hash && a.kind == b.kind;
    let mut from = 0;
    while from + 3 <= pieces.len() {
        let first = pieces[from].hash;
        // Nearly always the first comparison tells.
        let begins_again =
            |length: &usize| pieces.get(from + length).is_some_and(|piece| piece.hash == first);
        let cycle = (1..=LONGEST_CYCLE).filter(begins_again).find_map(|length| {
            let equal = pieces[from..].iter().zip(&pieces[from + length..]).take_while(same).count();
            let has_variable =
                || pieces[from..from + length].iter().any(|piece| piece.kind == Kind::Variable);
            (equal >= 2 * length && has_variable()).then_some((length, equal / length * length))
        });
        if let Some((length, repeated)) = cycle {
            from += length;
            shorten(pieces, from, from + repeated);
        }
        from += 1;
    }
}

/// Makes one value of the pieces from `from` to before `end`, and of the values beside them.
fn shorten(pieces: &mut Vec<Piece>, from: usize, end: usize) {
    let is_variable = |piece: &Piece| piece.kind == Kind::Variable;
    let from = if is_variable(&pieces[from - 1]) { from - 1 } else { from };
    let end = if pieces.get(end).is_some_and(is_variable) { end + 1 } else { end };
    let rest = Piece { kind: Kind::Variable, hash: VARIABLE, end: pieces[end - 1].end, ..pieces[from] };
    pieces.splice(from..end, [rest]);
}

fn at_place(hash: u64, place: usize) -> u64 {
    mix(hash ^ (place as u64).wrapping_mul(0xd6e8_feb8_6659_fd93))
}

/// The hash of a shape: a sum over its pieces, so that leaving out one word is one subtraction.
pub(crate) fn hash(pieces: &[Piece]) -> u64 {
    let sum = |sum: u64, (place, piece): (usize, &Piece)| sum.wrapping_add(at_place(piece.hash, place));
    pieces.iter().enumerate().fold(pieces.len() as u64, sum)
}

#[derive(Debug, Clone)]
struct Word {
    place: usize,
    hash: u64,
    weight: Weight,
    /// Whether no value ever stands there.
    is_fixed: bool,
}

/// The hash of a template's shape.
pub(crate) fn hash_of(template: &Template) -> u64 {
    hash(&template.pieces())
}

/// The hash of a template's shape with a variable at each of `places`.
pub(crate) fn hash_without(template: &Template, places: &[u16]) -> u64 {
    let mut pieces = template.pieces();
    for &place in places {
        let place = usize::from(place);
        if let Some(piece) =
            pieces.get_mut(place).filter(|piece| piece.kind == Kind::Word && !template.is_fixed(place))
        {
            piece.hash = VARIABLE;
        }
    }
    hash(&pieces)
}

/// The words of a shape that has just been seen for the first time.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    key: u64,
    /// Of all shapes with the same marks and as many pieces.
    skeleton: u64,
    words: Vec<Word>,
}

impl Shape {
    pub(crate) fn new(message: &[u8], pieces: &[Piece], key: u64) -> Self {
        let words = pieces.iter().enumerate().filter(|(_, piece)| piece.kind == Kind::Word);
        let at = |place: usize| {
            let piece = &pieces[place];
            (piece.kind, &message[piece.start as usize..piece.end as usize])
        };
        let weighed = |(place, piece): (usize, &Piece)| Word {
            place,
            hash: piece.hash,
            weight: evidence::weight(message, pieces, place),
            is_fixed: evidence::is_fixed(place, at),
        };
        Self { key, skeleton: skeleton(pieces), words: words.map(weighed).collect() }
    }

    /// What a word counts for as evidence of a value at its place.
    pub(crate) fn weight(&self, word: usize) -> Weight {
        self.words[word].weight
    }

    pub(crate) fn skeleton(&self) -> u64 {
        self.skeleton
    }

    /// The key of this shape with a variable at each of `places`.
    pub(crate) fn key_without_places(&self, places: &[u16]) -> u64 {
        let open = self.words.iter().filter(|word| !word.is_fixed && places.contains(&(word.place as u16)));
        open.fold(self.key, |key, word| {
            key.wrapping_sub(at_place(word.hash, word.place)).wrapping_add(at_place(VARIABLE, word.place))
        })
    }

    /// Which piece a word is.
    pub(crate) fn place(&self, word: usize) -> u16 {
        self.words[word].place as u16
    }

    /// The indices by which the words where a value may stand are known to [`key_without`](Self::key_without).
    pub(crate) fn words(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.words.len()).filter(|&word| !self.words[word].is_fixed)
    }

    /// How many words it has.
    pub(crate) fn word_count(&self) -> usize {
        self.words.len()
    }

    /// The key of this shape with a variable instead of one word.
    pub(crate) fn key_without(&self, word: usize) -> u64 {
        let Word { place, hash, .. } = self.words[word];
        self.key.wrapping_sub(at_place(hash, place)).wrapping_add(at_place(VARIABLE, place))
    }

    /// This shape with a variable instead of one word.
    pub(crate) fn without(&self, word: usize) -> Self {
        let mut words = self.words.clone();
        words.remove(word);
        Self { key: self.key_without(word), skeleton: self.skeleton, words }
    }
}

fn skeleton(pieces: &[Piece]) -> u64 {
    let build = |piece: &Piece| if piece.kind == Kind::Mark { piece.hash } else { VARIABLE };
    let places = pieces.iter().enumerate();
    places.fold(!(pieces.len() as u64), |sum, (place, piece)| sum.wrapping_add(at_place(build(piece), place)))
}
