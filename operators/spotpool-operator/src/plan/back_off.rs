//! What refused and failed launches teach about the next one. Pure; kept in the pool's status, so that a
//! restart forgets nothing.
//!
//! Each refusal is remembered by what it is about: a type in a zone, a zone, a disk type, a subnet, or the
//! request as such. A candidate is shut as long as any of these is.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sha2::{Digest, Sha256};
use tencent_cvm::{Action, Class, Scope, classify};

use super::attempts::last_sent;
use crate::crd::pool::{LaunchBackOff, PaidRefusal, RefusalScope};
use crate::crd::{
    Attempt, AttemptOutcome, Candidate, SpotInstance, SpotInstanceStatus, SpotPoolStatus, whole_seconds,
};
use crate::span::{between, earlier, later};
use crate::valid::ValidPool;

/// The longest pause after a refusal for want of stock.
pub(super) const LONGEST: Duration = Duration::from_secs(60);
/// What was learnt is forgotten so long after it stopped to matter, but not while refusals go on.
const KEPT: Duration = Duration::from_secs(900);
/// Refusals are paid from a budget, two minutes each: at most 29 at once, and 60 in any hour.
const PRICE: Duration = Duration::from_secs(120);
const BUDGET: Duration = Duration::from_secs(29 * 120);
/// The last of it is spent only where the cloud advertises stock anew, so that such news is never waited with.
const RESERVE: Duration = PRICE;
/// The cloud's clock is read anew at each sweep, and may go back by so much.
const CLOCKS: Duration = Duration::from_secs(2);
/// Named like a quota, and means that spot machines are sold out.
const SPOT_QUOTA: &str = "LimitExceeded.SpotQuota";
/// So many different types of a zone that met with it stand for the zone.
const TYPES_OF_A_ZONE: usize = 3;
/// The code that stands for a machine that was accepted and then could not be made.
pub const LAUNCH_FAILED: &str = "LAUNCH_FAILED";
/// The code that stands for a request that could not leave.
pub const NOT_SENT: &str = "NOT_SENT";

/// One SpotInstance and its status as this pass leaves it.
pub type Known<'a> = (&'a SpotInstance, &'a SpotInstanceStatus);

/// All that refusals have taught one pool.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    /// One entry for each thing that was refused or failed.
    pub entries: Vec<LaunchBackOff>,
    /// When the budget of refusals is whole again.
    pub budget_whole_at: Option<Timestamp>,
    /// Refusals of late that the budget has paid for.
    pub paid: Vec<PaidRefusal>,
}

impl Memory {
    /// What the pool's status keeps of it.
    pub fn of(status: &SpotPoolStatus) -> Self {
        Self {
            entries: status.launch_back_off.clone(),
            budget_whole_at: status.refusal_budget_whole_at.as_ref().map(|time| time.0),
            paid: status.refusals_paid.clone(),
        }
    }

    /// Keeps it in a pool's status.
    pub fn keep_in(&self, status: &mut SpotPoolStatus) {
        status.launch_back_off.clone_from(&self.entries);
        status.refusal_budget_whole_at = self.budget_whole_at.map(whole_seconds);
        status.refusals_paid.clone_from(&self.paid);
    }

