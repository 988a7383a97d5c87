//! What the judge knows: pools, SpotInstances and machines, as they really are.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use sim::cvm::Launch;
use spotpool_operator::crd::{Phase, SpotPoolSpec};
use spotpool_operator::identity::{CLUSTER_TAG, INSTANCE_TAG, POOL_TAG};
use spotpool_operator::ports::PoolKey;

/// A decision goes by what was read a little before the last read too: passes and flights overlap, and a request
/// may leave as long as the send window is open.
pub(super) const OVERLAP: Duration = Duration::from_secs(22);

/// What was decided before a pool was paused has taken effect after this: late requests and stalled processes
/// included.
const SETTLED: Duration = Duration::from_secs(90);

/// Two processes that both believe to lead may each let one go.
pub(super) const TWO_LEADERS: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(super) struct Book {
    /// Uids of the clusters.
    pub(super) clusters: Vec<String>,
    /// By uid.
    pub(super) pools: BTreeMap<String, Pool>,
    /// By uid.
    pub(super) instances: BTreeMap<String, Instance>,
    /// By the cloud's id.
    pub(super) machines: BTreeMap<String, Machine>,
    /// The SpotInstance (uid) that may use a name.
    pub(super) by_name: BTreeMap<String, String>,
    /// When each process last read each pool, whatever for.
    pub(super) glances: BTreeMap<(u32, PoolKey), Duration>,
    /// When each process last read each pool together with its SpotInstances.
    pub(super) reads: BTreeMap<(u32, PoolKey), Duration>,
    /// When each Secret was made, by cluster and name.
    pub(super) secrets: BTreeMap<(String, String), Duration>,
    /// Names of which two machines may come to be through no fault of ours.
    pub(super) excused: BTreeSet<String>,
    /// Names of which a request was doubled on its way.
    pub(super) doubled: BTreeSet<String>,
    /// When a model server last answered, by its address.
    pub(super) answered: BTreeMap<String, Duration>,
    /// The id of the key that each Secret holds, by cluster and name.
    pub(super) keys: BTreeMap<(String, String), String>,
    /// Machines that run again, while no answer of the cloud has told so to whoever looks with their pool's key.
    pub(super) running_again: BTreeSet<String>,
    /// When a request that the network delays was sent, by RequestId.
    pub(super) delayed: BTreeMap<String, Duration>,
}

/// One pool.
pub(super) struct Pool {
    pub(super) leaving_at: Option<Duration>,
    pub(super) gone_at: Option<Duration>,
    /// Taken away by hand, finalizer and all.
    pub(super) dropped: bool,
    /// Machines that it ever was to take over.
    pub(super) adopts: BTreeSet<String>,
    /// The Secret that it names.
    pub(super) secret: Option<String>,
    /// The fewest and the most machines that are asked for, from each time on.
    pub(super) sizes: Vec<(Duration, i32, i32)>,
    /// What may be asked for, from each time on.
    pub(super) offers: Vec<(Duration, Offer)>,
    /// Since when nothing may be launched or terminated for it.
    pub(super) paused_at: Option<Duration>,
    /// Since when its namespace is being deleted.
    pub(super) namespace_leaving_at: Option<Duration>,
    /// Somebody wants its machines to outlive it.
    pub(super) keeps: bool,
    /// Since when it is leaving and its machines are to live on.
    pub(super) kept_at: Option<Duration>,
    /// Numbers of SpotInstances that were started beside machines that do not answer.
    pub(super) replacements: BTreeSet<i64>,
    /// The one of them that is beside the others still.
    pub(super) beside: Option<i64>,
    /// So long rests who has sent a machine away for not answering.
    pub(super) pause: Duration,
    /// So long may a machine not have answered before it is out of service.
    pub(super) patience: Duration,
    /// The last of them that was sent away.
    pub(super) sent_away: Option<SentAway>,
    /// When machines that never answered were sent away within the last hour.
    pub(super) never_served: VecDeque<Duration>,
    /// When its requests of the last hour were refused.
    pub(super) refused: VecDeque<Duration>,
    /// When its requests of the last hour were granted.
    pub(super) answered: VecDeque<Duration>,
}

/// A SpotInstance that was sent away for not answering.
pub(super) struct SentAway {
    uid: String,
    /// When the pool was read on which that was decided, and when it was written.
    read: Duration,
    written: Duration,
}

/// What a pool asks for: how it is paid, and which types in which zones.
#[derive(PartialEq, Eq)]
pub(super) struct Offer {
    charge_type: String,
    places: BTreeSet<(String, String)>,
}

