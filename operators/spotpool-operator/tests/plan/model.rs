//! A pool, its SpotInstances and its cloud, small enough to carry out plans in the head: every write works
//! at once, every look is complete. What can fail is the simulation's business.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use spotpool_operator::crd::{AttemptOutcome, INSTANCE_FINALIZER, SpotInstance, SpotPool, whole_seconds};
use spotpool_operator::identity::{Claim, claim};
use spotpool_operator::plan::admit::{Admission, Launch, admit};
use spotpool_operator::plan::seen::NameLook;
use spotpool_operator::plan::{
    AccountSeen, CloudSeen, Observed, Plan, PoolSeen, Step, attempts, plan, reads,
};
use spotpool_operator::probes::ProbeView;
use spotpool_operator::span::{between, earlier, later};
use spotpool_operator::status::status;
use spotpool_operator::sweep::Snapshot;
use spotpool_operator::valid::ValidPool;
use tencent_cvm::{Instance, InstanceId, InstanceState};

use crate::given::{POOL_UID, at, attempt, instance, machine, rules};

pub(crate) struct Model {
    pub(crate) now: Timestamp,
    pub(crate) pool: Option<SpotPool>,
    pub(crate) instances: Vec<SpotInstance>,
    pub(crate) machines: BTreeMap<InstanceId, Instance>,
    /// Machines that must outlive everything.
    pub(crate) strangers: BTreeSet<InstanceId>,
    pub(crate) stock: usize,
    /// Model servers (by number) that do not answer, and since when.
    pub(crate) silent: BTreeMap<i64, Timestamp>,
    /// Since when no model server can be asked.
    pub(crate) cut_since: Option<Timestamp>,
    /// How long ago another machine had answered when a silent one was last asked.
    pub(crate) others_answered_ago: Option<Duration>,
    /// How long ago the latest look began: the operator has stood still since.
    pub(crate) looked_ago: Duration,
    /// The pool's namespace is being deleted.
    pub(crate) namespace_leaving: bool,
    /// The operator has just begun: it has asked no model server yet.
    pub(crate) nobody_asked: bool,
    /// It has not asked this one (by number) yet.
    pub(crate) not_asked: Option<i64>,
    /// Machines that the latest look has neither listed nor asked for.
    pub(crate) not_looked_for: BTreeSet<InstanceId>,
    made: usize,
}

impl Model {
    pub(crate) fn new(pool: SpotPool, stock: usize) -> Self {
        Self {
            now: at(0),
            pool: Some(pool),
            instances: Vec::new(),
            machines: BTreeMap::new(),
            strangers: BTreeSet::new(),
            stock,
            silent: BTreeMap::new(),
            cut_since: None,
            others_answered_ago: Some(Duration::ZERO),
            looked_ago: Duration::ZERO,
            namespace_leaving: false,
            nobody_asked: false,
            not_asked: None,
            not_looked_for: BTreeSet::new(),
            made: 0,
        }
    }

    pub(crate) fn observe(&self) -> Observed {
        let pool = match &self.pool {
            None => PoolSeen::Gone,
            Some(pool) => {
                PoolSeen::There(Box::new(pool.clone()), Box::new(ValidPool::try_from(pool).unwrap()))
            }
        };
        let statuses = self.instances.iter().filter_map(|instance| instance.status.as_ref());
        let written = statuses.flat_map(|status| {
            let extra = status.extra.iter().map(|extra| extra.instance_id.as_str());
            status.instance_id.as_deref().into_iter().chain(extra)
        });
        let adopted = self.instances.iter().filter_map(|instance| instance.spec.adopted.as_ref());
        let asked = written.chain(adopted.map(|machine| machine.instance_id.as_str())).map(InstanceId::from);
        let absent =
            asked.filter(|id| !self.machines.contains_key(id) && !self.not_looked_for.contains(id)).collect();
        let snapshot = Snapshot {
            begun: Some(earlier(self.now, self.looked_ago)),
            machines: self.machines.clone(),
            absent,
        };
        let account =
            AccountSeen { now: Some(self.now), snapshot: Some(Arc::new(snapshot)), ..AccountSeen::default() };
        let mut seen = Observed {
            pool,
            namespace_leaving: self.namespace_leaving,
            secret: None,
            instances: self.instances.clone(),
            cloud: CloudSeen::Account(Box::new(account)),
            probes: self
                .instances
                .iter()
                .filter_map(|instance| Some((instance.uid()?, self.probe(instance)?)))
                .collect(),
            in_flight: BTreeSet::new(),
            told: BTreeMap::new(),
        };
        let wanted = reads::wanted(&seen, &rules());
        if let CloudSeen::Account(account) = &mut seen.cloud {
            for (uid, name) in wanted.by_name {
                let machines =
                    self.machines.values().filter(|machine| machine.name == name).cloned().collect();
                account.by_name.insert(uid, NameLook { begun: self.now, machines });
            }
            account.fresh =
                wanted.fresh.into_iter().map(|id| (id.clone(), self.machines.get(&id).cloned())).collect();
        }
        seen
    }

