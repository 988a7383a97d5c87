//! Two miners' states as one.

use super::Merge;
use super::groups::Group;
use super::holes::{Hole, Member};
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
    /// the ids that are returned are resolved already, and [`take_merges`](Self::take_merges) tells of the rest.
    pub fn absorb(&mut self, other: &Miner) -> Vec<Adopted> {
        let now = self.lines + other.lines;
        let mut names: Keyed<u64, TemplateId> = Keyed::default();
        let mut roots: Vec<(&u64, &Group)> = other.groups.roots.iter().collect();
        roots.sort_by_key(|(id, _)| **id);
        for &(&id, group) in &roots {
            let key = super::shape::hash_of(&group.template);
            let ours = self.groups.of_shape(key).unwrap_or_else(|| {
                let ours = self.groups.add(group.template.clone(), now);
                self.groups.set_shape(key, ours, now);
                ours
            });
            self.groups.count_lines(ours, group.lines, now);
            names.insert(id, ours);
        }
        let name = |id: TemplateId| names.get(&other.groups.resolve(id).0).copied();
        self.lines = now;
        for key in keys(&other.groups.by_shape) {
            let Some(theirs) = other.groups.of_shape(key).and_then(name) else { continue };
            match self.groups.of_shape(key) {
                Some(ours) => {
                    self.merge(ours, theirs);
                }
                None => self.groups.set_shape(key, theirs, now),
            }
        }
        for key in keys(&other.holes.by_key) {
            if let Some(hole) = other.holes.by_key.get(&key) {
                self.absorb_hole(key, hole, &name);
            }
        }
        for skeleton in keys(&other.crowds.by_skeleton) {
            let Some(crowd) = other.crowds.by_skeleton.get(&skeleton) else { continue };
            for mask in &crowd.masks {
                self.crowds.add_mask(skeleton, mask.clone());
            }
            for ours in crowd.members.iter().copied().filter_map(name) {
                if self.groups.is_root(ours) {
                    self.look_at_crowd(skeleton, ours);
                }
            }
        }
        let adopted = |(id, _): (&u64, &Group)| {
            let theirs = TemplateId(*id);
            Some(Adopted { theirs, ours: self.groups.resolve(name(theirs)?) })
        };
        roots.into_iter().filter_map(adopted).collect()
    }

    fn absorb_hole(&mut self, key: u64, hole: &Hole, name: &impl Fn(TemplateId) -> Option<TemplateId>) {
        let ours =
            self.holes.entry(key, hole.others, hole.has_number || self.groups.is_shape(key), self.lines);
        ours.has_number |= hole.has_number;
        ours.closed |= hole.closed;
        for member in hole.members() {
            let Some(template) = name(member.template) else { continue };
            // What both have seen counts once.
            let root = self.groups.resolve(template);
            let known = ours.members().any(|own| self.groups.resolve(own.template) == root);
            if !known {
                ours.push(Member { template, weight: member.weight });
            }
        }
        self.close(key);
    }

    /// The merges since this was last asked, in their order.
    pub fn take_merges(&mut self) -> Vec<Merge> {
        std::mem::take(&mut self.merges)
    }
}

fn keys<V>(map: &Keyed<u64, V>) -> Vec<u64> {
    let mut keys: Vec<u64> = map.keys().copied().collect();
    keys.sort_unstable();
    keys
}