impl Offer {
    pub(super) fn of(spec: &SpotPoolSpec) -> Self {
        let candidates = spec.candidates.iter().flatten();
        let places: BTreeSet<_> =
            candidates.map(|one| (one.instance_type.clone(), one.availability_zone.clone())).collect();
        let only = (spec.instance_type.clone(), spec.availability_zone.clone());
        Self {
            charge_type: spec.instance_charge_type.as_str().to_owned(),
            places: if places.is_empty() { [only].into() } else { places },
        }
    }

    fn has(&self, launch: &Launch) -> bool {
        self.charge_type == launch.charge_type
            && self.places.contains(&(launch.instance_type.clone(), launch.zone.clone()))
    }
}

/// The fewest and the most machines that a pool asks for: its bounds, or what `replicas` names within them.
pub(super) fn bounds(spec: &SpotPoolSpec) -> (i32, i32) {
    let held = spec.replicas.map(|replicas| replicas.clamp(spec.minimum, spec.maximum));
    (held.unwrap_or(spec.minimum), held.unwrap_or(spec.maximum))
}

/// A decision goes by a status that another leader may have changed since.
const DECIDED: Duration = Duration::from_secs(60);

/// Clocks of seconds, a look that began before the last answer, and a question what is in stock between the decision
/// and the write.
const SOONER: Duration = Duration::from_secs(8);
/// So many machines that never answered may be replaced in an hour, or three times the maximum.
const BOOTS: usize = 10;

/// What is wrong about sending a machine away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hasty {
    /// Another one went just before.
    Together,
    /// So many went within the hour.
    TooMany(usize),
}

/// A pool may cost so many refused requests an hour.
const REFUSALS: usize = 60;
const HOUR: Duration = Duration::from_secs(3600);

impl Pool {
    /// Notes a request that was refused or granted. More refusals than are due in an hour are told: besides the
    /// pool's budget, what is asked for side by side after each machine that was granted may be refused side by
    /// side.
    pub(super) fn asked(&mut self, now: Duration, granted: bool) -> Option<usize> {
        let noted = if granted { &mut self.answered } else { &mut self.refused };
        noted.push_back(now);
        for times in [&mut self.refused, &mut self.answered] {
            while times.front().is_some_and(|at| now.saturating_sub(*at) >= HOUR) {
                times.pop_front();
            }
        }
        (self.refused.len() > REFUSALS).then_some(self.refused.len())
    }

    /// Notes that the machine of this SpotInstance is sent away for not answering, by what was read at that time. What is
    /// wrong with that. (Who does not know whether that was written decides anew.)
    pub(super) fn sends_away(
        &mut self,
        uid: &str,
        now: Duration,
        read: Duration,
        never_served: bool,
    ) -> Option<Hasty> {
        let before = self.sent_away.replace(SentAway { uid: uid.to_owned(), read, written: now });
        if before.as_ref().is_some_and(|before| before.uid == uid) {
            return None;
        }
        if never_served {
            self.never_served.push_back(now);
        }
        while self.never_served.front().is_some_and(|at| now.saturating_sub(*at) >= HOUR) {
            self.never_served.pop_front();
        }
        let most = BOOTS.max(3 * self.bounds_since(now.saturating_sub(HOUR)).1);
        // The decision came between the read and the write: looks may lie before it, and a late write behind it.
        let apart =
            |before: SentAway| read.saturating_sub(before.read).max(now.saturating_sub(before.written));
        if before.is_some_and(|before| apart(before) + SOONER < self.pause) {
            return Some(Hasty::Together);
        }
        (self.never_served.len() > most).then_some(Hasty::TooMany(self.never_served.len()))
    }

    /// Whether a machine like this one was asked for since `from`.
    pub(super) fn asked_for(&self, launch: &Launch, from: Duration) -> bool {
        let first = self.offers.iter().rposition(|(at, _)| *at <= from).unwrap_or(0);
        self.offers[first..].iter().any(|(_, offer)| offer.has(launch))
    }

    /// The greatest (minimum, maximum) that was asked for since `from`.
    pub(super) fn bounds_since(&self, from: Duration) -> (usize, usize) {
        let first = self.sizes.iter().rposition(|(at, _, _)| *at <= from).unwrap_or(0);
        let sizes = &self.sizes[first..];
        let greatest = |of: fn(&(Duration, i32, i32)) -> i32| sizes.iter().map(of).max().unwrap_or(0);
        let count = |size: i32| usize::try_from(size).unwrap_or(0);
        (count(greatest(|size| size.1)), count(greatest(|size| size.2)))
    }

    /// The smallest minimum that was asked for since `from`.
    pub(super) fn least_since(&self, from: Duration) -> usize {
        self.smallest_since(from, |size| size.1)
    }

    /// The smallest maximum that was asked for since `from`.
    pub(super) fn most_since(&self, from: Duration) -> usize {
        self.smallest_since(from, |size| size.2)
    }