    /// What stands against this candidate, with what a machine has disproved since left out.
    pub fn about<'a>(
        &'a self,
        candidate: &'a Candidate,
        pool: &'a ValidPool,
    ) -> impl Iterator<Item = &'a LaunchBackOff> {
        let standing = self.entries.iter().filter(|entry| entry.failures > 0);
        standing.filter(move |entry| {
            entry.concerns(candidate, pool) || self.whole_zone_is_out(entry, candidate, pool)
        })
    }

    /// `LimitExceeded.SpotQuota` says that spot machines are sold out: of this type, and, when several types of one zone
    /// have met with it, of the zone. This entry is one of those of the candidate's zone.
    fn whole_zone_is_out(&self, entry: &LaunchBackOff, candidate: &Candidate, pool: &ValidPool) -> bool {
        let in_zone = |entry: &&LaunchBackOff| {
            entry.failures > 0
                && entry.code == SPOT_QUOTA
                && entry.about.availability_zone.as_ref() == Some(&candidate.availability_zone)
                && entry.about.charge_type.as_deref() == Some(pool.template.charge_type.as_str())
        };
        in_zone(&entry) && self.entries.iter().filter(in_zone).count() >= TYPES_OF_A_ZONE
    }

    /// When the back-off of this candidate ends, if something stands against it.
    pub fn backs_off_until(&self, candidate: &Candidate, pool: &ValidPool) -> Option<Timestamp> {
        self.about(candidate, pool).map(|entry| entry.until.0).max()
    }

    /// Whether stock that was advertised since this time is news: nothing bars the candidate but a want of stock, and
    /// the request that met with it was sent before anybody knew of the advertisement. It is news once in each
    /// back-off: an attempt that was sent on its word and refused is followed by one that waits.
    pub(super) fn is_news(
        &self,
        since: Timestamp,
        candidate: &Candidate,
        pool: &ValidPool,
        now: Timestamp,
    ) -> bool {
        let since = whole_seconds(since).0;
        // Nobody had asked before: then what the refusal disproves is what was so when it was sent.
        let disproved =
            |entry: &LaunchBackOff| entry.stock_asked_at.as_ref().unwrap_or(&entry.last_failure).0;
        self.about(candidate, pool).all(|entry| match entry.wants_stock() {
            true => !entry.early && disproved(entry) < since,
            false => entry.until.0 <= now,
        })
    }

    /// Whether a candidate is shut and might be opened by what the cloud advertises.
    pub(super) fn waits_for_stock(&self, pool: &ValidPool, now: Timestamp) -> bool {
        let waits = |candidate: &Candidate| {
            self.about(candidate, pool).filter(|entry| entry.until.0 > now).all(LaunchBackOff::wants_stock)
        };
        pool.candidates.iter().any(waits)
    }

    /// When the last refusal or failure that concerns this candidate was sent.
    pub(super) fn last_failure(&self, candidate: &Candidate, pool: &ValidPool) -> Timestamp {
        self.about(candidate, pool).map(|entry| entry.last_failure.0).max().unwrap_or(Timestamp::MIN)
    }

    /// From when on one more refusal can be paid for, if any was paid for of late.
    pub fn payable_at(&self) -> Option<Timestamp> {
        self.budget_whole_at?.checked_sub(BUDGET - RESERVE - PRICE).ok()
    }

    /// The same for one that is sent because stock is advertised anew.
    pub(super) fn payable_on_news_at(&self) -> Option<Timestamp> {
        self.budget_whole_at?.checked_sub(BUDGET - PRICE).ok()
    }

    /// How many refusals can be paid for now.
    pub(super) fn payable(&self, now: Timestamp) -> usize {
        let spent = self.budget_whole_at.map_or(Duration::ZERO, |whole| between(now, whole));
        let left = BUDGET.saturating_sub(spent).as_secs() / PRICE.as_secs();
        usize::try_from(left).unwrap_or(usize::MAX)
    }

    /// More than half of the budget is gone.
    pub(super) fn is_tight(&self, now: Timestamp) -> bool {
        self.budget_whole_at.is_some_and(|whole| whole > later(now, BUDGET / 2))
    }

    /// What stands against the candidates, the next to be tried again first, each with those whose way it is
    /// the last to leave.
    pub fn refusals<'a>(&'a self, pool: &'a ValidPool) -> Vec<(&'a LaunchBackOff, Vec<&'a Candidate>)> {
        let mut refusals: Vec<(&LaunchBackOff, Vec<&Candidate>)> = Vec::new();
        for candidate in &pool.candidates {
            let Some(worst) = self.about(candidate, pool).max_by_key(|entry| entry.until.0) else { continue };
            match refusals.iter_mut().find(|(entry, _)| entry.about == worst.about) {
                Some((_, candidates)) => candidates.push(candidate),
                None => refusals.push((worst, vec![candidate])),
            }
        }
        refusals.sort_by_key(|(entry, _)| entry.until.0);
        refusals
    }

    /// The refusal that is tried again first, when something stands against every candidate.
    pub fn drought<'a>(&'a self, pool: &'a ValidPool) -> Option<&'a LaunchBackOff> {
        let refusals = self.refusals(pool);
        let refused: usize = refusals.iter().map(|(_, candidates)| candidates.len()).sum();
        refusals.first().map(|(first, _)| *first).filter(|_| refused == pool.candidates.len())
    }

    /// Adds what happened since.
    #[must_use]
    pub fn learn(mut self, instances: &[Known<'_>], pool: &ValidPool, now: Timestamp) -> Self {
        self.pay(instances, pool, now);
        let mut failures: Vec<Failure> =
            instances.iter().flat_map(|known| failures_of(known, pool)).collect();
        failures.sort_by_key(|failure| failure.at);
        for failure in failures {
            self.add(failure, pool, now);
        }
        // Only a machine that came up says that the trouble is over; an accepted request may still fail.
        for (candidate, terms, at) in instances.iter().filter_map(|known| came_up(known, pool)) {
            for entry in self.entries.iter_mut().filter(|entry| entry.about.matches(candidate, &terms)) {
                if entry.last_failure.0 < at {
                    entry.failures = 0;
                }
            }
        }
        self.budget_whole_at = self.budget_whole_at.filter(|whole| *whole > now);
        if self.budget_whole_at.is_none() {
            self.paid.clear();
        }
        let goes_on = self.budget_whole_at.is_some();
        self.entries.retain(|entry| goes_on || later(entry.until.0, KEPT) > now);
        self
    }

    /// Each request that the cloud refused is paid for, however many were refused together.
    fn pay(&mut self, instances: &[Known<'_>], pool: &ValidPool, now: Timestamp) {
        let refused = |attempt: &&Attempt| {
            matches!(attempt.outcome, AttemptOutcome::Refused | AttemptOutcome::Errored)
                && attempt.sent_at.0 > earlier(now, PRICE)
        };
        let of_late: Vec<(PaidRefusal, Timestamp)> = instances
            .iter()
            .flat_map(|(instance, status)| {
                let of_late = status.attempts.iter().filter(refused);
                of_late.map(|attempt| {
                    (PaidRefusal { n: instance.spec.n, attempt: attempt.number }, attempt.sent_at.0)
                })
            })
            .collect();
        let mut fresh: Vec<_> = of_late.iter().filter(|(refusal, _)| !self.paid.contains(refusal)).collect();
        if fresh.is_empty() {
            return;
        }
        fresh.sort_by_key(|(_, at)| *at);
        for (_, at) in fresh {
            // Pools that run out of it together do not take turns together.
            let alone = || later(*at, PRICE.mul_f64(spread(&pool.uid, &RefusalScope::default(), 0)));
            let from = self.budget_whole_at.unwrap_or_else(alone).max(*at);
            self.budget_whole_at = Some(whole_seconds(later(from, PRICE)).0);
        }
        self.paid = of_late.into_iter().map(|(refusal, _)| refusal).collect();
    }

    fn add(&mut self, failure: Failure, pool: &ValidPool, now: Timestamp) {
        let place = self.entries.iter().position(|entry| entry.about == failure.about);
        let before = place.map(|place| &self.entries[place]);
        if before.is_some_and(|before| failure.at <= before.last_failure.0) {
            return;
        }
        let wrong = is_about_the_request(failure.class);
        let same =
            |before: &&LaunchBackOff| !wrong || before.template_hash.as_ref() == Some(&failure.template_hash);
        let failures = before.filter(same).map_or(0, |before| before.failures).saturating_add(1);
        let until = later(failure.at, delay(failure.class, failures, &failure.about, &pool.uid));
        if later(until, KEPT) <= now {
            return;
        }
        let early =
            before.is_some_and(|before| before.failures > 0 && later(failure.at, CLOCKS) < before.until.0);
        let entry = LaunchBackOff {
            about: failure.about,
            early,
            failures,
            last_failure: whole_seconds(failure.at),
            stock_asked_at: failure.stock_asked_at,
            until: whole_seconds(until),
            template_hash: wrong.then_some(failure.template_hash),
            code: failure.code,
            request_id: failure.request_id,
            message: failure.message,
        };
        match place {
            Some(place) => self.entries[place] = entry,
            None => self.entries.push(entry),
        }
    }
}

impl SpotPoolStatus {
    /// Whether a quota stands in the way of a launch.
    pub fn meets_a_quota(&self) -> bool {
        self.launch_back_off.iter().any(|entry| entry.failures > 0 && entry.is_about_a_quota())
    }
}

impl LaunchBackOff {
    /// How its code is to be handled.
    pub fn class(&self) -> Class {
        class_of(&self.code)
    }

    /// A quota of the account is used up.
    pub fn is_about_a_quota(&self) -> bool {
        matches!(self.class(), Class::ZoneQuota | Class::AccountQuota)
    }

    /// Nothing was wrong but that there was none left of what the cloud advertises: a type in a zone.
    fn wants_stock(&self) -> bool {
        matches!(self.class(), Class::SoldOut | Class::ZoneSoldOut)
    }

    /// Whether it stands in the way of this candidate. A request that was wrong as it stood says nothing about
    /// another template.
    fn concerns(&self, candidate: &Candidate, pool: &ValidPool) -> bool {
        self.about.matches(candidate, &Terms::of_pool(pool))
            && self.template_hash.as_ref().is_none_or(|hash| *hash == pool.template.hash())
    }
}

/// What a request asked for besides its candidate, as far as refusals are remembered by it.
struct Terms<'a> {
    charge_type: &'a str,
    /// Not known of a request that was made from another spec.
    disk_type: Option<&'a str>,
}

