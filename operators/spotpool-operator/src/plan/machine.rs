//! What the looks say about one SpotInstance's machine, and the status that follows. Pure.

use jiff::Timestamp;
use kube::ResourceExt;
use tencent_cvm::{Instance, InstanceId, InstanceState};

use super::Rules;
use super::member::pool_is_elsewhere;
use super::seen::{AccountSeen, Observed, Sight};
use crate::conditions::reason;
use crate::crd::pool::AddressKind;
use crate::crd::{AdoptedMachine, ExtraMachine, Phase, SpotInstance, SpotInstanceStatus, whole_seconds};
use crate::identity::{Claim, claim, instance_name};
use crate::span::later;

/// How a SpotInstance's machine stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There is no machine yet.
    Awaited,
    /// It is there, or absence proves nothing yet: it counts.
    Counts,
    /// It does not count any more: to be replaced. The reason word says why.
    Lost(&'static str),
}

/// Judges a recorded machine by the latest looks.
pub fn standing(
    instance: &SpotInstance,
    status: &SpotInstanceStatus,
    account: &AccountSeen,
    rules: &Rules,
) -> Standing {
    let Some(id) = status.instance_id.as_deref().map(InstanceId::from) else { return Standing::Awaited };
    match account.machine(&id) {
        Sight::Unknown => Standing::Counts,
        Sight::Present(machine) => match (claim(instance, machine), &machine.state) {
            (Claim::Foreign, _) => Standing::Lost("NotOurs"),
            // It stands still until somebody pays: another one would not be given either.
            _ if machine.is_in_arrears() && rules.guards.arrears => Standing::Counts,
            (_, Some(InstanceState::LaunchFailed)) => Standing::Lost("LaunchFailed"),
            (_, Some(InstanceState::Stopping | InstanceState::Stopped)) => Standing::Lost("Stopped"),
            (_, Some(InstanceState::Shutdown | InstanceState::Terminating)) => Standing::Lost("Reclaimed"),
            _ => Standing::Counts,
        },
        Sight::Absent(begun) => {
            let recorded = status.recorded_at.as_ref().map_or(Timestamp::MAX, |time| time.0);
            let window_over = begun.is_some_and(|begun| begun >= later(recorded, rules.windows.gone_after));
            if window_over || shown_before(status, begun) {
                Standing::Lost("Vanished")
            } else {
                Standing::Counts
            }
        }
    }
}

/// Whether a look that does not show the machine began after one that did. (Another leader may have seen it
/// since ours began.)
pub fn shown_before(status: &SpotInstanceStatus, begun: Option<Timestamp>) -> bool {
    status.seen_at.as_ref().zip(begun).is_some_and(|(seen, begun)| begun >= seen.0)
}

/// A machine that no look has shown yet: the first look begun at this time proves that it is gone.
pub fn proof_due(status: &SpotInstanceStatus, account: &AccountSeen, rules: &Rules) -> Option<Timestamp> {
    let id = status.instance_id.as_deref().map(InstanceId::from)?;
    let recorded = status.recorded_at.as_ref().map_or(Timestamp::MAX, |time| time.0);
    let window = later(recorded, rules.windows.gone_after);
    let proof = status.seen_at.as_ref().map_or(window, |seen| seen.0.min(window));
    matches!(account.machine(&id), Sight::Absent(_)).then_some(proof)
}

/// The status that follows from what was seen, written only when it differs; without an account that knows the
/// machine, that is what its model server said. Machines under this
/// SpotInstance's name are recorded here and only here (besides the launch's own answer).
pub fn next_status(
    instance: &SpotInstance,
    seen: &Observed,
    account: Option<&AccountSeen>,
    rules: &Rules,
    wall_now: Timestamp,
) -> SpotInstanceStatus {
    let mut status = instance.status.clone().unwrap_or_default();
    // A key may be replaced by another of the same account, and an account's number becomes known late.
    if let (Some(account), Some(label)) = (account, &mut status.account) {
        *label = account.id.label_after(label);
    }
    if let Some((account, now)) = account.and_then(|account| account.now.map(|now| (account, now))) {
        // While its own request is under way in this process, the answer will say more than a look.
        let in_flight = instance.uid().is_some_and(|uid| seen.in_flight.contains(&uid));
        // Unless something is on record: then it was taken over while its pool was there.
        let taken_too_late = instance.spec.adopted.is_some()
            && status.instance_id.is_none()
            && pool_is_elsewhere(instance, seen);
        if !in_flight && !taken_too_late {
            record(instance, &mut status, account, rules, now);
        }
        if let Some(Sight::Present(machine)) =
            status.instance_id.as_deref().map(|id| account.machine(&id.into()))
            && claim(instance, machine) != Claim::Foreign
        {
            if status.seen_at.is_none() {
                status.seen_at = Some(whole_seconds(now));
            }
            describe(&mut status, machine, seen);
        }
    }
    let unpaid = account.is_some_and(|account| is_in_arrears(&status, account));
    let lost = account.and_then(|account| match standing(instance, &status, account, rules) {
        Standing::Lost(why) => Some(why),
        Standing::Awaited | Standing::Counts => None,
    });
    set_phase(instance, &mut status, seen, Standstill { lost, unpaid }, wall_now);
    status
}

