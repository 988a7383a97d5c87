//! The message of a line that is a row of `key=value`.

use std::ops::Range;

const NAMES: [&[u8]; 2] = [b"msg", b"message"];
/// So many fields are looked through.
const MOST_FIELDS: usize = 32;

/// Where the value of `msg` stands, if `text` begins with at least two fields.
pub(super) fn message(text: &[u8]) -> Option<Range<usize>> {
    let mut at = 0;
    let mut found = None;
    for count in 0..MOST_FIELDS {
        let Some((name, value, next)) = field(text, at) else {
            return found.filter(|_| count >= 2);
        };
        // `msg=audit(1767322800.123:42): ` names what follows.
        let names = text[..value.end].ends_with(b":");
        if found.is_none() && !value.is_empty() && !names && NAMES.contains(&&text[name]) {
            found = Some(value);
            if count >= 1 {
                return found;
            }
        }
        at = next;
    }
    found
}

/// The name and value at `at`, and where the next field begins.
fn field(text: &[u8], at: usize) -> Option<(Range<usize>, Range<usize>, usize)> {
    let length =
        text[at..].iter().take(64).take_while(|b| b.is_ascii_alphanumeric() || b"_.-@".contains(b)).count();
    let sign = at + length;
    if length == 0 || text.get(sign) != Some(&b'=') {
        return None;
    }
    let from = sign + 1;
    let (value, end) = if text.get(from) == Some(&b'"') {
        let mut end = from + 1;
        while !matches!(text.get(end)?, b'"') {
            end += if text[end] == b'\\' { 2 } else { 1 };
        }
        (from + 1..end, end + 1)
    } else {
        let end = from + text[from..].iter().take_while(|b| **b > b' ').count();
        (from..end, end)
    };
    let blanks = text[end.min(text.len())..].iter().take_while(|b| **b == b' ').count();
    Some((at..sign, value, end + blanks))
}
