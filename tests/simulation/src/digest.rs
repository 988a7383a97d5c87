//! A fast hash that is the same on every machine and in every run.

/// Takes bytes, gives 64 bits. Not for secrets: for telling two histories apart.
#[derive(Debug, Clone)]
pub struct Digest {
    state: u64,
}

const START: u64 = 0x243f_6a88_85a3_08d3;
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Default for Digest {
    fn default() -> Self {
        Self { state: START }
    }
}

impl Digest {
    /// Takes a number.
    pub fn number(&mut self, number: u64) {
        let mixed = (self.state ^ number).wrapping_mul(FACTOR);
        self.state = mixed.rotate_left(29) ^ (mixed >> 32);
    }

    /// Takes bytes and their number, so that two texts never run into each other.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.number(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.number(u64::from_le_bytes(last));
        self.number(bytes.len() as u64);
    }

    /// Takes a text.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// What came of all that was taken so far.
    pub fn value(&self) -> u64 {
        let mut mixed = self.state ^ (self.state >> 31);
        mixed = mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 29)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> u64 {
        let mut digest = Digest::default();
        for text in texts {
            digest.text(text);
        }
        digest.value()
    }

    #[test]
    fn the_same_texts_give_the_same_value_and_others_another() {
        assert_eq!(of(&["one", "two"]), of(&["one", "two"]));
        assert_ne!(of(&["one", "two"]), of(&["two", "one"]));
        assert_ne!(of(&["on", "etwo"]), of(&["one", "two"]));
        assert_ne!(of(&["", "a"]), of(&["a", ""]));
    }
}