/// Whether the recorded machine stands still because the account has not paid.
pub(super) fn is_in_arrears(status: &SpotInstanceStatus, account: &AccountSeen) -> bool {
    let id = status.instance_id.as_deref().map(InstanceId::from);
    id.is_some_and(|id| matches!(account.machine(&id), Sight::Present(machine) if machine.is_in_arrears()))
}

/// Adopts the machine of this name, or writes down a second one; strikes extra machines that are gone.
fn record(
    instance: &SpotInstance,
    status: &mut SpotInstanceStatus,
    account: &AccountSeen,
    rules: &Rules,
    now: Timestamp,
) {
    let gone_by = rules.windows.gone_after;
    // An id without a time was written by hand: without one its absence would never prove anything.
    if status.instance_id.is_some() && status.recorded_at.is_none() {
        status.recorded_at = Some(whole_seconds(now));
    }
    status.extra.retain(|extra| match account.machine(&extra.instance_id.as_str().into()) {
        Sight::Absent(Some(begun)) => begun < later(extra.recorded_at.0, gone_by),
        _ => true,
    });
    // Nothing was asked for in its name: whatever else bears it was made by somebody else.
    if let Some(adopted) = &instance.spec.adopted {
        return record_adopted(instance, adopted, status, account, now);
    }
    let name = instance_name(instance);
    for (id, machine) in account.named(&name, &instance.uid().unwrap_or_default()) {
        // A copy whose tags name another SpotInstance is not ours, whatever its name.
        if claim(instance, machine) == Claim::Foreign {
            continue;
        }
        match &status.instance_id {
            // Its attempt stays without an answer: the machine may be a copy that somebody made at the console,
            // and the request's own may yet come.
            None => {
                status.instance_id = Some(id.to_string());
                status.recorded_at = Some(whole_seconds(now));
            }
            Some(known) if known == id.as_str() => {}
            Some(_) if status.extra.iter().any(|extra| extra.instance_id == id.as_str()) => {}
            Some(_) if rules.guards.twin => {
                status
                    .extra
                    .push(ExtraMachine { instance_id: id.to_string(), recorded_at: whole_seconds(now) });
            }
            Some(_) => {}
        }
    }
}

fn record_adopted(
    instance: &SpotInstance,
    adopted: &AdoptedMachine,
    status: &mut SpotInstanceStatus,
    account: &AccountSeen,
    now: Timestamp,
) {
    let id = &adopted.instance_id;
    let Some(known) = &status.instance_id else {
        (status.instance_id, status.recorded_at) = (Some(id.clone()), Some(whole_seconds(now)));
        status.account = Some(account.id.label());
        return;
    };
    // Somebody has written another id there: its own machine must not be forgotten, not even before a look has shown it.
    let stands = match account.machine(&id.as_str().into()) {
        Sight::Present(machine) => claim(instance, machine) != Claim::Foreign,
        Sight::Absent(_) => false,
        Sight::Unknown => true,
    };
    if known != id && stands && !status.extra.iter().any(|extra| extra.instance_id == *id) {
        status.extra.push(ExtraMachine { instance_id: id.clone(), recorded_at: whole_seconds(now) });
    }
}

fn describe(status: &mut SpotInstanceStatus, machine: &Instance, seen: &Observed) {
    // A machine that runs and says any of its addresses says all: one that was taken back may be somebody else's by now.
    let runs = machine.state == Some(InstanceState::Running);
    let says_all = runs && !(machine.public_ips.is_empty() && machine.private_ips.is_empty());
    let known = |told: &[String], old: Option<String>| told.first().cloned().or(old.filter(|_| !says_all));
    status.public_ip = known(&machine.public_ips, status.public_ip.take());
    status.private_ip = known(&machine.private_ips, status.private_ip.take());
    status.zone = machine.zone.clone().or(status.zone.take());
    status.instance_type = machine.instance_type.clone().or(status.instance_type.take());
    status.cloud_state = machine.state.as_ref().map(|state| state.as_str().to_owned());
    let kind = seen.pool.valid().and_then(|pool| pool.probe.address);
    status.address = match kind {
        Some(AddressKind::Public) => status.public_ip.clone(),
        Some(AddressKind::Private) => status.private_ip.clone(),
        None => status.public_ip.clone().or_else(|| status.private_ip.clone()),
    };
}

/// The reason of a machine that was deleted by hand and serves until another one does.
pub const WAITS_FOR_REPLACEMENT: &str = "WaitsForReplacement";

/// The reason of a machine whose SpotInstance somebody has deleted.
pub(super) const DELETED: &str = "Deleted";

