//! The value of a column in SQL: `INSERT INTO users (name, password) VALUES ('me', 'value')`.

use memchr::memchr;

use super::{after_blanks, quote_at, quoted_end};

const LONGEST_LIST: usize = 1024;
const MOST_COLUMNS: usize = 64;

/// The place of the value of the column whose name is at `key_start..closed`.
pub(super) fn value(text: &[u8], key_start: usize, closed: usize) -> Option<usize> {
    // Most keys are no columns.
    if !matches!(text.get(after_blanks(text, closed)), Some(b',' | b')')) {
        return None;
    }
    let head = &text[key_start.saturating_sub(LONGEST_LIST)..key_start];
    let open =
        head.iter().rposition(|byte| matches!(byte, b'(' | b')' | b'\n')).filter(|at| head[*at] == b'(')?;
    let before = head[..open].trim_ascii_end();
    let table = before.iter().rposition(u8::is_ascii_whitespace)?;
    let is_insert = before[..table].trim_ascii_end().to_ascii_lowercase().ends_with(b"into");
    let column = memchr::memchr_iter(b',', &head[open..]).count();
    let list = text.get(closed..text.len().min(closed + LONGEST_LIST))?;
    let close = closed + memchr(b')', list).filter(|_| is_insert && column < MOST_COLUMNS)?;
    let values = after_blanks(text, close + 1);
    let word = text.get(values..values + 6).filter(|word| word.eq_ignore_ascii_case(b"values"))?;
    let mut at = after_blanks(text, values + word.len());
    at = after_blanks(text, at + text.get(at..)?.strip_prefix(b"(").map(|_| 1)?);
    for _ in 0..column {
        at = next_item(text, at)?;
    }
    quote_at(text, at).map(|_| at)
}

/// Where the item after the one at `at` begins.
fn next_item(text: &[u8], at: usize) -> Option<usize> {
    let end = match quote_at(text, at) {
        Some((open, escapes)) => {
            let (end, is_closed) = quoted_end(text, at + escapes + open.len(), open, escapes);
            is_closed.then_some(end + open.len())?
        }
        None => {
            let rest = text.get(at..text.len().min(at + LONGEST_LIST))?;
            at + rest.iter().position(|byte| matches!(byte, b',' | b')' | b'\n'))?
        }
    };
    let comma = after_blanks(text, end);
    text.get(comma..)?.starts_with(b",").then(|| after_blanks(text, comma + 1))
}
