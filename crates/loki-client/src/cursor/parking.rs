//! What becomes of sweeps that fail: how long they are left alone, and since when late entries have been waiting.

use std::time::Duration;

use crate::Nanos;

/// After this many failures in a row a sweep is parked.
const PATIENCE: u32 = 3;
/// The first time that a sweep is parked, by the caller's clock. Each further failure doubles it, up to the longest.
const FIRST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(600);

/// Late entries are not being looked for: what a sweep asks has failed several times, or in a way that will not pass by
/// itself. Reading on goes on meanwhile.
///
/// Nothing is lost by it: as long as this lasts, each bucket is read once more as a whole before the horizon passes it
/// (one page more a minute). But late entries come late indeed, up to `horizon`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parked {
    /// When the first of these failures was, by the caller's clock.
    pub since: Nanos,
    /// When the sweep is gone on with: by the first [`tick`](super::Cursor::tick) or [`sweep`](super::Cursor::sweep) that
    /// is not before.
    pub until: Nanos,
    /// Failures in a row.
    pub failures: u32,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Parking {
    /// Since when no sweep has come to its end although one was tried. It outlives a restart.
    behind: Option<Nanos>,
    /// When the first of the failures was that no answer has followed yet.
    since: Nanos,
    failures: u32,
    until: Option<Nanos>,
}

impl Parking {
    pub(super) fn behind_since(behind: Option<Nanos>) -> Self {
        Self { behind, ..Self::default() }
    }

    pub(super) fn behind(&self) -> Option<Nanos> {
        self.behind
    }

    pub(super) fn report(&self) -> Option<Parked> {
        let Self { since, failures, .. } = *self;
        self.until.map(|until| Parked { since, until, failures })
    }

    pub(super) fn lasts(&self, now: Nanos) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// A clock that was ahead and has been put right must not park a sweep for long.
    pub(super) fn look_at_the_clock(&mut self, now: Nanos) {
        self.until = self.until.map(|until| until.min(now.after(LONGEST)));
    }

    /// What a sweep asked failed. Says whether it is to be left alone now.
    pub(super) fn failed(&mut self, now: Nanos, for_good: bool) -> bool {
        if self.failures == 0 {
            self.since = now;
        }
        self.behind.get_or_insert(now);
        self.failures = self.failures.saturating_add(1);
        if self.failures < PATIENCE && !for_good {
            return false;
        }
        let doublings = self.failures.saturating_sub(PATIENCE).min(8);
        self.until = Some(now.after((FIRST * (1 << doublings)).min(LONGEST)));
        true
    }

    /// What is about to be forgotten cannot be read for good. Sweeps do not wait for that: one that is answered makes it
    /// unnecessary.
    pub(super) fn failed_beside(&mut self, now: Nanos) {
        if self.failures == 0 {
            (self.since, self.failures) = (now, 1);
        }
        self.behind.get_or_insert(now);
        self.until.get_or_insert(now);
    }

    /// What a sweep asked was answered.
    pub(super) fn answered(&mut self) {
        (self.failures, self.until) = (0, None);
    }

    /// A sweep has come to its end.
    pub(super) fn done(&mut self) {
        *self = Self::default();
    }
}
