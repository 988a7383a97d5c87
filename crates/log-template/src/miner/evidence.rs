//! How much one word says that a value stands at its place.

use crate::lex::{Kind, Piece};

/// After these words usually stands a name.
const NAMED: [&str; 36] = [
    "user",
    "username",
    "account",
    "group",
    "role",
    "host",
    "hostname",
    "node",
    "server",
    "client",
    "service",
    "unit",
    "process",
    "program",
    "module",
    "package",
    "plugin",
    "device",
    "interface",
    "file",
    "directory",
    "path",
    "volume",
    "image",
    "container",
    "pod",
    "namespace",
    "topic",
    "queue",
    "table",
    "database",
    "bucket",
    "key",
    "name",
    "named",
    "called",
];
/// What a word counts for that nothing is known about.
const USUAL: u32 = 2;

/// How much `pieces[place]`, a word of `message`, counts for at its place.
///
/// A word after a noun that names things is worth more; a state (`started`, `LEADING`), and the first word of a
/// message, is worth less: programs have few states, and write about each in a statement of its own.
pub(super) fn weight(message: &[u8], pieces: &[Piece], place: usize) -> u32 {
    let text = |piece: &Piece| &message[piece.start as usize..piece.end as usize];
    let word = text(&pieces[place]);
    let Some(before) = place.checked_sub(1).map(|before| &pieces[before]) else { return USUAL / 2 };
    let named = before.kind == Kind::Word
        && before.end < pieces[place].start
        && NAMED.iter().any(|noun| text(before).eq_ignore_ascii_case(noun.as_bytes()));
    let usual = if is_state(word) { USUAL / 2 } else { USUAL };
    if named { usual * 2 } else { usual }
}

fn is_state(word: &[u8]) -> bool {
    let capitals = word.len() > 1 && word.iter().all(|b| b.is_ascii_uppercase() || *b == b'_');
    capitals || word.ends_with(b"ed") || word.ends_with(b"ing")
}
