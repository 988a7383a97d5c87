//! One SpotInstance as the plan judges it. Pure.

use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use tencent_cvm::{Instance, InstanceId};

use super::attempts::{NextAttempt, close, next_attempt};
use super::leave::{Farewell, farewell, is_going, last_look_after};
use super::machine::{
    DELETED, IN_ARREARS, Standing, WAITS_FOR_REPLACEMENT, is_asked, is_in_arrears, next_status, proof_due,
    standing,
};
use super::room::{may_have_machine, occupied};
use super::seen::{AccountSeen, Observed, Sight};
use super::{Hold, InstancePlan, Plan, Rules, Step, reads};
use crate::conditions::reason;
use crate::crd::{
    Attempt, AttemptOutcome, INSTANCE_FINALIZER, Phase, SpotInstance, SpotInstanceStatus, whole_seconds,
};
use crate::identity::{AccountId, Claim, claim, instance_name, is_same_body, spot_instance_name};
use crate::probes::ProbeView;
use crate::span::{between, later};
use crate::sweep::Trouble;
use crate::valid::{TEMPLATE_HASH_VERSION, ValidPool};

/// After this a missing tag was taken away by somebody.
const TAGS_ARE_LATE: Duration = Duration::from_secs(300);

/// When several objects are deleted together, so long may pass between the first and the last.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(30);

/// A SpotInstance of this cluster, with the status that this pass gives it.
#[derive(Debug, Clone)]
pub struct Member {
    /// As it was read.
    pub instance: SpotInstance,
    /// Its uid.
    pub uid: String,
    /// Its status as this pass leaves it.
    pub status: SpotInstanceStatus,
    /// What may be sent for it.
    pub next: NextAttempt,
    /// Whether a request for it is under way in this process.
    pub in_flight: bool,
    /// What its model server said, if it was asked.
    pub probe: Option<ProbeView>,
    /// When the latest look at its account began.
    pub looked_at: Option<Timestamp>,
    belongs: bool,
    /// Asked for in another account: what this one shows says nothing.
    elsewhere: bool,
    standing: Standing,
}

/// Says in the status that it goes and why, which is written before anything is done about it.
pub(super) fn send_away(status: &mut SpotInstanceStatus, why: &str, wall_now: Timestamp) {
    (status.phase, status.reason) = (Phase::Terminating, Some(why.to_owned()));
    status.since = Some(whole_seconds(wall_now));
}

/// The SpotInstances that this operator answers for, by number. Those of another cluster are left out, and
/// those made by hand, which are named in the plan.
pub fn members(seen: &Observed, rules: &Rules, wall_now: Timestamp, plan: &mut Plan) -> Vec<Member> {
    let mut members = Vec::new();
    for instance in &seen.instances {
        if instance.spec.cluster_id != rules.cluster_id {
            if instance.metadata.deletion_timestamp.is_some() {
                plan.other_cluster.push(instance.name_any());
            }
            continue;
        }
        if seen.pool.valid().is_some_and(|pool| is_hand_made(instance, pool)) {
            match releases_hand_made(instance) {
                Some(release) => plan.instances.push(release),
                None => plan.hand_made.push(instance.name_any()),
            }
            continue;
        }
        members.push(Member::of(instance, seen, rules, wall_now));
    }
    members
}

/// Nothing was ever asked for in its name, and it was not made for a machine that was there before.
pub(super) fn is_wish(instance: &SpotInstance, status: &SpotInstanceStatus) -> bool {
    status.attempts.is_empty() && status.instance_id.is_none() && instance.spec.adopted.is_none()
}

/// One that was made by hand and deleted: our finalizer came along when it was copied, and there is nothing that it
/// could stand for.
fn releases_hand_made(instance: &SpotInstance) -> Option<InstancePlan> {
    let status = instance.status.clone().unwrap_or_default();
    let held = instance.finalizers().iter().any(|name| name == INSTANCE_FINALIZER);
    let empty = is_wish(instance, &status) && status.extra.is_empty();
    let releases = instance.metadata.deletion_timestamp.is_some() && held && empty;
    releases.then(|| InstancePlan { instance: instance.clone(), status: None, step: Step::Release })
}

