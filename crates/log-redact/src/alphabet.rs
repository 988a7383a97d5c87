//! Sets of bytes that tokens are written in, tested by one look into a table.

use crate::view;

/// A set of ASCII bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Alphabet(u16);

const DIGIT: u16 = 1;
const HEX_LOWER_LETTER: u16 = 1 << 1;
const LOWER_REST: u16 = 1 << 2;
const HEX_UPPER_LETTER: u16 = 1 << 3;
const UPPER_REST: u16 = 1 << 4;
const UNDERSCORE: u16 = 1 << 5;
const DASH: u16 = 1 << 6;
const DOT: u16 = 1 << 7;
const PLUS_SLASH: u16 = 1 << 8;
const EQUALS: u16 = 1 << 9;
const TILDE: u16 = 1 << 10;
const MAIL: u16 = 1 << 11;
const AT: u16 = 1 << 12;
const COMMA: u16 = 1 << 13;

const TABLE: [u16; 256] = table();

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'f' => HEX_LOWER_LETTER,
            b'g'..=b'z' => LOWER_REST,
            b'A'..=b'F' => HEX_UPPER_LETTER,
            b'G'..=b'Z' => UPPER_REST,
            b'_' => UNDERSCORE,
            b'-' => DASH,
            b'.' => DOT,
            b'+' | b'/' => PLUS_SLASH,
            b'=' => EQUALS,
            b'~' => TILDE,
            b'%' | b'!' | b'#' | b'$' | b'&' | b'*' => MAIL,
            b'@' => AT,
            b',' => COMMA,
            _ => 0,
        };
        byte += 1;
    }
    table
}

impl Alphabet {
    pub(crate) const DIGITS: Self = Self(DIGIT);
    pub(crate) const HEX_LOWER: Self = Self(DIGIT | HEX_LOWER_LETTER);
    pub(crate) const HEX: Self = Self(DIGIT | HEX_LOWER_LETTER | HEX_UPPER_LETTER);
    pub(crate) const LOWER: Self = Self(HEX_LOWER_LETTER | LOWER_REST);
    pub(crate) const UPPER: Self = Self(HEX_UPPER_LETTER | UPPER_REST);
    pub(crate) const LETTERS: Self = Self::LOWER.and(Self::UPPER);
    pub(crate) const LOWER_DIGITS: Self = Self::LOWER.and(Self::DIGITS);
    pub(crate) const UPPER_DIGITS: Self = Self::UPPER.and(Self::DIGITS);
    pub(crate) const ALNUM: Self = Self::LETTERS.and(Self::DIGITS);
    /// Letters, digits and the underscore.
    pub(crate) const WORD: Self = Self::ALNUM.and(Self(UNDERSCORE));
    /// base64url: letters, digits, `-` and `_`.
    pub(crate) const URL64: Self = Self::WORD.and(Self(DASH));
    /// base64 of both kinds, without padding.
    pub(crate) const ANY64: Self = Self::URL64.and(Self(PLUS_SLASH));
    /// base64 with the standard alphabet, without padding.
    pub(crate) const STD64: Self = Self::ALNUM.and(Self(PLUS_SLASH));
    pub(crate) const STD64_PADDED: Self = Self::STD64.and(Self(EQUALS));
    pub(crate) const URL64_DOT: Self = Self::URL64.and(Self(DOT));
    pub(crate) const URL64_DOT_TILDE: Self = Self::URL64_DOT.and(Self(TILDE));
    pub(crate) const URL64_EQUALS: Self = Self::URL64.and(Self(EQUALS));
    /// Letters, digits and `-`, as in Slack's tokens, whose newer kinds are percent-encoded too.
    pub(crate) const SLACK: Self = Self::ALNUM.and(Self(DASH));
    pub(crate) const HEX_LOWER_UNDERSCORE: Self = Self::HEX_LOWER.and(Self(UNDERSCORE));
    pub(crate) const WORD_SLASH: Self = Self::WORD.and(Self(PLUS_SLASH));
    /// The base64 of crypt(3).
    pub(crate) const CRYPT64: Self = Self::ALNUM.and(Self(DOT | PLUS_SLASH));
    /// And what separates the parts of its hashes.
    pub(crate) const CRYPT: Self = Self::CRYPT64.and(Self(EQUALS | MAIL | COMMA));
    /// Base64 in parts joined by `_`.
    pub(crate) const STD64_TOKEN: Self = Self::STD64_PADDED.and(Self(UNDERSCORE));
    /// The path of a webhook of Teams: UUIDs, `@` and slashes.
    pub(crate) const WEBHOOK: Self = Self::URL64.and(Self(PLUS_SLASH | AT));
    /// What a name in a configuration or a header consists of.
    pub(crate) const IDENTIFIER: Self = Self::URL64_DOT;
    /// The unquoted local part of an address, as far as it occurs in practice.
    pub(crate) const MAIL_LOCAL: Self = Self::URL64_DOT.and(Self(PLUS_SLASH | EQUALS | TILDE | MAIL));
    /// What a host name is made of.
    pub(crate) const HOST: Self = Self::ALNUM.and(Self(DASH | DOT));
    /// `token68` of RFC 7235.
    pub(crate) const TOKEN68: Self = Self::ANY64.and(Self(DOT | TILDE | EQUALS));

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn has(self, byte: u8) -> bool {
        TABLE[usize::from(byte)] & self.0 != 0
    }

    /// Where the run of these bytes that begins at `from` ends, `most` bytes further on at the latest.
    pub(crate) fn end_of_run(self, text: &[u8], from: usize, most: usize) -> usize {
        let limit = text.len().min(from.saturating_add(most));
        let rest = text.get(from..limit).unwrap_or_default();
        from + rest.iter().position(|byte| !self.has(*byte)).unwrap_or(rest.len())
    }

    /// Where the run of these bytes that ends at `to` begins, `most` bytes before it at the earliest. The letter of an
    /// escape is none of it.
    pub(crate) fn start_of_run(self, text: &[u8], to: usize, most: usize) -> usize {
        let limit = to.saturating_sub(most);
        let before = text.get(limit..to).unwrap_or_default();
        let start = before.iter().rposition(|byte| !self.has(*byte)).map_or(limit, |at| limit + at + 1);
        view::past_escape(text, start).min(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_end_where_another_byte_stands_or_at_the_limit() {
        assert_eq!(Alphabet::DIGITS.end_of_run(b"ab123c", 2, 10), 5);
        assert_eq!(Alphabet::DIGITS.end_of_run(b"ab123c", 2, 2), 4);
        assert_eq!(Alphabet::DIGITS.end_of_run(b"ab", 9, 2), 9);
        assert_eq!(Alphabet::DIGITS.start_of_run(b"ab123c", 5, 10), 2);
        assert_eq!(Alphabet::DIGITS.start_of_run(b"123", 3, 2), 1);
    }

    #[test]
    fn a_run_begins_behind_an_escape_and_not_in_it() {
        let start = |text: &str| Alphabet::WORD.start_of_run(text.as_bytes(), text.len(), 64);
        for escape in
            [r"\n", r"a\t", r"\\r", r"\\\n", r"\u4e2d", r"\ud83d\ude00", r"\x1b", "%0A", r"C:\new\b"]
        {
            assert_eq!(start(&format!("{escape}bob")), escape.len(), "{escape}");
        }
        assert_eq!(start(r"C:\\Users\\nina"), r"C:\\Users\\".len(), "a path in a string");
        assert_eq!(start(r"a\dbob"), 2, "no escape");
        assert_eq!(start(r"\n"), 2, "and nothing behind it");
    }
}
