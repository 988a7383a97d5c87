//! What the ledger's events may not show.

use std::time::Duration;

use serde::Deserialize;
use sim::cvm::{Caller, Launch, What};

use super::book::{Book, Instance, Life, Machine, OVERLAP, Pool};
use super::{Finding, Invariant, Tally};
use crate::trace::Trace;

/// The design's "longest delay from the age check to the commit".
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// A termination may still be under way when its machine is struck from the record.
const STILL_ON_RECORD: Duration = Duration::from_secs(120);

pub(super) fn judge(
    book: &mut Book,
    tally: &mut Tally,
    what: &What,
    now: Duration,
    trace: &Trace,
) -> Vec<Finding> {
    match what {
        What::Fault { caller, kind, .. } => {
            if kind.starts_with("late_") {
                book.delayed.insert(caller.request_id.clone(), now);
            }
            Vec::new()
        }
        What::Launched(launch) => launched(book, tally, launch, now, trace),
        What::TerminationAccepted { instance_id, .. } => {
            tally.terminations += 1;
            let found = terminated(book, instance_id, now);
            trace.tell(about(book, instance_id), || {
                format!("the cloud terminates {}", named(book, instance_id))
            });
            set_life(book, instance_id, Life::Leaving);
            found
        }
        What::StateChanged { instance_id, state } => {
            trace.tell(about(book, instance_id), || {
                format!("the cloud: {} is {state}", named(book, instance_id))
            });
            let stays = matches!(
                *state,
                "RUNNING" | "STARTING" | "REBOOTING" | "RESCUE_MODE" | "SERVICE_LIVE_MIGRATE"
            );
            if let Some(machine) = book.machines.get_mut(instance_id) {
                if !runs(state) {
                    machine.runs_since = None;
                    book.running_again.remove(instance_id);
                } else if machine.runs_since.is_none() {
                    book.running_again.insert(instance_id.clone());
                }
            }
            let unpaid = book.machines.get(instance_id).is_some_and(|machine| machine.unpaid);
            set_life(book, instance_id, if stays || unpaid { Life::Living } else { Life::Leaving });
            Vec::new()
        }
        What::Isolated { instance_id, source } => {
            if let Some(machine) = book.machines.get_mut(instance_id) {
                // What had stopped before was lost before.
                machine.unpaid = *source == "ARREAR" && machine.lives();
                machine.was_unpaid |= machine.unpaid;
            }
            Vec::new()
        }
        What::LaunchFailed { instance_id } => {
            trace.tell(about(book, instance_id), || {
                format!("the cloud: {} does not come up", named(book, instance_id))
            });
            set_life(book, instance_id, Life::Gone);
            Vec::new()
        }
        What::Gone { instance_id, why } => {
            trace.tell(about(book, instance_id), || {
                format!("the cloud: {} is gone ({why:?})", named(book, instance_id))
            });
            set_life(book, instance_id, Life::Gone);
            Vec::new()
        }
        What::Refused { caller, code } => refused(book, caller, code, now),
        What::Received(_) | What::Replayed { .. } | What::Running { .. } | What::ReclaimNotice { .. } => {
            Vec::new()
        }
    }
}

/// Throttled requests and the cloud's own troubles are repeated by the client, and no refusal of ours.
fn refused(book: &mut Book, caller: &Caller, code: &str, now: Duration) -> Vec<Finding> {
    if caller.action != "RunInstances" || ["RequestLimitExceeded", "InternalError"].contains(&code) {
        return Vec::new();
    }
    let token = caller.token.as_deref().unwrap_or_default();
    let Some(instance) = book.instance_of_token(token) else { return Vec::new() };
    let (name, uid) = (instance.pool.name.clone(), instance.pool_uid.clone());
    let many = book.pools.get_mut(&uid).and_then(|pool| pool.asked(now, false));
    many.map_or_else(Vec::new, |many| {
        let text = format!("pool {name} was refused {many} times within an hour, now with {code}");
        vec![Finding::new(Invariant::FewRefusals, &name, text)]
    })
}

fn set_life(book: &mut Book, id: &str, life: Life) {
    if let Some(machine) = book.machines.get_mut(id) {
        machine.life = life;
    }
}

fn named(book: &Book, id: &str) -> String {
    let machine = book.machines.get(id);
    let owner = machine.and_then(|machine| book.instance_of(&machine.name));
    match (machine, owner) {
        (Some(machine), Some((_, owner))) if machine.by_call => format!("{id} of {}", owner.name),
        (Some(machine), _) => format!("{id} named {:?} (placed by hand)", machine.name),
        (None, _) => id.to_owned(),
    }
}

fn runs(state: &str) -> bool {
    matches!(state, "RUNNING" | "SERVICE_LIVE_MIGRATE")
}