/// Numbered or named as the operator never does. A number beyond the pool's counter is the operator's all the same when
/// an attempt or a machine stands in its status: what is made by hand comes without one, so it is the counter that
/// somebody lost or edited.
pub(super) fn is_hand_made(instance: &SpotInstance, pool: &ValidPool) -> bool {
    let spec = &instance.spec;
    let asked_for = instance
        .status
        .as_ref()
        .is_some_and(|status| !status.attempts.is_empty() || status.instance_id.is_some());
    let numbered = (1..=pool.launched).contains(&spec.n) || spec.n >= 1 && asked_for;
    spec.pool.uid == pool.uid
        && (!numbered || instance.name_any() != spot_instance_name(&pool.key.name, spec.n))
}

/// The pool that it was made for is no more. One that makes no sense is still the pool: only its absence or another uid
/// is.
pub(super) fn pool_is_elsewhere(instance: &SpotInstance, seen: &Observed) -> bool {
    let uid = Some(instance.spec.pool.uid.as_str());
    seen.pool.object().is_none_or(|pool| pool.uid().as_deref() != uid)
}

/// Whether what this SpotInstance asks for is what the pool's present spec asks for, at its price.
pub(super) fn is_of(instance: &SpotInstance, pool: &ValidPool) -> bool {
    let spec = &instance.spec;
    let comparable = spec.template_hash_version == TEMPLATE_HASH_VERSION;
    spec.charge_type == pool.template.charge_type
        && (!comparable || spec.template_hash == pool.template.hash())
}

impl Member {
    fn of(instance: &SpotInstance, seen: &Observed, rules: &Rules, wall_now: Timestamp) -> Self {
        let uid = instance.uid().unwrap_or_default();
        let in_flight = seen.in_flight.contains(&uid);
        let belongs = seen.pool.valid().is_some_and(|pool| pool.uid == instance.spec.pool.uid);
        let elsewhere = seen.cloud.account().is_some_and(|account| !account.speaks_of(instance, rules));
        let mut status;
        let mut stands = Standing::Awaited;
        let mut next = NextAttempt::LookAfter(Timestamp::MAX);
        let account = seen.account_of(instance, rules);
        status = next_status(instance, seen, account, rules, wall_now);
        if let Some(account) = account {
            stands = standing(instance, &status, account, rules);
            next = Self::next(&uid, instance, &status, seen, account, rules);
            if next == NextAttempt::Close && !in_flight && instance.metadata.deletion_timestamp.is_none() {
                close(&mut status);
                next = NextAttempt::New;
            }
        }
        Self {
            instance: instance.clone(),
            probe: seen.probes.get(&uid).cloned(),
            looked_at: account.and_then(|account| account.snapshot.as_ref()?.begun),
            uid,
            status,
            next,
            in_flight,
            belongs,
            elsewhere,
            standing: stands,
        }
    }

    fn next(
        uid: &str,
        instance: &SpotInstance,
        status: &SpotInstanceStatus,
        seen: &Observed,
        account: &AccountSeen,
        rules: &Rules,
    ) -> NextAttempt {
        if instance.spec.adopted.is_some() {
            return NextAttempt::HasMachine;
        }
        let looked = account.by_name.get(uid).map(|look| look.begun);
        let same_body =
            |attempt: &Attempt| seen.pool.valid().is_some_and(|pool| is_same_body(pool, instance, attempt));
        next_attempt(status, looked, same_body, rules)
    }

    /// Its SpotInstance's name.
    pub fn name(&self) -> String {
        self.instance.name_any()
    }

