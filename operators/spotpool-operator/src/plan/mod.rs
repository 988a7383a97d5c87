//! What is to be done: one pure function of what was read.
//!
//! Comes in: [`Observed`] and the time. Goes out: a [`Plan`], empty when the pool is as it should be. It
//! reads nothing and writes nothing, and the same input gives the same output.

pub mod admit;
pub mod adoption;
pub mod advertised;
pub mod attempts;
pub mod back_off;
pub mod candidates;
pub mod health;
pub mod leave;
pub mod machine;
pub mod member;
pub mod reads;
pub mod room;
pub mod secrets;
pub mod seen;
pub mod size;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use tencent_cvm::InstanceId;

use crate::blame::sentences;
use crate::conditions::reason;
use crate::crd::{Adoption, Candidate, POOL_FINALIZER, Phase, SpotInstance, SpotInstanceStatus, SpotPool};
use crate::guards::Guards;
use crate::identity::{POOL_TAG, made_for, name_prefix};
use crate::ports::ProbeTarget;
use crate::probes::Question;
use crate::settings::{Settings, Windows};
use crate::span::between;
use crate::sweep::Trouble;
use crate::valid::ValidPool;

pub use adoption::Adoptions;
pub use advertised::Advertised;
pub use back_off::Memory;
pub use health::Health;
pub use member::Member;
pub use secrets::SecretHold;
pub use seen::{AccountSeen, CloudSeen, Observed, PoolSeen};

/// What the plan goes by besides what it sees.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Who this cluster is.
    pub cluster_id: String,
    /// The bounds of the launch protocol.
    pub windows: Windows,
    /// Which rules hold.
    pub guards: Guards,
}

impl Rules {
    /// The rules that follow from an operator's settings.
    pub fn new(settings: &Settings, guards: Guards) -> Self {
        Self { cluster_id: settings.cluster_id.clone(), windows: settings.windows(), guards }
    }
}

/// What to do, in this order.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Why nothing is launched and nothing terminated, if so.
    pub hold: Option<Hold>,
    /// The pool gets its finalizer before anything else happens in its name.
    pub add_finalizer: bool,
    /// Whether the Secret of the pool's key is held.
    pub secrets: SecretHold,
    /// What each SpotInstance needs.
    pub instances: Vec<InstancePlan>,
    /// Machines that somebody wants to be taken over.
    pub adoptions: Adoptions,
    /// New numbers, and a SpotInstance for each.
    pub raise: Option<Raise>,
    /// For which SpotInstances a request is due.
    pub launch: Option<Chosen>,
    /// The pool's last SpotInstance is gone: so may the pool be.
    pub remove_finalizer: bool,
    /// Whom to ask is a guess that what the cloud advertises would inform: it is asked, and planned again.
    pub asks_stock: bool,
    /// What refused launches taught, for the status.
    pub memory: Memory,
    /// Machines that do not answer, and what is done about them.
    pub health: Health,
    /// Whose model server is asked from now on, by uid of the SpotInstance.
    pub questions: BTreeMap<String, Question>,
    /// Machines with this pool's tags that belong to no SpotInstance.
    pub unclaimed: Vec<InstanceId>,
    /// Machines that have to go and that only a person may judge: name or tags were changed.
    pub disputed: Vec<InstanceId>,
    /// Machines that have to go and that the cloud will not take back as things stand: SpotInstance, machine, and what
    /// it said.
    pub refused: Vec<(String, InstanceId, Trouble)>,
    /// SpotInstances whose machines were asked for in another account than the key opens, and that account.
    pub elsewhere: Vec<(String, String)>,
    /// SpotInstances whose machines stand still because the account has not paid.
    pub in_arrears: Vec<String>,
    /// SpotInstances that nobody here made.
    pub hand_made: Vec<String>,
    /// SpotInstances of another cluster that somebody has deleted here: their finalizers wait for that cluster's operator.
    pub other_cluster: Vec<String>,
    /// How many there are of what.
    pub tally: Tally,
    /// Look at the pool again after the first sweep begun at this time.
    pub look_after: Option<Timestamp>,
    /// Look at the pool again then, whatever happens.
    pub wake_after: Option<Duration>,
}

/// Why writes to the cloud hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// CamelCase.
    pub reason: &'static str,
    /// What is missing and what to do.
    pub message: String,
}

/// What one SpotInstance needs.
#[derive(Debug, Clone)]
pub struct InstancePlan {
    /// As it was read.
    pub instance: SpotInstance,
    /// Its new status, if that differs. Written first: when that fails, the step is not taken.
    pub status: Option<SpotInstanceStatus>,
    /// What comes after.
    pub step: Step,
}

