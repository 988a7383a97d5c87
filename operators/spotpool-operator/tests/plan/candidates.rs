//! Several candidates: in which order they are asked for, what a refusal of one says about the others, and
//! how many refusals a pool may cost.

use std::collections::BTreeMap;
use std::slice::from_ref;
use std::time::Duration;

use proptest::prelude::*;
use spotpool_operator::crd::{AttemptOutcome, Candidate};
use spotpool_operator::plan::Memory;
use spotpool_operator::plan::candidates::Gate;
use spotpool_operator::span::later;
use spotpool_operator::valid::ValidPool;

use crate::given::at;
use crate::launches::{Kept, SOLD_OUT, ask, learn, refused, valid, with};

pub(crate) fn candidate(kind: &str, zone: &str) -> Candidate {
    Candidate {
        instance_type: kind.to_owned(),
        availability_zone: zone.to_owned(),
        subnet_id: format!("subnet-{zone}"),
    }
}

/// Types A and B in zones 1 and 2, by zone.
pub(crate) fn four() -> ValidPool {
    let all = [("A", "1"), ("B", "1"), ("A", "2"), ("B", "2")];
    ValidPool { candidates: all.map(|(kind, zone)| candidate(kind, zone)).to_vec(), ..valid() }
}

pub(crate) fn of(candidate: Candidate, (instance, mut status): Kept) -> Kept {
    status.attempts[0].candidate = candidate;
    (instance, status)
}

#[test]
fn a_refused_candidate_is_followed_by_the_next_one_at_once() {
    let pool = four();
    let mut memory = Memory::default();
    let mut asked = Vec::new();
    for now in 0..4 {
        let Gate::Scout(candidate) = ask(&memory, &[], &pool, now) else { panic!("nobody may ask") };
        memory = learn(&memory, &[of(candidate.clone(), refused(1, now, SOLD_OUT))], &pool, now);
        asked.push(candidate);
    }
    assert_eq!(asked, pool.candidates, "in the order of the spec, though the first one's back-off is over");
    assert_eq!(ask(&memory, &[], &pool, 4), Gate::Scout(pool.candidates[0].clone()));
    assert_eq!(memory.drought(&pool).map(|first| first.about.instance_type.as_deref()), Some(Some("A")));
}

#[test]
fn each_kind_of_refusal_shuts_what_it_speaks_of_and_no_more() {
    let pool = four();
    for (code, left) in [
        (SOLD_OUT, vec![1, 2, 3]),
        ("ResourcesSoldOut.AvailableZone", vec![2, 3]),
        ("ResourceInsufficient.CloudDiskSoldOut", vec![2, 3]),
        ("LimitExceeded.UserSpotQuota", vec![2, 3]),
        ("InvalidParameterValue.InsufficientPrice", vec![1, 2, 3]),
        ("ResourceUnavailable.InstanceType", vec![1, 2, 3]),
        ("FailedOperation.NoAvailableIpAddressCountInSubnet", vec![2, 3]),
        ("InvalidParameterValue.SubnetIdZoneIdNotMatch", vec![1, 2, 3]),
        ("InvalidAccount.InsufficientBalance", vec![]),
        ("InvalidImageId.NotFound", vec![]),
        ("InternalError", vec![]),
    ] {
        let first = of(pool.candidates[0].clone(), refused(1, 0, code));
        let memory = learn(&Memory::default(), &[first], &pool, 0);
        let open: Vec<usize> =
            (0..4).filter(|i| memory.backs_off_until(&pool.candidates[*i], &pool).is_none()).collect();
        assert_eq!(open, left, "{code}");
    }
}

#[test]
fn what_one_way_of_paying_was_refused_for_another_may_have() {
    let pool = four();
    let first = of(pool.candidates[0].clone(), refused(1, 0, SOLD_OUT));
    let memory = learn(&Memory::default(), &[first], &pool, 0);
    let mut by_the_hour = pool.clone();
    by_the_hour.template.charge_type = spotpool_operator::crd::ChargeType::PostpaidByHour;
    assert!(memory.backs_off_until(&pool.candidates[0], &pool).is_some());
    assert!(memory.backs_off_until(&pool.candidates[0], &by_the_hour).is_none());
}

