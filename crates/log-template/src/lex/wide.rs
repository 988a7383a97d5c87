//! Scripts that put no blanks between words, and their signs.

use super::class::{WIDE, class};

/// Where the run of letters or of signs ends that begins at `start`, and whether it is one of signs.
pub(super) fn run(text: &[u8], start: usize) -> (usize, bool) {
    let is_sign = is_sign(&text[start..]);
    let mut end = start;
    while end < text.len() && class(text[end]) == WIDE && self::is_sign(&text[end..]) == is_sign {
        let length = if text[end] >= 0xf0 { 4 } else { 3 };
        let following =
            text[end + 1..].iter().take(length - 1).take_while(|b| matches!(b, 0x80..=0xbf)).count();
        end += 1 + following;
    }
    (end, is_sign)
}

/// Whether `text` begins with punctuation: U+2000 to U+2BFF, U+3000 to U+303F, and the wide forms of ASCII signs.
fn is_sign(text: &[u8]) -> bool {
    match text {
        [0xe2, second, ..] => matches!(second, 0x80..=0xaf),
        [0xe3, second, ..] => *second == 0x80,
        [0xef, 0xbc, third, ..] => matches!(third, 0x80..=0x8f | 0x9a..=0xa0 | 0xbb..=0xbf),
        [0xef, 0xbd, third, ..] => matches!(third, 0x80 | 0x9b..=0xa0),
        _ => false,
    }
}
