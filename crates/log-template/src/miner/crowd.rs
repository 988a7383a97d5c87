//! Templates of the same build that differ in several words at once.
//!
//! When two values of a statement are both words, no two of its lines may ever differ in one word only. So templates
//! that stay alone are collected by their build (the same marks at the same places), and once there are many, each is
//! reduced to the words that most others of them have as well. Those that are equal then are one.

use super::keyed::Keyed;
use super::shape;
use crate::lex::{Kind, VARIABLE, word_hash};
use crate::{Template, TemplateId};

/// So many alone are looked at together, and again whenever their number has doubled.
const FIRST_LOOK: usize = 16;
/// More are not kept together.
const MOST: usize = 1024;
/// A word belongs to the statement when so many templates have it at its place.
const SHARED_BY: u32 = 8;
/// So many different words show that a value stands at a place.
const DISTINCT: usize = 5;
/// Ways to leave out words that are tried on a new shape of the build.
const MOST_MASKS: usize = 8;

#[derive(Debug, Clone, Default)]
pub(crate) struct Crowd {
    pub(crate) members: Vec<TemplateId>,
    pub(crate) next_look: usize,
    /// The places of the variables of what was merged.
    pub(crate) masks: Vec<Vec<u16>>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Crowds {
    pub(crate) by_skeleton: Keyed<u64, Crowd>,
}

/// Templates that are one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Alike {
    pub(crate) members: Vec<TemplateId>,
    /// Where they differ.
    pub(crate) places: Vec<u16>,
    /// The hash of their common shape.
    pub(crate) key: u64,
}

impl Crowds {
    pub(crate) fn masks(&self, skeleton: u64) -> &[Vec<u16>] {
        self.by_skeleton.get(&skeleton).map_or(&[], |crowd| &crowd.masks)
    }

    /// Adds a template, and hands out all of the same build when it is time to look at them.
    pub(crate) fn join(&mut self, skeleton: u64, id: TemplateId) -> Option<Vec<TemplateId>> {
        let crowd = self.by_skeleton.entry(skeleton).or_default();
        crowd.members.push(id);
        if crowd.members.len() < crowd.next_look.max(FIRST_LOOK) {
            return None;
        }
        Some(crowd.members.clone())
    }

    /// Notes which of a build's templates are still there after a look.
    pub(crate) fn replace(&mut self, skeleton: u64, mut members: Vec<TemplateId>) {
        if let Some(crowd) = self.by_skeleton.get_mut(&skeleton) {
            if members.len() > MOST {
                members.drain(..members.len() - MOST);
            }
            crowd.next_look = (members.len() * 2).min(MOST + MOST / 4);
            crowd.members = members;
        }
    }

    pub(crate) fn add_mask(&mut self, skeleton: u64, places: Vec<u16>) {
        let crowd = self.by_skeleton.entry(skeleton).or_default();
        if !crowd.masks.contains(&places) {
            if crowd.masks.len() == MOST_MASKS {
                crowd.masks.remove(0);
            }
            crowd.masks.push(places);
        }
    }

    pub(crate) fn retain(&mut self, is_known: impl Fn(TemplateId) -> bool) {
        self.by_skeleton.retain(|_, crowd| {
            crowd.members.retain(|&id| is_known(id));
            !crowd.members.is_empty() || !crowd.masks.is_empty()
        });
    }
}

/// Which of `templates`, all of one build, are one.
pub(crate) fn alike(templates: &[(TemplateId, &Template)]) -> Vec<Alike> {
    let mut shared: Keyed<u64, u32> = Keyed::default();
    let at = |place: usize, hash: u64| hash.wrapping_add((place as u64).wrapping_mul(0x9e37_79b9));
    let words: Vec<Vec<(usize, u64)>> = templates.iter().map(|(_, template)| words(template)).collect();
    for &(place, hash) in words.iter().flatten() {
        *shared.entry(at(place, hash)).or_default() += 1;
    }
    let count = |&(place, hash): &(usize, u64)| shared.get(&at(place, hash)).copied().unwrap_or(0);
    let mut reduced: Keyed<u64, Vec<usize>> = Keyed::default();
    let mut order = Vec::new();
    for (index, words) in words.iter().enumerate() {
        let most = words.iter().map(count).max().unwrap_or(0);
        let kept: Vec<_> = words.iter().filter(|word| count(word) >= SHARED_BY.max(most / 2)).collect();
        if kept.len() < 2 || kept.len() * 2 < words.len() || kept.len() == words.len() {
            continue;
        }
        let key = kept
            .iter()
            .fold(words.len() as u64, |key, (place, hash)| crate::lex::mix(key ^ at(*place, *hash)));
        reduced
            .entry(key)
            .or_insert_with(|| {
                order.push(key);
                Vec::new()
            })
            .push(index);
    }
    let of_key = |key: &u64| {
        let members = reduced.get(key)?;
        let (first, rest) = members.split_first()?;
        let mut common = templates[*first].1.clone();
        for &index in rest {
            common.generalise(templates[index].1);
        }
        let open = |place: &usize| {
            words[*first].iter().any(|(p, _)| p == place) && common.parts[*place].kind != Kind::Word
        };
        let places: Vec<usize> = (0..common.parts.len()).filter(open).collect();
        let varied = |place: &usize| {
            let mut seen: Vec<u64> = members
                .iter()
                .filter_map(|&index| words[index].iter().find(|(p, _)| p == place).map(|(_, hash)| *hash))
                .collect();
            seen.sort_unstable();
            seen.dedup();
            seen.len() >= DISTINCT
        };
        if members.len() < SHARED_BY as usize || places.len() < 2 || !places.iter().all(varied) {
            return None;
        }
        Some(Alike {
            members: members.iter().map(|&index| templates[index].0).collect(),
            places: places.iter().map(|&place| place as u16).collect(),
            key: shape::hash_of(&common),
        })
    };
    order.iter().filter_map(of_key).collect()
}

fn words(template: &Template) -> Vec<(usize, u64)> {
    let is_word = |place: &usize| template.parts[*place].kind == Kind::Word;
    (0..template.parts.len())
        .filter(is_word)
        .map(|place| (place, word_hash(template.part_text(place))))
        .collect()
}

/// The hash of one part of a template, as of the piece it came from.
pub(super) fn part_hash(template: &Template, place: usize) -> u64 {
    match template.parts[place].kind {
        Kind::Word => word_hash(template.part_text(place)),
        Kind::Variable => VARIABLE,
        Kind::Mark => crate::lex::mark_hash(template.part_text(place).first().copied().unwrap_or(0)),
    }
}
