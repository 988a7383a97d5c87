//! Texts inside the text: percent-encoded, escaped, base64. A view is such a text decoded, with the place in
//! the outer
//! text that each of its bytes came from.

use std::ops::Range;

use crate::shape;

/// Decoded text, and where it came from.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) text: Vec<u8>,
    /// For each byte, where its spelling begins and ends in the outer text.
    places: Vec<(u32, u32)>,
}

impl View {
    pub(crate) fn push(&mut self, byte: u8, from: usize, to: usize) {
        self.text.push(byte);
        // A block is far smaller than 4 GiB.
        self.places.push((from as u32, to as u32));
    }

    /// Appends `text[range]` as it is.
    pub(crate) fn push_all(&mut self, text: &[u8], range: Range<usize>) {
        self.text.extend_from_slice(&text[range.clone()]);
        self.places.extend(range.map(|place| (place as u32, place as u32 + 1)));
    }

    /// The place in the outer text of a range of the view.
    pub(crate) fn outer(&self, range: Range<usize>) -> Option<(usize, usize)> {
        let first = self.places.get(range.start)?;
        let last = self.places.get(range.end.checked_sub(1)?)?;
        Some((first.0 as usize, last.1 as usize))
    }

    /// `text[range]` with `%41` decoded.
    pub(crate) fn percent(text: &[u8], range: Range<usize>) -> Self {
        let mut view = Self::default();
        let mut at = range.start;
        while at < range.end {
            let (byte, length) = match percent_at(&text[..range.end], at) {
                Some(byte) => (byte, 3),
                None => (text[at], 1),
            };
            view.push(byte, at, at + length);
            at += length;
        }
        view
    }

    /// `text[range]` with the escapes of JSON and of most languages' strings decoded. Nothing, if there are
    /// none.
    pub(crate) fn unescaped(text: &[u8], range: Range<usize>) -> Self {
        let mut view = Self::default();
        let text = &text[..range.end];
        let mut at = range.start;
        while at < range.end {
            let (byte, length) = escape_at(text, at).unwrap_or((Decoded::Byte(text[at]), 1));
            let mut letters = [0; 4];
            match byte {
                Decoded::Byte(byte) => view.push(byte, at, at + length),
                Decoded::Char(letter) => {
                    for byte in letter.encode_utf8(&mut letters).bytes() {
                        view.push(byte, at, at + length);
                    }
                }
            }
            at += length;
        }
        view
    }
}

/// Where the text of a line ends whose break is at `line_break`: before `\r`, and before the backslash that
/// continues it.
pub(crate) fn line_stop(text: &[u8], line_break: usize) -> usize {
    let line = &text[..line_break];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.strip_suffix(b"\\").unwrap_or(line).len()
}

