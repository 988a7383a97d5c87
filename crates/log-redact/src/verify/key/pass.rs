//! Names of keys that end with `pass`, of which not each is a password's.

use crate::key_value::{self, Pair};

/// Whose passwords are called so, without a sign between: `dbpass`, `requirepass`.
pub(crate) const OWNERS: [&str; 24] = [
    "user", "require", "db", "smtp", "mysql", "redis", "mongo", "root", "admin", "mail", "ftp", "bind",
    "ldap", "pg", "postgres", "rabbit", "mq", "become", "sudo", "vnc", "sql", "login", "auth", "proxy",
];
/// Runs over something: `first_pass=12ms`, `renderPass: shadow`.
const RUNS: [&[u8]; 23] = [
    b"render",
    b"compute",
    b"shader",
    b"depth",
    b"shadow",
    b"geometry",
    b"first",
    b"second",
    b"third",
    b"last",
    b"next",
    b"final",
    b"one",
    b"two",
    b"single",
    b"multi",
    b"full",
    b"sub",
    b"pre",
    b"post",
    b"dry",
    b"opt",
    b"by",
];

/// Whether a key whose name ends with `pass` is a password's: `DB_PASS`, `smtpPass` and `requirepass`, but neither
/// `bypass` nor the `pass: 3` of a test.
pub(super) fn is_a_password(key: &[u8], value: &[u8], pair: &Pair) -> bool {
    let letters = key.iter().rposition(u8::is_ascii_alphabetic).map_or(0, |last| last + 1);
    let (before, pass) = key[..letters].split_at(letters.saturating_sub(4));
    let end = before.iter().rposition(u8::is_ascii_alphanumeric).map_or(0, |last| last + 1);
    let owner = before[..end].to_ascii_lowercase();
    if !owner.iter().any(u8::is_ascii_alphabetic) {
        return pair.quoted && value.len() > 5 || key_value::looks_drawn(value);
    }
    if OWNERS.iter().any(|name| owner.ends_with(name.as_bytes())) {
        return true;
    }
    let is_apart = end < before.len()
        || pass.starts_with(b"P") && before.last().is_some_and(|last| !last.is_ascii_uppercase());
    let word = &owner[last_word(&before[..end])..];
    is_apart
        && !RUNS.contains(&word)
        && !value.iter().all(u8::is_ascii_digit)
        && !key_value::is_a_measure(value)
}

/// Where the last word of a name begins: `depth` of `shadow_depth`, `Depth` of `shadowDepth`.
fn last_word(name: &[u8]) -> usize {
    let sign = name.iter().rposition(|byte| !byte.is_ascii_alphabetic()).map_or(0, |last| last + 1);
    let hump = name.windows(2).rposition(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    sign.max(hump.map_or(0, |place| place + 1))
}