/// The cloud tells whoever looks with this key how its machines stand.
pub(super) fn shown(book: &mut Book, key_id: &str, answer: &[u8], now: Duration) {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        response: Machines,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Machines {
        #[serde(default)]
        instance_set: Vec<Shown>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Shown {
        instance_id: String,
        instance_state: String,
    }
    if book.running_again.is_empty() {
        return;
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(answer) else { return };
    let with_its_key = |id: &str| {
        let mut of_it =
            book.instances.values().filter(|it| it.gone_at.is_none() && it.machine.as_deref() == Some(id));
        of_it.any(|it| {
            let secret = book.pools.get(&it.pool_uid).and_then(|pool| pool.secret.clone());
            // A pool without a Secret has its key in its spec.
            secret.is_none_or(|secret| {
                book.keys.get(&(it.cluster.clone(), secret)).is_some_and(|held| held == key_id)
            })
        })
    };
    let mut run: Vec<String> = Vec::new();
    for Shown { instance_id, instance_state } in answer.response.instance_set {
        if runs(&instance_state) && book.running_again.contains(&instance_id) && with_its_key(&instance_id) {
            run.push(instance_id);
        }
    }
    for id in run {
        book.running_again.remove(&id);
        if let Some(machine) = book.machines.get_mut(&id) {
            machine.runs_since = Some(now);
        }
    }
}

fn about<'a>(book: &'a Book, id: &str) -> &'a str {
    let machine = book.machines.get(id);
    let owner = machine.and_then(|machine| book.instance_of(&machine.name));
    owner.map_or("", |(_, owner)| owner.pool.name.as_str())
}

fn launched(
    book: &mut Book,
    tally: &mut Tally,
    launch: &Launch,
    now: Duration,
    trace: &Trace,
) -> Vec<Finding> {
    let machine = Machine {
        name: launch.name.clone(),
        tags: launch.tags.iter().cloned().collect(),
        by_call: launch.caller.is_some(),
        account: launch.account.clone(),
        life: Life::Living,
        runs_since: Some(Duration::ZERO),
        unpaid: false,
        was_unpaid: false,
    };
    let mut found = Vec::new();
    if let Some(caller) = &launch.caller {
        tally.launches += 1;
        let sent = book.delayed.get(&caller.request_id).copied();
        if sent.is_some_and(|sent| now.saturating_sub(sent) > LONGEST_DELAY) {
            book.excused.insert(launch.name.clone());
        }
        found = made(book, launch, caller, now);
        let uid = book.instance_of(&launch.name).map(|(_, instance)| instance.pool_uid.clone());
        if let Some(pool) = uid.and_then(|uid| book.pools.get_mut(&uid)) {
            pool.asked(now, true);
        }
    }
    book.machines.insert(launch.instance_id.clone(), machine);
    trace.tell(about(book, &launch.instance_id), || {
        format!("the cloud makes {}", named(book, &launch.instance_id))
    });
    found
}

/// The checks on a machine that RunInstances is about to have made.
fn made(book: &Book, launch: &Launch, caller: &Caller, now: Duration) -> Vec<Finding> {
    let id = &launch.instance_id;
    let Some((uid, instance)) = book.instance_of(&launch.name) else {
        let text = format!("{id} was made under the name {:?}, which no SpotInstance ever had", launch.name);
        return vec![Finding::new(Invariant::NothingLost, "", text)];
    };
    let mut found = Vec::new();
    let mut find = |invariant, text| found.push(Finding::new(invariant, &instance.pool.name, text));
    let name = &instance.name;
    if instance.gone_at.is_some() && !book.doubled.contains(&launch.name) && !book.is_kept(instance) {
        find(
            Invariant::NothingLost,
            format!("{id} was made for {name}, which is gone: nothing will ever find it"),
        );
    }
    if !caller.token.as_ref().is_some_and(|token| instance.tokens.contains(token)) {
        find(
            Invariant::IntentFirst,
            format!("{id} was made for {name} by a request that stands in no attempt"),
        );
    }
    if let Some((other, _)) = book.living(&launch.name).next()
        && !book.excused.contains(&launch.name)
    {
        find(Invariant::NeverTwice, format!("{id} was made for {name}, which has {other} already"));
    }
    let pool = book.pools.get(&instance.pool_uid);
    if pool.is_some_and(|pool| !pool.asked_for(launch, instance.basis)) {
        let (kind, zone, paid) = (&launch.instance_type, &launch.zone, &launch.charge_type);
        let text =
            format!("{id} was made for {name}: {kind} in {zone}, {paid}, which its pool does not ask for");
        find(Invariant::AsAskedFor, text);
    }
    for finding in sizes(book, uid, instance, id, now) {
        find(finding.invariant, finding.text);
    }
    found
}

