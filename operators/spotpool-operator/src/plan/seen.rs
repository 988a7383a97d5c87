//! What one pass read: the input of the plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use kube::api::ObjectMeta;
use tencent_cvm::{AccountQuota, Instance, InstanceId};

use super::Rules;
use super::advertised::Advertised;
use crate::crd::{SpotInstance, SpotPool};
use crate::identity::{AccountId, Claim, claim};
use crate::probes::ProbeView;
use crate::span::between;
use crate::sweep::{Snapshot, Trouble};
use crate::valid::{InvalidPool, ValidPool};

/// Everything that one pass over one pool read.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The pool.
    pub pool: PoolSeen,
    /// Whether the pool's namespace is being deleted: nothing can be made in it any more.
    pub namespace_leaving: bool,
    /// The Secret that the pool names, when it is there.
    pub secret: Option<ObjectMeta>,
    /// Every SpotInstance of the pool's name, by number.
    pub instances: Vec<SpotInstance>,
    /// The cloud, as far as it could be asked.
    pub cloud: CloudSeen,
    /// What the machines' model servers said, by uid of the SpotInstance.
    pub probes: BTreeMap<String, ProbeView>,
    /// SpotInstances (by uid) whose RunInstances is under way in this process.
    pub in_flight: BTreeSet<String>,
    /// What the cloud said when machines on record were to be terminated.
    pub told: BTreeMap<InstanceId, Told>,
}

impl Observed {
    /// The account that can say something about this SpotInstance's machine: the pool's, if it is in the same
    /// region (a pool may have been made anew under the same name elsewhere) and the one that the machine was
    /// asked for in.
    pub fn account_of(&self, instance: &SpotInstance, rules: &Rules) -> Option<&AccountSeen> {
        let pool = self.pool.valid()?;
        let speaks = |account: &&AccountSeen| {
            pool.region == instance.spec.region && account.speaks_of(instance, rules)
        };
        self.cloud.account().filter(speaks)
    }

    /// Whether the pool goes, or is gone. In a namespace that goes everything is deleted in any order, the SpotInstances
    /// before their pool too.
    pub fn pool_goes(&self) -> bool {
        self.namespace_leaving
            || self.pool.object().is_none_or(|pool| pool.metadata.deletion_timestamp.is_some())
    }

    /// Whether the pool goes and its machines stay.
    pub fn lets_machines_live(&self) -> bool {
        self.pool_goes() && self.pool.valid().is_some_and(|pool| pool.keeps_machines)
    }
}

/// What the cloud said when a machine was to be terminated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// It is not worth asking again before; nothing: it may be asked at once.
    pub again_in: Duration,
    /// The cloud refused.
    pub refused: Option<Trouble>,
}

impl Told {
    /// It was told a moment ago, or was refused and is left alone for a while.
    pub fn rests(&self) -> bool {
        !self.again_in.is_zero()
    }
}

/// The pool, as read.
#[derive(Debug, Clone)]
pub enum PoolSeen {
    /// There is none of this name.
    Gone,
    /// There is one that makes no sense.
    Invalid(Box<SpotPool>, InvalidPool),
    /// There is one.
    There(Box<SpotPool>, Box<ValidPool>),
}

impl PoolSeen {
    /// The pool that makes sense.
    pub fn valid(&self) -> Option<&ValidPool> {
        match self {
            Self::There(_, valid) => Some(valid),
            Self::Gone | Self::Invalid(..) => None,
        }
    }

    /// The object.
    pub fn object(&self) -> Option<&SpotPool> {
        match self {
            Self::There(pool, _) | Self::Invalid(pool, _) => Some(pool),
            Self::Gone => None,
        }
    }
}

/// What is known of the cloud.
#[derive(Debug, Clone)]
pub enum CloudSeen {
    /// There is no key to ask with, or none that could be used: a reason word and a sentence.
    NoKey {
        /// CamelCase.
        reason: &'static str,
        /// What is missing and what to do.
        message: String,
    },
    /// It is being asked.
    Account(Box<AccountSeen>),
}

/// What is known of the account that the pool's key opens.
#[derive(Debug, Clone, Default)]
pub struct AccountSeen {
    /// Whose it is: recorded with each machine.
    pub id: AccountId,
    /// The uids of all pools that this operator looks after, and of those that may be there besides and that machines
    /// are tagged for which this one is to take over.
    pub pools: BTreeSet<String>,
    /// What it may have, as far as the cloud has told.
    pub quota: Option<Arc<AccountQuota>>,
    /// Whether the key stands in the spec itself.
    pub inline_key: bool,
    /// The cloud's time; `None` when it was not learnt in the last five minutes.
    pub now: Option<Timestamp>,
    /// The latest complete look.
    pub snapshot: Option<Arc<Snapshot>>,
    /// Why the latest sweep failed, if it did.
    pub trouble: Option<Trouble>,
    /// Looks by name, by uid of the SpotInstance.
    pub by_name: BTreeMap<String, NameLook>,
    /// Machines read by id in this very pass; `None`: not there.
    pub fresh: BTreeMap<InstanceId, Option<Instance>>,
    /// What is advertised of the pool's candidates, if anybody had use for it.
    pub advertised: Option<Advertised>,
    /// The ids of the snapshot's machines by their names: empty at first, made when one is asked for, since every
    /// SpotInstance asks.
    pub by_machine_name: OnceLock<BTreeMap<String, Vec<InstanceId>>>,
}