    /// It has no machine on record, and this one has its name and no other's tags.
    pub(super) fn awaits(&self, machine: &Instance) -> bool {
        self.status.instance_id.is_none()
            && machine.name == instance_name(&self.instance)
            && claim(&self.instance, machine) != Claim::Foreign
    }

    /// The new status, if it differs from the one that was read.
    pub fn changed(&self) -> Option<SpotInstanceStatus> {
        (self.instance.status.as_ref() != Some(&self.status)).then(|| self.status.clone())
    }

    /// On its way out: deleted, or about to be.
    pub fn leaving(&self) -> bool {
        self.instance.metadata.deletion_timestamp.is_some()
    }

    /// It is this pool's, and not that of an earlier one of the same name.
    pub fn belongs(&self) -> bool {
        self.belongs
    }

    /// Deleted by hand, and serving until a replacement does.
    pub fn is_held(&self) -> bool {
        self.leaving() && self.status.reason.as_deref() == Some(WAITS_FOR_REPLACEMENT)
    }

    /// It is on its way out from now on, whatever was said before.
    pub(super) fn let_go(&mut self, why: &str, wall_now: Timestamp) {
        send_away(&mut self.status, why, wall_now);
    }

    /// Its model server can be asked: it runs, and its address is known.
    pub(super) fn can_be_asked(&self) -> bool {
        self.status.address.is_some() && self.status.cloud_state.as_deref().is_some_and(is_asked)
    }

    /// Whether it counts towards the pool's size. While a request for it is under way it stays, whatever its status says
    /// by now, and so it counts.
    pub fn counts(&self) -> bool {
        self.belongs && !self.leaving() && (self.in_flight || !matches!(self.standing, Standing::Lost(_)))
    }

    /// It was made for a machine that was there before, and no look shows that machine. Whoever stood still before making
    /// it makes it when the machine may have been taken over and terminated long ago: until that is known nothing is
    /// launched beside it, and nobody goes for it.
    pub(super) fn is_unseen(&self, account: &AccountSeen) -> bool {
        let adopted = self.instance.spec.adopted.as_ref().filter(|_| self.status.seen_at.is_none());
        adopted.is_some_and(|machine| {
            !matches!(account.machine(&machine.instance_id.as_str().into()), Sight::Present(_))
        })
    }

    /// Its machine, or one that may yet come, is in another account than the key opens.
    pub fn is_elsewhere(&self) -> bool {
        self.elsewhere && may_have_machine(&self.status)
    }

    /// Its machine stands still because the account has not paid.
    pub(super) fn is_in_arrears(&self, account: &AccountSeen) -> bool {
        self.belongs && is_in_arrears(&self.status, account)
    }

    /// The same, as its status says.
    pub(super) fn waits_for_payment(&self) -> bool {
        self.status.reason.as_deref() == Some(IN_ARREARS)
    }

    /// Its name, and the account that its machine was asked for in.
    pub(super) fn whereabouts(&self) -> (String, String) {
        let account = self.status.account.as_deref().unwrap_or_default();
        (self.instance.name_any(), AccountId::name_in(account).to_owned())
    }

    /// How many machines of the pool it holds or may hold.
    pub(super) fn occupied(&self, account: &AccountSeen, rules: &Rules) -> usize {
        if !self.belongs {
            return 0;
        }
        let known = occupied(&self.instance, &self.status, account, rules);
        // Its attempt may not be written yet.
        if self.in_flight { known.max(1) } else { known }
    }

    /// Nothing was ever asked for in its name.
    pub fn is_wish(&self) -> bool {
        is_wish(&self.instance, &self.status) && !self.in_flight
    }

    /// Nothing was ever made in its name, and nothing is under way: it costs nothing to let it go.
    pub fn is_idle(&self) -> bool {
        let nothing =
            |attempt: &Attempt| matches!(attempt.outcome, AttemptOutcome::Refused | AttemptOutcome::NotSent);
        let no_machine = self.status.instance_id.is_none() && self.instance.spec.adopted.is_none();
        no_machine && !self.in_flight && self.status.attempts.iter().all(nothing)
    }