fn sizes(book: &Book, uid: &str, instance: &Instance, id: &str, now: Duration) -> Vec<Finding> {
    let Some(pool) = book.pools.get(&instance.pool_uid) else { return Vec::new() };
    let name = &instance.name;
    let mut found = Vec::new();
    let mut find = |invariant, text| found.push(Finding::new(invariant, &instance.pool.name, text));
    if let Some(lost) = pool.lost_at()
        && (lost < instance.created_at || lost < instance.basis)
    {
        let text =
            format!("{id} was made for {name}, whose pool was gone or leaving since {} s", lost.as_secs());
        find(Invariant::NotForAGonePool, text);
    }
    if let Some(leaving) = pool.namespace_leaving_at.filter(|leaving| *leaving < instance.basis) {
        let text = format!("{id} was made for {name}, whose namespace goes since {} s", leaving.as_secs());
        find(Invariant::NotInALeavingNamespace, text);
    }
    if pool.rests(now) && instance.basis > pool.paused_at.unwrap_or(now) {
        let text = format!("{id} was made for {name}, whose pool is paused");
        find(Invariant::RestsWhilePaused, text);
    }
    if !instance.counts() {
        // Asked for before it left; it is taken away again.
        return found;
    }
    let (_, maximum) = pool.bounds_since(instance.basis);
    // From its first attempt on a SpotInstance counts as its machine, and a size within the bounds stays.
    let (minimum, _) = pool.bounds_since(instance.first_basis.unwrap_or(instance.basis));
    let mut manned = book.manned(&instance.pool_uid, uid);
    // One may be started beside machines that do not answer.
    let beside = pool.beside.map(|n| format!("{}-{n}", instance.pool.name));
    manned.retain(|name| beside.as_deref() != Some(name));
    let (minimum, maximum) = if pool.replacements.contains(&instance.n) && book.has_unwell(instance) {
        (manned.len() + 1, maximum + 1)
    } else {
        (minimum, maximum)
    };
    if manned.len() >= maximum {
        let text = format!("{id} was made for {name} beside {}: maximum {maximum}", manned.join(", "));
        find(Invariant::NeverOver, text);
    } else if manned.iter().filter(|name| !book.was_there_before(&instance.pool_uid, name)).count() >= minimum
    {
        let text = format!("{id} was made for {name} beside {}: minimum {minimum}", manned.join(", "));
        find(Invariant::NeverNeedless, text);
    }
    found
}

fn terminated(book: &Book, id: &str, now: Duration) -> Vec<Finding> {
    let Some(machine) = book.machines.get(id) else { return Vec::new() };
    let on_record = |instance: &&Instance| {
        let recently =
            |ended: &Option<Duration>| ended.is_none_or(|ended| now.saturating_sub(ended) < STILL_ON_RECORD);
        // Told before its SpotInstance went, and carried out after.
        instance.own_cluster && recently(&instance.gone_at) && instance.recorded.get(id).is_some_and(recently)
    };
    // Somebody may have written this id into another SpotInstance's status too; and who has taken over what a pool let live
    // answers for it, and not who had it.
    let is_past = |instance: &Instance| {
        instance.gone_at.is_some() || instance.recorded.get(id).is_some_and(Option::is_some)
    };
    let least_likely = |instance: &&Instance| (instance.machine_name != machine.name, is_past(instance));
    let Some(instance) = book.instances.values().filter(on_record).min_by_key(least_likely) else {
        let text = format!("{id} ({:?}) was terminated and is on record in no SpotInstance", machine.name);
        return vec![Finding::new(Invariant::NeverAStranger, "", text)];
    };
    let about = &instance.pool.name;
    // An exact copy under a living SpotInstance's very name and tags is a twin for all anybody can tell.
    if machine.name != instance.machine_name {
        let text = format!("{id} was terminated for {} and is named {:?}", instance.name, machine.name);
        return vec![Finding::new(Invariant::NeverAStranger, about, text)];
    }
    if !book.belongs(machine, instance) {
        let text = format!("{id} was terminated for {} and its tags are another's", instance.name);
        return vec![Finding::new(Invariant::NeverAStranger, about, text)];
    }
    let pool = book.pools.get(&instance.pool_uid);
    // What was leaving before may go: a stalled process does not look at the pool again.
    let left_in_the_pause = |pool: &&Pool| pool.paused_at < instance.leaving_at;
    if pool.filter(left_in_the_pause).is_some_and(|pool| pool.rests(now)) {
        let text = format!("{id} of {} was terminated, and its pool is paused", instance.name);
        return vec![Finding::new(Invariant::RestsWhilePaused, about, text)];
    }
    // Of a pool whose finalizer somebody took off, nothing says any more that its machines are to live.
    let kept_at = pool.filter(|pool| !pool.dropped).and_then(|pool| pool.kept_at);
    // A twin goes although its SpotInstance stays: that may have been under way when the pool was deleted.
    let twin = instance.extra.contains(id);
    let decided = if twin { Some(now.saturating_sub(OVERLAP)) } else { instance.leaving_at };
    if kept_at.is_some_and(|kept| decided.is_none_or(|decided| decided > kept)) {
        let text = format!("{id} of {} was terminated, and its pool lets its machines live", instance.name);
        return vec![Finding::new(Invariant::LetsLive, about, text)];
    }
    // The machine that stands for the SpotInstance goes only with it.
    let own = instance.machine.as_deref() == Some(id) && !instance.extra.contains(id);
    if own && instance.leaving_at.is_none() {
        let text = format!("{id} of {} was terminated, and {0} is not leaving", instance.name);
        return vec![Finding::new(Invariant::NeverUnasked, about, text.replace("{0}", &instance.name))];
    }
    Vec::new()
}