#[test]
fn stock_that_a_machine_proved_is_used_before_a_refused_candidate_is_tried_again() {
    let pool = four();
    let first = of(pool.candidates[0].clone(), refused(1, 0, SOLD_OUT));
    let memory = learn(&Memory::default(), &[first], &pool, 0);
    let made = of(pool.candidates[1].clone(), with(2, 0, AttemptOutcome::Made, None));
    assert_eq!(ask(&memory, from_ref(&made), &pool, 0), Gate::Open(pool.candidates[1].clone(), 2));
    // A minute later the first in the spec is tried again: it is the one that is wanted most.
    assert_eq!(ask(&memory, from_ref(&made), &pool, 59), Gate::Open(pool.candidates[1].clone(), 2));
    assert_eq!(ask(&memory, from_ref(&made), &pool, 60), Gate::Scout(pool.candidates[0].clone()));
    // Unless no more refusals can be paid for.
    let poor = Memory { budget_whole_at: Some(later(at(60), Duration::from_secs(3600))), ..memory };
    assert_eq!(ask(&poor, &[made], &pool, 60), Gate::Open(pool.candidates[1].clone(), 1));
}

#[test]
fn what_was_learnt_survives_a_restart_through_the_status() {
    let pool = four();
    let first = of(pool.candidates[0].clone(), refused(1, 0, SOLD_OUT));
    let memory = learn(&Memory::default(), &[first], &pool, 0);
    let mut status = spotpool_operator::crd::SpotPoolStatus::default();
    memory.keep_in(&mut status);
    let written = serde_json::to_string(&status).unwrap();
    assert_eq!(Memory::of(&serde_json::from_str(&written).unwrap()), memory);
}

/// Asks as the plan does, for four hours and at most once a second, of a cloud that has nothing: when, and for whom.
fn refused_of(candidates: usize) -> BTreeMap<u64, Candidate> {
    let zones = (0..candidates).map(|i| candidate("A", &i.to_string())).collect();
    let pool = ValidPool { candidates: zones, ..valid() };
    let mut memory = Memory::default();
    let mut sent = BTreeMap::new();
    let mut now = 0;
    while now < 4 * 3600 {
        match ask(&memory, &[], &pool, now) {
            Gate::Scout(candidate) => {
                let n = i64::try_from(now).unwrap();
                memory = learn(&memory, &[of(candidate.clone(), refused(n, now, SOLD_OUT))], &pool, now);
                sent.insert(now, candidate);
                now += 1;
            }
            Gate::Shut(until) => now = until.duration_since(at(0)).as_secs().unsigned_abs(),
            Gate::Open(..) => panic!("nothing was ever made"),
        }
    }
    sent
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_pool_that_gets_nothing_costs_at_most_60_refusals_an_hour(candidates in 1_usize..=64) {
        let sent = refused_of(candidates);
        let most = sent.keys().map(|from| sent.range(*from..*from + 3600).count()).max().unwrap();
        prop_assert!((30..=60).contains(&most), "{most}");
    }
}

#[test]
fn a_long_list_is_tried_to_its_end_before_any_of_it_is_tried_again() {
    let mut first: Vec<Candidate> = refused_of(64).into_values().take(64).collect();
    first.sort_by(|a, b| a.availability_zone.cmp(&b.availability_zone));
    first.dedup();
    assert_eq!(first.len(), 64);
}

#[test]
fn each_of_many_that_are_refused_together_counts() {
    let pool = valid();
    let together: Vec<Kept> = (1..=20).map(|n| refused(n, 10, SOLD_OUT)).collect();
    // Their answers come one after the other.
    let first = learn(&Memory::default(), &together[..7], &pool, 11);
    let all = learn(&first, &together, &pool, 12);
    assert_eq!(learn(&all, &together, &pool, 13), all, "none counts twice");
    let spent = all.budget_whole_at.unwrap().duration_since(at(10)).as_secs();
    assert!((20 * 120..=21 * 120).contains(&spent), "{spent}");
    assert_eq!(all.entries[0].failures, 1, "for the back-off they are one");
}

