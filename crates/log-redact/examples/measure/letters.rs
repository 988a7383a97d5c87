//! Random letters.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

pub(crate) const DIGITS: &str = "0123456789";
pub(crate) const LOWER_HEX: &str = "0123456789abcdef";
pub(crate) const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
pub(crate) const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
pub(crate) const UPPER_DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
pub(crate) const LOWER_DIGITS: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
pub(crate) const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
pub(crate) const URL64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
pub(crate) const STD64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// So many letters of an alphabet, the last of which is a letter or digit, so that it is clear where the
/// secret ends.
pub(crate) fn some(rng: &mut ChaCha8Rng, alphabet: &str, length: usize) -> String {
    let mut letters: String = (0..length).map(|_| one(rng, alphabet)).collect();
    while letters.ends_with(|letter: char| !letter.is_ascii_alphanumeric()) {
        letters.pop();
        letters.push(one(rng, alphabet));
    }
    letters
}

pub(crate) fn between(rng: &mut ChaCha8Rng, alphabet: &str, least: usize, most: usize) -> String {
    let length = rng.random_range(least..=most);
    some(rng, alphabet, length)
}

pub(crate) fn one(rng: &mut ChaCha8Rng, alphabet: &str) -> char {
    let letters = alphabet.as_bytes();
    char::from(letters[rng.random_range(0..letters.len())])
}

pub(crate) fn choose<'a>(rng: &mut ChaCha8Rng, choices: &[&'a str]) -> &'a str {
    choices[rng.random_range(0..choices.len())]
}

pub(crate) fn bytes(rng: &mut ChaCha8Rng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill_bytes(&mut bytes);
    bytes
}

pub(crate) fn base64_of(rng: &mut ChaCha8Rng, length: usize) -> String {
    STANDARD.encode(bytes(rng, length))
}

pub(crate) fn url64(text: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

pub(crate) fn uuid(rng: &mut ChaCha8Rng) -> String {
    [8, 4, 4, 4, 12].map(|length| some(rng, LOWER_HEX, length)).join("-")
}
