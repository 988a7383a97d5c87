//! Which entries of a bucket have been given out, in 40 bits each, and in 30 when stored.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::EntryKey;

/// Of an entry's key. Among 3,000 entries (a minute at 50/s) a late one is taken for one of them with a chance of
/// 3,000 / 2⁴⁰, and even that is noticed (see [`Fingerprints::count`]).
const BITS: u32 = 40;

/// A multiset of shortened keys, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fingerprints(Vec<u64>);

/// The first bits of a key.
pub(super) fn fingerprint(key: EntryKey) -> u64 {
    key.as_bytes().iter().take(BITS as usize / 8).fold(0, |print, byte| (print << 8) | u64::from(*byte))
}

impl Fingerprints {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn extend(&mut self, prints: impl Iterator<Item = u64>) {
        self.0.extend(prints);
        self.0.sort_unstable();
    }

    /// How many entries with this fingerprint were given out.
    pub(super) fn count(&self, print: u64) -> usize {
        let from = self.0.partition_point(|one| *one < print);
        self.0[from..].iter().take_while(|one| **one == print).count()
    }

    /// The differences between neighbours, each as its high part in unary and its low bits: since the fingerprints are
    /// evenly spread, that is within half a bit of the least that such a set can take.
    pub(super) fn encode(&self) -> String {
        let low = low_bits(self.0.len());
        let mut bits = BitWriter::default();
        let mut last = 0;
        for &print in &self.0 {
            let gap = print - last;
            last = print;
            for _ in 0..gap >> low {
                bits.push(true);
            }
            bits.push(false);
            for place in (0..low).rev() {
                bits.push(gap >> place & 1 == 1);
            }
        }
        STANDARD_NO_PAD.encode(bits.bytes)
    }

    /// `None` when the text is not what [`Self::encode`] writes.
    pub(super) fn decode(text: &str, len: usize) -> Option<Self> {
        let bytes = STANDARD_NO_PAD.decode(text).ok()?;
        // Each takes a bit at the least: a length that cannot be is found before it is reserved.
        if len > bytes.len().saturating_mul(8) {
            return None;
        }
        let low = low_bits(len);
        let mut bits = BitReader { bytes: &bytes, at: 0 };
        let mut prints = Vec::with_capacity(len);
        let mut last = 0_u64;
        for _ in 0..len {
            let mut gap = 0_u64;
            while bits.next()? {
                gap += 1;
            }
            for _ in 0..low {
                gap = gap.checked_mul(2)? | u64::from(bits.next()?);
            }
            last = last.checked_add(gap).filter(|print| *print < 1 << BITS)?;
            prints.push(last);
        }
        let padding = bytes.len() * 8 - bits.at;
        let clean = padding < 8 && (0..padding).all(|_| bits.next() == Some(false));
        clean.then_some(Self(prints))
    }
}

/// The best number of low bits for so many fingerprints: the logarithm of their mean distance.
fn low_bits(len: usize) -> u32 {
    let mean = (1_u64 << BITS) / (len as u64).max(1);
    mean.max(1).ilog2()
}

#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    used: usize,
}

impl BitWriter {
    fn push(&mut self, bit: bool) {
        if self.used.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(byte) = self.bytes.last_mut().filter(|_| bit) {
            *byte |= 0x80 >> (self.used % 8);
        }
        self.used += 1;
    }
}

struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl BitReader<'_> {
    fn next(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte & (0x80 >> (self.at % 8)) != 0;
        self.at += 1;
        Some(bit)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(prints: impl IntoIterator<Item = u64>) -> Fingerprints {
        let mut set = Fingerprints::default();
        set.extend(prints.into_iter());
        set
    }

    proptest! {
        #[test]
        fn what_is_stored_comes_back(prints in proptest::collection::vec(0_u64..1 << 40, 0..400)) {
            let set = of(prints);
            prop_assert_eq!(Fingerprints::decode(&set.encode(), set.len()), Some(set));
        }

        #[test]
        fn anything_else_is_refused_without_a_panic(text in "[A-Za-z0-9+/]{0,80}", len in 0_usize..1 << 40) {
            if let Some(set) = Fingerprints::decode(&text, len) {
                prop_assert_eq!(set.len(), len);
            }
        }
    }

    #[test]
    fn equal_fingerprints_are_counted() {
        let set = of([5, 9, 5]);
        assert_eq!((set.count(5), set.count(9), set.count(7)), (2, 1, 0));
        assert_eq!(Fingerprints::decode(&set.encode(), 3), Some(set));
    }

    #[test]
    fn an_entry_takes_30_bits() {
        // Spread as hashes are: multiples of an odd number modulo 2⁴⁰, by the golden ratio.
        let set = of((1..=3000_u64).map(|n| n.wrapping_mul(679_577_354_461) % (1 << 40)));
        let bytes = set.encode().len() * 3 / 4;
        assert!(bytes <= 3000 * 31 / 8, "{bytes}");
    }
}
