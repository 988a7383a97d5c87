//! The message of a line that is a JSON object.

use std::ops::Range;

/// The usual names of the field that holds the message, the surest first.
const NAMES: [&[u8]; 6] = [b"msg", b"message", b"log", b"@message", b"MESSAGE", b"event"];

/// Where the message stands in `text`, as it is escaped there, without its quotes.
///
/// Only fields of the outermost object count. Text that is not an object to its end has no message.
pub(super) fn message(text: &[u8]) -> Option<Range<usize>> {
    let mut best: Option<(usize, Range<usize>)> = None;
    let mut depth = 0_usize;
    let mut at = 0;
    let mut name: Option<Range<usize>> = None;
    let mut expects_value = false;
    while at < text.len() {
        match text[at] {
            b'{' | b'[' => {
                depth += 1;
                expects_value = false;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            b':' => {
                expects_value = depth == 1;
                at += 1;
            }
            b',' => {
                (name, expects_value) = (None, false);
                at += 1;
            }
            b'"' => {
                let end = string_end(text, at + 1)?;
                let inside = at + 1..end;
                if depth == 1 && !expects_value {
                    name = Some(inside);
                } else if expects_value && !inside.is_empty() {
                    let rank = name
                        .take()
                        .and_then(|name| NAMES.iter().position(|known| *known == &text[name.clone()]));
                    if let Some(rank) =
                        rank.filter(|rank| best.as_ref().is_none_or(|(other, _)| rank < other))
                    {
                        best = Some((rank, inside));
                    }
                }
                at = end + 1;
            }
            _ => at += 1,
        }
    }
    best.filter(|_| depth == 0).map(|(_, range)| range)
}

/// The place of the quote that ends the string which begins at `from`.
fn string_end(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        match text.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at),
            _ => at += 1,
        }
    }
}
