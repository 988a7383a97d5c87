//! A miner's state as bytes: a signature, the format, the length, a checksum, and the content.
//!
//! Equal states give equal bytes, because every map is written in the order of its keys.

use std::hash::Hash;

use serde::{Deserialize, Serialize};

use super::crowd::{Crowd, Crowds};
use super::groups::{Group, Known};
use super::holes::{Hole, Holes};
use super::keyed::Keyed;
use crate::{Config, LoadError, Miner, TemplateId};

const SIGNATURE: &[u8; 8] = b"LOGTMPL\n";
/// To be raised with every change of what is written, and of what decides a shape's hash: a state whose hashes mean
/// something else would make every line a new template.
const FORMAT: u32 = 11;
const HEAD: usize = SIGNATURE.len() + 4 + 8 + 4;

/// No miner has read more: at a million lines per second it takes 36,000 years.
const MOST_LINES: u64 = 1 << 60;

#[derive(Serialize, Deserialize)]
struct Snapshot {
    config: Config,
    lines: u64,
    next: u64,
    roots: Vec<(u64, Group)>,
    aliases: Vec<(u64, u64)>,
    shapes: Vec<(u64, Known)>,
    holes: Vec<(u64, Hole)>,
    crowds: Vec<(u64, Crowd)>,
}

impl Miner {
    /// The whole state, to be [loaded](Self::load) later, by the same version of this crate.
    ///
    /// A miner that is loaded goes on exactly as the one that was saved would have.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let snapshot = Snapshot {
            config: self.config.clone(),
            lines: self.lines,
            next: self.groups.next,
            roots: sorted(&self.groups.roots),
            aliases: sorted(&self.groups.aliases),
            shapes: sorted(&self.groups.by_shape),
            holes: sorted(&self.holes.by_key),
            crowds: sorted(&self.crowds.by_skeleton),
        };
        // Writing into memory what only consists of numbers, lists and texts cannot fail.
        let content = postcard::to_allocvec(&snapshot).unwrap_or_default();
        let mut bytes = Vec::with_capacity(HEAD + content.len());
        bytes.extend_from_slice(SIGNATURE);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&content).to_le_bytes());
        bytes.extend_from_slice(&content);
        bytes
    }

    /// The miner whose state was [saved](Self::save).
    ///
    /// # Errors
    ///
    /// [`LoadError`] says what is wrong with the bytes. No bytes, however made, make this or a later call panic.
    pub fn load(bytes: &[u8]) -> Result<Self, LoadError> {
        let rest = bytes.strip_prefix(SIGNATURE).ok_or(LoadError::NotAState)?;
        let (format, rest) = rest.split_first_chunk().ok_or(LoadError::Damaged)?;
        let found = u32::from_le_bytes(*format);
        if found != FORMAT {
            return Err(LoadError::Format { found, expected: FORMAT });
        }
        let (length, rest) = rest.split_first_chunk().ok_or(LoadError::Damaged)?;
        let (checksum, content) = rest.split_first_chunk().ok_or(LoadError::Damaged)?;
        let whole = u64::from_le_bytes(*length) == content.len() as u64
            && u32::from_le_bytes(*checksum) == crc32fast::hash(content);
        if !whole {
            return Err(LoadError::Damaged);
        }
        let (snapshot, rest) =
            postcard::take_from_bytes::<Snapshot>(content).map_err(|_| LoadError::Contradictory)?;
        if !rest.is_empty() || !snapshot.is_sound() {
            return Err(LoadError::Contradictory);
        }
        Ok(snapshot.into())
    }
}

impl Snapshot {
    /// What the code relies on beyond the types.
    fn is_sound(&self) -> bool {
        // Each line belongs to one template and makes one at most, and nothing was used by a line that is still to come.
        let past = |line: u64| line <= self.lines;
        let counted = self.roots.iter().fold(0, |sum: u64, (_, group)| sum.saturating_add(group.lines));
        let counts = self.lines <= MOST_LINES
            && past(self.next)
            && past(counted)
            && self.roots.iter().all(|(_, group)| past(group.used))
            && self.shapes.iter().all(|(_, known)| past(known.used))
            && self.holes.iter().all(|(_, hole)| past(hole.used));
        let templates = self.roots.iter().all(|(id, group)| *id < self.next && group.template.is_sound());
        // An alias of an older one always, so that following them ends.
        counts && templates && self.aliases.iter().all(|(from, into)| into < from && *from < self.next)
    }
}

impl From<Snapshot> for Miner {
    fn from(snapshot: Snapshot) -> Self {
        let mut miner = Self::new(snapshot.config);
        miner.lines = snapshot.lines;
        miner.groups.next = snapshot.next;
        miner.groups.aliases = snapshot.aliases.into_iter().collect();
        miner.groups.by_shape = snapshot.shapes.into_iter().collect();
        for (id, group) in snapshot.roots {
            miner.groups.insert(TemplateId(id), group);
        }
        miner.holes = Holes { by_key: snapshot.holes.into_iter().collect() };
        miner.crowds = Crowds { by_skeleton: snapshot.crowds.into_iter().collect() };
        miner
    }
}

fn sorted<K: Copy + Ord + Hash, V: Clone>(map: &Keyed<K, V>) -> Vec<(K, V)> {
    let mut entries: Vec<(K, V)> = map.iter().map(|(key, value)| (*key, value.clone())).collect();
    entries.sort_by_key(|(key, _)| *key);
    entries
}
