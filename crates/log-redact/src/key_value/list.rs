//! Keys with several values: `passwords: ["x", "y"]`, and YAML's items on lines of their own.

use memchr::memchr;

use super::{LONGEST_VALUE, Pair, after_blanks, quote_at, quoted_end};
use crate::placeholder;

const MOST_ITEMS: usize = 256;

/// The values of a list after its first, which is the pair's.
pub(crate) fn more_values(text: &[u8], pair: &Pair) -> Vec<(usize, usize)> {
    let mut values = Vec::new();
    let mut last = pair.value;
    let open = usize::from(pair.quoted);
    let is_flow = pair.quoted && pair.value.0.checked_sub(2).is_some_and(|at| text[at] == b'[');
    let is_block = text[..pair.value.0 - open].ends_with(b"- ");
    while values.len() < MOST_ITEMS {
        let next = match (is_flow, is_block) {
            (true, _) => next_in_brackets(text, last.1),
            (_, true) => next_line(text, last.1),
            _ => None,
        };
        let Some(next) = next.filter(|next| next.0 < next.1) else { break };
        last = next;
        if placeholder::end_at(text, next.0).is_none() {
            values.push(next);
        }
    }
    values
}

/// The value in quotes behind the quote at `at` and a comma.
fn next_in_brackets(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let comma = text.get(at + 1..)?.strip_prefix(b",")?;
    let quote = after_blanks(text, text.len() - comma.len());
    let (open, escapes) = quote_at(text, quote)?;
    let begin = quote + escapes + open.len();
    let (end, is_closed) = quoted_end(text, begin, open, escapes);
    is_closed.then_some((begin, end))
}

/// The item of the line after the one that `at` is on, if that is an item of a list.
pub(super) fn next_line(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let line = at + memchr(b'\n', text.get(at..text.len().min(at + LONGEST_VALUE))?)? + 1;
    let dash = after_blanks(text, line);
    let begin = after_blanks(text, dash + text.get(dash..)?.strip_prefix(b"- ").map(|_| 2)?);
    if let Some((open, escapes)) = quote_at(text, begin) {
        let begin = begin + escapes + open.len();
        let (end, is_closed) = quoted_end(text, begin, open, escapes);
        return is_closed.then_some((begin, end));
    }
    let rest = &text[begin..text.len().min(begin + LONGEST_VALUE)];
    let length = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
    // What goes on behind a blank, and a key, is no single word.
    let is_alone = matches!(rest.get(length), None | Some(b'\n' | b'\r')) && !rest[..length].ends_with(b":");
    (is_alone && length > 0).then_some((begin, begin + length))
}