/// What keeps it when its pool is gone is the missing key, whatever it was let go for. Else why it was let go stays; that
/// it is gone by now is no news.
fn why_it_goes<'a>(instance: &SpotInstance, status: &'a SpotInstanceStatus, seen: &Observed) -> &'a str {
    if seen.pool.object().is_none() {
        return reason::POOL_GONE;
    }
    let why = status.reason.as_deref().filter(|_| status.phase == Phase::Terminating);
    why.unwrap_or(if pool_is_elsewhere(instance, seen) { reason::POOL_GONE } else { DELETED })
}

/// Its pool is there and stays.
fn is_wanted(instance: &SpotInstance, seen: &Observed) -> bool {
    seen.pool.valid().is_some_and(|pool| pool.uid == instance.spec.pool.uid && !pool.leaving)
}

/// The reason of a machine that stands still because the account has not paid.
pub const IN_ARREARS: &str = "AccountInArrears";

/// The reason of a machine that served and that the cloud shows in a state in which it cannot.
pub const NOT_RUNNING: &str = "NotRunning";

/// The reason of a machine that served, and whose address of the kind that is asked the cloud has taken back.
pub const NO_ADDRESS: &str = "NoAddress";

fn has_lost_its_address(status: &SpotInstanceStatus) -> bool {
    status.address.is_none() && (status.public_ip.is_some() || status.private_ip.is_some())
}

/// Whether a machine in this state may serve, so that its model server is asked: it runs, or is moved to another host
/// while it does.
pub(super) fn is_asked(state: &str) -> bool {
    state == "RUNNING" || state.ends_with("SERVICE_LIVE_MIGRATE")
}

/// Whether a machine in this state is on its way to run, so that there is an end to waiting for it. What a person does
/// to it (rescue mode), and what is not known here, has none.
pub(super) fn should_run_soon(state: &str) -> bool {
    matches!(state, "STARTING" | "REBOOTING")
}

/// Why a machine does not work, as the cloud shows it.
struct Standstill {
    /// For good.
    lost: Option<&'static str>,
    /// Until somebody pays.
    unpaid: bool,
}

fn set_phase(
    instance: &SpotInstance,
    status: &mut SpotInstanceStatus,
    seen: &Observed,
    Standstill { lost, unpaid }: Standstill,
    wall_now: Timestamp,
) {
    let was = (status.phase, status.reason.clone());
    let probe = seen.probes.get(&instance.uid().unwrap_or_default());
    let served = matches!(was.0, Phase::Ready | Phase::NotReady);
    let leaving = instance.metadata.deletion_timestamp.is_some();
    // It has served: whether it still does is not for one failed question to say.
    let held = leaving && served && lost.is_none() && !unpaid && is_wanted(instance, seen);
    let works = status.cloud_state.as_deref().is_none_or(is_asked);
    let (phase, reason): (Phase, &str) = if leaving && !held {
        (Phase::Terminating, why_it_goes(instance, status, seen))
    } else if let Some(lost) = lost {
        (Phase::Terminating, lost)
    } else if unpaid {
        (Phase::NotReady, IN_ARREARS)
    } else if status.instance_id.is_none() {
        (Phase::Launching, if status.attempts.is_empty() { "Wished" } else { "Requested" })
    } else {
        match probe.and_then(|probe| probe.ok.map(|ok| (ok, probe.out_for.is_some()))) {
            Some((true, _)) if held && works => (Phase::Ready, WAITS_FOR_REPLACEMENT),
            Some((false, true)) if held => (Phase::NotReady, WAITS_FOR_REPLACEMENT),
            _ if held && works => (was.0, WAITS_FOR_REPLACEMENT),
            _ if held => (Phase::NotReady, WAITS_FOR_REPLACEMENT),
            _ if served && !works => (Phase::NotReady, NOT_RUNNING),
            _ if served && has_lost_its_address(status) => (Phase::NotReady, NO_ADDRESS),
            Some((true, _)) => (Phase::Ready, "Answering"),
            Some((false, true)) if served => (Phase::NotReady, "ProbeFailed"),
            _ if [Some(IN_ARREARS), Some(NOT_RUNNING)].contains(&was.1.as_deref()) => {
                (Phase::NotReady, "WaitingForModelServer")
            }
            _ if served => (was.0, was.1.as_deref().unwrap_or("Answering")),
            Some((false, _)) => (Phase::Booting, "WaitingForModelServer"),
            None => (Phase::Booting, "WaitingForMachine"),
        }
    };
    let reason = Some(reason.to_owned());
    if let Some(probe) = probe.filter(|probe| probe.ok.is_some() && phase != Phase::Terminating) {
        status.last_probe = Some(probe.text.clone());
    }
    if status.since.is_none() || (phase, &reason) != (was.0, &was.1) {
        status.since = Some(whole_seconds(wall_now));
    }
    status.phase = phase;
    status.reason = reason;
}