/// Past the blanks at `at`.
pub(crate) fn after_indent(text: &[u8], at: usize) -> usize {
    const LONGEST_INDENT: usize = 4096;
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take(LONGEST_INDENT).take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

enum Decoded {
    Byte(u8),
    Char(char),
}

/// The byte that `%41` at `at` stands for.
pub(crate) fn percent_at(text: &[u8], at: usize) -> Option<u8> {
    match text.get(at..)? {
        [b'%', high, low, ..] => Some(hex(*high)? << 4 | hex(*low)?),
        _ => None,
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// Whether a backslash and this byte are an escape.
pub(crate) fn is_escape(byte: u8) -> bool {
    matches!(byte, b'n' | b'r' | b't' | b'b' | b'f' | b'"' | b'\'' | b'/' | b'\\' | b'u' | b'x')
}

/// Where a text begins that stands at `start` in a run of letters, if the first of them belong to an escape or a colour
/// code: past the `n` of `\n`, the `u4e2d` of `\u4e2d`, the `0A` of `%0A` and the `31m` of `ESC [ 1 ; 31 m`.
pub(crate) fn past_escape(text: &[u8], start: usize) -> usize {
    let escape = match start.checked_sub(1).map(|before| text[before]) {
        Some(b'\\') if !is_of_a_path(text, start) => escape_at(text, start - 1).map(|(_, length)| length),
        Some(b'%') => percent_at(text, start - 1).filter(|byte| is_text(*byte)).map(|_| 3),
        Some(b'[' | b';') => return start + after_colour(text, start),
        _ => None,
    };
    start + escape.map_or(0, |length| length - 1)
}

/// The length of the end of a terminal's colour code that a run begins with.
fn after_colour(text: &[u8], start: usize) -> usize {
    const LONGEST: usize = 4;
    let head = &text[start..text.len().min(start + LONGEST)];
    let length = head.iter().position(|byte| *byte == b'm').map_or(0, |place| place + 1);
    if length > 0 && shape::ends_colour(text, start + length - 1) { length } else { 0 }
}

/// Whether the backslashes before `start` are those of a path in a string: `C:\\Users\\nina`. An odd one begins an escape
/// wherever it stands, or a string with it could not be read.
fn is_of_a_path(text: &[u8], start: usize) -> bool {
    const LONGEST_PATH: usize = 256;
    const MOST_BACKSLASHES: usize = 16;
    let before = &text[start.saturating_sub(LONGEST_PATH)..start];
    let backslashes = before.iter().rev().take(MOST_BACKSLASHES).take_while(|byte| **byte == b'\\').count();
    let breaks = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'=' | b'(');
    let word = before.iter().rposition(breaks).map_or(0, |place| place + 1);
    backslashes.is_multiple_of(2)
        && matches!(before[word..], [drive, b':', b'\\', ..] if drive.is_ascii_alphabetic())
}

/// What the escape at `at` stands for, and its length.
fn escape_at(text: &[u8], at: usize) -> Option<(Decoded, usize)> {
    let [b'\\', letter, rest @ ..] = text.get(at..)? else { return None };
    let byte = match letter {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' | b'b' | b'f' => b'\t',
        b'"' | b'\'' | b'/' | b'\\' => *letter,
        b'x' => return Some((Decoded::Byte(hex(*rest.first()?)? << 4 | hex(*rest.get(1)?)?), 4)),
        b'u' => {
            let digits = rest.get(..4)?;
            let code = digits.iter().try_fold(0, |code, digit| Some(code << 4 | u32::from(hex(*digit)?)))?;
            // Half of a character is none.
            return Some((Decoded::Char(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)), 6));
        }
        _ => return None,
    };
    Some((Decoded::Byte(byte), 2))
}

/// The base64 text that begins at the start of `run`, decoded, if it is text.
pub(crate) fn base64_text(run: &[u8]) -> Option<Vec<u8>> {
    use base64::Engine as _;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, CONFIG);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, CONFIG);
    if !begins_as_text(run) {
        return None;
    }
    let url_safe = run.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = if url_safe { &URL_SAFE } else { &STANDARD };
    let unpadded = run.len() - run.iter().rev().take_while(|byte| **byte == b'=').count();
    let whole = if unpadded % 4 == 1 { unpadded - 1 } else { unpadded };
    let decoded = engine.decode(&run[..whole]).ok()?;
    decoded.iter().all(|byte| is_text(*byte)).then_some(decoded)
}

/// Whether the first letters of base64 are of text: of random ones, 3 in 1,000 pass as six bytes.
fn begins_as_text(run: &[u8]) -> bool {
    let Some((groups, _)) = run.get(..8).map(<[u8]>::as_chunks::<4>) else { return false };
    let mut head = [0; 6];
    for (bytes, letters) in head.as_chunks_mut::<3>().0.iter_mut().zip(groups) {
        let sixths = letters.map(|letter| SIXTHS[usize::from(letter)]);
        let number = sixths.iter().fold(0, |number, sixth| number << 6 | u32::from(*sixth));
        let [_, decoded @ ..] = number.to_be_bytes();
        if sixths.contains(&NO_LETTER) || !decoded.iter().all(|byte| is_text(*byte)) {
            return false;
        }
        *bytes = decoded;
    }
    // A character may go on after them.
    head.is_ascii() || std::str::from_utf8(&head).err().is_none_or(|error| error.error_len().is_none())
}

const NO_LETTER: u8 = 0xff;

/// The six bits that a letter of either kind of base64 stands for.
const SIXTHS: [u8; 256] = {
    let mut sixths = [NO_LETTER; 256];
    let mut byte = 0;
    while byte < 256 {
        sixths[byte] = match byte as u8 {
            letter @ b'A'..=b'Z' => letter - b'A',
            letter @ b'a'..=b'z' => letter - b'a' + 26,
            digit @ b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => NO_LETTER,
        };
        byte += 1;
    }
    sixths
};

fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t' | 0x80..)
}

/// Where the percent-encoded word around `at` begins and ends.
pub(crate) fn word_around(text: &[u8], at: usize, before: usize, after: usize) -> Range<usize> {
    let breaks = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'<' | b'>' | b'`');
    let from = at.saturating_sub(before);
    let to = text.len().min(at + after);
    let start = text[from..at].iter().rposition(breaks).map_or(from, |place| from + place + 1);
    let end = text[at..to].iter().position(breaks).map_or(to, |place| at + place);
    start..end
}
