//! What refused and failed launches teach about the next one. Pure; kept in the pool's status, so that a
//! restart forgets nothing.

use jiff::Timestamp;
use std::time::Duration;
use tencent_cvm::{Action, Class, classify};

use super::attempts::last_sent;
use crate::crd::pool::LaunchBackOff;
use crate::crd::{Attempt, AttemptOutcome, SpotInstance, SpotInstanceStatus, whole_seconds};
use crate::span::later;

const LONGEST: Duration = Duration::from_secs(60);
/// How long a success says that there is stock.
const STOCK_KNOWN: Duration = Duration::from_secs(300);
/// How long the others wait for the answer to the first one.
const SCOUT_DEADLINE: Duration = Duration::from_secs(15);
/// The code that stands for a machine that was accepted and then could not be made.
pub const LAUNCH_FAILED: &str = "LAUNCH_FAILED";
/// The code that stands for a request that could not leave.
pub const NOT_SENT: &str = "NOT_SENT";

/// Who may send a first request now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// All who are due.
    Open,
    /// One, whose answer the others follow.
    Scout,
    /// Nobody before this time.
    Shut(Timestamp),
}

/// One SpotInstance and its status as this pass leaves it.
pub type Known<'a> = (&'a SpotInstance, &'a SpotInstanceStatus);

/// Adds what happened since to the memory.
pub fn next(
    previous: Option<&LaunchBackOff>,
    instances: &[Known<'_>],
    generation: i64,
) -> Option<LaunchBackOff> {
    let since = previous.map_or(Timestamp::MIN, |memory| memory.last_failure.0);
    let mut failures: Vec<Failure> =
        instances.iter().flat_map(failures_of).filter(|f| f.at > since).collect();
    failures.sort_by_key(|failure| failure.at);
    let mut memory = previous.cloned();
    for failure in failures {
        let count = memory.as_ref().map_or(0, |memory| memory.failures).saturating_add(1);
        let until = later(failure.at, delay(failure.class, count));
        memory = Some(LaunchBackOff {
            failures: count,
            last_failure: whole_seconds(failure.at),
            until: whole_seconds(until),
            generation,
            code: failure.code,
            request_id: failure.request_id,
            message: failure.message,
        });
    }
    // Only a machine that came up says that the trouble is over; an accepted request may still fail.
    let last = memory.as_ref()?.last_failure.0;
    let came_up = |(_, status): &Known<'_>| {
        status.cloud_state.as_deref() == Some("RUNNING") && last_sent(status).is_some_and(|sent| sent > last)
    };
    if instances.iter().any(came_up) { None } else { memory }
}

struct Failure {
    at: Timestamp,
    class: Class,
    code: String,
    request_id: Option<String>,
    message: Option<String>,
}

fn failures_of((_, status): &Known<'_>) -> Vec<Failure> {
    let failed = |attempt: &&Attempt| {
        matches!(attempt.outcome, AttemptOutcome::Refused | AttemptOutcome::Errored | AttemptOutcome::NotSent)
    };
    let mut failures: Vec<Failure> = status
        .attempts
        .iter()
        .filter(failed)
        .map(|attempt| {
            let code = attempt.code.clone().unwrap_or_else(|| NOT_SENT.to_owned());
            Failure {
                at: attempt.sent_at.0,
                class: classify(Action::RunInstances, &code),
                code,
                request_id: attempt.request_id.clone(),
                message: attempt.message.clone(),
            }
        })
        .collect();
    if status.reason.as_deref() == Some("LaunchFailed")
        && let Some(at) = last_sent(status)
    {
        let message = Some("the machine was accepted and then could not be made".to_owned());
        failures.push(Failure {
            at,
            class: Class::SoldOut,
            code: LAUNCH_FAILED.to_owned(),
            request_id: None,
            message,
        });
    }
    failures
}

fn delay(class: Class, failures: u32) -> Duration {
    match class {
        Class::Auth => Duration::from_secs(60),
        Class::Money => Duration::from_secs(300),
        // Wrong as it stands: another generation is tried at once, this one hardly ever.
        Class::Fatal | Class::CandidateFatal | Class::NotOffered | Class::Forbidden => {
            Duration::from_secs(600)
        }
        _ => Duration::from_secs(1_u64 << failures.saturating_sub(1).min(6)).min(LONGEST),
    }
}

/// Whether more than one may ask, one, or none.
pub fn gate(
    memory: Option<&LaunchBackOff>,
    instances: &[Known<'_>],
    generation: i64,
    now: Timestamp,
) -> Gate {
    let failed = memory.map_or(Timestamp::MIN, |memory| memory.last_failure.0);
    let attempts = || instances.iter().flat_map(|(_, status)| &status.attempts);
    let made = attempts().any(|attempt| {
        attempt.outcome == AttemptOutcome::Made
            && attempt.sent_at.0 > failed
            && later(attempt.sent_at.0, STOCK_KNOWN) > now
    });
    if made {
        return Gate::Open;
    }
    if let Some(memory) = memory.filter(|memory| memory.generation == generation && memory.until.0 > now) {
        return Gate::Shut(memory.until.0);
    }
    let unanswered = attempts()
        .filter(|attempt| attempt.outcome == AttemptOutcome::Unknown && attempt.sent_at.0 > failed)
        .map(|attempt| later(attempt.sent_at.0, SCOUT_DEADLINE));
    match unanswered.max() {
        Some(until) if until > now => Gate::Shut(until),
        Some(_) => Gate::Open,
        None => Gate::Scout,
    }
}
