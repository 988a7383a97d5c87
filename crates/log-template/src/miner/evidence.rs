//! How much one word says that a value stands at its place.

mod fixed;

use serde::{Deserialize, Serialize};

use crate::lex::{Kind, Piece};
pub(crate) use fixed::is_fixed;

/// No noun of [`names_things`] is longer.
const LONGEST_NOUN: usize = 9;

/// What one word counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Weight {
    /// A state, or the first word of a message.
    Light,
    /// A word that nothing is known about.
    Usual,
    /// A name.
    Heavy,
}

impl Weight {
    pub(crate) fn points(self) -> u32 {
        match self {
            Self::Light => 1,
            Self::Usual => 2,
            Self::Heavy => 4,
        }
    }
}

/// How much `pieces[place]`, a word of `message`, counts for at its place.
///
/// A word after a noun that names things is worth more; a state (`started`, `LEADING`), and the first word of a
/// message, is worth less: programs have few states, and write about each in a statement of its own.
pub(super) fn weight(message: &[u8], pieces: &[Piece], place: usize) -> Weight {
    let text = |piece: &Piece| &message[piece.start as usize..piece.end as usize];
    let word = text(&pieces[place]);
    let Some(before) = place.checked_sub(1).map(|before| &pieces[before]) else { return Weight::Light };
    let named = before.kind == Kind::Word && before.end < pieces[place].start && names_things(text(before));
    match (is_state(word), named) {
        (true, false) => Weight::Light,
        (true, true) | (false, false) => Weight::Usual,
        (false, true) => Weight::Heavy,
    }
}

/// Whether a name usually stands after this word.
fn names_things(word: &[u8]) -> bool {
    let mut letters = [0; LONGEST_NOUN];
    let Some(lower) = letters.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    matches!(
        &*lower,
        b"user"
            | b"username"
            | b"account"
            | b"group"
            | b"role"
            | b"host"
            | b"hostname"
            | b"node"
            | b"server"
            | b"client"
            | b"service"
            | b"unit"
            | b"process"
            | b"program"
            | b"module"
            | b"package"
            | b"plugin"
            | b"device"
            | b"interface"
            | b"file"
            | b"directory"
            | b"path"
            | b"volume"
            | b"image"
            | b"container"
            | b"pod"
            | b"namespace"
            | b"topic"
            | b"queue"
            | b"table"
            | b"database"
            | b"bucket"
            | b"key"
            | b"name"
            | b"named"
            | b"called"
    )
}

fn is_state(word: &[u8]) -> bool {
    let capitals = word.len() > 1 && word.iter().all(|b| b.is_ascii_uppercase() || *b == b'_');
    capitals || word.ends_with(b"ed") || word.ends_with(b"ing")
}
