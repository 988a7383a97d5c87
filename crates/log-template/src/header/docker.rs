//! Lines as Docker's `json-file` keeps them: `{"log":"what the program wrote\n","stream":"stderr","time":"..."}`.

use std::borrow::Cow;
use std::ops::Range;

use super::Stream;
use super::json::string_end;

/// Docker cuts lines where they are as long as this, and ends no other without a line end.
const CUT_AT: usize = 16 << 10;

/// A line of such a file.
pub(super) struct Entry {
    /// What the program wrote, escaped.
    pub(super) log: Range<usize>,
    pub(super) stream: Stream,
    pub(super) is_cut: bool,
}

/// Only what Docker itself wrote, with its fields in its order: others that call a field `log` cut no lines.
pub(super) fn entry(line: &[u8]) -> Option<Entry> {
    const BEFORE: &[u8] = b"{\"log\":\"";
    if !line.starts_with(BEFORE) {
        return None;
    }
    let end = string_end(line, BEFORE.len())?;
    let rest = line[end..].strip_prefix(b"\",\"stream\":\"std")?;
    let (stream, rest) = match rest.strip_prefix(b"out\",") {
        Some(rest) => (Stream::Output, rest),
        None => (Stream::Error, rest.strip_prefix(b"err\",")?),
    };
    // Labels may stand before the time.
    let is_whole =
        (rest.starts_with(b"\"time\":\"") || rest.starts_with(b"\"attrs\":{")) && rest.ends_with(b"\"}");
    let log = BEFORE.len()..end;
    let is_cut = log.len() >= CUT_AT && !line[log.clone()].ends_with(b"\\n");
    is_whole.then_some(Entry { log, stream, is_cut })
}

/// What a JSON string stands for, without the line end behind it. A line end within it is a blank: it is one line.
pub(super) fn unescaped(text: &[u8]) -> Cow<'_, [u8]> {
    let text = text.strip_suffix(b"\\n").unwrap_or(text);
    let text = text.strip_suffix(b"\\r").unwrap_or(text);
    if memchr::memchr(b'\\', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        match &text[at..] {
            [b'\\', b'u', rest @ ..] => {
                let (letter, length) = by_number(rest);
                plain.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                at += 2 + length;
            }
            [b'\\', letter, ..] => {
                plain.push(match letter {
                    b't' => b'\t',
                    b'n' | b'r' | b'b' | b'f' => b' ',
                    other => *other,
                });
                at += 2;
            }
            [byte, ..] => {
                plain.push(*byte);
                at += 1;
            }
            [] => break,
        }
    }
    Cow::Owned(plain)
}

/// The letter whose number follows `\u`, and how long that is: four digits, or ten with a second half.
fn by_number(text: &[u8]) -> (char, usize) {
    let unit = |at: usize| {
        let digits = text.get(at..at + 4).and_then(|digits| std::str::from_utf8(digits).ok())?;
        u32::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(0) else { return (char::REPLACEMENT_CHARACTER, 0) };
    let second = unit(6).filter(|second| (0xdc00..0xe000).contains(second) && text[4..].starts_with(b"\\u"));
    let (number, length) = match second {
        Some(second) if (0xd800..0xdc00).contains(&first) => {
            (0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), 10)
        }
        _ => (first, 4),
    };
    let letter = char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER);
    (if letter == '\n' { ' ' } else { letter }, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_of_json_is_read_as_it_was_written() {
        let table = [
            ("plain\\n", "plain"),
            ("\\tat a\\r\\n", "\tat a"),
            ("\\u0009at \\\"b\\\" \\\\n\\n", "\tat \"b\" \\n"),
            ("\\u4f60\\ud83d\\ude00\\u003c", "你😀<"),
            ("two\\nlines \\ud83d \\u12", "two lines \u{fffd} \u{fffd}12"),
        ];
        for (text, plain) in table {
            assert_eq!(String::from_utf8_lossy(&unescaped(text.as_bytes())), plain);
        }
    }
}
