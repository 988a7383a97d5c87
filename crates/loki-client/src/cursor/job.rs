//! What a cursor is at.

use std::ops::Range;

use super::ledger::Number;
use crate::{Entry, Pager};

/// What is being done.
#[derive(Debug, Clone)]
pub(super) enum Job {
    /// Reading on from `reached`.
    Forward(Pager),
    /// Counting buckets.
    Count(Range<Number>),
    /// Reading a bucket again that has so many entries (not known of one that the horizon has passed); what of it is
    /// there already.
    Again { number: Number, count: Option<u64>, pager: Pager, entries: Vec<Entry> },
}

impl Job {
    /// Whether it reads this bucket again.
    pub(super) fn is_of(&self, bucket: Number) -> bool {
        matches!(self, Self::Again { number, .. } if *number == bucket)
    }

    /// Whether it is about nothing but buckets before this one.
    pub(super) fn is_before(&self, bucket: Number) -> bool {
        match self {
            Self::Forward(_) => false,
            Self::Count(buckets) => buckets.end <= bucket,
            Self::Again { number, .. } => *number < bucket,
        }
    }
}
