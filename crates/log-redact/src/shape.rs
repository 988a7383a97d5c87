//! The shape of a token: what its issuer writes, as data.
//!
//! A shape is matched greedily from its first literal on, never going back, so it costs one look at each
//! byte of the token.

use crate::alphabet::Alphabet;

/// A part of a token after its prefix.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Literal(&'static str),
    /// At least and at most so many bytes of an alphabet.
    Run(Alphabet, u16, u16),
}

/// A checksum or the like, over the whole token.
pub(crate) type Check = fn(&[u8]) -> bool;

/// What a token's issuer writes. Shapes are the same when they are one row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// One of these is in every token of the shape, as written here.
    pub(crate) literals: &'static [&'static str],
    /// What stands before the literal; nothing for most.
    pub(crate) before: Option<(Alphabet, u16, u16)>,
    pub(crate) parts: &'static [Part],
    /// A word that the token may be glued to, and that is none of it.
    pub(crate) glued_to: &'static str,
    /// Says where the token ends when more letters follow it.
    pub(crate) ends: Option<Check>,
    /// The literal is no secret and stays (the address before a webhook's key).
    pub(crate) keep_literal: bool,
}

/// How far a shape was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    /// The token, when it is one.
    pub(crate) token: Option<(usize, usize)>,
    /// The first byte that no part took: at the end of a line there may be more on the next.
    pub(crate) reached: usize,
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Shape {
    pub(crate) const fn new(literals: &'static [&'static str], parts: &'static [Part]) -> Self {
        Self { literals, before: None, parts, glued_to: "", ends: None, keep_literal: false }
    }

    pub(crate) const fn before(mut self, alphabet: Alphabet, least: u16, most: u16) -> Self {
        self.before = Some((alphabet, least, most));
        self
    }

    pub(crate) const fn glued_to(mut self, word: &'static str) -> Self {
        self.glued_to = word;
        self
    }

    pub(crate) const fn ends(mut self, check: Check) -> Self {
        self.ends = Some(check);
        self
    }

    /// The literal is an address or a name that everybody may know.
    pub(crate) const fn keep_literal(mut self) -> Self {
        self.keep_literal = true;
        self
    }

    /// Matches around a literal that was found at `at..after`.
    pub(crate) fn matches(&self, text: &[u8], at: usize, after: usize) -> Match {
        let mut reached = after;
        let token = self.find(text, at, after, &mut reached);
        Match { token, reached }
    }

    fn find(&self, text: &[u8], at: usize, after: usize, reached: &mut usize) -> Option<(usize, usize)> {
        let start = match self.before {
            None => at,
            Some((alphabet, least, most)) => {
                let start = alphabet.start_of_run(text, at, usize::from(most));
                if at - start < usize::from(least) {
                    return None;
                }
                start
            }
        };
        let glued = !self.glued_to.is_empty() && text[..start].ends_with(self.glued_to.as_bytes());
        // A literal such as `.office.com` begins inside a word.
        let inside = text.get(start).is_some_and(|first| !Alphabet::ALNUM.has(*first));
        if !glued && !inside && !begins_a_word(text, start) {
            return None;
        }
        let mut end = after;
        for part in self.parts {
            match *part {
                Part::Literal(literal) => {
                    let there = text.get(end..).unwrap_or_default();
                    if !there.starts_with(literal.as_bytes()) {
                        // A line may end inside a literal too.
                        if literal.as_bytes().starts_with(there) {
                            *reached = text.len();
                        }
                        return None;
                    }
                    end += literal.len();
                }
                Part::Run(alphabet, least, most) => {
                    let stop = alphabet.end_of_run(text, end, usize::from(most));
                    if stop - end < usize::from(least) {
                        *reached = stop;
                        return None;
                    }
                    end = stop;
                }
            }
            *reached = end;
        }
        let begin = if self.keep_literal { after } else { start };
        let token = text.get(begin..end)?;
        let glued = text.get(end).is_some_and(|next| Alphabet::ALNUM.has(*next));
        if glued && !self.ends.is_some_and(|ends| ends(token)) {
            return None;
        }
        Some((begin, end))
    }
}

/// Whether a word may begin at `at`: the byte before is no letter or digit, or ends a terminal's colour code.
pub(crate) fn begins_a_word(text: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|before| text.get(before)) else { return true };
    !Alphabet::ALNUM.has(*before) || (*before == b'm' && ends_colour(text, at - 1))
}

/// Whether the `m` at `at` ends `ESC [ 1 ; 31 m`, however the first is spelled.
pub(crate) fn ends_colour(text: &[u8], at: usize) -> bool {
    let numbers =
        text[..at].iter().rev().take(16).take_while(|byte| matches!(byte, b'0'..=b'9' | b';')).count();
    const ESCAPES: [&[u8]; 6] = [b"\x1b", b"\\u001b", b"\\u001B", b"\\x1b", b"\\033", b"\\e"];
    let before = text[..at - numbers].strip_suffix(b"[");
    before.is_some_and(|before| ESCAPES.iter().any(|escape| before.ends_with(escape)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape::new(&["tok_"], &[Part::Run(Alphabet::ALNUM, 4, 6)]);

    fn found(text: &[u8]) -> Option<(usize, usize)> {
        let at = text.windows(4).position(|window| window == b"tok_").unwrap();
        SHAPE.matches(text, at, at + 4).token
    }

    #[test]
    fn a_token_ends_where_its_alphabet_ends() {
        assert_eq!(found(b"a tok_abc123, b"), Some((2, 12)));
        assert_eq!(found(b"tok_abcd"), Some((0, 8)));
    }

    #[test]
    fn a_token_too_short_too_long_or_inside_a_word_is_none() {
        assert_eq!(found(b"tok_abc"), None);
        assert_eq!(found(b"tok_abc1234"), None);
        assert_eq!(found(b"xtok_abc123"), None);
    }

    #[test]
    fn a_colour_code_is_no_part_of_a_word() {
        assert_eq!(found(b"\x1b[1;31mtok_abcd\x1b[0m"), Some((7, 15)));
        assert_eq!(found(br"\u001b[1;31mtok_abcd\u001b[0m"), Some((12, 20)));
        assert_eq!(found(b"[1;31mtok_abcd"), None);
    }

    #[test]
    fn what_is_missing_at_the_end_is_told() {
        assert_eq!(SHAPE.matches(b"tok_ab", 0, 4), Match { token: None, reached: 6 });
    }
}
