//! How a SpotInstance goes: step 10, and step 9's rule for what "gone" means. Pure.

use jiff::Timestamp;
use tencent_cvm::{Instance, InstanceId, InstanceState};

use super::Rules;
use super::attempts::{all_answered, last_sent};
use super::seen::{AccountSeen, Sight};
use crate::crd::SpotInstance;
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

/// What is still unanswered about a SpotInstance whose recorded machines are all gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// Nothing: the finalizer may go.
    Nothing,
    /// A look by name begun at or after this time has to be empty first.
    LookAfter(Timestamp),
}

/// Whether attempts without an answer still keep the finalizer.
pub fn unanswered(instance: &SpotInstance, look_begun: Option<Timestamp>, rules: &Rules) -> Unanswered {
    let status = instance.status.clone().unwrap_or_default();
    let Some(last) = last_sent(&status) else { return Unanswered::Nothing };
    if all_answered(&status) {
        return Unanswered::Nothing;
    }
    let after = if rules.guards.forget_wait { later(last, rules.windows.forget_after) } else { last };
    if look_begun.is_some_and(|begun| begun >= after) {
        Unanswered::Nothing
    } else {
        Unanswered::LookAfter(after)
    }
}
