//! Which candidate is asked for next, and by how many at once. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::back_off::{Known, LONGEST, Memory};
use crate::crd::{AttemptOutcome, Candidate};
use crate::span::later;
use crate::valid::ValidPool;

/// How long a success says that there is stock.
const STOCK_KNOWN: Duration = Duration::from_secs(300);
/// How long the others wait for the answer to the first one.
const SCOUT_DEADLINE: Duration = Duration::from_secs(15);

/// Who may send a first request now, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// All who are due, for this candidate.
    Open(Candidate),
    /// One, whose answer the others follow.
    Scout(Candidate),
    /// Nobody before this time.
    Shut(Timestamp),
}

/// The first candidate that may be asked for: in the order of the spec, but one that was refused a moment ago
/// comes after those that were not, and when refusals have been many, the one refused longest ago goes first.
/// So all have been asked before any is asked twice.
pub fn gate(memory: &Memory, instances: &[Known<'_>], pool: &ValidPool, now: Timestamp) -> Gate {
    let mut next = Timestamp::MAX;
    let turn = |candidate: &&Candidate| {
        let failed = memory.last_failure(candidate, pool);
        let lately = later(failed, LONGEST) > now || memory.is_tight(now);
        if lately { failed } else { Timestamp::MIN }
    };
    let mut order: Vec<&Candidate> = pool.candidates.iter().collect();
    order.sort_by_key(turn);
    for candidate in order {
        let failed = memory.last_failure(candidate, pool);
        let attempts = || {
            let all = instances.iter().flat_map(|(_, status)| &status.attempts);
            all.filter(|attempt| attempt.candidate == *candidate && attempt.sent_at.0 > failed)
        };
        let made = attempts().filter(|attempt| attempt.outcome == AttemptOutcome::Made);
        let made = made.map(|attempt| attempt.sent_at.0).max();
        if made.is_some_and(|made| later(made, STOCK_KNOWN) > now) {
            return Gate::Open(candidate.clone());
        }
        let paid = memory.payable_at().filter(|_| made.is_none());
        if let Some(until) = memory.backs_off_until(candidate, pool).max(paid).filter(|until| *until > now) {
            next = next.min(until);
            continue;
        }
        let unanswered = attempts()
            .filter(|attempt| attempt.outcome == AttemptOutcome::Unknown)
            .map(|attempt| later(attempt.sent_at.0, SCOUT_DEADLINE));
        return match unanswered.max() {
            Some(until) if until > now => Gate::Shut(until),
            Some(_) => Gate::Open(candidate.clone()),
            None => Gate::Scout(candidate.clone()),
        };
    }
    Gate::Shut(next)
}
