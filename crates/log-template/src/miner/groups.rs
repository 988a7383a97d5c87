//! Templates, their shapes, and which of them are one.

use std::collections::HashMap;

use super::Merge;
use crate::{Template, TemplateId};

#[derive(Debug, Clone)]
struct Group {
    /// What this one was merged into.
    parent: Option<TemplateId>,
    template: Template,
    lines: u64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Groups {
    groups: Vec<Group>,
    by_shape: HashMap<u64, TemplateId>,
}

impl Groups {
    pub(crate) fn add(&mut self, template: Template) -> TemplateId {
        let id = TemplateId(self.groups.len() as u32);
        self.groups.push(Group { parent: None, template, lines: 0 });
        id
    }

    pub(crate) fn set_shape(&mut self, key: u64, group: TemplateId) {
        self.by_shape.insert(key, group);
    }

    pub(crate) fn of_shape(&self, key: u64) -> Option<TemplateId> {
        self.by_shape.get(&key).map(|&id| self.resolve(id))
    }

    pub(crate) fn resolve(&self, mut id: TemplateId) -> TemplateId {
        while let Some(parent) = self.groups.get(id.0 as usize).and_then(|group| group.parent) {
            id = parent;
        }
        id
    }

    pub(crate) fn template(&self, id: TemplateId) -> Option<&Template> {
        self.groups.get(self.resolve(id).0 as usize).map(|group| &group.template)
    }

    pub(crate) fn count(&mut self, id: TemplateId) {
        if let Some(group) = self.groups.get_mut(id.0 as usize) {
            group.lines += 1;
        }
    }

    pub(crate) fn union(&mut self, a: TemplateId, b: TemplateId) -> Option<Merge> {
        let (a, b) = (self.resolve(a), self.resolve(b));
        if a == b {
            return None;
        }
        let (into, from) = (a.min(b), a.max(b));
        let (older, younger) = self.groups.split_at_mut(from.0 as usize);
        let (older, younger) = (&mut older[into.0 as usize], &mut younger[0]);
        older.template.generalise(&younger.template);
        older.lines += younger.lines;
        younger.parent = Some(into);
        Some(Merge { from, into })
    }
}
