//! How many different words were seen at one place of otherwise equal shapes.

use serde::{Deserialize, Serialize};
use thin_vec::ThinVec;

use super::evidence::Weight;
use super::keyed::{Keyed, oldest_quarter};
use crate::{Config, TemplateId};

/// A shape that was counted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) template: TemplateId,
    /// What its word counts for.
    pub(crate) weight: Weight,
    /// Which piece that word is. A shape with two values is a hole of two kinds of shapes, with the word at either place.
    pub(crate) place: u16,
}

/// Shapes that are equal but for one word. Every word of a new shape makes one: what learning costs is mostly
/// that they do not fit into the processor's cache, so they are kept small.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Hole {
    /// The templates of the shapes seen so far. Most holes never have a second.
    pub(crate) first: Option<Member>,
    pub(crate) more: ThinVec<Member>,
    /// How many words there are beside the one that differs.
    pub(crate) others: u16,
    /// Whether a value by its looks was seen at the place.
    pub(crate) has_number: bool,
    /// Whether it is known that a value stands here.
    pub(crate) closed: bool,
    /// The number of the last line that was counted.
    pub(crate) used: u64,
}

impl Hole {
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.first.iter().chain(&self.more)
    }

    pub(crate) fn push(&mut self, member: Member) {
        match self.first {
            None => self.first = Some(member),
            Some(_) => self.more.push(member),
        }
    }

    fn is_full(&self, config: &Config) -> bool {
        if self.closed {
            return true;
        }
        let needed = match self.others {
            0 => return false,
            // The fewer words are left to say what the line is about, the more it takes.
            1 => config.evidence.saturating_mul(2),
            2 => config.evidence.saturating_mul(3) / 2,
            _ => config.evidence,
        };
        let number = if self.has_number { config.number } else { 0 };
        let evidence = self.members().fold(number, |sum, member| sum.saturating_add(member.weight.points()));
        evidence >= needed
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Holes {
    pub(crate) by_key: Keyed<u64, Hole>,
}

impl Holes {
    /// Counts the shape of `member`.
    pub(crate) fn add(&mut self, key: u64, member: Member, others: u16, has_number: bool, now: u64) {
        self.entry(key, others, has_number, now).push(member);
    }

    /// The hole `key`, made if it is not there.
    pub(crate) fn entry(&mut self, key: u64, others: u16, has_number: bool, now: u64) -> &mut Hole {
        let hole = self.by_key.entry(key).or_insert_with(|| Hole {
            first: None,
            more: ThinVec::new(),
            others,
            has_number,
            closed: false,
            used: now,
        });
        hole.has_number |= has_number;
        hole.used = hole.used.max(now);
        hole
    }

    /// A shape was seen that has a value where the shapes of the hole `key` have words.
    pub(crate) fn number_seen(&mut self, key: u64) {
        if let Some(hole) = self.by_key.get_mut(&key) {
            hole.has_number = true;
        }
    }

    pub(crate) fn is_closed(&self, key: u64) -> bool {
        self.by_key.get(&key).is_some_and(|hole| hole.closed)
    }

    /// Closes a hole and hands out its members, if they show that a value stands there.
    pub(crate) fn take_full(&mut self, key: u64, config: &Config) -> Option<Vec<Member>> {
        let hole = self.by_key.get_mut(&key)?;
        if hole.first.is_none() || !hole.is_full(config) {
            return None;
        }
        hole.closed = true;
        Some(hole.first.take().into_iter().chain(std::mem::take(&mut hole.more)).collect())
    }

    pub(crate) fn make_room(&mut self, most: usize) {
        if self.by_key.len() < most.max(4) {
            return;
        }
        let oldest = oldest_quarter(self.by_key.values().map(|hole| hole.used).collect());
        self.by_key.retain(|_, hole| hole.used > oldest);
    }
}
