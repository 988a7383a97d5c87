//! What the store's commits may not show.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use kube::ResourceExt;
use spotpool_operator::crd::{
    ADOPT_ANNOTATION, KEEP_MACHINES_ANNOTATION, Phase, SpotInstance, SpotInstanceStatus, SpotPool,
};
use spotpool_operator::identity::instance_name;
use spotpool_operator::valid::ValidPool;

use super::book::{Book, Hasty, Instance, Machine, OVERLAP, Offer, Pool, TWO_LEADERS, bounds};
use super::{Finding, Invariant, secrets};
use crate::nature::is_other_account;
use crate::site::{owner, pool_key};
use crate::store::{Actor, Commit};

pub(super) fn judge(book: &mut Book, cluster: &str, commit: &Commit, now: Duration) -> Vec<Finding> {
    match commit {
        Commit::Pool { by, before, after } => pool(book, *by, before.as_deref(), after.as_deref(), now),
        Commit::Instance { by, before, after } => match (before, after) {
            (None, Some(made)) => {
                let found = taken_over(book, *by, made, now);
                created(book, cluster, made, now);
                found
            }
            (Some(before), Some(after)) => changed(book, *by, before, after, now),
            (Some(before), None) => gone(book, before, now),
            (None, None) => Vec::new(),
        },
        Commit::Secret { by, before, after } => {
            secrets::judge(book, cluster, *by, before.as_deref(), after.as_deref(), now)
        }
    }
}

fn launched(pool: &SpotPool) -> i64 {
    pool.status.as_ref().map_or(0, |status| status.launched)
}

fn pool(
    book: &mut Book,
    by: Actor,
    before: Option<&SpotPool>,
    after: Option<&SpotPool>,
    now: Duration,
) -> Vec<Finding> {
    let Some(object) = after.or(before) else { return Vec::new() };
    let (Some(key), Some(uid)) = (pool_key(object), object.uid()) else { return Vec::new() };
    let (least, most) = bounds(&object.spec);
    let size = (now, least, most);
    let known = book.pools.entry(uid.clone()).or_insert_with(|| Pool {
        leaving_at: None,
        gone_at: None,
        dropped: false,
        sizes: vec![size],
        adopts: BTreeSet::new(),
        secret: object.spec.credentials_secret_ref.as_ref().map(|secret| secret.name.clone()),
        offers: Vec::new(),
        paused_at: None,
        namespace_leaving_at: None,
        keeps: false,
        kept_at: None,
        replacements: BTreeSet::new(),
        beside: None,
        pause: Duration::MAX,
        patience: Duration::MAX,
        sent_away: None,
        never_served: VecDeque::new(),
        refused: VecDeque::new(),
        answered: VecDeque::new(),
    });
    if known.sizes.last().is_none_or(|last| (last.1, last.2) != (size.1, size.2)) {
        known.sizes.push(size);
    }
    let offer = Offer::of(&object.spec);
    if known.offers.last().is_none_or(|(_, last)| *last != offer) {
        known.offers.push((now, offer));
    }
    if object.metadata.deletion_timestamp.is_some() {
        known.leaving_at.get_or_insert(now);
    }
    known.keeps = object.annotations().get(KEEP_MACHINES_ANNOTATION).is_some_and(|value| value == "true");
    known.keeps_from(now);
    let named = object.annotations().get(ADOPT_ANNOTATION).map_or("", String::as_str);
    known.adopts.extend(named.split(',').map(|id| id.trim().to_owned()));
    known.beside = object.status.as_ref().and_then(|status| status.care.replacement);
    known.replacements.extend(known.beside);
    if let Ok(valid) = ValidPool::try_from(object) {
        let probe = &valid.probe;
        known.pause = known.pause.min(probe.interval.saturating_mul(probe.threshold));
        known.patience = known.patience.min(probe.interval.saturating_mul(probe.threshold.saturating_sub(1)));
    }
    known.paused_at = known.paused_at.or(Some(now)).filter(|_| object.spec.paused);
    if by == Actor::People
        && before.is_some_and(|pool| !pool.finalizers().is_empty())
        && after.is_none_or(|pool| pool.finalizers().is_empty())
    {
        known.dropped = true;
    }
    let mut found = Vec::new();
    if let (Some(before), Some(after)) = (before, after)
        && launched(after) < launched(before)
    {
        let text = format!("status.launched of {key} went from {} to {}", launched(before), launched(after));
        found.push(Finding::new(Invariant::WrittenOnce, &key.name, text));
    }
    if after.is_none() {
        known.gone_at = Some(now);
        let dropped = known.dropped;
        let left = book
            .instances
            .values()
            .find(|instance| instance.pool_uid == uid && instance.gone_at.is_none() && instance.own_cluster);
        if let Some(left) = left.filter(|_| !dropped && by != Actor::People) {
            let text = format!("pool {key} is gone and {} is still there", left.name);
            found.push(Finding::new(Invariant::NothingLeftBehind, &key.name, text));
        }
    }
    found
}