impl InstancePlan {
    /// Its status as this pass leaves it.
    pub fn latest(&self) -> Option<&SpotInstanceStatus> {
        self.status.as_ref().or(self.instance.status.as_ref())
    }
}

/// What happens to one SpotInstance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Keep,
    /// The object is deleted (its finalizer keeps it until its machine is gone). Why, in one word.
    Delete(&'static str),
    /// These machines of it are terminated.
    Terminate(Vec<InstanceId>),
    /// Its finalizer goes.
    Release,
    /// Its finalizer goes and its machine lives on, as its pool asks.
    LetLive,
    /// These are terminated, and its finalizer goes without waiting (only with a guard off).
    TerminateAndRelease(Vec<InstanceId>),
}

/// New numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raise {
    /// The new value of `status.launched`.
    pub to: i64,
    /// Machines that are taken over, with their numbers: written down before their SpotInstances are made.
    pub adopt: Vec<Adoption>,
    /// The numbers to make SpotInstances for.
    pub create: Vec<i64>,
    /// The one among them that is started beside machines that do not answer, if one is or was.
    pub replacement: Option<i64>,
}

/// Who asks for a machine now, and for which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The numbers of the SpotInstances, old and new; at least one.
    pub numbers: Vec<i64>,
    /// What is asked for where. A request that is repeated asks for what it asked for before.
    pub candidate: Candidate,
    /// How many are asked for.
    pub target: Target,
}

/// How many machines are asked for: what the pool says, and one more beside machines that do not answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Target {
    /// Machines are launched up to this.
    pub least: usize,
    /// Machines are terminated down to this.
    pub most: usize,
}

/// How many there are of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// SpotInstances that count.
    pub counted: usize,
    /// Of these, and of those that were deleted by hand and wait for a replacement, the ones with a machine.
    pub with_machine: usize,
    /// Of the same, the ones that serve.
    pub ready: usize,
    /// SpotInstances on their way out.
    pub leaving: usize,
    /// How many are wanted, given how many there are.
    pub wanted: usize,
}

impl Plan {
    /// Whether there is nothing to write, neither to the API server nor to the cloud.
    pub fn is_empty(&self) -> bool {
        !self.add_finalizer
            && !self.remove_finalizer
            && self.secrets == SecretHold::default()
            && self.raise.is_none()
            && self.adoptions.make.is_empty()
            && self.launch.is_none()
            && self.instances.iter().all(|plan| plan.status.is_none() && plan.step == Step::Keep)
    }

    /// What is overdue was tried in this very pass and did not work: it is tried again, but not at once.
    fn wake_at(&mut self, at: Timestamp, now: Timestamp) {
        self.wake_in(if at > now { between(now, at) } else { OVERDUE });
    }

    /// Without the cloud's clock there is nothing to wait for yet; the plan wakes for the clock itself.
    fn wake_when_known(&mut self, at: Timestamp, now: Option<Timestamp>) {
        if let Some(now) = now {
            self.wake_at(at, now);
        }
    }

    fn wake_in(&mut self, pause: Duration) {
        let pause = pause.max(Duration::from_millis(50));
        self.wake_after = Some(self.wake_after.map_or(pause, |old| old.min(pause)));
    }

    /// Whoever is told to go is judged again when the cloud has had its time, or is asked again.
    fn after_farewells(&mut self, seen: &Observed) {
        let goes =
            |entry: &InstancePlan| matches!(entry.step, Step::Terminate(_) | Step::TerminateAndRelease(_));
        if self.instances.iter().any(goes) {
            self.wake_in(AFTER_TERMINATE);
        }
        if let Some(pause) = seen.told.values().filter(|told| told.rests()).map(|told| told.again_in).min() {
            self.wake_in(pause);
        }
    }

    fn look_after(&mut self, at: Timestamp) {
        self.look_after = Some(self.look_after.map_or(at, |old| old.min(at)));
    }
}

/// Pause before something overdue is tried again.
const OVERDUE: Duration = Duration::from_secs(2);
/// When the cloud's clock is not known yet, the next sweep will tell.
const UNTIL_THE_CLOCK_IS_KNOWN: Duration = Duration::from_secs(2);
/// A machine that was told to terminate is judged again after this.
pub const AFTER_TERMINATE: Duration = Duration::from_secs(5);

/// What people must know of a pause.
pub const PAUSED: &str =
    "spec.paused is set: nothing is launched and nothing terminated until it is taken away";
/// What people must know of every hold but a pause.
const MEANWHILE: &str = "Until that is over nothing is launched, replaced or terminated, and the machines that run are \
                         left as they are";

