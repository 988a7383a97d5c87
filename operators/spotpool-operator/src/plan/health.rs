//! Machines whose model server does not answer: which of them may go, and when it is rather the one who asks
//! that is to blame. Line 7 of the design, "not by rumour". Pure.
//!
//! A machine that does not answer is sent away only when another machine has answered since; when none does,
//! one replacement is started beside them, and nothing else happens until somebody answers.

use std::time::Duration;

use jiff::Timestamp;

use super::machine::{DELETED, NOT_RUNNING, is_asked, should_run_soon};
use super::member::Member;
use super::{Rules, Target};
use crate::crd::pool::{Boots, Care};
use crate::crd::{Phase, whole_seconds};
use crate::probes::ProbeView;
use crate::span::{between, later};
use crate::valid::ValidPool;

/// An answer vouches for the prober for so long, or for twice the pause between two questions if that is longer.
const VOUCHES_FOR: Duration = Duration::from_secs(60);
/// A template of which no machine ever answered is given up after so many boot deadlines.
const HOPELESS: u32 = 2;
/// Failed boots in an hour: at least so many may be, and three times the maximum.
const BOOTS_AN_HOUR: u32 = 10;
const HOUR: Duration = Duration::from_secs(3600);
/// Pause between two passes that only wait for an answer.
const SOON: Duration = Duration::from_secs(1);

/// Why a machine is sent away.
pub const UNHEALTHY: &str = "Unhealthy";
/// The same for one that never answered.
pub const NEVER_SERVED: &str = "NeverServed";

/// What there is to do about machines that do not answer, and to say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Health {
    /// What is to be remembered, for the status.
    pub care: Care,
    /// A replacement is to be started beside the machines that do not answer.
    pub start_replacement: bool,
    /// The SpotInstance (by uid) that was started beside others which all answer again.
    pub surplus: Option<String>,
    /// What is known of the way to the machines.
    pub reach: Reach,
    /// Why machines that never served are not replaced any more.
    pub gave_up: Option<GaveUp>,
    /// SpotInstances that do not answer.
    pub unwell: Vec<String>,
    /// One is sent away: what is to be remembered of that stands in the store before it goes.
    pub sends_away: bool,
}

/// Whether the machines can be asked at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// There was nobody to ask, or it is too early to tell.
    #[default]
    Unknown,
    /// One answered when it was last asked.
    Answering,
    /// None answers; a replacement is to tell whether it is they or the way to them.
    AskingAReplacement,
    /// None answers, and the replacement does not either.
    Nobody,
}

/// Why machines that never served are not replaced any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GaveUp {
    /// No machine of this template ever answered.
    Hopeless,
    /// Too many failed within the hour.
    TooMany,
}

struct Unwell<'a> {
    member: &'a Member,
    why: &'static str,
    /// How it was asked, when its silence is what is the matter with it.
    asked: Option<&'a ProbeView>,
}

/// Looks at the pool's machines as this process's probes see them.
pub fn examine(pool: &ValidPool, members: &[Member], old: &Care, now: Timestamp) -> Health {
    let counted: Vec<&Member> = members.iter().filter(|member| member.counts()).collect();
    let mut health = Health { care: old.clone(), ..Health::default() };
    let unwell = unwell(pool, members, old, now);
    health.unwell = unwell.iter().map(|unwell| unwell.member.uid.clone()).collect();
    let answering = members.iter().any(answers);
    let waited_for = counted.iter().filter(|member| is_waited_for(member)).count();
    let nobody = !unwell.is_empty() && unwell.len() == waited_for;
    let beside = old.replacement.and_then(|n| counted.iter().find(|member| member.instance.spec.n == n));
    see(&mut health.care, answering, nobody && beside.is_some(), now);
    health.care.boots = Some(boots(pool, members, old));
    if beside.is_none() {
        health.care.replacement = None;
    }
    health.reach = match (answering, health.care.blind_since.is_some()) {
        (true, _) => Reach::Answering,
        (false, true) => Reach::Nobody,
        (false, false) if beside.is_some() || nobody => Reach::AskingAReplacement,
        (false, false) => Reach::Unknown,
    };
    if let (Some(beside), true) = (beside, unwell.is_empty()) {
        settle_replacement(&mut health, pool, beside, &counted);
    }
    health.start_replacement = health.reach == Reach::AskingAReplacement && beside.is_none();
    health
}

/// Keeps when asking began to be in vain, and when it ended.
fn see(care: &mut Care, answering: bool, in_vain: bool, now: Timestamp) {
    if answering {
        if care.blind_since.take().is_some() {
            care.seeing_since = Some(whole_seconds(now));
        }
    } else if in_vain {
        care.blind_since.get_or_insert(whole_seconds(now));
    }
}

/// Everybody answers again: the one that was started beside them goes, unless it is needed by now.
fn settle_replacement(health: &mut Health, pool: &ValidPool, beside: &Member, counted: &[&Member]) {
    let others = counted.iter().filter(|member| member.uid != beside.uid);
    if others.clone().count() < pool.least {
        health.care.replacement = None;
    } else if others.clone().all(|member| answers(member)) {
        health.surplus = Some(beside.uid.clone());
    }
}

