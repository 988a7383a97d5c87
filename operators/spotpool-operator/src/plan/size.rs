//! How many, which to let go, and who asks for a machine now. Pure.

use super::attempts::NextAttempt;
use super::back_off::Known;
use super::candidates::{Gate, gate, is_a_guess};
use super::member::{is_of, send_away};
use super::{
    AccountSeen, Chosen, Member, Observed, Plan, PoolSeen, Raise, Rules, Step, Target, adoption, health,
    secrets,
};
use jiff::Timestamp;

use crate::crd::{Adoption, Candidate, Phase};
use crate::valid::ValidPool;

/// Why a SpotInstance without a machine goes when the pool's spec has changed.
pub const OUTDATED: &str = "Outdated";
/// At most so many new SpotInstances in one pass; the next pass follows at once.
const CREATED_AT_ONCE: usize = 50;
/// At most so many requests of one pool under way: more would only wait for the rate limit, past the
/// window in which they may still leave.
pub const IN_FLIGHT_AT_ONCE: usize = 20;

/// Adds to the plan what brings the pool to its size.
pub fn fit(
    plan: &mut Plan,
    pool: &ValidPool,
    members: &[Member],
    account: &AccountSeen,
    seen: &Observed,
    rules: &Rules,
    wall_now: Timestamp,
) {
    let known: Vec<Known<'_>> = members.iter().map(|member| (&member.instance, &member.status)).collect();
    if let Some(now) = account.now.filter(|_| rules.guards.back_off) {
        plan.memory = std::mem::take(&mut plan.memory).learn(&known, pool, now);
    }
    if let Some(now) = account.now {
        plan.health = health::examine(pool, members, &plan.health.care, now);
    }
    if pool.leaving || plan.hold.is_some() || plan.add_finalizer {
        return;
    }
    let (outdated, counted): (Vec<&Member>, Vec<&Member>) =
        members.iter().filter(|member| member.counts()).partition(|member| member.is_outdated(pool, rules));
    let target = plan.health.target(pool, &counted, rules);
    let occupied = members.iter().map(|member| member.occupied(account, rules)).sum();
    let fit = Fit { pool, members, known, counted, occupied, target, account, seen, rules };
    for member in outdated {
        // Its refusals stand in the pool's status before it goes, or they would be forgotten.
        plan.health.sends_away = true;
        plan.send_away(&member.uid, OUTDATED, wall_now);
    }
    if let Some(now) = account.now {
        fit.shrink(plan, now, wall_now);
    }
    // The API server takes no new object there, and what is launched now would be taken down at once.
    let namespace_leaving = seen.namespace_leaving && rules.guards.leaving_namespace;
    if namespace_leaving || rules.guards.hold_secret && secrets::may_vanish(seen) {
        return;
    }
    fit.take_over(plan);
    // Without the cloud's clock nothing could be sent for them: wishes wait as well.
    let Some(now) = account.now else { return };
    let fresh = fit.wish(plan);
    fit.ask(plan, &fresh, now);
}

/// A pool beside the size that it should have.
struct Fit<'a> {
    pool: &'a ValidPool,
    members: &'a [Member],
    known: Vec<Known<'a>>,
    /// Those of the members that count.
    counted: Vec<&'a Member>,
    /// So many machines they hold or may hold.
    occupied: usize,
    target: Target,
    account: &'a AccountSeen,
    seen: &'a Observed,
    rules: &'a Rules,
}