fn created(book: &mut Book, cluster: &str, made: &SpotInstance, now: Duration) {
    let (Some(uid), Some(pool)) = (made.uid(), owner(made)) else { return };
    let machine_name = instance_name(made);
    let own_cluster = made.spec.cluster_id == cluster;
    let adopted = made.spec.adopted.clone();
    if own_cluster && adopted.is_none() {
        book.by_name.insert(machine_name.clone(), uid.clone());
    }
    let instance = Instance {
        name: made.name_any(),
        n: made.spec.n,
        phase: Phase::Launching,
        phase_since: now,
        unwell_at: now,
        address: None,
        deleted_by_hand: false,
        pool,
        pool_uid: made.spec.pool.uid.clone(),
        cluster: cluster.to_owned(),
        own_cluster,
        machine_name,
        tags: match &adopted {
            Some(machine) => (machine.pool_tag.clone(), machine.instance_tag.clone()),
            None => (Some(made.spec.pool.uid.clone()), Some(uid.clone())),
        },
        adopted: adopted.map(|machine| machine.instance_id),
        created_at: now,
        leaving_at: None,
        gone_at: None,
        tokens: made
            .status
            .iter()
            .flat_map(|status| &status.attempts)
            .map(|attempt| attempt.token.clone())
            .collect(),
        basis: now,
        first_basis: None,
        recorded: BTreeMap::new(),
        machine: None,
        asked_elsewhere: false,
        extra: BTreeSet::new(),
    };
    book.instances.insert(uid, instance);
}

/// A SpotInstance was made for a machine that was there before.
fn taken_over(book: &Book, by: Actor, made: &SpotInstance, now: Duration) -> Vec<Finding> {
    let (Some(adopted), Actor::Process(process)) = (&made.spec.adopted, by) else { return Vec::new() };
    let (Some(key), id) = (owner(made), &adopted.instance_id) else { return Vec::new() };
    let mut found = Vec::new();
    let mut find = |invariant, text| found.push(Finding::new(invariant, &key.name, text));
    let name = made.name_any();
    let pool = book.pools.get(&made.spec.pool.uid);
    if !pool.is_some_and(|pool| pool.adopts.contains(id)) {
        find(Invariant::TakenOverAsAsked, format!("{name} takes {id} over, which nobody asked for"));
    }
    let holds = |other: &&Instance| {
        // Somebody may have pointed its status at a machine that is not its own.
        let own = book.machines.get(id).is_some_and(|machine| book.is_of(id, machine, other));
        let records = own && other.recorded.get(id).is_some_and(Option::is_none);
        let same = other.adopted.as_ref() == Some(id);
        other.gone_at.is_none() && other.own_cluster && other.name != name && (records || same)
    };
    if let Some(other) = book.instances.values().find(holds) {
        find(Invariant::TakenOverAsAsked, format!("{name} takes {id} over, which is {}'s", other.name));
    }
    let read = book.reads.get(&(process, key.clone())).copied().unwrap_or(now);
    let (_, maximum) = pool.map_or((0, 0), |pool| pool.bounds_since(read.saturating_sub(OVERLAP)));
    let repairs = usize::from(pool.is_some_and(|pool| pool.beside.is_some()));
    let manned = book.manned(&made.spec.pool.uid, "");
    // Whoever stood still makes it when its machine may be gone: that one is not too many.
    let lives = book.machines.get(id).is_none_or(Machine::lives);
    if lives && manned.len() >= maximum + repairs {
        find(
            Invariant::NeverOver,
            format!("{name} takes {id} over beside {}: maximum {maximum}", manned.join(", ")),
        );
    }
    found
}

