//! How many, which to let go, and who asks for a machine now. Pure.

use super::attempts::NextAttempt;
use super::back_off::Known;
use super::candidates::{Gate, gate};
use super::{AccountSeen, Chosen, InstancePlan, Member, Observed, Plan, Raise, Rules, Step};
use crate::crd::{Candidate, Phase};
use crate::valid::ValidPool;

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
) {
    let known: Vec<Known<'_>> = members.iter().map(|member| (&member.instance, &member.status)).collect();
    if let Some(now) = account.now.filter(|_| rules.guards.back_off) {
        plan.memory = std::mem::take(&mut plan.memory).learn(&known, pool, now);
    }
    if pool.leaving || plan.hold.is_some() || plan.add_finalizer {
        return;
    }
    let counted: Vec<&Member> = members.iter().filter(|member| member.counts()).collect();
    for victim in victims(&counted, pool) {
        let of_victim =
            |entry: &&mut InstancePlan| entry.instance.metadata.uid == victim.instance.metadata.uid;
        if let Some(entry) =
            plan.instances.iter_mut().find(of_victim).filter(|entry| entry.step == Step::Keep)
        {
            entry.step = Step::Delete("Surplus");
        }
    }
    let missing = pool.least.saturating_sub(counted.len()).min(CREATED_AT_ONCE);
    let fresh: Vec<i64> =
        (1..=i64::try_from(missing).unwrap_or(0)).map(|i| pool.launched.saturating_add(i)).collect();
    // Without the cloud's clock nothing could be sent for them: wishes wait as well.
    let Some(now) = account.now else { return };
    if let Some(to) = fresh.last() {
        plan.raise = Some(Raise { to: *to, create: fresh.clone() });
    }
    let occupied: usize = members.iter().map(|member| member.occupied(account, rules)).sum();
    let holds = |member: &Member| member.occupied(account, rules) > 0;
    let due = due(&counted, &fresh, pool.most.saturating_sub(occupied), holds);
    if due.is_empty() {
        return;
    }
    let at_once = IN_FLIGHT_AT_ONCE.saturating_sub(seen.in_flight.len());
    let choose = |candidate: Candidate, at_most: usize| {
        let numbers: Vec<i64> = due.into_iter().take(at_most).collect();
        (!numbers.is_empty()).then_some(Chosen { numbers, candidate })
    };
    match gate(&plan.memory, &known, pool, now) {
        Gate::Open(candidate) => plan.launch = choose(candidate, at_once),
        Gate::Scout(candidate) if seen.in_flight.is_empty() => plan.launch = choose(candidate, 1),
        // Its end wakes the pool.
        Gate::Scout(_) => {}
        Gate::Shut(until) => plan.wake_at(until, now),
    }
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

/// Who goes: wishes that are not wanted any more, and above the maximum the failed before the booting before
/// the serving, the youngest of each first.
fn victims<'a>(counted: &[&'a Member], pool: &ValidPool) -> Vec<&'a Member> {
    let mut order: Vec<&Member> = counted.iter().copied().filter(|member| !member.in_flight).collect();
    order.sort_by_key(|member| (rank(member), -member.instance.spec.n));
    let above_maximum = counted.len().saturating_sub(pool.most);
    let above_minimum = counted.len().saturating_sub(pool.least);
    let idle = order.iter().filter(|member| member.is_idle()).count().min(above_minimum);
    order.truncate(above_maximum.max(idle));
    order
}

fn rank(member: &Member) -> u8 {
    match member.status.phase {
        _ if member.is_idle() => 0,
        Phase::NotReady => 1,
        Phase::Launching => 2,
        Phase::Booting => 3,
        Phase::Ready | Phase::Draining | Phase::Terminating => 4,
    }
}