    /// It has no machine and was to be made from another spec than the pool's present one. What is paid for it and what
    /// it is made from stands in its own spec, which nobody can change: another one takes its place.
    pub(super) fn is_outdated(&self, pool: &ValidPool, rules: &Rules) -> bool {
        rules.guards.outdated
            && self.counts()
            && !self.in_flight
            && self.next == NextAttempt::New
            && !is_of(&self.instance, pool)
    }

    /// Every machine on record, with when it was recorded.
    pub fn recorded(&self) -> Vec<(InstanceId, Timestamp)> {
        let own =
            self.status.instance_id.as_deref().map(|id| {
                (id.into(), self.status.recorded_at.as_ref().map_or(Timestamp::MAX, |time| time.0))
            });
        let extra =
            self.status.extra.iter().map(|extra| (extra.instance_id.as_str().into(), extra.recorded_at.0));
        own.into_iter().chain(extra).collect()
    }

    /// Whether this machine is on record here.
    pub fn records(&self, id: &InstanceId) -> bool {
        self.recorded().iter().any(|(known, _)| known == id)
    }

    /// Its machines that are still there because the cloud refused to terminate them, and what it said.
    pub(super) fn refused(&self, seen: &Observed) -> Vec<(String, InstanceId, Trouble)> {
        let still_there = |id: &InstanceId| {
            let account = seen.cloud.account();
            account.is_some_and(|it| matches!(it.machine(id), Sight::Present(machine) if !is_going(machine)))
        };
        let refusal = |id: InstanceId| {
            let trouble = seen.told.get(&id)?.refused.clone().filter(Trouble::is_lasting)?;
            still_there(&id).then(|| (self.name(), id, trouble))
        };
        self.recorded().into_iter().filter_map(|(id, _)| refusal(id)).collect()
    }

    /// What is to be done with it, sizes apart.
    pub(super) fn step(&self, seen: &Observed, rules: &Rules, wall_now: Timestamp, plan: &mut Plan) -> Step {
        let account = seen.account_of(&self.instance, rules);
        if self.in_flight {
            return Step::Keep;
        }
        if self.leaving() {
            if self.belongs && rules.guards.keep_machines && seen.lets_machines_live() {
                return Step::LetLive;
            }
            if let Some(until) = self.may_be_the_first_to_go(seen).filter(|until| *until > wall_now) {
                plan.wake_in(between(wall_now, until));
                return Step::Keep;
            }
            if !self.is_held() {
                return self.leave(seen, account, rules, plan);
            }
        }
        if !self.belongs && pool_is_elsewhere(&self.instance, seen) {
            return if rules.guards.pool_check || !self.is_wish() {
                Step::Delete("PoolGone")
            } else {
                Step::Keep
            };
        }
        if let Some(pool) = seen.pool.valid().filter(|pool| pool.leaving) {
            return Step::Delete(if pool.keeps_machines { "LetGo" } else { "PoolDeleted" });
        }
        if plan.hold.is_some() {
            return Step::Keep;
        }
        if let Standing::Lost(why) = self.standing {
            return Step::Delete(why);
        }
        let Some(account) = account else { return Step::Keep };
        if let Some(at) = proof_due(&self.status, account, rules) {
            plan.look_after(at);
        }
        if let Some(at) = reads::next_look(&self.with_status(), account, rules) {
            plan.wake_when_known(at, account.now);
        }
        let extra: Vec<_> = self.recorded().into_iter().filter(|(id, _)| self.is_extra(id)).collect();
        self.terminate(extra, account, rules, plan).map_or(Step::Keep, Step::Terminate)
    }