/// Decides.
pub fn plan(seen: &Observed, rules: &Rules, wall_now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    let mut members = member::members(seen, rules, wall_now, &mut plan);
    plan.hold = hold(seen, &members, rules);
    if let (Some(pool), None) = (seen.pool.valid(), &plan.hold) {
        let_go(&mut members, pool, rules, wall_now);
    }
    plan.secrets = secrets::hold(seen, &members, rules);
    plan.refused = members.iter().flat_map(|member| member.refused(seen)).collect();
    // Which machines a new key shows is not known before its first look.
    if seen.cloud.account().is_some_and(|account| account.snapshot.is_some()) {
        plan.elsewhere =
            members.iter().filter(|member| member.is_elsewhere()).map(Member::whereabouts).collect();
    }
    for member in &members {
        let step = member.step(seen, rules, wall_now, &mut plan);
        plan.instances.push(InstancePlan {
            instance: member.instance.clone(),
            status: member.changed(),
            step,
        });
    }
    match &seen.pool {
        PoolSeen::There(pool, valid) => {
            plan.questions = questions(valid, &members);
            plan.memory = pool.status.as_ref().map(Memory::of).unwrap_or_default();
            plan.health.care = pool.status.as_ref().map(|status| status.care.clone()).unwrap_or_default();
            if valid.leaving {
                plan.remove_finalizer = is_over(pool, &members);
            } else if !pool.finalizers().iter().any(|name| name == POOL_FINALIZER) {
                plan.add_finalizer = true;
            }
            plan.unclaimed = unclaimed(valid, seen, &members, rules);
            if let Some(account) = seen.cloud.account() {
                let unpaid = members.iter().filter(|member| member.is_in_arrears(account));
                plan.in_arrears = unpaid.map(|member| member.instance.name_any()).collect();
                size::fit(&mut plan, valid, &members, account, seen, rules, wall_now);
            }
        }
        PoolSeen::Invalid(pool, _) => {
            plan.remove_finalizer = pool.metadata.deletion_timestamp.is_some() && is_over(pool, &members);
        }
        PoolSeen::Gone => {}
    }
    plan.tally(&members, seen.pool.valid());
    plan.after_farewells(seen);
    if seen.cloud.account().is_some_and(|account| account.now.is_none()) {
        plan.wake_in(UNTIL_THE_CLOCK_IS_KNOWN);
    }
    plan
}

/// Nothing of the pool is left but its own object: no machine, no hold on a Secret.
fn is_over(pool: &SpotPool, members: &[Member]) -> bool {
    let held = pool.finalizers().iter().any(|name| name == POOL_FINALIZER);
    held && members.is_empty() && !secrets::any_held(pool)
}

/// Writes hold when there is no key, when nobody has looked yet, and when every known machine is missing
/// under a key other than the one that made them: that is another account, not a disaster.
fn hold(seen: &Observed, members: &[Member], rules: &Rules) -> Option<Hold> {
    let account = match &seen.cloud {
        // There is no pool that anything could be done for.
        CloudSeen::NoKey { reason, message } if seen.pool.object().is_none() => {
            return Some(Hold { reason, message: message.clone() });
        }
        CloudSeen::NoKey { reason, message } => {
            return Some(Hold { reason, message: sentences(&[message, MEANWHILE]) });
        }
        CloudSeen::Account(account) => account,
    };
    let lasting = |trouble: &Trouble| Hold {
        reason: reason::REFUSED,
        message: sentences(&[&trouble.advice(), MEANWHILE, "The cloud is asked again every minute"]),
    };
    if let Some(trouble) = account.trouble.as_ref().filter(|trouble| trouble.is_auth()) {
        return Some(lasting(trouble));
    }
    if account.snapshot.is_none() {
        return Some(match &account.trouble {
            None => Hold {
                reason: reason::NOT_LOOKED_YET,
                message: "the first look at the cloud is under way".to_owned(),
            },
            Some(trouble) if trouble.is_lasting() => lasting(trouble),
            Some(trouble) => Hold {
                reason: reason::CLOUD_UNREACHABLE,
                message: sentences(&[
                    &trouble.advice(),
                    MEANWHILE,
                    "The cloud is asked again every few seconds",
                ]),
            },
        });
    }
    if let Some(held) = another_account(account, members) {
        return Some(held);
    }
    let pool = seen.pool.valid()?;
    (pool.paused && !pool.leaving && rules.guards.pause)
        .then(|| Hold { reason: reason::PAUSED, message: PAUSED.to_owned() })
}

