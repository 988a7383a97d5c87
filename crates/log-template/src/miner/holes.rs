//! How many different words were seen at one place of otherwise equal shapes.

use std::collections::hash_map::Entry;

use serde::{Deserialize, Serialize};
use thin_vec::ThinVec;

use super::evidence::Weight;
use super::keyed::{Keyed, oldest_quarter};
use crate::{Config, TemplateId};

/// A shape that was counted. Packed, so that a hole has 32 bytes and not 40.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[repr(Rust, packed(2))]
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

/// What is known of a hole by each shape that is counted in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    /// How many words there are beside the one that differs.
    pub(crate) others: u16,
    /// Whether a value by its looks was seen at the place.
    pub(crate) has_number: bool,
    /// The number of the line.
    pub(crate) now: u64,
}

impl Hole {
    fn new(Context { others, has_number, now }: Context) -> Self {
        Self { first: None, more: ThinVec::new(), others, has_number, closed: false, used: now }
    }

    fn meet(&mut self, Context { has_number, now, .. }: Context) {
        self.has_number |= has_number;
        self.used = self.used.max(now);
    }

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

    /// Closes it and hands out its members, if they show that a value stands there.
    fn take_if_full(&mut self, config: &Config) -> Option<Vec<Member>> {
        if self.first.is_none() || !self.is_full(config) {
            return None;
        }
        self.closed = true;
        Some(self.first.take().into_iter().chain(std::mem::take(&mut self.more)).collect())
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Holes {
    pub(crate) by_key: Keyed<u64, Hole>,
}

impl Holes {
    /// Counts a shape, which is `member` of the hole `key`, and hands out all members if they now show that a value
    /// stands there.
    pub(crate) fn add(
        &mut self,
        key: u64,
        member: Member,
        context: Context,
        config: &Config,
    ) -> Option<Vec<Member>> {
        match self.by_key.entry(key) {
            Entry::Occupied(mut known) => {
                let hole = known.get_mut();
                hole.meet(context);
                hole.push(member);
                hole.take_if_full(config)
            }
            // Most holes. What is written is not read again, so that nobody waits until the processor has its place.
            Entry::Vacant(place) => {
                let mut hole = Hole { first: Some(member), ..Hole::new(context) };
                let full = hole.take_if_full(config);
                place.insert(hole);
                full
            }
        }
    }

    /// The hole `key`, made if it is not there.
    pub(crate) fn entry(&mut self, key: u64, context: Context) -> &mut Hole {
        let hole = self.by_key.entry(key).or_insert_with(|| Hole::new(context));
        hole.meet(context);
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
        self.by_key.get_mut(&key)?.take_if_full(config)
    }

    pub(crate) fn make_room(&mut self, most: usize) {
        if self.by_key.len() < most.max(4) {
            return;
        }
        let oldest = oldest_quarter(self.by_key.values().map(|hole| hole.used).collect());
        self.by_key.retain(|_, hole| hole.used > oldest);
    }
}
