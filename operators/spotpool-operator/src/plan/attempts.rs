//! What may be sent for one SpotInstance, and when: steps 5 to 8 of "How a machine comes to be". Pure.

use jiff::Timestamp;

use super::Rules;
use crate::crd::{Attempt, AttemptOutcome, SpotInstanceStatus};
use crate::span::later;

/// How many answered attempts are kept to read.
const KEPT: usize = 10;

/// What the record of attempts permits.
#[derive(Debug, Clone, PartialEq)]
pub enum NextAttempt {
    /// There is a machine: nothing is ever sent again.
    HasMachine,
    /// Nothing unanswered is out: a new attempt under a new token.
    New,
    /// An attempt has no answer: a look by name begun at or after this time decides.
    LookAfter(Timestamp),
    /// Such a look was empty: the same body and token once more, as a new attempt.
    Again(Box<Attempt>),
    /// Such a look was empty, and the token is not to be sent again: the attempt made nothing.
    Close,
}

/// Reads the record. `look_begun` is when the latest complete and empty look by name began;
/// `same_body` says whether a recorded attempt's body can still be built to the same hash.
pub fn next_attempt(
    status: &SpotInstanceStatus,
    look_begun: Option<Timestamp>,
    same_body: impl Fn(&Attempt) -> bool,
    rules: &Rules,
) -> NextAttempt {
    if status.instance_id.is_some() {
        return NextAttempt::HasMachine;
    }
    // An attempt that never left, or was refused, says nothing about the ones before it of another token;
    // those were closed before it was made. One that never left says nothing about its own token either.
    let Some(last) = status.attempts.iter().rev().find(|attempt| attempt.outcome != AttemptOutcome::NotSent)
    else {
        return NextAttempt::New;
    };
    match last.outcome {
        AttemptOutcome::Made | AttemptOutcome::Refused | AttemptOutcome::Closed | AttemptOutcome::NotSent => {
            NextAttempt::New
        }
        AttemptOutcome::Unknown | AttemptOutcome::Errored => {
            let after = later(last.sent_at.0, rules.windows.resend_after);
            let looked = look_begun.is_some_and(|begun| begun >= after) || !rules.guards.resend_wait;
            if !looked {
                NextAttempt::LookAfter(after)
            } else if last.outcome == AttemptOutcome::Unknown && same_body(last) {
                NextAttempt::Again(Box::new(last.clone()))
            } else {
                NextAttempt::Close
            }
        }
    }
}

/// Marks every unanswered attempt as having made nothing.
pub fn close(status: &mut SpotInstanceStatus) {
    for attempt in &mut status.attempts {
        if matches!(attempt.outcome, AttemptOutcome::Unknown | AttemptOutcome::Errored) {
            attempt.outcome = AttemptOutcome::Closed;
        }
    }
}

/// Adds an attempt to the record and drops what nobody needs any more: every unanswered one stays for as
/// long as it can matter, and the last ten stay to be read.
pub fn push(status: &mut SpotInstanceStatus, mut attempt: Attempt, rules: &Rules) -> i64 {
    status.attempted += 1;
    attempt.number = status.attempted;
    let number = attempt.number;
    let since = attempt.sent_at.0;
    let droppable = status.attempts.len().saturating_sub(KEPT - 1);
    let mut position = 0;
    status.attempts.retain(|old| {
        position += 1;
        let forgotten = old.outcome != AttemptOutcome::Unknown
            && (old.outcome.is_answered() || later(old.sent_at.0, rules.windows.forget_after) < since);
        position > droppable || !forgotten
    });
    status.attempts.push(attempt);
    number
}

/// Whether every attempt's answer is on record.
pub fn all_answered(status: &SpotInstanceStatus) -> bool {
    status.attempts.iter().all(|attempt| attempt.outcome.is_answered())
}

/// When the last attempt that may have left was signed.
pub fn last_sent(status: &SpotInstanceStatus) -> Option<Timestamp> {
    let sent = status.attempts.iter().filter(|attempt| attempt.outcome != AttemptOutcome::NotSent);
    sent.map(|attempt| attempt.sent_at.0).max()
}
