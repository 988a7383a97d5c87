//! The pool's status: what people read with `kubectl get` and `describe`. Comes in: what was seen, planned
//! and done. Goes out: the new status, equal to the old one when there is nothing to say. Pure.

mod capacity;
mod stalled;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;

use crate::blame::sentences;
use crate::conditions::{Truth, kind, reason, set};
use crate::crd::pool::PoolMember;
use crate::crd::{ADOPT_ANNOTATION, Adoption, POOL_LABEL, Phase, SpotPool, SpotPoolStatus, whole_seconds};
use crate::plan::adoption::is_made;
use crate::plan::health::Reach;
use crate::plan::machine::WAITS_FOR_REPLACEMENT;
use crate::plan::secrets::may_vanish;
use crate::plan::{InstancePlan, Memory, Observed, PAUSED, Plan};
use crate::sweep::{OUTAGE, Trouble};
use crate::valid::ValidPool;

use capacity::{capacity, capacity_reason};
use stalled::stalled;

/// The status lists so many machines at most, and so does a message that people work through.
const LISTED: usize = 100;
/// A message names so many refusals, and so many candidates of each.
const NAMED: usize = 4;

/// The status that follows; `launched` is taken from `pool` as last written.
pub fn status(pool: &SpotPool, seen: &Observed, plan: &Plan, now: Timestamp) -> SpotPoolStatus {
    let old = pool.status.clone().unwrap_or_default();
    let mut conditions = old.conditions.clone();
    let generation = pool.metadata.generation.unwrap_or(0);
    let mut say = |kind: &str, (truth, reason, message): Verdict| {
        set(&mut conditions, kind, truth, reason, message, generation, now);
    };
    let valid = seen.pool.valid();
    say(kind::READY, ready(plan, valid));
    say(kind::RECONCILING, reconciling(plan, valid));
    let kept = Kept::of(&old.conditions, seen, plan);
    let stalled = stalled(seen, plan);
    if !kept.before_the_first_look || stalled.0 == Truth::True {
        say(kind::STALLED, stalled);
    }
    if !kept.before_the_first_answer {
        say(kind::CREDENTIALS_VALID, credentials(seen, plan));
    }
    say(kind::CAPACITY_AVAILABLE, capacity(seen, plan));
    if !kept.before_the_first_probe {
        say(kind::HEALTH_CHECK_REACHABLE, reachable(plan, valid));
    }
    if !kept.before_the_first_look {
        say(kind::UNCLAIMED_MACHINES, unclaimed(plan, pool, valid, seen.pool_goes()));
    }
    say(kind::GATEWAY_SYNCED, gateway(pool));
    // Whoever goes by kstatus takes the first of these two that is True: what waits for a person is not under way.
    conditions.sort_by_key(|condition| condition.type_ == kind::RECONCILING);
    let size = clamp(plan.tally.with_machine);
    let memory = if valid.is_some() { plan.memory.clone() } else { Memory::of(&old) };
    SpotPoolStatus {
        ready: Some(format!("{}/{}", plan.tally.ready, plan.tally.wanted)),
        ready_size: clamp(plan.tally.ready),
        size,
        replicas: size,
        selector: Some(format!("{POOL_LABEL}={}", pool.metadata.name.as_deref().unwrap_or_default())),
        launched: old.launched,
        instances: members(plan),
        launch_back_off: memory.entries,
        refusal_budget_whole_at: memory.budget_whole_at.map(whole_seconds),
        refusals_paid: memory.paid,
        adopting: not_made_yet(old.adopting, &pool.name_any(), seen),
        held_secrets: old.held_secrets,
        care: if valid.is_some() { plan.health.care.clone() } else { old.care },
        observed_generation: Some(generation),
        conditions,
    }
}

/// What was told before by a process that knew, and is not taken back by one that has just begun or has a new key.
struct Kept {
    /// Nobody has seen the pool's machines with this key yet.
    before_the_first_look: bool,
    /// The cloud has not even refused to show them.
    before_the_first_answer: bool,
    /// Nobody has asked the machines yet.
    before_the_first_probe: bool,
}

impl Kept {
    fn of(told: &[Condition], seen: &Observed, plan: &Plan) -> Self {
        let known = |kind: &str| told.iter().find(|condition| condition.type_ == kind);
        // What was wrong with the last key ends with it.
        let key_was_fine = known(kind::CREDENTIALS_VALID).is_some_and(|valid| valid.status != "False");
        let unseen = seen.cloud.account().is_some_and(|account| account.snapshot.is_none());
        let unanswered = plan.hold.as_ref().is_some_and(|hold| hold.reason == reason::NOT_LOOKED_YET);
        let asked = known(kind::HEALTH_CHECK_REACHABLE).is_some();
        let leaving = seen.pool.valid().is_some_and(|pool| pool.leaving);
        Self {
            before_the_first_look: key_was_fine && unseen,
            before_the_first_answer: key_was_fine && unanswered,
            before_the_first_probe: asked
                && plan.health.reach == Reach::Unknown
                && plan.tally.with_machine > 0
                && !leaving,
        }
    }
}