fn changed(
    book: &mut Book,
    by: Actor,
    before: &SpotInstance,
    after: &SpotInstance,
    now: Duration,
) -> Vec<Finding> {
    let (Some(uid), Some(key)) = (after.uid(), owner(after)) else { return Vec::new() };
    let mut found = Vec::new();
    let was_leaving = before.metadata.deletion_timestamp.is_some();
    let (old, new) = (before.status.clone().unwrap_or_default(), after.status.clone().unwrap_or_default());
    let name = after.name_any();
    let attempted = new.attempted > old.attempted;
    let read = match by {
        Actor::Process(process) => book.reads.get(&(process, key.clone())).copied(),
        Actor::People => None,
    };
    if let Actor::Process(process) = by {
        let mut find = |invariant, text| found.push(Finding::new(invariant, &key.name, text));
        if attempted && (was_leaving || old.instance_id.is_some()) {
            let why = if was_leaving { "is leaving" } else { "has a machine" };
            find(
                Invariant::AskedInVain,
                format!("process {process} wrote an attempt for {name}, which {why}"),
            );
        }
        if old.instance_id.is_some() && old.instance_id != new.instance_id {
            let text =
                format!("instanceId of {name} went from {:?} to {:?}", old.instance_id, new.instance_id);
            find(Invariant::WrittenOnce, text);
        }
        let fresh = new.instance_id.iter().filter(|id| old.instance_id.as_ref() != Some(*id));
        let known = |id: &String| old.extra.iter().any(|extra| extra.instance_id == *id);
        let extra = new.extra.iter().map(|extra| &extra.instance_id).filter(|id| !known(id));
        for id in fresh.chain(extra) {
            let recorded = book.machines.get(id).map(|machine| machine.name.as_str());
            if recorded != Some(instance_name(after).as_str()) {
                find(
                    Invariant::RecordedAStranger,
                    format!("{name} records {id}, which is named {recorded:?}"),
                );
            }
        }
    }
    if let Actor::Process(_) = by {
        let leaves = !was_leaving && after.metadata.deletion_timestamp.is_some();
        // Why it goes is written first; the deletion may come late.
        let is_sick = |status: &SpotInstanceStatus| {
            matches!(status.reason.as_deref(), Some("Unhealthy" | "NeverServed"))
        };
        if is_sick(&new) && !is_sick(&old) {
            found.extend(by_rumour(book, &uid, read.unwrap_or(now)));
            let never_served = new.reason.as_deref() == Some("NeverServed");
            found.extend(hastily(book, &uid, now, read.unwrap_or(now), never_served));
        }
        if leaves && new.reason.as_deref() == Some("Surplus") && new.instance_id.is_some() {
            found.extend(needed_by_then(book, &uid, now, read.unwrap_or(now)));
        }
        let is_surplus = |status: &SpotInstanceStatus| status.reason.as_deref() == Some("Surplus");
        if is_surplus(&new) && !is_surplus(&old) && old.phase == Phase::Ready {
            found.extend(serves_last(book, &uid, now, read.unwrap_or(now)));
        }
        let stopped = new.reason.as_deref() == Some("Stopped") && old.reason != new.reason;
        let machine = new.instance_id.as_ref().and_then(|id| book.machines.get(id));
        if let Some(id) = new
            .instance_id
            .as_ref()
            .filter(|_| stopped && machine.is_some_and(|it| it.lives() && it.was_unpaid))
        {
            let text = format!("{name} is given up, and its machine {id} only waits for somebody to pay");
            found.push(Finding::new(Invariant::UnpaidIsNotLost, &key.name, text));
        }
        let served = matches!(old.phase, Phase::Ready | Phase::NotReady);
        if was_leaving && served && new.phase == Phase::Terminating {
            found.extend(serves_first(book, &uid, now, read.unwrap_or(now)));
        }
    }
    let Some(instance) = book.instances.get_mut(&uid) else { return found };
    if old.phase != Phase::Ready || new.phase != Phase::Ready {
        instance.unwell_at = now;
    }
    if instance.phase != new.phase {
        instance.phase_since = now;
    }
    (instance.phase, instance.address) = (new.phase, new.address.clone());
    instance.deleted_by_hand |=
        by == Actor::People && !was_leaving && after.metadata.deletion_timestamp.is_some();
    if after.metadata.deletion_timestamp.is_some() {
        instance.leaving_at.get_or_insert(now);
    }
    instance.tokens.extend(new.attempts.iter().map(|attempt| attempt.token.clone()));
    if attempted {
        instance.basis_of_attempt(now, read);
    }
    instance.machine = new.instance_id.clone();
    instance.asked_elsewhere = new.account.as_deref().is_some_and(is_other_account);
    instance.extra = new.extra.iter().map(|extra| extra.instance_id.clone()).collect();
    let on_record: Vec<String> = instance.machine.iter().chain(&instance.extra).cloned().collect();
    for (id, ended) in &mut instance.recorded {
        if ended.is_none() && !on_record.contains(id) {
            *ended = Some(now);
        }
    }
    instance.recorded.extend(on_record.into_iter().map(|id| (id, None)));
    found
}

