//! What each byte of a text is, 64 bytes at a time and a bit for each.
//!
//! Runs and patterns that need many looks at single bytes are a few shifts of such bits.

use wide::u8x16;

/// So many bytes are looked at together.
pub(crate) const WIDTH: usize = 64;

/// A bit for each byte of [`WIDTH`], the first of them the lowest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// `0` to `9`.
    pub(crate) digits: u64,
    /// What both kinds of base64 are written in.
    pub(crate) base64: u64,
    pub(crate) dots: u64,
    pub(crate) colons: u64,
    pub(crate) dashes: u64,
    /// `@`.
    pub(crate) ats: u64,
}

impl Marks {
    /// Of the bytes from `at` on. Beyond the end of the text there is nothing.
    pub(crate) fn at(text: &[u8], at: usize) -> Self {
        let rest = text.get(at..).unwrap_or_default();
        match rest.first_chunk() {
            Some(whole) => Self::of(whole),
            None => Self::of(&padded(rest)),
        }
    }

    fn of(bytes: &[u8; WIDTH]) -> Self {
        let mut marks = Self::default();
        for (place, part) in bytes.as_chunks().0.iter().enumerate() {
            let part = u8x16::new(*part);
            let shift = place * 16;
            let bits = |is: u8x16| u64::from(is.to_bitmask()) << shift;
            let is = |byte: u8| part.simd_eq(u8x16::splat(byte));
            let digits = within(part, b'0', b'9');
            let letters = within(part | u8x16::splat(b'a' ^ b'A'), b'a', b'z');
            let dashes = is(b'-');
            marks.digits |= bits(digits);
            marks.base64 |= bits(digits | letters | dashes | is(b'_') | is(b'+') | is(b'/'));
            marks.dots |= bits(is(b'.'));
            marks.colons |= bits(is(b':'));
            marks.dashes |= bits(dashes);
            marks.ats |= bits(is(b'@'));
        }
        marks
    }
}

/// The last bytes of a text, and zeros after them.
pub(crate) fn padded<const LENGTH: usize>(rest: &[u8]) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    let known = rest.len().min(LENGTH);
    bytes[..known].copy_from_slice(&rest[..known]);
    bytes
}

fn within(bytes: u8x16, first: u8, last: u8) -> u8x16 {
    // Subtraction wraps, so what is below the first is far above the last.
    let above = bytes - u8x16::splat(first);
    above.min(u8x16::splat(last - first)).simd_eq(above)
}

/// The places of the bits that are set, the lowest first.
pub(crate) fn places(bits: u64) -> impl Iterator<Item = usize> {
    let mut left = bits;
    std::iter::from_fn(move || {
        let place = left.trailing_zeros();
        left &= left.wrapping_sub(1);
        (place < u64::BITS).then_some(place as usize)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alphabet::Alphabet;

    #[test]
    fn every_byte_is_marked_as_what_it_is() {
        for from in (0..=255).step_by(WIDTH) {
            let bytes: [u8; WIDTH] = std::array::from_fn(|place| (from + place) as u8);
            let marks = Marks::of(&bytes);
            for (place, byte) in bytes.into_iter().enumerate() {
                let marked = [
                    (marks.digits, byte.is_ascii_digit()),
                    (marks.base64, Alphabet::ANY64.has(byte)),
                    (marks.dots, byte == b'.'),
                    (marks.colons, byte == b':'),
                    (marks.dashes, byte == b'-'),
                    (marks.ats, byte == b'@'),
                ];
                for (bits, is) in marked {
                    assert_eq!(bits >> place & 1 == 1, is, "{byte:#x}");
                }
            }
        }
    }

    #[test]
    fn places_are_those_of_the_bits() {
        assert_eq!(places(1 << 63 | 0b101).collect::<Vec<_>>(), [0, 2, 63]);
        assert_eq!(places(0).count(), 0);
    }
}