/// The sick before those that never served, the youngest of each first.
fn unwell<'a>(pool: &ValidPool, members: &'a [Member], care: &Care, now: Timestamp) -> Vec<Unwell<'a>> {
    let counted = members.iter().filter(|member| member.counts());
    let mut unwell: Vec<Unwell<'a>> = counted.filter_map(|member| judge(pool, member, care, now)).collect();
    unwell.sort_by_key(|unwell| (unwell.why == NEVER_SERVED, -unwell.member.instance.spec.n));
    unwell
}

/// Those that were deleted by hand and do not answer: nobody waits for them to get well again.
fn unwell_and_deleted(members: &[Member]) -> impl Iterator<Item = Unwell<'_>> {
    let silent = members.iter().filter(|member| member.is_held() && member.status.phase == Phase::NotReady);
    silent.filter_map(|member| {
        let runs = member.status.cloud_state.as_deref().is_none_or(is_asked);
        // One that runs again may answer in a moment.
        let asked = if runs { Some(out_of_service(member)?) } else { None };
        Some(Unwell { member, why: DELETED, asked })
    })
}

fn judge<'a>(pool: &ValidPool, member: &'a Member, care: &Care, now: Timestamp) -> Option<Unwell<'a>> {
    if member.is_elsewhere() {
        return None;
    }
    match member.status.phase {
        // It will not answer before somebody pays, and another one would not be given.
        Phase::NotReady if member.waits_for_payment() => None,
        Phase::NotReady if member.status.reason.as_deref() == Some(NOT_RUNNING) => {
            let soon = member.status.cloud_state.as_deref().is_some_and(should_run_soon);
            let since = member.status.since.as_ref()?.0;
            let deadline = later(since, pool.probe.startup_timeout);
            let overdue = soon && now >= deadline && member.looked_at >= Some(deadline);
            overdue.then_some(Unwell { member, why: UNHEALTHY, asked: None })
        }
        Phase::NotReady => Some(Unwell { member, why: UNHEALTHY, asked: Some(out_of_service(member)?) }),
        Phase::Booting => {
            let deadline = boot_deadline(pool, member, care)?;
            (now >= deadline && is_in_vain(member, deadline)).then_some(Unwell {
                member,
                why: NEVER_SERVED,
                asked: None,
            })
        }
        Phase::Launching | Phase::Ready | Phase::Draining | Phase::Terminating => None,
    }
}

/// Whether there is an end to waiting for its answer. A machine that a person is at work on (rescue mode), that is in a
/// state which is not known here, or in an account which is not seen, says nothing about the others for as long.
fn is_waited_for(member: &Member) -> bool {
    let stands_still = member.status.phase == Phase::NotReady
        && member.status.reason.as_deref() == Some(NOT_RUNNING)
        && !member.status.cloud_state.as_deref().is_some_and(should_run_soon);
    !stands_still && !member.is_elsewhere()
}

/// When a machine that has not answered yet should have. Deadlines stand still while nobody can be asked.
fn boot_deadline(pool: &ValidPool, member: &Member, care: &Care) -> Option<Timestamp> {
    let recorded = member.status.recorded_at.as_ref()?.0;
    let seeing = care.seeing_since.as_ref().map_or(Timestamp::MIN, |since| since.0);
    Some(later(recorded.max(seeing), pool.probe.startup_timeout))
}

/// It was asked and does not answer or, where there is nothing to ask yet, a look has been taken since its deadline.
/// Whoever has stood still, or has just begun, knows neither.
fn is_in_vain(member: &Member, deadline: Timestamp) -> bool {
    if member.can_be_asked() {
        member.probe.as_ref().is_some_and(|probe| probe.ok == Some(false))
    } else {
        member.looked_at >= Some(deadline)
    }
}

/// It answered this process when it was last asked.
fn answers(member: &Member) -> bool {
    let asked = member.counts() || member.is_held();
    asked && member.probe.as_ref().is_some_and(|view| view.ok == Some(true))
}

/// What is known of one that failed as often as takes it out of service.
fn out_of_service(member: &Member) -> Option<&ProbeView> {
    member.probe.as_ref().filter(|view| view.out_for.is_some())
}

/// It answers, and did after the other had failed for good; and the other was asked once more since then: when a cut
/// ends, whoever is asked first must not speak against those whose turn comes in a moment.
fn vouches(other: &Member, unwell: &Unwell<'_>, pool: &ValidPool) -> bool {
    let lasts = VOUCHES_FOR.max(pool.probe.interval.saturating_mul(2));
    let ago = match unwell.asked {
        Some(view) => view.others_answered_ago.filter(|ago| view.out_for.is_some_and(|out| *ago <= out)),
        None => other.probe.as_ref().and_then(|view| view.answered_ago),
    };
    other.uid != unwell.member.uid && answers(other) && ago.is_some_and(|ago| ago <= lasts)
}