    fn probe(&self, instance: &SpotInstance) -> Option<ProbeView> {
        let id = instance.status.as_ref()?.instance_id.as_deref()?;
        // What another account has is not seen here, and answers all the same.
        let state = self.machines.get(&id.into()).map(|machine| machine.state.clone());
        if state.is_some_and(|state| state != Some(InstanceState::Running)) {
            return None;
        }
        if self.nobody_asked || self.not_asked == Some(instance.spec.n) {
            return Some(ProbeView::default());
        }
        let silent = self.silent.get(&instance.spec.n).copied();
        let silent = silent.or(self.cut_since).map(|since| between(since, self.now));
        Some(match silent {
            None => ProbeView {
                ok: Some(true),
                failures: 0,
                text: "ok".to_owned(),
                answered_ago: Some(Duration::from_secs(1)),
                others_answered_ago: None,
                out_for: None,
            },
            Some(time) => ProbeView {
                ok: Some(false),
                failures: 3,
                text: "connection refused".to_owned(),
                answered_ago: Some(time),
                others_answered_ago: self.others_answered_ago,
                out_for: time.checked_sub(Duration::from_secs(15)),
            },
        })
    }

    /// One pass: plans, carries out, and gives the plan. What must always hold is checked on the way.
    pub(crate) fn pass(&mut self) -> Plan {
        let seen = self.observe();
        let plan = plan(&seen, &rules(), self.now);
        if plan.add_finalizer {
            self.pool
                .as_mut()
                .unwrap()
                .finalizers_mut()
                .push(spotpool_operator::crd::POOL_FINALIZER.to_owned());
            return plan;
        }
        for entry in &plan.instances {
            let uid = entry.instance.uid();
            let Some(i) = self.instances.iter().position(|instance| instance.uid() == uid) else { continue };
            if let Some(status) = &entry.status {
                self.instances[i].status = Some(status.clone());
            }
            match &entry.step {
                Step::Keep => {}
                Step::Delete(_) => {
                    self.instances[i].metadata.deletion_timestamp.get_or_insert(Time(self.now));
                }
                Step::Terminate(ids) => ids.iter().for_each(|id| self.terminate(id)),
                Step::Release => {
                    self.nothing_is_forgotten(&self.instances[i]);
                    self.instances[i].finalizers_mut().retain(|name| name != INSTANCE_FINALIZER);
                }
                Step::LetLive => {
                    assert!(seen.lets_machines_live(), "machines are let go of only as asked");
                    self.instances[i].finalizers_mut().retain(|name| name != INSTANCE_FINALIZER);
                }
                Step::TerminateAndRelease(_) => panic!("only with a guard off"),
            }
        }
        self.instances.retain(|instance| {
            instance.metadata.deletion_timestamp.is_none() || !instance.finalizers().is_empty()
        });
        if let (Some(raise), Some(pool)) = (&plan.raise, &mut self.pool) {
            let status = pool.status.get_or_insert_default();
            (status.launched, status.care.replacement) = (raise.to, raise.replacement);
            let template = &seen.pool.valid().unwrap().template;
            let make = |n: &i64| {
                let mut made = instance(*n);
                made.spec.template_hash = template.hash();
                made.spec.charge_type = template.charge_type;
                made
            };
            self.instances.extend(raise.create.iter().map(make));
            status.adopting.extend(raise.adopt.iter().cloned());
        }
        let new = plan.raise.iter().flat_map(|raise| &raise.adopt);
        self.instances.extend(plan.adoptions.make.iter().chain(new).map(|adoption| {
            let mut made = instance(adoption.n);
            made.spec.adopted = Some(adoption.machine.clone());
            made
        }));
        self.launch(&seen, &plan);
        if plan.remove_finalizer {
            assert!(self.instances.is_empty(), "a pool goes after its SpotInstances");
            self.pool = None;
        }
        if let Some(pool) = &mut self.pool {
            pool.status = Some(status(pool, &seen, &plan, self.now));
        }
        plan
    }

