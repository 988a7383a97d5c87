//! Templates: what the lines of one statement have in common.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::header;
use crate::lex::{Kind, Piece, piece_hash};
use crate::miner::{evidence, shape};

/// Names a template for as long as its miner lives, through save and load.
///
/// When two templates turn out to be one, the younger id becomes an alias of the older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TemplateId(pub(crate) u64);

impl TemplateId {
    /// The id as a number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for TemplateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) kind: Kind,
    /// Whether a blank stands before it.
    pub(crate) apart: bool,
    /// Its end in the text of the template; it begins where the part before it ends.
    pub(crate) end: u32,
}

/// What the lines of one statement have in common, with `<*>` where they differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    pub(crate) text: Box<[u8]>,
    pub(crate) parts: Box<[Part]>,
}

impl Template {
    /// The template of `message` alone.
    pub(crate) fn new(message: &[u8], pieces: &[Piece]) -> Self {
        let mut text = Vec::new();
        let mut parts = Vec::with_capacity(pieces.len());
        let mut before = 0;
        for piece in pieces {
            if piece.kind != Kind::Variable {
                text.extend_from_slice(&message[piece.start as usize..piece.end as usize]);
            }
            parts.push(Part { kind: piece.kind, apart: piece.start > before, end: text.len() as u32 });
            before = piece.end;
        }
        Self { text: text.into(), parts: parts.into() }
    }

    /// Where the values stand in `line`, one place for each `<*>` in their order, or None when the line is of another
    /// template.
    ///
    /// ```
    /// let mut miner = log_template::Miner::default();
    /// let line = b"2026-01-02 03:04:05 INFO took 35 ms for 10.0.0.1:80";
    /// let id = miner.observe(line).template;
    /// let values = miner.template(id).and_then(|template| template.values(line)).unwrap_or_default();
    /// assert_eq!(values.len(), 2);
    /// assert_eq!(&line[values[0].clone()], b"35 ms");
    /// assert_eq!(&line[values[1].clone()], b"10.0.0.1:80");
    /// ```
    #[must_use]
    pub fn values(&self, line: &[u8]) -> Option<Vec<Range<usize>>> {
        let message = header::message(line);
        let text = &line[message.clone()];
        let mut pieces = Vec::new();
        shape::read(text, &mut pieces);
        if pieces.len() != self.parts.len() {
            return None;
        }
        let mut values = Vec::new();
        for (index, (piece, part)) in pieces.iter().zip(&self.parts).enumerate() {
            let place = piece.start as usize..piece.end as usize;
            let fits = match part.kind {
                Kind::Variable => piece.kind != Kind::Mark,
                Kind::Word => piece.kind == Kind::Word && text[place.clone()] == *self.part_text(index),
                Kind::Mark => {
                    piece.kind == Kind::Mark && piece.hash == piece_hash(Kind::Mark, self.part_text(index))
                }
            };
            if !fits {
                return None;
            }
            if part.kind == Kind::Variable {
                values.push(message.start + place.start..message.start + place.end);
            }
        }
        Some(values)
    }

    /// Bytes of memory.
    pub(crate) fn size(&self) -> usize {
        self.text.len() + std::mem::size_of_val(&*self.parts)
    }

    pub(crate) fn part_text(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.parts[before].end);
        &self.text[start as usize..self.parts[index].end as usize]
    }

    /// Whether the part at `place` is a word that is no value.
    pub(crate) fn is_fixed(&self, place: usize) -> bool {
        evidence::is_fixed(place, |place| (self.parts[place].kind, self.part_text(place)))
    }

    /// Whether the parts lie in the text one after the other, as in everything but a damaged state.
    pub(crate) fn is_sound(&self) -> bool {
        let mut ends = self.parts.iter().map(|part| part.end as usize);
        ends.clone().is_sorted() && ends.next_back().unwrap_or(0) == self.text.len()
    }

    /// The pieces of a message with this template, as places in the template's text.
    pub(crate) fn pieces(&self) -> Vec<Piece> {
        let mut start = 0;
        let mut piece = |part: &Part| {
            let begin = std::mem::replace(&mut start, part.end);
            let text = &self.text[begin as usize..part.end as usize];
            Piece { kind: part.kind, start: begin, end: part.end, hash: piece_hash(part.kind, text) }
        };
        self.parts.iter().map(&mut piece).collect()
    }

    /// Makes every word a variable that differs in `other`.
    pub(crate) fn generalise(&mut self, other: &Template) {
        // Two shapes with one hash: nothing can be said about their common parts.
        if self.parts.len() != other.parts.len() {
            return;
        }
        let differs = |index: usize| {
            other.parts[index].kind == Kind::Variable || other.part_text(index) != self.part_text(index)
        };
        let differing: Vec<bool> = (0..self.parts.len()).map(differs).collect();
        self.open(|index| differing[index]);
    }

    /// Makes variables of the words at some places.
    pub(crate) fn open(&mut self, is_open: impl Fn(usize) -> bool) {
        let opens = |index: usize| self.parts[index].kind == Kind::Word && is_open(index);
        let holes: Vec<bool> = (0..self.parts.len()).map(opens).collect();
        if !holes.contains(&true) {
            return;
        }
        let mut text = Vec::with_capacity(self.text.len());
        let mut parts = self.parts.to_vec();
        for (index, part) in parts.iter_mut().enumerate() {
            if holes[index] {
                part.kind = Kind::Variable;
            } else {
                text.extend_from_slice(self.part_text(index));
            }
            part.end = text.len() as u32;
        }
        *self = Self { text: text.into(), parts: parts.into() };
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            if part.apart && index > 0 {
                f.write_str(" ")?;
            }
            if part.kind == Kind::Variable {
                f.write_str("<*>")?;
            } else {
                f.write_str(&String::from_utf8_lossy(self.part_text(index)))?;
            }
        }
        Ok(())
    }
}