/// An answer vouches for the way to the machines for so long, passes and late writes included.
const VOUCHES_FOR: Duration = Duration::from_secs(90);

/// A machine is sent away for not answering: another one of its pool must have answered since about then.
fn by_rumour(book: &Book, uid: &str, read: Duration) -> Option<Finding> {
    let instance = book.instances.get(uid)?;
    let of_pool =
        book.instances.iter().filter(|(other, known)| *other != uid && known.pool_uid == instance.pool_uid);
    let answered = |known: &Instance| book.answered_since(known, read.saturating_sub(VOUCHES_FOR));
    // Which machine is its own, and where it is asked, may be known before that is on record.
    let has_machine =
        |known: &Instance| known.machine.is_some() || known.adopted.is_some() || book.has_machine(known);
    let may_have = |known: &Instance| known.counts() && has_machine(known) && known.address.is_none();
    let vouched = of_pool.map(|(_, known)| known).any(|known| answered(known) || may_have(known));
    let text = || format!("{} is sent away for not answering, and no other machine answers", instance.name);
    (!vouched).then(|| Finding::new(Invariant::NotByRumour, &instance.pool.name, text()))
}

/// A machine is sent away for not answering: the last one must have gone some time before, and not too many within the
/// hour.
fn hastily(book: &mut Book, uid: &str, now: Duration, read: Duration, never_served: bool) -> Option<Finding> {
    let instance = book.instances.get(uid)?;
    let (name, about, pool) = (instance.name.clone(), instance.pool.name.clone(), instance.pool_uid.clone());
    let (invariant, text) = match book.pools.get_mut(&pool)?.sends_away(uid, now, read, never_served)? {
        Hasty::Together => {
            (Invariant::OneAtATime, format!("{name} is sent away, and another one was a moment ago"))
        }
        Hasty::TooMany(many) => (
            Invariant::FewBoots,
            format!("{name} never answered and is sent away as number {many} in an hour"),
        ),
    };
    Some(Finding::new(invariant, &about, text))
}

