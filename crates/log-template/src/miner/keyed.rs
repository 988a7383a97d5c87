//! Maps whose keys are hashes already.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map by a key whose low bits are spread.
pub(crate) type Keyed<K, V> = HashMap<K, V, BuildHasherDefault<Spread>>;

/// One multiplication: the keys are hashes, or consecutive numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// The time before which the quarter lies that was not used for the longest time.
pub(crate) fn oldest_quarter(mut stamps: Vec<u64>) -> u64 {
    let at = stamps.len() / 4;
    if stamps.is_empty() {
        return 0;
    }
    *stamps.select_nth_unstable(at).1
}