    fn launch(&mut self, seen: &Observed, plan: &Plan) {
        let (Some(planned), Some(account)) = (seen.pool.valid(), seen.cloud.account()) else { return };
        let Some(chosen) = &plan.launch else { return };
        let now = self.observe();
        match admit(planned, &now.pool, &self.instances, chosen, &BTreeSet::new(), account, &rules()) {
            Admission::Nothing => {}
            Admission::Delete(_) => panic!("alone, nobody makes a wish too many"),
            Admission::Go(_, launches) => launches.into_iter().for_each(|launch| self.run(&launch)),
        }
    }

    fn run(&mut self, launch: &Launch) {
        let i = self.instances.iter().position(|instance| instance.uid() == launch.instance.uid()).unwrap();
        assert!(
            self.instances[i].metadata.deletion_timestamp.is_none(),
            "a leaving SpotInstance never sends"
        );
        let sent_at = whole_seconds(self.now).0;
        let mut status = self.instances[i].status.clone().unwrap_or_default();
        assert!(status.instance_id.is_none(), "one with a machine never sends");
        let number =
            attempts::push(&mut status, attempt(0, "token", sent_at, AttemptOutcome::Unknown), &rules());
        let last = status.attempts.iter_mut().find(|attempt| attempt.number == number).unwrap();
        if self.stock == 0 {
            last.outcome = AttemptOutcome::Refused;
            last.code = Some("ResourceInsufficient.SpecifiedInstanceType".to_owned());
        } else {
            last.outcome = AttemptOutcome::Made;
            self.stock -= 1;
            self.made += 1;
            let id = format!("ins-{:04}", self.made);
            let made = machine(&self.instances[i], &id, InstanceState::Running);
            self.machines.insert(made.id.clone(), made);
            status.instance_id = Some(id);
            status.recorded_at = Some(whole_seconds(self.now));
        }
        self.instances[i].status = Some(status);
        let maximum = usize::try_from(self.pool.as_ref().unwrap().spec.maximum).unwrap();
        let most = maximum + usize::from(self.repairs());
        assert!(self.living() <= most, "{} machines live, at most {most} may", self.living());
    }

    /// One machine more is allowed: beside those that do not answer, or that were deleted by hand and serve.
    fn repairs(&self) -> bool {
        let held = |instance: &SpotInstance| {
            let reason = instance.status.as_ref().and_then(|status| status.reason.as_deref());
            instance.metadata.deletion_timestamp.is_some() && reason == Some("WaitsForReplacement")
        };
        !self.silent.is_empty() || self.cut_since.is_some() || self.instances.iter().any(held)
    }

    /// Machines of ours that neither stopped nor are on their way out.
    pub(crate) fn living(&self) -> usize {
        let lives = |machine: &&Instance| {
            matches!(machine.state, Some(InstanceState::Running | InstanceState::Pending))
        };
        let ours = |machine: &&Instance| !self.strangers.contains(&machine.id);
        self.machines.values().filter(ours).filter(lives).count()
    }

    fn terminate(&mut self, id: &InstanceId) {
        assert!(!self.strangers.contains(id), "{id} is a stranger's");
        if let Some(machine) = self.machines.get(id) {
            let owners = self.instances.iter().filter(|instance| claim(instance, machine) == Claim::Ours);
            assert_eq!(owners.count(), 1, "{id} belongs to one SpotInstance");
            self.machines.remove(id);
            self.stock += 1;
        }
    }

    fn nothing_is_forgotten(&self, instance: &SpotInstance) {
        if instance.spec.adopted.is_some() && instance.spec.pool.uid != POOL_UID {
            // Nobody asks for the machine that it would have stood for.
            return;
        }
        for machine in self.machines.values().filter(|machine| !self.strangers.contains(&machine.id)) {
            assert_ne!(claim(instance, machine), Claim::Ours, "{} lives and is forgotten", machine.id);
        }
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now = later(self.now, Duration::from_secs(seconds));
    }

    /// Passes every five seconds.
    pub(crate) fn pass_for(&mut self, seconds: u64) {
        for _ in 0..seconds / 5 {
            self.pass();
            self.wait(5);
        }
    }

    /// Passes, and time between them, until nothing is left to do; the last plan.
    pub(crate) fn settle(&mut self) -> Plan {
        for _ in 0..200 {
            let plan = self.pass();
            if plan.is_empty() && plan.look_after.is_none() && plan.wake_after.is_none() {
                return plan;
            }
            self.wait(5);
        }
        panic!("1,000 s and still something to do");
    }
}
