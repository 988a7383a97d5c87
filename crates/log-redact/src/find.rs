//! What was found, for whoever asks where.

use std::ops::Range;

use crate::class::Group;
use crate::placeholder::{Id, Key};
use crate::rules::Rules;
use crate::scan::Candidate;

/// Something that was found. Does not contain the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Find<'r> {
    /// The bytes of the text that are replaced.
    pub range: Range<usize>,
    /// The name of the class.
    pub class: &'r str,
    /// What the class is about.
    pub group: Group,
    /// Names the secret: the same secret of the same class has the same id under the same key.
    pub id: Id,
}

/// Makes of overlapping candidates one find each: the widest range, and the class that says most.
pub(crate) fn resolve<'r>(
    rules: &'r Rules,
    key: &Key,
    text: &[u8],
    mut candidates: Vec<Candidate>,
) -> Vec<Find<'r>> {
    candidates.sort_by_key(|candidate| (candidate.start, std::cmp::Reverse(candidate.end), candidate.class));
    let mut finds: Vec<Find<'r>> = Vec::with_capacity(candidates.len());
    let mut best: Option<Candidate> = None;
    for candidate in candidates {
        match &mut best {
            Some(open) if candidate.start < open.end => {
                if candidate.end > open.end {
                    // Neither contains the other: both together, under the class that comes first in the table.
                    open.class = open.class.min(candidate.class);
                    open.end = candidate.end;
                    open.decoded = None;
                }
            }
            _ => finds.extend(best.replace(candidate).map(|done| done.into_find(rules, key, text))),
        }
    }
    finds.extend(best.map(|done| done.into_find(rules, key, text)));
    finds
}

impl Candidate {
    fn into_find<'r>(self, rules: &'r Rules, key: &Key, text: &[u8]) -> Find<'r> {
        let class = &rules.classes[usize::from(self.class)];
        let secret = self.decoded.as_deref().unwrap_or(&text[self.start..self.end]);
        Find {
            range: self.start..self.end,
            class: &class.name,
            group: class.group,
            id: key.id(&class.name, secret),
        }
    }
}