/// A machine is sent away as one too many: the pool must have more than it may have, or another one must have
/// answered, so that what was started beside the silent ones is not needed any more.
fn needed_by_then(book: &Book, uid: &str, now: Duration, read: Duration) -> Option<Finding> {
    let instance = book.instances.get(uid)?;
    let pool = book.pools.get(&instance.pool_uid)?;
    let of_pool =
        || book.instances.iter().filter(|(_, known)| known.pool_uid == instance.pool_uid && known.counts());
    let answered = |known: &Instance| book.answered_since(known, read.saturating_sub(VOUCHES_FOR));
    let vouched = of_pool().filter(|(other, _)| *other != uid).any(|(_, known)| answered(known));
    // Beside nobody there is no place: neither for one more, nor for the one that was started beside others that
    // are gone since.
    // What people deleted since the pool was read counted then.
    let of_pool_then = book.instances.values().filter(|known| {
        let left_since = known.deleted_by_hand && known.leaving_at.is_some_and(|at| at >= read);
        known.pool_uid == instance.pool_uid && (known.counts() || left_since)
    });
    let count = of_pool_then.count();
    let beside = count > 1 && pool.beside.is_some_and(|n| of_pool().any(|(_, known)| known.n == n));
    let left_alone = pool.beside == Some(instance.n) && book.manned(&instance.pool_uid, uid).is_empty();
    let most = pool.most_since(read.saturating_sub(TWO_LEADERS)) + usize::from(beside);
    let too_few = count <= most && !left_alone;
    let wrong = !vouched && too_few && book.readers(&instance.pool, now) < 2 && now < read + TWO_LEADERS;
    let text = || {
        format!(
            "{} is sent away as one of {count}, {most} may be, and no other machine answers",
            instance.name
        )
    };
    wrong.then(|| Finding::new(Invariant::NotByRumour, &instance.pool.name, text()))
}

/// A machine that serves is sent away as one too many: there must be more too many than have long been without an
/// answer.
fn serves_last(book: &Book, uid: &str, now: Duration, read: Duration) -> Option<Finding> {
    let instance = book.instances.get(uid)?;
    let pool = book.pools.get(&instance.pool_uid)?;
    // For as long one that answered counts as serving.
    let long_before = read.saturating_sub(pool.pause).saturating_sub(JUST_NOW);
    let idles = |other: &&Instance| {
        matches!(other.phase, Phase::NotReady | Phase::Booting)
            && other.phase_since < long_before
            // Where it is asked must be on record: else it may have answered, and nobody knows that it was this one.
            && other.address.is_some()
            && !book.answered_since(other, long_before)
    };
    let of_pool = || {
        let counted = |it: &&Instance| it.pool_uid == instance.pool_uid && it.own_cluster && it.counts();
        book.instances.values().filter(counted)
    };
    let idle: Vec<&str> = of_pool().filter(idles).map(|other| other.name.as_str()).collect();
    let too_many = of_pool().count().saturating_sub(pool.most_since(read.saturating_sub(TWO_LEADERS)));
    let recorded = instance.machine.as_ref().and_then(|id| book.machines.get(id));
    let runs = recorded.is_some_and(|machine| machine.lives() && machine.runs_since.is_some());
    // One that has not answered for longer may have failed for the last time just now.
    let serves = runs && book.answered_since(instance, read.saturating_sub(pool.patience));
    let text = || {
        let idle = idle.join(", ");
        format!("{} serves and is sent away as one of {too_many} too many; not so {idle}", instance.name)
    };
    // Two leaders may each have a view of their own, and let another one go.
    let alone = book.readers(&instance.pool, now) < 2 && now < read + TWO_LEADERS;
    // The one that was started beside others goes when those answer again, whoever else is too many.
    let beside = pool.replacements.contains(&instance.n);
    let wrong = alone && !beside && serves && !idle.is_empty() && idle.len() >= too_many;
    wrong.then(|| Finding::new(Invariant::ServesLast, &instance.pool.name, text()))
}

