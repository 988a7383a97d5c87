//! What becomes of buckets that the horizon passes: those that no sweep has compared lately are read once more before they
//! are forgotten.

use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ledger::Number;
use super::{Cursor, Job};
use crate::Nanos;

/// Of the horizon. So much before a bucket leaves it, a sweep still counts as the last one; and so long after it a bucket
/// is kept that must be read before it is forgotten and cannot be read: with it the state of an hour at 50 lines a second
/// still is smaller than a mebibyte.
const GRACE: u32 = 20;

/// A sweep that has come to its end. It outlives a restart: nobody else knows how long the cursor has stood still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Swept {
    /// When it began.
    pub(super) at: Nanos,
    /// It compared all buckets before this one.
    pub(super) covered: Number,
}

impl Cursor {
    pub(super) fn grace(&self) -> Duration {
        (self.options.horizon / GRACE).max(self.options.bucket)
    }

    /// The first bucket that is not longer ago than this.
    fn ago(&self, ago: Duration) -> Number {
        self.ledger.number(self.present().before(ago))
    }

    /// The first bucket that the horizon has not passed.
    fn horizon(&self) -> Number {
        self.ago(self.options.horizon)
    }

    /// Buckets behind the horizon that were read, at least begun, before it passed them, and that no sweep has compared
    /// shortly before it did. All that are kept are of the first kind: of others the ledger keeps no account.
    fn owed(&self) -> Range<Number> {
        let horizon = self.options.horizon;
        let swept = self.swept.map_or(Number::MIN, |swept| {
            let late_enough = swept.at.before(horizon.saturating_sub(self.grace()));
            swept.covered.min(self.ledger.number(late_enough))
        });
        let whole = self.ledger.whole(self.reached);
        let is_begun =
            self.ledger.is_compared(whole.end) && self.reached > self.ledger.window(whole.end).start;
        let read = whole.end.saturating_add(Number::from(is_begun));
        whole.start.max(self.checked).max(swept)..read.min(self.horizon())
    }

    /// The same, without the bucket that reading on is in.
    pub(super) fn passed(&self) -> Range<Number> {
        let owed = self.owed();
        owed.start..owed.end.min(self.ledger.whole(self.reached).end)
    }

    /// Up to where reading on goes. Beyond the horizon no account is kept, so there it waits for the buckets that are still
    /// kept; this takes a while only when the cursor lags by more than the horizon.
    pub(super) fn read_on_to(&self) -> Nanos {
        let here = self.ledger.number(self.reached);
        let owed = self.owed();
        if owed.is_empty() || here >= self.horizon() || self.is_out_of_patience() {
            return self.target;
        }
        let end = if owed.contains(&here) { self.ledger.window(here).end } else { self.reached };
        self.target.min(end)
    }

    /// A bucket that the horizon has passed could not be read.
    pub(super) fn could_not_check(&mut self) {
        self.resting = true;
        self.overdue.get_or_insert(self.now);
    }

    /// It could.
    pub(super) fn has_checked(&mut self, number: Number) {
        self.checked = number.saturating_add(1);
        self.overdue = None;
        self.forget();
    }

    fn is_out_of_patience(&self) -> bool {
        self.overdue.is_some_and(|since| since.after(self.grace()) <= self.now)
    }

    /// Buckets that cannot be read are not kept for ever where others can be. (While nothing can be read, the ledger does
    /// not grow.)
    pub(super) fn give_up(&mut self) {
        if !self.resting || !self.is_out_of_patience() {
            return;
        }
        let owed = self.owed();
        let end = owed.end.min(self.ago(self.options.horizon.saturating_add(self.grace())));
        if end > owed.start {
            self.unchecked += end.abs_diff(owed.start);
            self.checked = end;
            self.forget();
        }
    }

    /// What lies behind the horizon is no longer compared, and what was to be done about it is not done.
    pub(super) fn forget(&mut self) {
        let owed = self.owed();
        if owed.is_empty() {
            self.overdue = None;
        }
        let first = if owed.is_empty() { self.horizon() } else { owed.start };
        self.ledger.forget_before(first, self.remembered());
        self.uncounted.start = self.uncounted.start.max(self.ledger.whole(self.reached).start);
        let ledger = &self.ledger;
        self.uncountable.retain(|number| ledger.is_compared(*number));
        self.changed.retain(|(number, _)| ledger.is_compared(*number));
        for job in [&mut self.job, &mut self.aside, &mut self.leaving] {
            if matches!(job, Some(Job::Again { number, .. }) if !ledger.is_compared(*number)) {
                *job = None;
            }
        }
    }
}
