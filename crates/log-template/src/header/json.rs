//! The message of a line that is a JSON object.

use std::ops::Range;

/// The usual names of the field that holds the message, the surest first.
const NAMES: [&[u8]; 6] = [b"msg", b"message", b"log", b"@message", b"MESSAGE", b"event"];

/// Objects that hold the message and its fields: of Rust's `tracing`, and of Google's logging.
const CARRIERS: [&[u8]; 2] = [b"fields", b"jsonPayload"];

/// Where the message stands in `text`, as it is escaped there, without its quotes.
///
/// Only fields of the outermost object count, and after them those of a carrier in it. Text that is not an object to its end has no message.
pub(super) fn message(text: &[u8]) -> Option<Range<usize>> {
    let mut best: Option<(usize, Range<usize>)> = None;
    let mut depth = 0_usize;
    let mut at = 0;
    let mut name: Option<Range<usize>> = None;
    let mut expects_value = false;
    // How deep fields count: in the outermost object, or in a carrier.
    let mut level = 1;
    while at < text.len() {
        match text[at] {
            byte @ (b'{' | b'[') => {
                let carries = |name: Range<usize>| CARRIERS.contains(&&text[name]);
                if byte == b'{' && depth == 1 && expects_value && name.take().is_some_and(carries) {
                    level = 2;
                }
                depth += 1;
                expects_value = false;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                level = level.min(depth.max(1));
                at += 1;
            }
            b':' => {
                expects_value = depth == level;
                at += 1;
            }
            b',' => {
                (name, expects_value) = (None, false);
                at += 1;
            }
            b'"' => {
                let end = string_end(text, at + 1)?;
                let inside = at + 1..end;
                if depth == level && !expects_value {
                    name = Some(inside);
                } else if expects_value && !inside.is_empty() {
                    let rank = name
                        .take()
                        .and_then(|name| NAMES.iter().position(|known| *known == &text[name.clone()]))
                        .map(|rank| rank + (level - 1) * NAMES.len());
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
    best.filter(|_| depth == 0).map(|(_, range)| without_line_end(text, range))
}

/// Some keep the end of a line in its message, escaped.
fn without_line_end(text: &[u8], range: Range<usize>) -> Range<usize> {
    let inside = &text[range.clone()];
    let bare = inside.strip_suffix(b"\\n").filter(|bare| !bare.is_empty() && !bare.ends_with(b"\\"));
    let bare = bare.map_or(inside, |bare| bare.strip_suffix(b"\\r").unwrap_or(bare));
    range.start..range.start + bare.len()
}

/// The place of the quote that ends the string which begins at `from`.
pub(super) fn string_end(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        match text.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at),
            _ => at += 1,
        }
    }
}