    fn smallest_since(&self, from: Duration, of: fn(&(Duration, i32, i32)) -> i32) -> usize {
        let first = self.sizes.iter().rposition(|(at, _, _)| *at <= from).unwrap_or(0);
        usize::try_from(self.sizes[first..].iter().map(of).min().unwrap_or(0)).unwrap_or(0)
    }

    /// Whether it has been paused for so long that everything decided before has taken effect.
    pub(super) fn rests(&self, now: Duration) -> bool {
        self.lost_at().is_none() && self.paused_at.is_some_and(|at| now.saturating_sub(at) > SETTLED)
    }

    /// Its machines live on from the time on at which it goes, or all that is in its namespace.
    pub(super) fn keeps_from(&mut self, now: Duration) {
        if self.keeps && (self.leaving_at.is_some() || self.namespace_leaving_at.is_some()) {
            self.kept_at.get_or_insert(now);
        }
    }

    /// When it began to go.
    pub(super) fn lost_at(&self) -> Option<Duration> {
        self.leaving_at.or(self.gone_at)
    }
}

/// One SpotInstance.
pub(super) struct Instance {
    pub(super) name: String,
    pub(super) n: i64,
    pub(super) phase: Phase,
    /// Since when the store says so.
    pub(super) phase_since: Duration,
    /// When the store last said that it does not serve.
    pub(super) unwell_at: Duration,
    /// Where its model server is asked.
    pub(super) address: Option<String>,
    /// Somebody has deleted it, and not the operator.
    pub(super) deleted_by_hand: bool,
    pub(super) pool: PoolKey,
    pub(super) pool_uid: String,
    /// The cluster in whose store it stands.
    pub(super) cluster: String,
    /// Whether its cluster id is that of the store it stands in.
    pub(super) own_cluster: bool,
    /// Its machine's name.
    pub(super) machine_name: String,
    /// The uids of pool and SpotInstance that its machine's tags should name.
    pub(super) tags: (Option<String>, Option<String>),
    /// The machine that it was made for, when that was there before.
    pub(super) adopted: Option<String>,
    pub(super) created_at: Duration,
    pub(super) leaving_at: Option<Duration>,
    pub(super) gone_at: Option<Duration>,
    /// ClientTokens of the attempts that were ever written.
    pub(super) tokens: BTreeSet<String>,
    /// What the latest attempt goes by: when its process last read the pool.
    pub(super) basis: Duration,
    /// What the first one goes by.
    pub(super) first_basis: Option<Duration>,
    /// The machines on record now, and when the record of a former one ended.
    pub(super) recorded: BTreeMap<String, Option<Duration>>,
    /// `status.instanceId`.
    pub(super) machine: Option<String>,
    /// `status.account` is the other account.
    pub(super) asked_elsewhere: bool,
    /// `status.extra`.
    pub(super) extra: BTreeSet<String>,
}

impl Instance {
    pub(super) fn counts(&self) -> bool {
        self.leaving_at.is_none() && self.gone_at.is_none()
    }

    pub(super) fn basis_of_attempt(&mut self, written: Duration, read: Option<Duration>) {
        let latest = written.saturating_sub(OVERLAP);
        self.basis = read.unwrap_or(latest).min(latest);
        self.first_basis.get_or_insert(self.basis);
    }
}

/// One machine.
pub(super) struct Machine {
    pub(super) name: String,
    pub(super) tags: BTreeMap<String, String>,
    /// Whether RunInstances made it.
    pub(super) by_call: bool,
    /// Who pays for it.
    pub(super) account: String,
    pub(super) life: Life,
    /// Since when the cloud shows that it runs, if it does as far as it lives.
    pub(super) runs_since: Option<Duration>,
    /// It stands still until somebody pays.
    pub(super) unpaid: bool,
    /// It once did.
    pub(super) was_unpaid: bool,
}

/// How a machine stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// It exists and is not on its way out.
    Living,
    /// On its way out, still there.
    Leaving,
    /// Not there any more.
    Gone,
}

impl Machine {
    pub(super) fn lives(&self) -> bool {
        self.life == Life::Living
    }

    pub(super) fn exists(&self) -> bool {
        self.life != Life::Gone
    }
}

impl Book {
    /// How many processes have read this pool of late.
    pub(super) fn readers(&self, pool: &PoolKey, now: Duration) -> usize {
        let of_late = |((_, key), at): &(&(u32, PoolKey), &Duration)| {
            key == pool && now.saturating_sub(**at) < TWO_LEADERS
        };
        self.reads.iter().filter(of_late).count()
    }

    /// Whether the SpotInstance's pool has gone and let its machines live.
    pub(super) fn is_kept(&self, instance: &Instance) -> bool {
        self.pools.get(&instance.pool_uid).is_some_and(|pool| pool.kept_at.is_some())
    }

