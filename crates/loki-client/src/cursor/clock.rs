//! What becomes of a cursor whose caller's clock was wrong.
//!
//! A clock that is ahead makes a cursor read the future, which is empty, and look back no further than the horizon of the
//! time that it tells. Both are believed only as far as an entry has borne them out: the ledger keeps what was given out
//! within a horizon of the newest entry, and when the clock is put right, reading goes back to behind that entry, and
//! what is compared to where it was before.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ledger::Number;
use super::{Cursor, Job};
use crate::{Entry, Nanos};

/// Of the longest windows, so many are read by one tick: a day by default.
const LEAD: u32 = 144;

/// The clock has leapt ahead, perhaps several times, and no entry has shown yet that it was right to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Leap {
    first: Mark,
    last: Mark,
    /// What the clock told before, and nothing newer had been read.
    told: Nanos,
    /// How far it has leapt.
    by: Duration,
    /// Late entries have come that are newer than that: reading on was ahead of them.
    ahead: bool,
}

/// Where a cursor was before the clock leapt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// The first bucket that was compared.
    floor: Number,
    reached: Nanos,
}

impl Cursor {
    /// It is `now`.
    pub(super) fn look_at_the_clock(&mut self, now: Nanos) {
        let before = std::mem::replace(&mut self.now, now);
        self.resting = false;
        self.parking.look_at_the_clock(now);
        // A clock that was ahead and has been put right must not make a sweep look newer than it is.
        if let Some(swept) = &mut self.swept {
            swept.at = swept.at.min(now);
        }
        self.overdue = self.overdue.map(|since| since.min(now));
        self.target = self.target.min(now.before(self.options.settle));
        if now > before.after(self.grace()) {
            self.leap(before);
        } else if now.after(self.grace()) < before {
            self.fall_back(before.since(now));
        }
        self.forget();
    }

    /// Up to where a tick reads. A clock that is years ahead must not keep the caller busy for hours.
    pub(super) fn aim(&mut self) {
        let lead = self.options.span.max(Duration::from_secs(1)).saturating_mul(LEAD);
        self.target = self.now.before(self.options.settle).min(self.reached.after(lead));
    }

    fn leap(&mut self, told: Nanos) {
        let here = Mark { floor: self.ledger.whole(self.reached).start, reached: self.reached };
        // It may have been behind.
        let told = told.max(self.reached.min(self.now));
        let by = self.now.since(told);
        let Some(mut leap) = self.leap else {
            self.leap = Some(Leap { first: here, last: here, told, by, ahead: false });
            return;
        };
        // Nothing has shown that the leap before was right. Perhaps it is this one that put the clock right, after a
        // standstill that was longer than it had been ahead.
        self.go_back_to(leap.last);
        leap.by = leap.by.saturating_add(by);
        // Whoever calls once a day must not read all days again each time.
        if here.reached > leap.last.reached.after(self.options.horizon) {
            leap.last = here;
        }
        self.leap = Some(leap);
    }

    fn fall_back(&mut self, by: Duration) {
        match &mut self.leap {
            Some(leap) => {
                leap.by = leap.by.saturating_sub(by);
                let first = leap.first;
                self.go_back_to(first);
            }
            None => self.sweep_anew(),
        }
    }

    fn go_back_to(&mut self, mark: Mark) {
        self.doubted = Some(mark.reached);
        self.compare_from(mark);
    }

    fn compare_from(&mut self, mark: Mark) {
        self.ledger.compare_from(mark.floor);
        self.checked = self.checked.min(mark.floor);
        self.sweep_anew();
    }

    /// Nobody knows when what was compared meanwhile was: it does not count.
    fn sweep_anew(&mut self) {
        self.swept = None;
        if let Some(sweeping) = &mut self.sweeping {
            sweeping.at = Nanos::MIN;
        }
    }

    /// These are given out.
    pub(super) fn has_given(&mut self, entries: &[Entry]) {
        let Some(newest) = entries.iter().map(|entry| entry.timestamp).max() else { return };
        self.newest = self.newest.max(newest);
        if self.is_shown() {
            self.leap = None;
        }
    }

    /// These are, and reading on had passed them.
    pub(super) fn has_given_late(&mut self, entries: &[Entry]) {
        self.has_given(entries);
        if let Some(leap) = &mut self.leap
            && !leap.ahead
            && entries.iter().any(|entry| entry.timestamp > leap.told)
        {
            leap.ahead = true;
            let first = leap.first;
            self.compare_from(first);
        }
    }

    /// The time that the clock tells, or, when it is known to be ahead, what it would tell without its leap.
    pub(super) fn present(&self) -> Nanos {
        match self.leap.filter(|leap| leap.ahead) {
            Some(leap) => self.now.before(leap.by).max(self.newest).min(self.now),
            None => self.now,
        }
    }

    /// Whether an entry bears out the time that the clock tells.
    fn is_shown(&self) -> bool {
        self.newest.after(self.grace()) >= self.now
    }

    /// The first bucket of which must be known what was given out.
    pub(super) fn remembered(&self) -> Number {
        let proven = if self.is_shown() { self.now } else { self.newest };
        self.ledger.number(proven.before(self.options.horizon))
    }

    /// What was read beyond the present has not been read: goes back to there, as far as nothing was given out.
    pub(super) fn step_back(&mut self) {
        if matches!(self.job, Some(Job::Count(_) | Job::Again { .. })) {
            return;
        }
        let limit = self.doubted.take().map_or(self.target, |reached| reached.min(self.target));
        if matches!(&self.job, Some(Job::Forward(pager)) if pager.left().end > limit) {
            self.job = None;
        }
        let back = limit.max(self.newest.next());
        if back < self.reached {
            self.reached = back;
            self.reopen(self.ledger.number(back));
        }
    }

    /// Reading goes on within this bucket: neither it nor any after it is whole.
    fn reopen(&mut self, number: Number) {
        self.ledger.reopen(number);
        self.checked = self.checked.min(number);
        self.uncounted.end = self.uncounted.end.min(number);
        self.changed.retain(|(changed, _)| *changed < number);
        for swept in [&mut self.swept, &mut self.sweeping].into_iter().flatten() {
            swept.covered = swept.covered.min(number);
        }
        for job in [&mut self.aside, &mut self.leaving] {
            *job = job.take().filter(|job| job.is_before(number));
        }
    }
}