/// A complete look for the machines of one name.
#[derive(Debug, Clone)]
pub struct NameLook {
    /// When it began, by the cloud's clock.
    pub begun: Timestamp,
    /// What it showed.
    pub machines: Vec<Instance>,
}

/// What an old look showed may be gone by now; what it did not show still was not there.
const MACHINES_ARE_NEWS: Duration = Duration::from_secs(30);

impl NameLook {
    /// Whether the look still says something at this time. An old one that showed machines says nothing: neither
    /// that they are there nor that they are not.
    pub fn holds(&self, now: Option<Timestamp>) -> bool {
        let is_news = || now.is_some_and(|now| between(self.begun, now) <= MACHINES_ARE_NEWS);
        self.machines.is_empty() || is_news()
    }
}

impl CloudSeen {
    /// The account, when there is one.
    pub fn account(&self) -> Option<&AccountSeen> {
        match self {
            Self::Account(account) => Some(account),
            Self::NoKey { .. } => None,
        }
    }
}

impl AccountSeen {
    /// Whether looks at this account say anything about a SpotInstance's machine: only if it was asked for in
    /// this account, or stands there.
    pub fn speaks_of(&self, instance: &SpotInstance, rules: &Rules) -> bool {
        let label = instance.status.as_ref().and_then(|status| status.account.as_ref());
        label.is_none_or(|label| self.id.is(label)) || self.shows(instance) || !rules.guards.own_account
    }

    /// Takes from the machines that the key shows whose account it opens.
    pub fn learn_from(&mut self, instances: &[SpotInstance]) {
        for instance in instances {
            let label = instance.status.as_ref().and_then(|status| status.account.as_deref());
            if let Some(label) = label.filter(|_| self.shows(instance)) {
                self.id.learn(label);
            }
        }
    }

    /// Whether the SpotInstance's recorded machine stands in this account.
    pub fn shows(&self, instance: &SpotInstance) -> bool {
        let id = instance.status.as_ref().and_then(|status| status.instance_id.as_deref());
        id.map(|id| self.machine(&id.into())).is_some_and(
            |sight| matches!(sight, Sight::Present(machine) if claim(instance, machine) != Claim::Foreign),
        )
    }

    /// What is known of a machine by its id.
    pub fn machine(&self, id: &InstanceId) -> Sight<'_> {
        match self.fresh.get(id) {
            Some(Some(machine)) => return Sight::Present(machine),
            // Read by id alone, which proves nothing; but there is nothing to act on either.
            Some(None) => return Sight::Absent(None),
            None => {}
        }
        let Some(snapshot) = &self.snapshot else { return Sight::Unknown };
        if let Some(machine) = snapshot.machines.get(id) {
            return Sight::Present(machine);
        }
        if snapshot.absent.contains(id) { Sight::Absent(snapshot.begun) } else { Sight::Unknown }
    }

    /// Every machine of exactly this name that any look of this pass shows, by id.
    pub fn named(&self, name: &str, uid: &str) -> BTreeMap<&InstanceId, &Instance> {
        let looked = self.by_name.get(uid).into_iter().flat_map(|look| &look.machines);
        let looked = looked.filter(|machine| machine.name == name).map(|machine| (&machine.id, machine));
        let Some(snapshot) = &self.snapshot else { return looked.collect() };
        let by_name = self.by_machine_name.get_or_init(|| {
            let mut by_name: BTreeMap<String, Vec<InstanceId>> = BTreeMap::new();
            for machine in snapshot.machines.values() {
                by_name.entry(machine.name.clone()).or_default().push(machine.id.clone());
            }
            by_name
        });
        let ids = by_name.get(name).into_iter().flatten();
        looked.chain(ids.filter_map(|id| snapshot.machines.get_key_value(id))).collect()
    }
}

/// What the looks say of one id.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sight<'a> {
    /// It is there.
    Present(&'a Instance),
    /// A complete look, by listing and by id, did not show it; when that look began, if known.
    Absent(Option<Timestamp>),
    /// Nobody asked yet.
    Unknown,
}