impl<'a> Terms<'a> {
    fn of_pool(pool: &'a ValidPool) -> Self {
        let template = &pool.template;
        Self { charge_type: template.charge_type.as_str(), disk_type: Some(&template.disk_type) }
    }

    /// Of what was sent for this SpotInstance: the pool's spec may have changed since.
    fn of(instance: &'a SpotInstance, pool: &'a ValidPool) -> Self {
        let same = instance.spec.template_hash == pool.template.hash();
        let disk_type = same.then_some(pool.template.disk_type.as_str());
        Self { charge_type: instance.spec.charge_type.as_str(), disk_type }
    }
}

impl RefusalScope {
    /// `None` when it is not known what was refused.
    fn of(class: Class, candidate: &Candidate, terms: &Terms<'_>) -> Option<Self> {
        let kind = Some(candidate.instance_type.clone());
        let zone = Some(candidate.availability_zone.clone());
        let subnet = Some(candidate.subnet_id.clone());
        let charge = Some(terms.charge_type.to_owned());
        let any = Self::default();
        Some(match class.scope() {
            Scope::Offer => Self { instance_type: kind, availability_zone: zone, charge_type: charge, ..any },
            Scope::Candidate => {
                Self { instance_type: kind, availability_zone: zone, subnet_id: subnet, ..any }
            }
            Scope::Zone => Self { availability_zone: zone, charge_type: charge, ..any },
            Scope::Disk => {
                Self { availability_zone: zone, disk_type: Some(terms.disk_type?.to_owned()), ..any }
            }
            Scope::Subnet => Self { subnet_id: subnet, ..any },
            _ => any,
        })
    }

