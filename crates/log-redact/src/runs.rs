//! Long runs of letters and digits, and numbers: what may be in them.

use crate::alphabet::Alphabet;
use crate::public;
use crate::scan::Scan;
use crate::verify::number;
use crate::view;

/// The shortest thing that is looked for in a run: an address in base64.
pub(crate) const SHORTEST_RUN: usize = 12;
/// A longer run is cut.
const LONGEST_RUN: usize = 48 * 1024;
/// Lines of base64 of at least this length may go on in the next.
const FULL_LINE: usize = 48;
/// A path has so many parts at most that are tried as a beginning.
const MOST_PARTS: usize = 12;

/// The groups of digits that numbers of cards, telephones and identities are written in.
pub(crate) const SHORTEST_GROUP: usize = 4;

impl Scan<'_> {
    /// A run of letters and digits, and its length if it is known. What is left of one that is too long counts as
    /// a run if it begins before `limit`.
    pub(crate) fn long_run(&mut self, start: usize, length: Option<usize>, limit: usize) {
        if let Some(length) = length {
            return self.piece(start, start + length);
        }
        let mut begin = start;
        while begin < limit {
            let end = Alphabet::ANY64.end_of_run(self.text, begin, LONGEST_RUN);
            if end - begin < SHORTEST_RUN {
                break;
            }
            self.piece(begin, end);
            begin = end;
        }
    }

    fn piece(&mut self, start: usize, end: usize) {
        let start = view::past_escape(self.text, start);
        let run = &self.text[start..end];
        let padding = self.text[end..].iter().take(2).take_while(|byte| **byte == b'=').count();
        if run.len() >= FULL_LINE {
            self.goes_on_at(end + padding);
        }
        let parts = run.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(place, _)| place + 1);
        let mut is_base64 = false;
        let is_public = public::is_known(self.text, start, end);
        if !is_public {
            self.random(start, end);
        }
        for part in std::iter::once(0).chain(parts).take(MOST_PARTS) {
            let begin = start + part;
            if end - begin < SHORTEST_RUN {
                break;
            }
            let rules = self.rules;
            for (class, shape, literal) in rules.shapes_of_run(&self.text[begin..end]) {
                if let Some(token) = shape.matches(self.text, begin, begin + literal).token {
                    self.find(class, token);
                }
            }
            number::iban(self, begin);
            if !is_base64 {
                is_base64 = self.base64(begin, end + padding, is_public);
            }
        }
    }

    /// A group of digits, and its length if it is known.
    pub(crate) fn digits(&mut self, start: usize, length: Option<usize>) {
        let end = match length {
            Some(length) => start + length,
            None => Alphabet::DIGITS.end_of_run(self.text, start, LONGEST_RUN),
        };
        number::look(self, start, end);
    }
}
