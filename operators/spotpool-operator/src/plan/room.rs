//! How many machines a SpotInstance may be holding right now, whatever its object says: the number that may
//! never exceed the maximum by a launch of ours. Pure.

use jiff::Timestamp;
use kube::ResourceExt;
use tencent_cvm::{Instance, InstanceId, InstanceState};

use super::Rules;
use super::attempts::all_answered;
use super::machine::shown_before;
use super::seen::{AccountSeen, Sight};
use crate::crd::{AttemptOutcome, SpotInstance, SpotInstanceStatus};
use crate::identity::{Claim, claim};
use crate::span::later;

/// Machines of this SpotInstance that live or may live: its own, extra ones, and one that an unanswered
/// request may have made. What is stopped or on its way out does not count.
pub fn occupied(
    instance: &SpotInstance,
    status: &SpotInstanceStatus,
    account: &AccountSeen,
    rules: &Rules,
) -> usize {
    if !account.speaks_of(instance, rules) {
        return usize::from(may_have_machine(status));
    }
    let own = status
        .instance_id
        .as_deref()
        .map(|id| (id, status.recorded_at.as_ref().map_or(Timestamp::MAX, |at| at.0)));
    let extra = status.extra.iter().map(|extra| (extra.instance_id.as_str(), extra.recorded_at.0));
    let alive = own.into_iter().chain(extra).filter(|(id, recorded_at)| {
        let shown = |begun| own.is_some_and(|(own, _)| own == *id) && shown_before(status, begun);
        let window = later(*recorded_at, rules.windows.gone_after);
        match account.machine(&InstanceId::new(*id)) {
            Sight::Unknown => true,
            Sight::Absent(begun) => !shown(begun) && begun.is_none_or(|begun| begun < window),
            Sight::Present(machine) => claim(instance, machine) != Claim::Foreign && lives(machine),
        }
    });
    let coming = may_come(instance, status, account, rules) || instance.spec.adopted.is_some();
    alive.count() + usize::from(status.instance_id.is_none() && coming)
}

/// Whether a machine is on record, or may yet come of a request without an answer.
pub fn may_have_machine(status: &SpotInstanceStatus) -> bool {
    status.instance_id.is_some() || !status.extra.is_empty() || !all_answered(status)
}

fn lives(machine: &Instance) -> bool {
    // One that stands still until somebody pays comes back.
    let stays = machine.is_in_arrears();
    stays
        || !matches!(
            machine.state,
            Some(
                InstanceState::Stopping
                    | InstanceState::Stopped
                    | InstanceState::Shutdown
                    | InstanceState::Terminating
                    | InstanceState::LaunchFailed
            )
        )
}

/// Whether a request without an answer may still turn into a machine, as far as a look tells.
pub fn may_come(
    instance: &SpotInstance,
    status: &SpotInstanceStatus,
    account: &AccountSeen,
    rules: &Rules,
) -> bool {
    // Whatever was sent before the last request was looked for, in vain, before that one was sent.
    let mut sent = status.attempts.iter().rev().filter(|attempt| attempt.outcome != AttemptOutcome::NotSent);
    let Some(last) = sent.next() else { return false };
    if !matches!(last.outcome, AttemptOutcome::Unknown | AttemptOutcome::Errored) {
        return false;
    }
    let looked = instance.uid().and_then(|uid| account.by_name.get(&uid)).map(|look| look.begun);
    looked.is_none_or(|begun| begun < later(last.sent_at.0, rules.windows.resend_after))
}