#[test]
fn who_is_given_machines_asks_for_twice_as_many_and_for_no_more_than_can_be_paid() {
    let pool = valid();
    let made = |count: i64| (1..=count).map(|n| with(n, 10, AttemptOutcome::Made, None)).collect::<Vec<_>>();
    let poor =
        Memory { budget_whole_at: Some(later(at(12), Duration::from_secs(24 * 120))), ..Memory::default() };
    let broke =
        Memory { budget_whole_at: Some(later(at(12), Duration::from_secs(40 * 120))), ..Memory::default() };
    for (given, rich, of_five) in [(1, 2, 2), (2, 4, 4), (3, 6, 5), (9, 18, 5)] {
        let known = made(given);
        let open = |memory: &Memory| ask(memory, &known, &pool, 12);
        let candidate = pool.candidates[0].clone();
        assert_eq!(open(&Memory::default()), Gate::Open(candidate.clone(), rich));
        assert_eq!(open(&poor), Gate::Open(candidate.clone(), of_five));
        assert_eq!(open(&broke), Gate::Open(candidate, 1), "one may always follow another");
    }
}

/// A cloud that gives back one machine every `every` seconds, and a pool that wants fifty: the most refusals in an hour.
fn most_refusals_with_a_trickle(every: u64) -> usize {
    let pool = valid();
    let mut memory = Memory::default();
    let mut known: Vec<Kept> = Vec::new();
    let (mut refusals, mut next_n, mut stock) = (Vec::new(), 1_i64, 0);
    for now in 0..3 * 3600 {
        stock += u64::from(now % every == 0);
        let at_once = match ask(&memory, &known, &pool, now) {
            Gate::Open(_, at_most) => at_most.min(20),
            Gate::Scout(_) => 1,
            Gate::Shut(_) => 0,
        };
        for _ in 0..at_once {
            let granted = stock > 0;
            stock -= u64::from(granted);
            if granted {
                known.push(with(next_n, now, AttemptOutcome::Made, Some("RUNNING")));
            } else {
                known.push(refused(next_n, now, SOLD_OUT));
                refusals.push(now);
            }
            next_n += 1;
        }
        memory = learn(&memory, &known, &pool, now);
        // What it was given goes again, so that it wants fifty for ever.
        known.retain(|(_, status)| status.attempts[0].sent_at.0 > at(now.saturating_sub(400)));
    }
    let from = |from: &u64| refusals.iter().filter(|at| (*from..*from + 3600).contains(at)).count();
    refusals.iter().map(from).max().unwrap_or(0)
}

#[test]
fn a_trickle_of_stock_costs_no_more_refusals_than_none() {
    for every in [5, 30, 60, 120, 121, 300, 900] {
        let most = most_refusals_with_a_trickle(every);
        assert!(most <= 60, "{most} with a machine every {every} s");
    }
}

#[test]
fn spot_quota_in_several_types_of_a_zone_is_the_zones() {
    let types = ["A", "B", "C", "D"].map(|kind| candidate(kind, "1"));
    let pool = ValidPool { candidates: [&types[..], &[candidate("D", "2")]].concat(), ..valid() };
    let mut memory = Memory::default();
    for (now, kind) in (0..3).zip(&types) {
        let n = i64::try_from(now).unwrap();
        let met = of(kind.clone(), refused(n, now, "LimitExceeded.SpotQuota"));
        memory = learn(&memory, &[met], &pool, now);
        let shut = memory.backs_off_until(&types[3], &pool).is_some();
        assert_eq!(shut, now == 2, "after {} types", now + 1);
    }
    assert!(memory.backs_off_until(&pool.candidates[4], &pool).is_none(), "another zone");
}
