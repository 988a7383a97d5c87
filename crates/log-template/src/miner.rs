//! From lines to templates.
//!
//! A line's *shape* is its message with every value left out. Shapes that differ in one word only are counted per
//! place of that word; when there are enough of them, a value stands there, and they are one template. The rule only
//! ever merges, and what it merges depends on which shapes were seen, not on their order: the outcome is the same in
//! every order and every chunking, and two miners' states can be put together.

mod groups;
mod holes;
mod shape;

use crate::lex::{self, Piece};
use crate::{Config, Template, TemplateId, header};
use groups::Groups;
use holes::{Hole, Holes};
use shape::{Shape, hash};

/// Two templates that turned out to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    /// The younger one, which from now on is another name of [`into`](Self::into).
    pub from: TemplateId,
    /// The one that stays.
    pub into: TemplateId,
}

/// What a line told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// The template of the line.
    pub template: TemplateId,
    /// Whether no line of this template was seen before.
    pub is_new: bool,
}

/// Mines templates from lines, one at a time.
#[derive(Debug, Clone)]
pub struct Miner {
    config: Config,
    groups: Groups,
    holes: Holes,
    lines: u64,
    pieces: Vec<Piece>,
    merges: Vec<Merge>,
}

impl Default for Miner {
    fn default() -> Self {
        Self::new(Config::default())
    }
}

impl Miner {
    /// A miner that has seen nothing.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            groups: Groups::default(),
            holes: Holes::default(),
            lines: 0,
            pieces: Vec::new(),
            merges: Vec::new(),
        }
    }

    /// Takes in one line, without its line end, and says which template it belongs to.
    pub fn observe(&mut self, line: &[u8]) -> Observation {
        self.lines += 1;
        let message = &line[header::message(line)];
        let mut pieces = std::mem::take(&mut self.pieces);
        lex::lex(message, &mut pieces);
        shape::collapse(&mut pieces);
        let key = hash(&pieces);
        let observation = if let Some(group) = self.groups.of_shape(key) {
            Observation { template: group, is_new: false }
        } else {
            self.learn(message, &pieces, key)
        };
        self.groups.count(observation.template);
        self.pieces = pieces;
        observation
    }

    fn learn(&mut self, message: &[u8], pieces: &[Piece], key: u64) -> Observation {
        let own = self.groups.add(Template::new(message, pieces));
        self.groups.set_shape(key, own);
        let merges = self.merges.len();
        if let Some(hole) = self.holes.get_mut(key) {
            // Shapes with a word where this one has a number came first.
            hole.has_number = true;
        }
        self.close(key);
        self.spread(Shape::new(pieces, key), own);
        let template = self.groups.resolve(own);
        let is_new = template == own || self.merges[merges..].iter().all(|merge| merge.from != own);
        Observation { template, is_new }
    }

    /// Counts a shape at each of its words, and merges where that makes enough. A merge makes a new, more general
    /// shape, which is counted likewise.
    fn spread(&mut self, shape: Shape, group: TemplateId) {
        let mut waiting = vec![(shape, group)];
        let mut budget = 256;
        while let Some((shape, group)) = waiting.pop() {
            for place in shape.words() {
                let key = shape.key_without(place);
                let is_shape = self.groups.of_shape(key).is_some();
                let others = shape.word_count() - 1;
                let hole = self.holes.entry(key, others, is_shape);
                hole.add(group);
                if let Some(first) = self.close(key) {
                    if self.groups.of_shape(key).is_none() && budget > 0 {
                        budget -= 1;
                        self.groups.set_shape(key, first);
                        waiting.push((shape.without(place), first));
                    }
                }
            }
        }
    }

    /// Merges the members of a hole when they are enough.
    fn close(&mut self, key: u64) -> Option<TemplateId> {
        let hole: &mut Hole = self.holes.get_mut(key)?;
        if !hole.is_full(&self.config) {
            return None;
        }
        let members = hole.take_members();
        let shape = self.groups.of_shape(key);
        let mut all = members.into_iter().chain(shape);
        let first = all.next()?;
        let mut into = first;
        for other in all {
            into = self.merge(into, other);
        }
        self.holes.get_mut(key)?.add(into);
        Some(into)
    }

    fn merge(&mut self, a: TemplateId, b: TemplateId) -> TemplateId {
        match self.groups.union(a, b) {
            Some(merge) => {
                self.merges.push(merge);
                merge.into
            }
            None => self.groups.resolve(a),
        }
    }

    /// The id that stands for `id` now.
    #[must_use]
    pub fn resolve(&self, id: TemplateId) -> TemplateId {
        self.groups.resolve(id)
    }

    /// The template of `id`, or of what it was merged into.
    #[must_use]
    pub fn template(&self, id: TemplateId) -> Option<&Template> {
        self.groups.template(id)
    }

    /// The merges since this was last asked, in their order.
    pub fn take_merges(&mut self) -> Vec<Merge> {
        std::mem::take(&mut self.merges)
    }
}