    fn matches(&self, candidate: &Candidate, terms: &Terms<'_>) -> bool {
        let same =
            |of_scope: &Option<String>, own: &str| of_scope.as_deref().is_none_or(|value| value == own);
        same(&self.instance_type, &candidate.instance_type)
            && same(&self.availability_zone, &candidate.availability_zone)
            && same(&self.subnet_id, &candidate.subnet_id)
            && same(&self.charge_type, terms.charge_type)
            && (self.disk_type.is_none() || self.disk_type.as_deref() == terms.disk_type)
    }
}

struct Failure {
    at: Timestamp,
    stock_asked_at: Option<Time>,
    about: RefusalScope,
    class: Class,
    /// Of the spec that the request was made from.
    template_hash: String,
    code: String,
    request_id: Option<String>,
    message: Option<String>,
}

fn class_of(code: &str) -> Class {
    if code == LAUNCH_FAILED { Class::SoldOut } else { classify(Action::RunInstances, code) }
}

/// The same token was sent before.
fn is_repetition(status: &SpotInstanceStatus, attempt: &Attempt) -> bool {
    status.attempts.iter().any(|other| other.number < attempt.number && other.token == attempt.token)
}

fn failures_of((instance, status): &Known<'_>, pool: &ValidPool) -> Vec<Failure> {
    let failed = |attempt: &&Attempt| match attempt.outcome {
        AttemptOutcome::Refused | AttemptOutcome::NotSent => true,
        // What is wrong about a request that was repeated may be the repetition, such as a token that is used up: the
        // next request tells, after the look that decides on this one.
        AttemptOutcome::Errored => {
            let about_it = attempt.code.as_deref().is_some_and(|code| is_about_the_request(class_of(code)));
            !about_it || !is_repetition(status, attempt)
        }
        AttemptOutcome::Unknown | AttemptOutcome::Made | AttemptOutcome::Closed => false,
    };
    let terms = Terms::of(instance, pool);
    let failure = |attempt: &Attempt, code: String, message: Option<String>| {
        let class = class_of(&code);
        Some(Failure {
            at: attempt.sent_at.0,
            stock_asked_at: attempt.stock_asked_at.clone(),
            about: RefusalScope::of(class, &attempt.candidate, &terms)?,
            class,
            template_hash: instance.spec.template_hash.clone(),
            code,
            request_id: attempt.request_id.clone(),
            message,
        })
    };
    let code = |attempt: &Attempt| attempt.code.clone().unwrap_or_else(|| NOT_SENT.to_owned());
    let mut failures: Vec<Failure> = status
        .attempts
        .iter()
        .filter(failed)
        .filter_map(|attempt| failure(attempt, code(attempt), attempt.message.clone()))
        .collect();
    if status.reason.as_deref() == Some("LaunchFailed")
        && let Some(last) = last_that_left(status)
    {
        let message = "the machine was accepted and then could not be made".to_owned();
        failures.extend(failure(last, LAUNCH_FAILED.to_owned(), Some(message)));
    }
    failures
}