    /// The SpotInstance in whose attempts this token stands.
    pub(super) fn instance_of_token(&self, token: &str) -> Option<&Instance> {
        self.instances.values().find(|instance| instance.tokens.contains(token))
    }

    /// The SpotInstance of this machine name, in the store or not.
    pub(super) fn instance_of(&self, machine_name: &str) -> Option<(&String, &Instance)> {
        self.instances.get_key_value(self.by_name.get(machine_name)?)
    }

    /// Whether the machine's tags say that it is this SpotInstance's.
    pub(super) fn belongs(&self, machine: &Machine, instance: &Instance) -> bool {
        let tag = |key: &str| machine.tags.get(key);
        let (pool, uid) = &instance.tags;
        tag(CLUSTER_TAG).is_some_and(|cluster| self.clusters.contains(cluster))
            && tag(POOL_TAG) == pool.as_ref()
            && tag(INSTANCE_TAG) == uid.as_ref()
    }

    /// Whether a machine is the SpotInstance's own, or one that nobody could tell from it.
    pub(super) fn is_of(&self, id: &str, machine: &Machine, instance: &Instance) -> bool {
        machine.name == instance.machine_name
            && self.belongs(machine, instance)
            && instance.adopted.as_ref().is_none_or(|own| own == id)
    }

    /// Whether another SpotInstance of its pool has a machine that does not serve, as the store says.
    pub(super) fn has_unwell(&self, instance: &Instance) -> bool {
        let unwell = |other: &&Instance| {
            other.pool_uid == instance.pool_uid
                && other.n != instance.n
                && (other.phase != Phase::Ready || other.unwell_at + DECIDED >= instance.basis)
        };
        self.instances.values().any(|other| unwell(&other))
    }

    /// Whether a SpotInstance's model server answered somebody since then.
    pub(super) fn answered_since(&self, instance: &Instance, then: Duration) -> bool {
        let at = instance.address.as_ref().and_then(|address| self.answered.get(address));
        at.is_some_and(|at| *at >= then)
    }

    /// Whether this SpotInstance of the pool was made for a machine that somebody wanted to be taken over: that may
    /// have been while another was asked for already.
    pub(super) fn was_there_before(&self, pool_uid: &str, name: &str) -> bool {
        let adopted = |instance: &Instance| instance.adopted.is_some();
        self.instances.values().any(|it| it.pool_uid == pool_uid && it.name == name && adopted(it))
    }

    /// SpotInstances of this pool that stay, or were deleted by hand, and have a machine. (That it is there and serves
    /// may be known to its process and not written yet.)
    pub(super) fn staffed(&self, pool_uid: &str) -> usize {
        let staffed = |instance: &&Instance| {
            instance.pool_uid == pool_uid
                && instance.gone_at.is_none()
                && (instance.machine.is_some() || self.has_machine(instance))
                && (instance.leaving_at.is_none() || instance.deleted_by_hand)
        };
        self.instances.values().filter(staffed).count()
    }

    /// Living machines of this name that calls made.
    pub(super) fn living(&self, name: &str) -> impl Iterator<Item = (&String, &Machine)> {
        self.machines
            .iter()
            .filter(move |(_, machine)| machine.name == name && machine.by_call && machine.lives())
    }

    /// Whether a machine of its own lives. An exact copy that stands for the original is as good as that.
    pub(super) fn has_machine(&self, instance: &Instance) -> bool {
        self.machines.iter().any(|(id, machine)| machine.lives() && self.is_of(id, machine, instance))
    }

    /// SpotInstances of this pool that count and have a living machine, without this one.
    pub(super) fn manned(&self, pool_uid: &str, without: &str) -> Vec<&str> {
        let of_pool = |(uid, instance): &(&String, &Instance)| {
            instance.pool_uid == pool_uid && *uid != without && instance.counts()
        };
        let instances = self.instances.iter().filter(of_pool);
        instances
            .filter(|(_, instance)| self.has_machine(instance) && !self.is_left_with_a_double(instance))
            .map(|(_, instance)| instance.name.as_str())
            .collect()
    }

    /// Whether its own machine is gone and all that lives of it came from the copy of a doubled request, which has no
    /// answer: until that machine's tags are there and a look shows it, nobody can know of it.
    fn is_left_with_a_double(&self, instance: &Instance) -> bool {
        let of_it = |id: &String, machine: &Machine| machine.lives() && self.is_of(id, machine, instance);
        let mut living = self.machines.iter().filter(|(id, machine)| of_it(id, machine));
        self.doubled.contains(&instance.machine_name)
            && instance.machine.is_some()
            && living.all(|(id, _)| !instance.recorded.contains_key(id) && !instance.extra.contains(id))
    }
}