/// It was answering a moment ago.
const JUST_NOW: Duration = Duration::from_secs(8);
/// The cloud may refuse every look for so long.
const LOOKS_MAY_FAIL_FOR: Duration = Duration::from_secs(90);
/// A machine that was deleted by hand and serves is let go. A process that stood still between its last read and this
/// write knows neither what was asked for meanwhile nor what another leader let go.
fn serves_first(book: &Book, uid: &str, now: Duration, read: Duration) -> Option<Finding> {
    let instance = book.instances.get(uid)?;
    let pool = book.pools.get(&instance.pool_uid)?;
    let just_now = now.saturating_sub(JUST_NOW);
    // Somebody may have pointed its status at another's machine.
    let recorded = instance.machine.as_ref().and_then(|id| book.machines.get(id));
    // What has run again only for so long is not known to run: unless it serves as is written, looks may be refused
    // meanwhile.
    let unknown_for = if instance.phase == Phase::Ready { JUST_NOW } else { LOOKS_MAY_FAIL_FOR };
    let runs = |machine: &Machine| machine.runs_since.is_some_and(|at| at + unknown_for <= read.min(now));
    let own = recorded.is_some_and(|machine| {
        machine.lives() && runs(machine) && !machine.unpaid && machine.name == instance.machine_name
    });
    // It answers, or nobody knows: then another one of its pool must have answered.
    let since = read.saturating_sub(VOUCHES_FOR);
    let of_pool =
        book.instances.iter().filter(|(other, known)| *other != uid && known.pool_uid == instance.pool_uid);
    let vouched = of_pool.map(|(_, known)| known).any(|known| book.answered_since(known, since));
    let answers = own && (book.answered_since(instance, just_now) || !vouched);
    let from = instance.leaving_at.unwrap_or(now).saturating_sub(TWO_LEADERS);
    let others = book.staffed(&instance.pool_uid).saturating_sub(1);
    let least = pool.least_since(from);
    let text = || {
        format!(
            "{} {} and is let go; {others} others have machines, {least} are asked for",
            instance.name,
            if vouched { "serves" } else { "may serve, for no other one answers," }
        )
    };
    let stood_still = now.saturating_sub(read) > TWO_LEADERS;
    let alone = book.readers(&instance.pool, now) < 2;
    let wrong = answers && alone && !stood_still && pool.lost_at().is_none() && others < least;
    wrong.then(|| Finding::new(Invariant::ServesFirst, &instance.pool.name, text()))
}

fn gone(book: &mut Book, before: &SpotInstance, now: Duration) -> Vec<Finding> {
    let Some(instance) = before.uid().and_then(|uid| book.instances.get_mut(&uid)) else { return Vec::new() };
    instance.gone_at = Some(now);
    let (name, about, machine_name) =
        (instance.name.clone(), instance.pool.name.clone(), instance.machine_name.clone());
    let kept = book.pools.get(&instance.pool_uid).is_some_and(|pool| pool.kept_at.is_some());
    if !instance.own_cluster || kept || book.doubled.contains(&machine_name) {
        return Vec::new();
    }
    let alive = |machine: &&Machine| machine.name == machine_name && machine.by_call && machine.exists();
    let taken_over = before
        .uid()
        .and_then(|uid| book.instances.get(&uid))
        .filter(|it| it.adopted.is_some() && !it.recorded.is_empty());
    let was = |id: &str, machine: &Machine| {
        machine.exists() && taken_over.is_some_and(|it| book.is_of(id, machine, it))
    };
    let left = book.machines.iter().find(|(id, machine)| alive(machine) || was(id, machine));
    let text = |id: &str| format!("{name} is gone and its machine {id} is still there");
    left.map(|(id, _)| Finding::new(Invariant::NothingLost, &about, text(id))).into_iter().collect()
}
