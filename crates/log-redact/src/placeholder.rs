//! What stands in place of a secret: `<class:ID>`.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::error::BuildError;

/// 40 bits: of 10,000 secrets of a class, two share an id with a probability of 1 in 20,000.
const ID_BYTES: usize = 5;
const ID_LETTERS: usize = 8;
/// Longer names are refused, so that a placeholder is recognised by a short look.
pub(crate) const LONGEST_NAME: usize = 48;

/// The key that ties secrets to placeholders.
///
/// With the same key the same secret of the same class gets the same placeholder, in every text and on every
/// machine. Who does not have the key cannot guess the secret, however few possible ones there are: not
/// even a telephone number. `Debug` does not print it.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl Key {
    /// The fewest bytes that a key may have.
    pub const LEAST_BYTES: usize = 16;

    /// A key of random bytes: placeholders are the same within one process only.
    ///
    /// # Errors
    /// [`BuildError::NoRandomness`] if the operating system gives none.
    pub fn random() -> Result<Self, BuildError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| BuildError::NoRandomness)?;
        Self::from_bytes(&bytes)
    }

    /// A key of these bytes, such as a file's content; 32 random ones are a good choice.
    ///
    /// # Errors
    /// [`BuildError::ShortKey`] below [`Key::LEAST_BYTES`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BuildError> {
        let short = BuildError::ShortKey { bytes: bytes.len(), least: Self::LEAST_BYTES };
        if bytes.len() < Self::LEAST_BYTES {
            return Err(short);
        }
        Hmac::<Sha256>::new_from_slice(bytes).map(Self).map_err(|_| short)
    }

    /// The id of a secret.
    pub(crate) fn id(&self, class: &str, secret: &[u8]) -> Id {
        let mut mac = self.0.clone();
        mac.update(class.as_bytes());
        mac.update(&[0]);
        mac.update(secret);
        let digest = mac.finalize().into_bytes();
        let mut id = [0; ID_LETTERS];
        BASE32_NOPAD.encode_mut(&digest[..ID_BYTES], &mut id);
        Id(id)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Names a secret without telling it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; ID_LETTERS]);

impl Id {
    /// The id's letters: `A` to `Z` and `2` to `7`.
    pub fn as_str(&self) -> &str {
        // Base32 is ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

pub(crate) fn write(out: &mut Vec<u8>, class: &str, id: Id) {
    out.push(b'<');
    out.extend_from_slice(class.as_bytes());
    out.push(b':');
    out.extend_from_slice(&id.0);
    out.push(b'>');
}

/// Where the placeholder that begins at `at` ends.
pub(crate) fn end_at(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix(b"<")?;
    let name = rest.iter().take(LONGEST_NAME + 1).position(|byte| *byte == b':')?;
    let is_name = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let id = rest.get(name + 1..name + 1 + ID_LETTERS)?;
    let is_id = id.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'));
    let whole = name > 0
        && rest[..name].iter().all(is_name)
        && is_id
        && rest.get(name + 1 + ID_LETTERS) == Some(&b'>');
    whole.then_some(at + 1 + name + 1 + ID_LETTERS + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_recognised() {
        let key = Key::from_bytes(&[7; 32]).unwrap();
        let mut out = b"x".to_vec();
        write(&mut out, "some-class", key.id("some-class", b"secret"));
        assert_eq!(end_at(&out, 1), Some(out.len()));
        assert_eq!(end_at(&out, 0), None);
        assert_eq!(end_at(b"<a:ABCDEFG1>", 0), None);
        assert_eq!(end_at(b"<a:ABCDEFGH", 0), None);
    }

    #[test]
    fn ids_depend_on_key_class_and_secret() {
        let (one, other) = (Key::from_bytes(&[7; 32]).unwrap(), Key::from_bytes(&[8; 32]).unwrap());
        assert_eq!(one.id("a", b"s"), one.id("a", b"s"));
        assert_ne!(one.id("a", b"s"), other.id("a", b"s"));
        assert_ne!(one.id("a", b"s"), one.id("b", b"s"));
        assert_ne!(one.id("a", b"s"), one.id("a", b"t"));
    }

    #[test]
    fn a_short_key_is_refused_and_no_key_is_printed() {
        assert!(Key::from_bytes(&[7; 15]).is_err());
        assert_eq!(format!("{:?}", Key::from_bytes(&[7; 16]).unwrap()), "Key(..)");
    }
}
