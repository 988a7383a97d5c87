//! What a byte may be part of.

/// Blanks and control characters.
pub(super) const SPACE: u8 = 0;
/// Letters, `_`, and every byte of another character of an alphabet (or of no character at all).
pub(super) const ALPHA: u8 = 1;
/// ASCII digits.
pub(super) const DIGIT: u8 = 2;
/// Signs that are part of a name when letters or digits are on both sides.
pub(super) const JOIN: u8 = 3;
/// Signs that always end a name.
pub(super) const MARK: u8 = 4;
/// The first byte of a character from U+2000 on: scripts that put no blanks between words, and signs.
pub(super) const WIDE: u8 = 5;

const CLASSES: [u8; 256] = {
    let mut classes = [MARK; 256];
    let mut byte = 0;
    while byte < 256 {
        let as_u8 = byte as u8;
        classes[byte] = match as_u8 {
            0..=b' ' | 0x7f => SPACE,
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80..=0xe1 | 0xf5..=0xff => ALPHA,
            0xe2..=0xf4 => WIDE,
            b'-' | b'.' | b'+' | b'@' | b'#' | b'$' | b'%' | b'&' | b'*' | b'\\' | b'^' | b'~' => JOIN,
            _ => MARK,
        };
        byte += 1;
    }
    classes
};

#[inline]
pub(super) fn class(byte: u8) -> u8 {
    CLASSES[byte as usize]
}
