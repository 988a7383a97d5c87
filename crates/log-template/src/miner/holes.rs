//! How many different words were seen at one place of otherwise equal shapes.

use std::collections::HashMap;

use crate::{Config, TemplateId};

/// Shapes that are equal but for one word.
#[derive(Debug, Clone)]
pub(crate) struct Hole {
    members: Vec<TemplateId>,
    /// Words beside the one that differs.
    others: u32,
    /// Whether a value by its looks was seen at the place.
    pub(crate) has_number: bool,
    closed: bool,
}

impl Hole {
    pub(crate) fn add(&mut self, group: TemplateId) {
        self.members.push(group);
    }

    /// Whether the members show that a value stands here.
    pub(crate) fn is_full(&self, config: &Config) -> bool {
        if self.closed {
            return self.members.len() > 1;
        }
        let needed = match self.others {
            0 => return false,
            1 => config.distinct_values_of_short,
            _ => config.distinct_values,
        };
        let number = if self.has_number { config.weight_of_number } else { 0 };
        !self.members.is_empty() && self.members.len() as u32 + number >= needed
    }

    pub(crate) fn take_members(&mut self) -> Vec<TemplateId> {
        self.closed = true;
        std::mem::take(&mut self.members)
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Holes {
    by_key: HashMap<u64, Hole>,
}

impl Holes {
    pub(crate) fn get_mut(&mut self, key: u64) -> Option<&mut Hole> {
        self.by_key.get_mut(&key)
    }

    pub(crate) fn entry(&mut self, key: u64, others: usize, has_number: bool) -> &mut Hole {
        self.by_key.entry(key).or_insert_with(|| Hole {
            members: Vec::new(),
            others: others as u32,
            has_number,
            closed: false,
        })
    }
}
