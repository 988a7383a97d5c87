//! How a SpotInstance goes: step 10, and step 9's rule for what "gone" means. Pure.

use jiff::Timestamp;
use tencent_cvm::{Instance, InstanceId, InstanceState};

use super::Rules;
use super::attempts::{all_answered, last_sent};
use super::seen::{AccountSeen, Sight};
use crate::crd::{AttemptOutcome, SpotInstance, SpotInstanceStatus};
use crate::identity::{Claim, claim};
use crate::span::later;

/// What is to be done with one recorded machine that has to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Farewell {
    /// It is gone for good, or was never ours to begin with.
    Over,
    /// It stands there, ours beyond doubt: terminate it.
    Terminate,
    /// Absence proves nothing yet: the first look begun at or after this time may.
    LookAfter(Timestamp),
    /// It is on its way out, or cannot go yet: the sweeps will tell.
    Wait,
    /// Name or tags do not agree: a person has to say.
    Disputed(Claim),
}

/// Judges one recorded machine (the SpotInstance's own or an extra one).
pub fn farewell(
    instance: &SpotInstance,
    id: &InstanceId,
    recorded_at: Timestamp,
    account: &AccountSeen,
    rules: &Rules,
) -> Farewell {
    if !rules.guards.fresh_read {
        return match account.machine(id) {
            Sight::Present(machine) if is_going(machine) => Farewell::Wait,
            Sight::Absent(Some(begun)) if begun >= later(recorded_at, rules.windows.gone_after) => {
                Farewell::Over
            }
            _ => Farewell::Terminate,
        };
    }
    match account.machine(id) {
        Sight::Absent(begun) => {
            let proof = later(recorded_at, rules.windows.gone_after);
            if begun.is_some_and(|begun| begun >= proof) {
                Farewell::Over
            } else {
                Farewell::LookAfter(proof)
            }
        }
        Sight::Unknown => Farewell::Wait,
        Sight::Present(machine) => match claim(instance, machine) {
            Claim::Foreign => Farewell::Over,
            Claim::Ours if is_going(machine) => Farewell::Wait,
            Claim::Ours if account.fresh.contains_key(id) => Farewell::Terminate,
            Claim::Ours => Farewell::Wait,
            doubt @ (Claim::Untagged | Claim::Renamed) => {
                if is_going(machine) {
                    Farewell::Wait
                } else {
                    Farewell::Disputed(doubt)
                }
            }
        },
    }
}

/// Ids that must be read afresh before anything may be done to them: recorded, to go, and there.
pub fn needs_fresh_read(id: &InstanceId, account: &AccountSeen) -> bool {
    match account.machine(id) {
        Sight::Present(machine) => !is_going(machine),
        Sight::Absent(_) | Sight::Unknown => false,
    }
}

/// On its way out already.
pub fn is_going(machine: &Instance) -> bool {
    matches!(
        machine.state,
        Some(InstanceState::Terminating | InstanceState::Shutdown | InstanceState::LaunchFailed)
    )
}

/// When the look by name must have begun that precedes the end of a SpotInstance; `None` when nothing can
/// have been made for it.
///
/// Step 10 asks for one when an answer is missing. One is also taken when all answers are there: it shows a
/// second machine whose tags are late, and the machine of a SpotInstance whose status somebody edited.
pub fn last_look_after(instance: &SpotInstance, account: &AccountSeen, rules: &Rules) -> Option<Timestamp> {
    let status = instance.status.as_ref()?;
    let mut recorded = recorded_ids(status).peekable();
    let made = status.attempts.iter().any(|attempt| attempt.outcome == AttemptOutcome::Made);
    let unanswered = !all_answered(status);
    if recorded.peek().is_none() && !made && !unanswered {
        return None;
    }
    let created = || instance.metadata.creation_timestamp.as_ref().map_or(Timestamp::MIN, |time| time.0);
    let last = last_sent(status).unwrap_or_else(created);
    let misled = recorded.any(|id| {
        matches!(account.machine(&id), Sight::Present(machine) if claim(instance, machine) == Claim::Foreign)
    });
    Some(if unanswered && !rules.guards.forget_wait {
        last
    } else if unanswered || misled {
        later(last, rules.windows.forget_after)
    } else {
        later(last, rules.windows.gone_after)
    })
}

fn recorded_ids(status: &SpotInstanceStatus) -> impl Iterator<Item = InstanceId> + '_ {
    let extra = status.extra.iter().map(|extra| extra.instance_id.as_str());
    status.instance_id.as_deref().into_iter().chain(extra).map(InstanceId::from)
}