fn last_that_left(status: &SpotInstanceStatus) -> Option<&Attempt> {
    let at = last_sent(status)?;
    status.attempts.iter().rev().find(|attempt| attempt.sent_at.0 == at)
}

fn came_up<'a>(
    (instance, status): &Known<'a>,
    pool: &'a ValidPool,
) -> Option<(&'a Candidate, Terms<'a>, Timestamp)> {
    let (instance, status): Known<'a> = (instance, status);
    let last = last_that_left(status)?;
    let runs = status.cloud_state.as_deref() == Some("RUNNING");
    runs.then(|| (&last.candidate, Terms::of(instance, pool), last.sent_at.0))
}

fn is_about_the_request(class: Class) -> bool {
    matches!(class, Class::Fatal | Class::CandidateFatal | Class::Forbidden)
}

fn delay(class: Class, failures: u32, about: &RefusalScope, pool_uid: &str) -> Duration {
    match class {
        Class::Auth => Duration::from_secs(60),
        Class::Money | Class::ZoneQuota | Class::AccountQuota => Duration::from_secs(300),
        // Wrong as it stands: another template is tried at once, this one hardly ever.
        Class::Fatal | Class::CandidateFatal | Class::Forbidden => Duration::from_secs(600),
        Class::NotOffered => Duration::from_secs(24 * 3600),
        _ => {
            let step = Duration::from_secs(1_u64 << failures.saturating_sub(1).min(6)).min(LONGEST);
            let spread = step.mul_f64(0.75 + 0.25 * spread(pool_uid, about, failures));
            // The API server keeps whole seconds.
            Duration::from_secs(spread.as_millis().div_ceil(1000).try_into().unwrap_or(60))
        }
    }
}

/// From 0 to 1, another for each pool, scope and failure, so that pools which were refused together do not
/// come back together.
fn spread(pool_uid: &str, about: &RefusalScope, failures: u32) -> f64 {
    let hash = Sha256::new()
        .chain_update(pool_uid)
        .chain_update(format!("{about:?}"))
        .chain_update(failures.to_be_bytes())
        .finalize();
    f64::from(u16::from_be_bytes([hash[0], hash[1]])) / f64::from(u16::MAX)
}