impl Fit<'_> {
    /// Lets go what is too much, or else the one that is to go for not answering.
    fn shrink(&self, plan: &mut Plan, now: Timestamp, wall_now: Timestamp) {
        let there: Vec<&Member> =
            self.counted.iter().copied().filter(|member| !member.is_unseen(self.account)).collect();
        let surplus = victims(&there, self.pool, self.target, self.rules);
        let mut victims: Vec<(String, &str)> =
            surplus.into_iter().map(|victim| (victim.uid.clone(), "Surplus")).collect();
        if victims.is_empty() {
            victims.extend(plan.health.choose(self.pool, self.members, now, self.rules));
            if let Some(pause) = plan.health.look_again(self.pool, self.members, now) {
                plan.wake_in(pause);
            }
        }
        for (uid, why) in victims {
            plan.send_away(&uid, why, wall_now);
        }
    }

    /// Machines that were there before, as far as somebody names them and there is room.
    fn take_over(&self, plan: &mut Plan) {
        let PoolSeen::There(object, _) = &self.seen.pool else { return };
        let written = adoption::adopting(object).len();
        let room = self.pool.most.saturating_sub(self.occupied.max(self.counted.len()) + written);
        plan.adoptions =
            adoption::adopt(object, self.pool, self.members, self.account, self.seen, self.rules, room);
    }

    /// Numbers for the machines that are taken over and for those that are missing; the latter.
    fn wish(&self, plan: &mut Plan) -> Vec<i64> {
        let taken = plan.adoptions.take.len() + plan.adoptions.make.len();
        let missing = self.missing().saturating_sub(taken).min(CREATED_AT_ONCE);
        let last = last_number(self.pool, self.members);
        let mut numbers = (1..).map(|i| last.saturating_add(i));
        let adopt: Vec<Adoption> = plan
            .adoptions
            .take
            .iter()
            .zip(&mut numbers)
            .map(|(machine, n)| Adoption { n, machine: machine.clone() })
            .collect();
        let fresh: Vec<i64> = numbers.take(missing).collect();
        if let Some(to) = fresh.last().or(adopt.last().map(|adoption| &adoption.n)).copied() {
            if let (true, Some(last)) = (plan.health.start_replacement, fresh.last()) {
                plan.health.care.replacement = Some(*last);
            }
            let replacement = plan.health.care.replacement;
            plan.raise = Some(Raise { to, adopt, create: fresh.clone(), replacement });
        }
        fresh
    }

    /// How many more are to be asked for. Those that were deleted by hand and serve are replaced one at a time: all of
    /// them deleted together is a slow roll, whatever the maximum.
    fn missing(&self) -> usize {
        let serves = |member: &&Member| member.is_held() && member.status.phase == Phase::Ready;
        let held = self.members.iter().filter(serves).count();
        if held > 0 {
            (self.target.least + 1).saturating_sub(self.counted.len() + held)
        } else {
            self.target.least.saturating_sub(self.counted.len())
        }
    }

    /// Who asks for a machine now, and for which.
    fn ask(&self, plan: &mut Plan, fresh: &[i64], now: Timestamp) {
        let holds = |member: &Member| member.occupied(self.account, self.rules) > 0;
        // One that was deleted by hand serves until its replacement does, which has room beside it.
        let held = self.members.iter().any(Member::is_held) && self.target.most == self.pool.most;
        let target = Target { most: self.target.most + usize::from(held), ..self.target };
        let due = due(&self.counted, fresh, target.most.saturating_sub(self.occupied), holds);
        if due.is_empty() {
            return;
        }
        let in_flight = self.seen.in_flight.len();
        let choose = |candidate: Candidate, at_most: usize| {
            let numbers: Vec<i64> = due.into_iter().take(at_most).collect();
            (!numbers.is_empty()).then_some(Chosen { numbers, candidate, target })
        };
        let advertised = self.account.advertised.as_ref();
        let gate = gate(&plan.memory, &self.known, self.pool, advertised, self.rules, now);
        if in_flight == 0 && is_a_guess(&gate, &plan.memory, self.pool, now) {
            plan.asks_stock = advertised.is_none_or(|advertised| !advertised.is_fresh(now));
            if let (Gate::Shut(_), Some(advertised)) = (&gate, advertised) {
                plan.wake_at(advertised.again_at, now);
            }
        }
        match gate {
            Gate::Open(candidate, at_most) => {
                plan.launch = choose(candidate, at_most.min(IN_FLIGHT_AT_ONCE).saturating_sub(in_flight));
            }
            Gate::Scout(candidate) if in_flight == 0 => plan.launch = choose(candidate, 1),
            // Its end wakes the pool.
            Gate::Scout(_) => {}
            Gate::Shut(until) => plan.wake_at(until, now),
        }
    }
}

impl Plan {
    /// This SpotInstance is deleted, unless something else is to be done with it. Why is written into its status
    /// first: what has no reason there was deleted by hand.
    fn send_away(&mut self, uid: &str, why: &'static str, wall_now: Timestamp) {
        let of_victim =
            |entry: &&mut super::InstancePlan| entry.instance.metadata.uid.as_deref() == Some(uid);
        let entry = self.instances.iter_mut().find(of_victim);
        if let Some(entry) = entry.filter(|entry| entry.step == Step::Keep) {
            let mut status =
                entry.status.take().or_else(|| entry.instance.status.clone()).unwrap_or_default();
            send_away(&mut status, why, wall_now);
            entry.status = Some(status);
            if entry.instance.metadata.deletion_timestamp.is_none() {
                entry.step = Step::Delete(why);
            }
        }
    }
}

/// The highest number that was ever given away, as far as anybody knows.
fn last_number(pool: &ValidPool, members: &[Member]) -> i64 {
    let of_pool = members.iter().filter(|member| member.belongs()).map(|member| member.instance.spec.n);
    of_pool.max().map_or(pool.launched, |highest| highest.max(pool.launched))
}

/// The numbers for which a request is due: repeated ones, then new ones, as far as there is room under the
/// maximum.
fn due(counted: &[&Member], fresh: &[i64], room: usize, holds: impl Fn(&Member) -> bool) -> Vec<i64> {
    let idle = |member: &&&Member| !member.in_flight;
    let again = counted.iter().filter(idle).filter(|member| matches!(member.next, NextAttempt::Again(_)));
    // One whose first request may still turn into a machine has its place already.
    let (placed, again): (Vec<&Member>, Vec<&Member>) = again.copied().partition(|member| holds(member));
    let new = counted.iter().filter(idle).filter(|member| member.next == NextAttempt::New);
    let number = |member: &&Member| member.instance.spec.n;
    let need_room = again.iter().map(number).chain(new.map(number)).chain(fresh.iter().copied());
    placed.iter().map(number).chain(need_room.take(room)).collect()
}

/// Who goes: wishes that are not wanted any more, and above the maximum the failed before the booting before those
/// that serve and were made from another spec than the present one before the others, the youngest of each first.
fn victims<'a>(counted: &[&'a Member], pool: &ValidPool, target: Target, rules: &Rules) -> Vec<&'a Member> {
    let mut order: Vec<&Member> = counted.iter().copied().filter(|member| !member.in_flight).collect();
    if rules.guards.victim_order {
        order.sort_by_key(|member| (rank(member, pool), -member.instance.spec.n));
    }
    let above_maximum = counted.len().saturating_sub(target.most);
    let above_minimum = counted.len().saturating_sub(target.least);
    let idle = order.iter().filter(|member| member.is_idle()).count().min(above_minimum);
    order.truncate(above_maximum.max(idle));
    order
}

fn rank(member: &Member, pool: &ValidPool) -> u8 {
    match member.status.phase {
        _ if member.is_idle() => 0,
        Phase::NotReady => 1,
        Phase::Launching => 2,
        Phase::Booting => 3,
        _ if !is_of(&member.instance, pool) => 4,
        Phase::Ready | Phase::Draining | Phase::Terminating => 5,
    }
}
