//! Two miners' states as one.

use super::groups::Group;
use super::holes::{Context, Hole, Member};
use super::keyed::Keyed;
use crate::{Miner, TemplateId};

/// Which of this miner's templates a template of the other became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adopted {
    /// Its id in the other miner.
    pub theirs: TemplateId,
    /// Its id in this one.
    pub ours: TemplateId,
}

impl Miner {
    /// Takes in all that `other` has learnt, as if this miner had read its lines as well, and says what each of the
    /// other's templates is called here. Evidence from both is added up, so more may merge than had merged in either:
    /// the ids that are returned are resolved already, and [`merges`](Self::merges) tells what became of this miner's own.
    pub fn absorb(&mut self, other: &Miner) -> Vec<Adopted> {
        self.merges.clear();
        self.forgotten.clear();
        let before = self.lines;
        self.lines = before.saturating_add(other.lines);
        let names = self.name_groups(other, before);
        let name = |id: TemplateId| names.get(&other.groups.resolve(id).0).copied();
        for key in keys(&other.groups.by_shape) {
            let Some(known) = other.groups.by_shape.get(&key) else { continue };
            if let Some(ours) = name(known.group)
                && !self.groups.is_shape(key)
            {
                self.groups.set_shape(key, ours, before.saturating_add(known.used));
            }
        }
        for key in keys(&other.holes.by_key) {
            if let Some(hole) = other.holes.by_key.get(&key) {
                self.absorb_hole(key, hole, before, &name);
            }
        }
        for skeleton in keys(&other.crowds.by_skeleton) {
            let Some(crowd) = other.crowds.by_skeleton.get(&skeleton) else { continue };
            for mask in &crowd.masks {
                self.crowds.add_mask(skeleton, mask.clone());
            }
            for ours in crowd.members.iter().copied().filter_map(name) {
                if self.groups.is_root(ours) && !self.crowds.has(skeleton, ours) {
                    self.look_at_crowd(skeleton, ours);
                }
            }
        }
        self.make_room();
        let adopted = |(id, _): (&u64, &Group)| {
            let theirs = TemplateId(*id);
            Some(Adopted { theirs, ours: self.groups.resolve(name(theirs)?) })
        };
        let mut roots: Vec<(&u64, &Group)> = other.groups.roots.iter().collect();
        roots.sort_by_key(|(id, _)| **id);
        roots.into_iter().filter_map(adopted).collect()
    }

    /// Finds or makes a template here for each of the other's. A shape that both know shows that two are one.
    fn name_groups(&mut self, other: &Miner, before: u64) -> Keyed<u64, TemplateId> {
        let mut names: Keyed<u64, TemplateId> = Keyed::default();
        for key in keys(&other.groups.by_shape) {
            if let (Some(ours), Some(theirs)) = (self.groups.of_shape(key), other.groups.of_shape(key)) {
                let ours = names.get(&theirs.0).map_or(ours, |&known| self.merge(known, ours));
                names.insert(theirs.0, ours);
            }
        }
        for id in keys(&other.groups.roots) {
            let Some(group) = other.groups.roots.get(&id) else { continue };
            let used = before.saturating_add(group.used);
            let key = super::shape::hash_of(&group.template);
            let ours = match (names.get(&id).copied(), self.groups.of_shape(key)) {
                (Some(named), Some(shaped)) => self.merge(named, shaped),
                (Some(known), None) | (None, Some(known)) => known,
                (None, None) => self.groups.add(group.template.clone(), used),
            };
            self.groups.set_shape(key, ours, used);
            self.groups.adopt(ours, group, used);
            names.insert(id, ours);
        }
        names
    }

    fn absorb_hole(
        &mut self,
        key: u64,
        hole: &Hole,
        before: u64,
        name: &impl Fn(TemplateId) -> Option<TemplateId>,
    ) {
        let context = Context {
            others: hole.others,
            has_number: hole.has_number || self.groups.is_shape(key),
            now: before.saturating_add(hole.used),
        };
        let ours = self.holes.entry(key, context);
        ours.closed |= hole.closed;
        for member in hole.members() {
            let Some(template) = name(member.template) else { continue };
            // What both have seen counts once.
            let root = self.groups.resolve(template);
            let known = ours.members().any(|own| self.groups.resolve(own.template) == root);
            if !known {
                ours.push(Member { template, ..*member });
            }
        }
        self.close(key);
    }
}

fn keys<V>(map: &Keyed<u64, V>) -> Vec<u64> {
    let mut keys: Vec<u64> = map.keys().copied().collect();
    keys.sort_unstable();
    keys
}