/// Machines whose SpotInstance is not there yet.
fn not_made_yet(adopting: Vec<Adoption>, pool_name: &str, seen: &Observed) -> Vec<Adoption> {
    adopting.into_iter().filter(|adoption| !is_made(adoption, pool_name, seen)).collect()
}

type Verdict = (Truth, &'static str, String);

fn clamp(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn members(plan: &Plan) -> Vec<PoolMember> {
    let statuses = plan.instances.iter().filter_map(|entry| {
        let status = entry.latest()?;
        // One that was deleted by hand works on until its replacement does.
        let held = status.reason.as_deref() == Some(WAITS_FOR_REPLACEMENT);
        let leaving =
            entry.instance.metadata.deletion_timestamp.is_some() || status.phase == Phase::Terminating;
        (held || !leaving).then_some(status)
    });
    let with_machine = statuses.filter_map(|status| {
        let instance_id = status.instance_id.clone()?;
        Some(PoolMember { instance_id, public_ip: status.public_ip.clone() })
    });
    with_machine.take(LISTED).collect()
}

fn ready(plan: &Plan, pool: Option<&ValidPool>) -> Verdict {
    let ready = plan.tally.ready;
    let Some(pool) = pool else {
        return (Truth::False, reason::INVALID_SPEC, "the spec cannot be acted on; see Stalled".to_owned());
    };
    if pool.leaving {
        return (
            Truth::False,
            reason::DELETING,
            format!("the pool is being deleted; {} machines to go", plan.tally.leaving + plan.tally.counted),
        );
    }
    let message = format!("{ready} of {} machines serve", asked_for(pool));
    if ready >= pool.least {
        return (Truth::True, reason::MINIMUM_SERVES, message);
    }
    let held = plan.hold.as_ref().map(|hold| hold.reason);
    let unpaid = (!plan.in_arrears.is_empty()).then_some(reason::ACCOUNT_PROBLEM);
    let blind = (plan.health.reach == Reach::Nobody).then_some(reason::NOBODY_ANSWERS);
    let given_up = plan.health.gave_up.map(|_| reason::BOOTS_FAIL);
    let why = held.or(unpaid).or(blind).or(given_up).map(|why| (why, told_by(why)));
    let dry =
        || plan.memory.drought(pool).map(|refusal| (capacity_reason(refusal), kind::CAPACITY_AVAILABLE));
    match why.or_else(dry) {
        // CredentialsValid keeps what the last process told.
        Some((reason::NOT_LOOKED_YET, _)) => {
            let message = format!("{message}; the first look at the cloud is under way");
            (Truth::False, reason::NOT_LOOKED_YET, message)
        }
        Some((why, told_by)) => (Truth::False, why, format!("{message}: see {told_by}")),
        None => (Truth::False, reason::LAUNCHING, format!("{message}{}", others(plan, pool))),
    }
}

/// What is with those that do not serve; empty or ahead of it a semicolon each.
fn others(plan: &Plan, pool: &ValidPool) -> String {
    let served = |entry: &&InstancePlan| entry.latest().is_some_and(|status| status.phase == Phase::NotReady);
    let named: Vec<String> =
        plan.instances.iter().filter(served).map(|entry| entry.instance.name_any()).collect();
    let on_their_way =
        plan.tally.counted >= pool.least && plan.tally.ready + named.len() < plan.tally.counted;
    let not_any_more = match named.len() {
        0 => String::new(),
        1 => format!("; {} does not any more", some_of(named, NAMED)),
        _ => format!("; {} do not any more", some_of(named, NAMED)),
    };
    format!("{not_any_more}{}", if on_their_way { "; the others are on their way" } else { "" })
}

/// The condition that tells most about why nothing is launched.
fn told_by(why: &str) -> &'static str {
    match why {
        reason::CLOUD_UNREACHABLE => kind::CREDENTIALS_VALID,
        reason::PAUSED => kind::RECONCILING,
        reason::NOBODY_ANSWERS => kind::HEALTH_CHECK_REACHABLE,
        _ => kind::STALLED,
    }
}

/// How many machines are asked for, in words.
fn asked_for(pool: &ValidPool) -> String {
    if pool.least == pool.most { pool.least.to_string() } else { format!("at least {}", pool.least) }
}

fn reconciling(plan: &Plan, pool: Option<&ValidPool>) -> Verdict {
    let tally = plan.tally;
    let holds = |reason| plan.hold.as_ref().is_some_and(|hold| hold.reason == reason);
    let before_a_look =
        holds(reason::NOT_LOOKED_YET) && pool.is_some_and(|pool| pool.paused && !pool.leaving);
    if holds(reason::PAUSED) || before_a_look {
        return (Truth::False, reason::PAUSED, PAUSED.to_owned());
    }
    let minimum = pool.map_or(0, |pool| if pool.leaving { 0 } else { pool.least });
    let moving = tally.leaving > 0
        || tally.counted < minimum
        || tally.ready < tally.counted
        || pool.is_some_and(|pool| pool.leaving);
    if moving {
        let message = format!(
            "{} wanted: {} serve, {} do not yet; {} leaving",
            tally.wanted,
            tally.ready,
            tally.wanted.saturating_sub(tally.ready),
            tally.leaving
        );
        let why = if pool.is_some_and(|pool| pool.leaving) { reason::DELETING } else { reason::LAUNCHING };
        (Truth::True, why, message)
    } else {
        (Truth::False, reason::SETTLED, format!("{} machines, as wanted", tally.counted))
    }
}

/// Which SpotInstances do not answer, in words.
fn unwell(plan: &Plan) -> String {
    let named = |is_silent: &dyn Fn(&InstancePlan) -> bool| -> Vec<String> {
        plan.instances
            .iter()
            .filter(|entry| is_silent(entry))
            .map(|entry| entry.instance.name_any())
            .collect()
    };
    let unwell = named(&|entry| entry.instance.uid().is_some_and(|uid| plan.health.unwell.contains(&uid)));
    if !unwell.is_empty() || plan.health.reach == Reach::Answering {
        return some_of(unwell, NAMED);
    }
    // A process that has just begun has not asked often enough to call one unwell; what the last one saw stands.
    let silent = |entry: &InstancePlan| {
        let status = entry.latest();
        status.is_some_and(|status| matches!(status.phase, Phase::NotReady | Phase::Booting))
    };
    some_of(named(&silent), NAMED)
}

/// The first names, and how many more there are.
fn some_of(names: Vec<String>, at_most: usize) -> String {
    let more = names.len().saturating_sub(at_most);
    let named = names.into_iter().take(at_most).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}

fn reachable(plan: &Plan, pool: Option<&ValidPool>) -> Verdict {
    let silent = unwell(plan);
    match plan.health.reach {
        Reach::Answering if silent.is_empty() => {
            (Truth::True, reason::ANSWERING, "machines answer the health check".to_owned())
        }
        Reach::Answering => {
            (Truth::True, reason::ANSWERING, format!("machines answer the health check, but not {silent}"))
        }
        Reach::Unknown if pool.is_some_and(|pool| pool.leaving) => {
            let message = "the pool is being deleted, and its machines are not asked any more";
            (Truth::Unknown, reason::NOBODY_ASKED, message.to_owned())
        }
        Reach::Unknown => {
            let there = if plan.tally.with_machine == 0 {
                "there is no machine that could answer the health check"
            } else {
                "no machine has answered the health check yet"
            };
            (Truth::Unknown, reason::NOBODY_ASKED, there.to_owned())
        }
        Reach::AskingAReplacement => {
            let message = format!(
                "no machine answers the health check ({silent}): one replacement is started beside them, and only \
                 when it answers may they go"
            );
            (Truth::Unknown, reason::ASKING_A_REPLACEMENT, message)
        }
        Reach::Nobody => {
            let message = format!(
                "neither the pool's machines nor a replacement answer the health check ({silent}). Nothing is launched \
                 or terminated for that until one does: check the way from this operator to spec.health.port \
                 (network policy, security group, spec.network.address), and that the image serves spec.health.path"
            );
            (Truth::False, reason::NOBODY_ANSWERS, message)
        }
    }
}

/// While the pool is being deleted without a key, people must know what goes on costing money.
fn would_leak(seen: &Observed) -> String {
    if seen.pool.object().is_none_or(|pool| pool.metadata.deletion_timestamp.is_none()) {
        return String::new();
    }
    let statuses = seen.instances.iter().filter_map(|instance| instance.status.as_ref());
    let ids: Vec<String> = statuses.filter_map(|status| status.instance_id.clone()).collect();
    if ids.is_empty() {
        String::new()
    } else {
        format!("These machines wait to be terminated and are billed until then: {}", some_of(ids, LISTED))
    }
}

fn credentials(seen: &Observed, plan: &Plan) -> Verdict {
    if let Some(hold) = plan.hold.as_ref().filter(|hold| hold.reason != reason::PAUSED) {
        let of_the_key = seen.cloud.account().and_then(|account| account.trouble.as_ref());
        let truth = match hold.reason {
            reason::NOT_LOOKED_YET | reason::CLOUD_UNREACHABLE => Truth::Unknown,
            reason::REFUSED if !of_the_key.is_some_and(Trouble::is_auth) => Truth::Unknown,
            _ => Truth::False,
        };
        return (truth, hold.reason, sentences(&[&hold.message, &would_leak(seen)]));
    }
    let Some(account) = seen.cloud.account() else {
        return (Truth::Unknown, reason::NOT_LOOKED_YET, "nobody has asked the cloud yet".to_owned());
    };
    let speaks = |trouble: &&Trouble| trouble.is_lasting() || trouble.lasted >= OUTAGE;
    if let Some(trouble) = account.trouble.as_ref().filter(speaks) {
        let message = sentences(&[&trouble.advice(), "The machines that run are left as they are"]);
        let why = if trouble.is_lasting() { reason::REFUSED } else { reason::CLOUD_UNREACHABLE };
        return (Truth::Unknown, why, message);
    }
    if let Some(name) = deleted_secret(seen).filter(|_| may_vanish(seen)) {
        let message = format!(
            "Secret {name} is being deleted and goes as soon as nobody else needs it: it was deleted before this pool could \
             hold it, so nothing is launched with its key. Name another Secret in spec.credentialsSecretRef, or make \
             this one anew when it is gone"
        );
        return (Truth::False, reason::SECRET_DELETED, message);
    }
    if let Some(name) = deleted_secret(seen) {
        let message = format!(
            "Secret {name} was deleted and is kept, with its key at work, until this pool's machines are gone: name \
             another Secret in spec.credentialsSecretRef, or delete the pool. (To take the key away at once, remove \
             the Secret's finalizers: nothing is launched or terminated then until there is a key again)"
        );
        return (Truth::True, reason::SECRET_DELETED, message);
    }
    if account.inline_key {
        let message = "the key works, but everybody who may read this pool can read it: put it into a Secret and \
                       name that in spec.credentialsSecretRef";
        return (Truth::True, reason::INLINE_KEYS, message.to_owned());
    }
    (Truth::True, reason::ACCEPTED, "the cloud accepts the key".to_owned())
}

/// The name of the Secret that is held although somebody has deleted it.
fn deleted_secret(seen: &Observed) -> Option<&str> {
    let secret = seen.secret.as_ref().filter(|secret| secret.deletion_timestamp.is_some())?;
    secret.name.as_deref()
}

fn unclaimed(plan: &Plan, pool: &SpotPool, valid: Option<&ValidPool>, pool_goes: bool) -> Verdict {
    let refused =
        plan.adoptions.refused.iter().take(NAMED).map(|(id, why)| format!("{id} is not taken over: {why}"));
    let mut sentences: Vec<String> = refused.collect();
    let named =
        |pool: &&ValidPool| pool.paused && plan.unclaimed.iter().any(|id| pool.adopt.contains(id.as_str()));
    if valid.filter(named).is_some() {
        sentences
            .push("Those that the annotation names are taken over when spec.paused is taken away".to_owned());
    }
    if !plan.unclaimed.is_empty() {
        let more = plan.unclaimed.len().saturating_sub(LISTED);
        let ids = plan.unclaimed.iter().take(LISTED).map(tencent_cvm::InstanceId::as_str);
        let ids = ids.collect::<Vec<_>>().join(",");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let name = pool.name_any();
        let (whose, name) = if pool_goes { ("another", "POOL") } else { ("the", name.as_str()) };
        let namespace = pool.namespace().unwrap_or_default();
        sentences.insert(
            0,
            format!(
                "these machines carry the pool's tags and belong to no SpotInstance; they are left alone and are \
                 billed: {ids}{more}. Terminate them, or let {whose} pool take them over: kubectl annotate sp {name} \
                 --namespace {namespace} --overwrite {ADOPT_ANNOTATION}={ids}"
            ),
        );
        return (Truth::True, reason::FOUND, sentences.join(". "));
    }
    if sentences.is_empty() {
        sentences.push("no machine carries the pool's tags without belonging to it".to_owned());
    }
    let why = if plan.adoptions.refused.is_empty() { reason::NONE_FOUND } else { reason::NOT_ADOPTED };
    (Truth::False, why, sentences.join(". "))
}

fn gateway(pool: &SpotPool) -> Verdict {
    let message = if pool.spec.kong_gateway_ip.is_some() {
        "spec.kongGatewayIP is accepted; this version does not manage the gateway yet"
    } else {
        "no gateway is named"
    };
    (Truth::Unknown, reason::NOT_MANAGED, message.to_owned())
}