fn boots(pool: &ValidPool, members: &[Member], old: &Care) -> Boots {
    let hash = pool.template.hash();
    let mut boots = old
        .boots
        .clone()
        .filter(|boots| boots.template_hash == hash)
        .unwrap_or_else(|| Boots { template_hash: hash.clone(), ..Boots::default() });
    let served =
        |member: &Member| member.status.phase == Phase::Ready && member.instance.spec.template_hash == hash;
    boots.answered |= members.iter().any(served);
    boots
}

fn gave_up(care: &Care, pool: &ValidPool, now: Timestamp) -> Option<GaveUp> {
    if care.boots.as_ref().is_some_and(|boots| !boots.answered && boots.failed >= HOPELESS) {
        return Some(GaveUp::Hopeless);
    }
    let (price, at_once) = boot_budget(pool);
    let payable = later(now, price.saturating_mul(at_once.saturating_sub(1)));
    care.boot_budget_whole_at.as_ref().filter(|whole| whole.0 > payable).map(|_| GaveUp::TooMany)
}

/// What one failed boot costs, and how many may be paid at once: both halves of what is due in an hour.
fn boot_budget(pool: &ValidPool) -> (Duration, u32) {
    let an_hour = u32::try_from(pool.most.saturating_mul(3)).unwrap_or(u32::MAX).max(BOOTS_AN_HOUR);
    let half = an_hour / 2;
    (HOUR / half, half)
}

fn pay_boot(care: &mut Care, member: &Member, pool: &ValidPool, now: Timestamp) {
    let (price, _) = boot_budget(pool);
    let from = care.boot_budget_whole_at.as_ref().map_or(now, |whole| whole.0.max(now));
    care.boot_budget_whole_at = Some(whole_seconds(later(from, price)));
    if let Some(boots) = &mut care.boots
        && boots.template_hash == member.instance.spec.template_hash
    {
        boots.failed = boots.failed.saturating_add(1);
    }
}

impl Health {
    /// Who is to go now, if anybody: one machine at a time, and only one against which another one's answer
    /// speaks. (The uid of its SpotInstance, and why.)
    pub(super) fn choose(
        &mut self,
        pool: &ValidPool,
        members: &[Member],
        now: Timestamp,
        rules: &Rules,
    ) -> Option<(String, &'static str)> {
        let pause = pool.probe.interval.saturating_mul(pool.probe.threshold);
        let rested = self.care.last_sent_away.as_ref().is_none_or(|last| later(last.0, pause) <= now);
        let vouched = |unwell: &Unwell<'_>| {
            !rules.guards.evidence || members.iter().any(|other| vouches(other, unwell, pool))
        };
        let unwell = unwell(pool, members, &self.care, now);
        for unwell in unwell_and_deleted(members).chain(unwell).filter(vouched) {
            if unwell.why == NEVER_SERVED {
                self.gave_up = gave_up(&self.care, pool, now).filter(|_| rules.guards.boot_breaker);
                if self.gave_up.is_some() {
                    continue;
                }
            }
            if !rested && rules.guards.one_at_a_time {
                return None;
            }
            if unwell.why != DELETED {
                // Whoever was started beside it takes its place.
                self.care.replacement = None;
            }
            self.sends_away = true;
            self.care.last_sent_away = Some(whole_seconds(now));
            if unwell.why == NEVER_SERVED {
                pay_boot(&mut self.care, unwell.member, pool, now);
            }
            return Some((unwell.member.uid.clone(), unwell.why));
        }
        self.surplus.clone().map(|uid| (uid, "Surplus"))
    }

    /// When to look again although nothing changes: what speaks against a machine is only the next answer of
    /// another one.
    pub(super) fn look_again(
        &self,
        pool: &ValidPool,
        members: &[Member],
        now: Timestamp,
    ) -> Option<Duration> {
        let booting = members.iter().filter(|member| {
            let waits = member.counts() && member.status.phase == Phase::Booting;
            waits && !self.unwell.contains(&member.uid)
        });
        // One that is past its deadline is asked, or looked for, in a moment.
        let deadline = booting.filter_map(|member| boot_deadline(pool, member, &self.care)).min();
        let deadline = deadline.map(|deadline| between(now, deadline).max(SOON));
        let waits = !self.unwell.is_empty() || unwell_and_deleted(members).next().is_some();
        let next_answer = waits.then_some(pool.probe.interval.max(SOON));
        deadline.into_iter().chain(next_answer).min()
    }

    /// How many are asked for, with the one that is started beside those that do not answer. That one has its place
    /// until it is decided on: a process that has asked nobody yet (it has just begun, or is to ask elsewhere) knows
    /// of no machine that does not answer, and of none that does.
    pub(super) fn target(&self, pool: &ValidPool, counted: &[&Member], rules: &Rules) -> Target {
        let own = |member: &&&Member| Some(member.instance.spec.n) != self.care.replacement;
        let regular = counted.iter().filter(own).count();
        let has_place = rules.guards.beside || !self.unwell.is_empty();
        let beside = self.start_replacement || regular < counted.len() && has_place;
        // A wish that came late is no machine to start one beside.
        let held = counted.iter().filter(own).filter(|member| !member.is_idle()).count();
        let least = if beside { pool.least.max(held.min(pool.most) + 1) } else { pool.least };
        Target { least, most: pool.most.max(least) }
    }
}