/// None of the pool's machines is visible, and some were asked for in another account: the key is another's.
fn another_account(account: &AccountSeen, members: &[Member]) -> Option<Hold> {
    let nothing_here = !members.iter().any(|member| account.shows(&member.instance));
    // What an earlier pool of this name left in another account says nothing about this one's.
    let elsewhere = members.iter().any(|member| member.belongs() && member.is_elsewhere());
    (nothing_here && elsewhere).then(|| Hold {
        reason: reason::ANOTHER_ACCOUNT,
        message: format!(
            "the key opens another account ({}) than the pool's machines are in, and none of them is visible; nothing \
             is launched or terminated until a key of their account is given back",
            account.id.name()
        ),
    })
}

/// Machines that serve, those included that were deleted by hand and wait for a replacement.
fn serving(members: &[Member]) -> usize {
    let serves =
        |member: &&Member| member.status.phase == Phase::Ready && (member.counts() || member.is_held());
    members.iter().filter(serves).count()
}

/// Of the machines that were deleted by hand and serve, the first deleted go as soon as enough others serve. (One that
/// does not answer goes when another one's answer speaks against it, like any other: see [`health`].)
fn let_go(members: &mut [Member], pool: &ValidPool, rules: &Rules, wall_now: Timestamp) {
    let spare = serving(members).saturating_sub(pool.least);
    let mut held: Vec<&mut Member> =
        members.iter_mut().filter(|member| member.is_held() && member.status.phase == Phase::Ready).collect();
    held.sort_by_key(|member| member.instance.metadata.deletion_timestamp.as_ref().map(|time| time.0));
    let may_go = if rules.guards.replacement_first { spare } else { usize::MAX };
    for member in held.into_iter().take(may_go) {
        member.let_go(machine::DELETED, wall_now);
    }
}

fn questions(pool: &ValidPool, members: &[Member]) -> BTreeMap<String, Question> {
    let running = |member: &&Member| (member.counts() || member.is_held()) && member.can_be_asked();
    let question = |member: &Member| {
        let target = ProbeTarget {
            address: member.status.address.clone()?,
            port: pool.probe.port,
            path: pool.probe.path.clone(),
            timeout: pool.probe.interval.min(Duration::from_secs(5)),
        };
        let (interval, threshold) = (pool.probe.interval, pool.probe.threshold);
        Some((member.uid.clone(), Question { target, interval, threshold }))
    };
    members.iter().filter(running).filter_map(question).collect()
}

/// Machines that carry this pool's tags or names and that no SpotInstance knows.
fn unclaimed(pool: &ValidPool, seen: &Observed, members: &[Member], rules: &Rules) -> Vec<InstanceId> {
    let Some(account) = seen.cloud.account() else { return Vec::new() };
    let prefix = name_prefix(&rules.cluster_id, &pool.uid);
    let shown = account.snapshot.iter().flat_map(|snapshot| snapshot.machines.values());
    let written = seen.pool.object().map_or(&[][..], adoption::adopting);
    let recorded: BTreeSet<InstanceId> =
        members.iter().flat_map(Member::recorded).map(|(id, _)| id).collect();
    let claimed = |id: &InstanceId| {
        recorded.contains(id) || written.iter().any(|adoption| adoption.machine.instance_id == id.as_str())
    };
    // What a request under way, or one without an answer, has made is recorded as soon as that is known.
    let awaited = |machine: &tencent_cvm::Instance| members.iter().any(|member| member.awaits(machine));
    // A pool of this name that was there before a restore had another uid.
    let earlier = |machine: &tencent_cvm::Instance| {
        made_for(machine).as_ref() == Some(&pool.key)
            && machine.tag(POOL_TAG).is_some_and(|uid| !account.pools.contains(uid))
    };
    let mut ids: Vec<InstanceId> = shown
        .filter(|machine| {
            machine.tag(POOL_TAG) == Some(pool.uid.as_str())
                || machine.name.starts_with(&prefix)
                || earlier(machine)
        })
        .filter(|machine| !leave::is_going(machine) && !claimed(&machine.id) && !awaited(machine))
        .map(|machine| machine.id.clone())
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

impl Plan {
    fn tally(&mut self, members: &[Member], pool: Option<&ValidPool>) {
        let counted: Vec<_> = members.iter().filter(|member| member.counts()).collect();
        self.tally =
            Tally {
                counted: counted.len(),
                with_machine: members
                    .iter()
                    .filter(|member| member.counts() || member.is_held())
                    .filter(|member| member.status.instance_id.is_some())
                    .count(),
                ready: serving(members),
                leaving: members.len() - counted.len(),
                wanted: pool.map_or(0, |pool| {
                    if pool.leaving { 0 } else { counted.len().clamp(pool.least, pool.most) }
                }),
            };
    }
}
