//! Templates of the same build that differ in several words at once.
//!
//! When two values of a statement are both words, no two of its lines may ever differ in one word only. So templates
//! that stay alone are collected by their build (the same marks at the same places), and once there are many, each is
//! reduced to the words that most others of them have as well. Those that are equal then are one.

use serde::{Deserialize, Serialize};

use super::keyed::Keyed;
use super::shape;
use crate::lex::{Kind, mix, word_hash};
use crate::{Template, TemplateId};

/// So many alone are looked at together, and again whenever their number has doubled.
const FIRST_LOOK: usize = 16;
/// More are not kept together after a look.
const MOST: usize = 512;
/// A word belongs to the statement when so many templates have it at its place.
const SHARED_BY: u32 = 8;
/// So many different words show that a value stands at a place.
const DISTINCT: usize = 5;
/// Ways to leave out words that are tried on a new shape of the build.
const MOST_MASKS: usize = 8;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
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

    pub(crate) fn has(&self, skeleton: u64, id: TemplateId) -> bool {
        self.by_skeleton.get(&skeleton).is_some_and(|crowd| crowd.members.contains(&id))
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
            crowd.next_look = members.len() * 2;
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

    /// Forgets all but known templates, and builds that are left with none, whatever was found in them: so there are no
    /// more builds than templates.
    pub(crate) fn retain(&mut self, is_known: impl Fn(TemplateId) -> bool) {
        self.by_skeleton.retain(|_, crowd| {
            crowd.members.retain(|&id| is_known(id));
            !crowd.members.is_empty()
        });
    }
}

/// Which of `templates`, all of one build, are one.
pub(crate) fn alike(templates: &[(TemplateId, &Template)]) -> Vec<Alike> {
    let members: Vec<Member<'_>> =
        templates.iter().map(|&(id, template)| Member::new(id, template)).collect();
    let shared = Shared::of(&members);
    let count = |word: &&Word| shared.count(word);
    let mut reduced: Vec<(u64, &Member<'_>)> = Vec::new();
    for member in &members {
        let most = member.words.iter().map(|word| count(&word)).max().unwrap_or(0);
        let kept: Vec<_> = member
            .words
            .iter()
            .filter(|word| word.is_fixed || count(word) >= SHARED_BY.max(most / 2))
            .collect();
        if kept.len() >= 2 && kept.len() * 2 >= member.words.len() && kept.len() < member.words.len() {
            // Only templates with their words at the same places are compared.
            let places = member.words.iter().fold(0, |key, word| mix(key ^ word.place as u64));
            reduced.push((kept.iter().fold(places, |key, word| mix(key ^ word.key())), member));
        }
    }
    reduced.sort_by_key(|(key, member)| (*key, member.id));
    reduced
        .chunk_by(|(a, _), (b, _)| a == b)
        .flat_map(|equal| settled(equal.iter().map(|(_, member)| *member).collect()))
        .collect()
}

/// What of `members`, which share most words, is one statement. A place with few different words holds a state, of
/// which each has a statement of its own.
fn settled(mut members: Vec<&Member<'_>>) -> Vec<Alike> {
    let Some(first) = members.first() else { return Vec::new() };
    let places: Vec<usize> = first.words.iter().map(|word| word.place).collect();
    let distinct = |index: usize| {
        let mut seen: Vec<u64> =
            members.iter().filter_map(|member| Some(member.words.get(index)?.hash)).collect();
        seen.sort_unstable();
        seen.dedup();
        seen.len()
    };
    let counts: Vec<usize> = (0..places.len()).map(distinct).collect();
    let states: Vec<usize> =
        (0..places.len()).filter(|&index| (2..DISTINCT).contains(&counts[index])).collect();
    let state = |member: &Member<'_>| -> Vec<u64> {
        states.iter().filter_map(|&index| Some(member.words.get(index)?.hash)).collect()
    };
    members.sort_by_key(|member| (state(member), member.id));
    members.chunk_by(|a, b| state(a) == state(b)).filter_map(merged).collect()
}

/// `members` as one, if they are enough, and differ in several places, in each of them often enough.
fn merged(members: &[&Member<'_>]) -> Option<Alike> {
    let (first, rest) = members.split_first()?;
    let mut common = first.template.clone();
    for member in rest {
        common.generalise(member.template);
    }
    let open: Vec<usize> = (0..first.words.len())
        .filter(|&index| common.parts[first.words[index].place].kind != Kind::Word)
        .collect();
    let varied = |&index: &usize| {
        let mut seen: Vec<u64> =
            members.iter().filter_map(|member| Some(member.words.get(index)?.hash)).collect();
        seen.sort_unstable();
        seen.dedup();
        seen.len() >= DISTINCT
    };
    (members.len() >= SHARED_BY as usize && open.len() >= 2 && open.iter().all(varied)).then(|| Alike {
        members: members.iter().map(|member| member.id).collect(),
        places: open.iter().map(|&index| first.words[index].place as u16).collect(),
        key: shape::hash_of(&common),
    })
}

#[derive(Debug, Clone, Copy)]
struct Word {
    place: usize,
    hash: u64,
    /// Whether no value ever stands there.
    is_fixed: bool,
}

impl Word {
    fn key(&self) -> u64 {
        self.hash.wrapping_add((self.place as u64).wrapping_mul(0x9e37_79b9))
    }
}

/// How many templates have a word at its place, for the words of at least [`SHARED_BY`].
struct Shared {
    by_word: Keyed<u64, u32>,
}

impl Shared {
    /// Of templates that have nothing in common nearly every word comes once. A small table that mixes up some words
    /// tells most of them, so that the exact one is small as well.
    fn of(members: &[Member<'_>]) -> Self {
        let words = || members.iter().flat_map(|member| &member.words).map(Word::key);
        let mut roughly = vec![0_u8; 2 * words().count().next_power_of_two()];
        let mask = roughly.len() as u64 - 1;
        for key in words() {
            let count = &mut roughly[(key & mask) as usize];
            *count = count.saturating_add(1);
        }
        let mut by_word: Keyed<u64, u32> = Keyed::default();
        for key in words().filter(|key| u32::from(roughly[(key & mask) as usize]) >= SHARED_BY) {
            *by_word.entry(key).or_default() += 1;
        }
        Self { by_word }
    }

    fn count(&self, word: &Word) -> u32 {
        self.by_word.get(&word.key()).copied().unwrap_or(0)
    }
}

struct Member<'t> {
    id: TemplateId,
    template: &'t Template,
    words: Vec<Word>,
}

impl<'t> Member<'t> {
    fn new(id: TemplateId, template: &'t Template) -> Self {
        let is_word = |place: &usize| template.parts[*place].kind == Kind::Word;
        let word = |place: usize| {
            let text = template.part_text(place);
            Word { place, hash: word_hash(text), is_fixed: template.is_fixed(place) }
        };
        Self { id, template, words: (0..template.parts.len()).filter(is_word).map(word).collect() }
    }
}
