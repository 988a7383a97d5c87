//! Templates, their shapes, and which of them are one.

use serde::{Deserialize, Serialize};

use super::keyed::{Keyed, oldest_quarter};
use super::{Forgotten, Merge};
use crate::{Config, Template, TemplateId};

/// The texts of all templates together are not longer, in bytes.
const MOST_TEXT: usize = 16 << 20;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) template: Template,
    pub(crate) lines: u64,
    /// The number of the last line that belonged to it.
    pub(crate) used: u64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) group: TemplateId,
    pub(crate) used: u64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Groups {
    pub(crate) next: u64,
    pub(crate) roots: Keyed<u64, Group>,
    /// What a template was merged into, which may have been merged in turn.
    pub(crate) aliases: Keyed<u64, u64>,
    pub(crate) by_shape: Keyed<u64, Known>,
    /// Bytes in all templates.
    text: usize,
}

impl Groups {
    pub(crate) fn add(&mut self, template: Template, now: u64) -> TemplateId {
        let id = TemplateId(self.next);
        self.next += 1;
        self.insert(id, Group { template, lines: 0, used: now });
        id
    }

    pub(crate) fn insert(&mut self, id: TemplateId, group: Group) {
        self.text += group.template.size();
        self.roots.insert(id.0, group);
    }

    pub(crate) fn set_shape(&mut self, key: u64, group: TemplateId, now: u64) {
        self.by_shape.insert(key, Known { group, used: now });
    }

    pub(crate) fn is_shape(&self, key: u64) -> bool {
        self.by_shape.contains_key(&key)
    }

    #[inline]
    pub(crate) fn of_shape(&self, key: u64) -> Option<TemplateId> {
        self.by_shape.get(&key).map(|known| self.resolve(known.group))
    }

    #[inline]
    pub(crate) fn resolve(&self, mut id: TemplateId) -> TemplateId {
        while let Some(&parent) = self.aliases.get(&id.0) {
            id = TemplateId(parent);
        }
        id
    }

    pub(crate) fn is_root(&self, id: TemplateId) -> bool {
        self.roots.contains_key(&id.0)
    }

    pub(crate) fn root(&self, id: TemplateId) -> Option<&Template> {
        self.roots.get(&id.0).map(|group| &group.template)
    }

    pub(crate) fn roots(&self) -> Vec<(TemplateId, &Template, u64)> {
        let mut roots: Vec<_> =
            self.roots.iter().map(|(&id, group)| (TemplateId(id), &group.template, group.lines)).collect();
        roots.sort_by_key(|(id, ..)| *id);
        roots
    }

    /// Counts a line, if the template is known and has no other name.
    #[inline]
    pub(crate) fn count(&mut self, id: TemplateId, now: u64) -> bool {
        let Some(group) = self.roots.get_mut(&id.0) else { return false };
        group.lines += 1;
        group.used = now;
        true
    }

    /// Counts a line of a shape that is known, and says of which template it is.
    #[inline]
    pub(crate) fn count_shape(&mut self, key: u64, now: u64) -> Option<TemplateId> {
        let known = self.by_shape.get(&key)?.group;
        // Seldom has a template another name.
        if self.count(known, now) {
            return Some(known);
        }
        let root = self.resolve(known);
        self.count(root, now);
        Some(root)
    }

    /// Adds what another miner knows about the same template.
    pub(crate) fn adopt(&mut self, id: TemplateId, theirs: &Group, used: u64) {
        if let Some(group) = self.roots.get_mut(&self.resolve(id).0) {
            self.text -= group.template.size();
            group.template.generalise(&theirs.template);
            self.text += group.template.size();
            group.lines = group.lines.saturating_add(theirs.lines);
            group.used = group.used.max(used);
        }
    }

    /// Makes the pieces at `places` values.
    pub(crate) fn open(&mut self, id: TemplateId, places: &[usize]) {
        if let Some(group) = self.roots.get_mut(&id.0) {
            self.text -= group.template.size();
            group.template.open(|index| places.contains(&index));
            self.text += group.template.size();
        }
    }

    pub(crate) fn union(&mut self, a: TemplateId, b: TemplateId) -> Option<Merge> {
        let (a, b) = (self.resolve(a), self.resolve(b));
        if a == b {
            return None;
        }
        let (into, from) = (a.min(b), a.max(b));
        // A template that was forgotten in the meantime has nothing to give.
        if !self.is_root(into) {
            return None;
        }
        let younger = self.roots.remove(&from.0)?;
        let older = self.roots.get_mut(&into.0)?;
        self.text -= younger.template.size() + older.template.size();
        older.template.generalise(&younger.template);
        older.lines = older.lines.saturating_add(younger.lines);
        older.used = older.used.max(younger.used);
        self.text += older.template.size();
        self.aliases.insert(from.0, into.0);
        Some(Merge { from, into })
    }

    /// Forgets a quarter of the templates or shapes when there are too many, and says which templates. `is_general` tells
    /// the shapes with a value instead of a word.
    pub(crate) fn make_room(&mut self, config: &Config, is_general: impl Fn(u64) -> bool) -> Vec<Forgotten> {
        let mut forgotten = Vec::new();
        while self.roots.len() >= config.most_templates.max(4) || self.text >= MOST_TEXT {
            forgotten.extend(self.forget_quarter());
        }
        let shapes_full = self.by_shape.len() >= config.most_shapes.max(4);
        let aliases_full = self.aliases.len() >= config.most_templates.saturating_mul(4);
        if !forgotten.is_empty() || shapes_full || aliases_full {
            self.compress();
        }
        if shapes_full {
            let roots = &self.roots;
            let stamp = |key: u64, known: &Known| {
                let used = roots.get(&known.group.0).map_or(0, |group| group.used);
                // A general shape makes lines with other values belong to the template, and lives as long. Any other that
                // is seen again costs a walk through `learn`, no more.
                known.used.max(if is_general(key) { used } else { used / 2 })
            };
            let oldest =
                oldest_quarter(self.by_shape.iter().map(|(&key, known)| stamp(key, known)).collect());
            self.by_shape.retain(|&key, known| stamp(key, known) > oldest);
        }
        if aliases_full {
            let oldest = oldest_quarter(self.aliases.keys().copied().collect());
            self.aliases.retain(|&id, _| id > oldest);
        }
        forgotten
    }

    fn forget_quarter(&mut self) -> Vec<Forgotten> {
        let oldest = oldest_quarter(self.roots.values().map(|group| group.used).collect());
        let old = self.roots.extract_if(|_, group| group.used <= oldest);
        let mut forgotten: Vec<Forgotten> = old
            .map(|(id, Group { template, lines, .. })| Forgotten { id: TemplateId(id), template, lines })
            .collect();
        forgotten.sort_by_key(|forgotten| forgotten.id);
        self.text = self.roots.values().map(|group| group.template.size()).sum();
        forgotten
    }

    /// Lets every alias and shape point to a living template directly, and drops those of forgotten ones.
    fn compress(&mut self) {
        let straight: Vec<(u64, u64)> =
            self.aliases.keys().map(|&id| (id, self.resolve(TemplateId(id)).0)).collect();
        self.aliases.extend(straight);
        let (aliases, roots) = (&self.aliases, &self.roots);
        for known in self.by_shape.values_mut() {
            if let Some(&root) = aliases.get(&known.group.0) {
                known.group = TemplateId(root);
            }
        }
        self.by_shape.retain(|_, known| roots.contains_key(&known.group.0));
        self.aliases.retain(|_, root| roots.contains_key(root));
    }
}