    /// Whoever takes the definitions of the resources away deletes everything in any order. Of a pool that keeps its
    /// machines, a SpotInstance that was deleted by hand waits until this time, should the pool be about to follow.
    fn may_be_the_first_to_go(&self, seen: &Observed) -> Option<Timestamp> {
        let keeps = seen.pool.valid().is_some_and(|pool| pool.keeps_machines && !pool.leaving);
        let by_hand = self.status.reason.as_deref() == Some(DELETED);
        let since = self.status.since.as_ref().filter(|_| self.belongs && keeps && by_hand)?;
        Some(later(since.0, FOLLOWS_WITHIN))
    }

    fn is_extra(&self, id: &InstanceId) -> bool {
        self.status.instance_id.as_deref() != Some(id.as_str())
    }

    fn leave(&self, seen: &Observed, account: Option<&AccountSeen>, rules: &Rules, plan: &mut Plan) -> Step {
        if !self.instance.finalizers().iter().any(|name| name == INSTANCE_FINALIZER) {
            return Step::Keep;
        }
        let recorded = self.recorded();
        if recorded.is_empty() {
            // The machine that it was made for is recorded as soon as the cloud's clock is known; unless the pool that
            // wanted it is no more, when it was made by one who had stood still: then nobody wants it to go.
            if self.instance.spec.adopted.is_some() {
                return if pool_is_elsewhere(&self.instance, seen) { Step::Release } else { Step::Keep };
            }
            if super::attempts::last_sent(&self.status).is_none() {
                return Step::Release;
            }
        }
        // Looks at the account that it was asked for in are conclusive, whatever is elsewhere.
        let known = |hold: &Hold| hold.reason == reason::ANOTHER_ACCOUNT && self.status.account.is_some();
        let held = plan.hold.as_ref().is_some_and(|hold| !known(hold));
        let (Some(account), false) = (account, held) else { return Step::Keep };
        if let Some(at) = reads::next_look(&self.with_status(), account, rules) {
            plan.wake_when_known(at, account.now);
        }
        let mut open = false;
        for (id, at) in &recorded {
            match farewell(&self.instance, id, *at, account, rules) {
                Farewell::Over => {}
                Farewell::LookAfter(time) => {
                    open = true;
                    plan.look_after(time);
                }
                Farewell::Terminate | Farewell::Wait => open = true,
                Farewell::Disputed(doubt) => {
                    open = true;
                    // Tags are late as a rule; a name is not.
                    let late = account.now.is_some_and(|now| now > later(*at, TAGS_ARE_LATE));
                    if doubt == Claim::Renamed || late {
                        plan.disputed.push(id.clone());
                    }
                }
            }
        }
        let terminate = self.terminate(recorded, account, rules, plan);
        if let Some(ids) = terminate {
            return if rules.guards.confirm_gone {
                Step::Terminate(ids)
            } else {
                Step::TerminateAndRelease(ids)
            };
        }
        if open {
            return Step::Keep;
        }
        let looked = account.by_name.get(&self.uid).map(|look| look.begun);
        match last_look_after(&self.with_status(), account, rules) {
            Some(after) if looked.is_none_or(|begun| begun < after) => Step::Keep,
            _ => Step::Release,
        }
    }

    fn terminate(
        &self,
        machines: Vec<(InstanceId, Timestamp)>,
        account: &AccountSeen,
        rules: &Rules,
        plan: &mut Plan,
    ) -> Option<Vec<InstanceId>> {
        let mut ids = Vec::new();
        for (id, at) in machines {
            match farewell(&self.instance, &id, at, account, rules) {
                Farewell::Terminate => ids.push(id),
                Farewell::LookAfter(time) => plan.look_after(time),
                Farewell::Over | Farewell::Wait | Farewell::Disputed(_) => {}
            }
        }
        (!ids.is_empty()).then_some(ids)
    }

    fn with_status(&self) -> SpotInstance {
        SpotInstance { status: Some(self.status.clone()), ..self.instance.clone() }
    }
}
