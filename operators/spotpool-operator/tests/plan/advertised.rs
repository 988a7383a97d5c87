//! What the cloud advertises of its stock: whom it sends where, what it cannot do, and when it is asked.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use proptest::prelude::*;
use spotpool_operator::crd::AttemptOutcome;
use spotpool_operator::plan::advertised::Advert;
use spotpool_operator::plan::candidates::Gate;
use spotpool_operator::plan::{Advertised, CloudSeen, Memory, plan};
use spotpool_operator::span::later;
use spotpool_operator::valid::ValidPool;

use crate::candidates::{candidate, four, of};
use crate::given::{at, instance, pool, rules};
use crate::launches::{Kept, SOLD_OUT, ask_told, learn, refused, valid, with};
use crate::model::Model;

/// What each candidate is said to be since this time, if anything is said of it; asked a moment ago.
fn told(pool: &ValidPool, said: &[Option<bool>], since: u64, now: u64) -> Advertised {
    let advert = |(candidate, said): (&spotpool_operator::crd::Candidate, &Option<bool>)| {
        Some(Advert {
            instance_type: candidate.instance_type.clone(),
            availability_zone: candidate.availability_zone.clone(),
            in_stock: (*said)?,
            since: at(since),
        })
    };
    Advertised {
        again_at: at(now + 10),
        asked_at: at(now),
        adverts: pool.candidates.iter().zip(said).filter_map(advert).collect(),
    }
}

/// The single candidate of a pool, refused so often that its back-off is the longest: until when it is shut.
fn often_refused(pool: &ValidPool) -> (Memory, u64) {
    let mut memory = Memory::default();
    for n in 0..8 {
        memory = learn(&memory, &[refused(1, n * 600, SOLD_OUT)], pool, n * 600);
    }
    (memory, 7 * 600)
}

#[test]
fn what_is_advertised_is_asked_for_first_and_what_is_sold_out_last() {
    let pool = four();
    let said = [Some(false), None, Some(true), Some(true)];
    let told = told(&pool, &said, 0, 0);
    let mut memory = Memory::default();
    let mut asked = Vec::new();
    for now in 1..5 {
        let Gate::Scout(next) = ask_told(&memory, &[], &pool, Some(&told), now) else { panic!("shut") };
        memory = learn(&memory, &[of(next.clone(), refused(1, now, SOLD_OUT))], &pool, now);
        asked.push(pool.candidates.iter().position(|candidate| *candidate == next).unwrap());
    }
    assert_eq!(asked, [2, 3, 1, 0], "in stock in the order of the spec, unknown, sold out");
    assert_eq!(
        ask_told(&Memory::default(), &[], &pool, Some(&told), 10),
        Gate::Scout(pool.candidates[0].clone()),
        "what was said ten seconds ago counts no more"
    );
}

#[test]
fn a_machine_that_was_just_given_is_a_better_witness_than_what_is_advertised() {
    let pool = four();
    let told = told(&pool, &[Some(false), Some(false), Some(true), Some(true)], 0, 100);
    let made = of(pool.candidates[1].clone(), with(1, 90, AttemptOutcome::Made, None));
    let next = ask_told(&Memory::default(), &[made], &pool, Some(&told), 100);
    assert_eq!(next, Gate::Open(pool.candidates[1].clone(), 2));
}

#[test]
fn stock_that_is_advertised_anew_ends_a_back_off() {
    let pool = valid();
    let (memory, sent) = often_refused(&pool);
    let said = |said, since| told(&pool, &[said], since, sent + 20);
    let ask = |told: &Advertised| ask_told(&memory, &[], &pool, Some(told), sent + 20);
    let shut = Gate::Shut(memory.backs_off_until(&pool.candidates[0], &pool).unwrap());
    assert_eq!(ask(&said(Some(true), sent + 11)), Gate::Scout(pool.candidates[0].clone()));
    assert_eq!(ask(&said(Some(true), sent)), shut, "it said so already when the refusal came");
    assert_eq!(ask(&said(Some(true), sent - 100)), shut);
    assert_eq!(ask(&said(Some(false), sent + 11)), shut);
    assert_eq!(ask(&said(None, sent + 11)), shut);
}

#[test]
fn stock_that_is_advertised_within_a_second_of_the_refusal_is_news_if_nobody_had_asked_since() {
    let pool = valid();
    let (mut memory, sent) = often_refused(&pool);
    // Sent at `sent` minus something: whole seconds are rounded up.
    let soon = later(at(sent), Duration::from_millis(300));
    let mut told = told(&pool, &[Some(true)], 0, sent + 10);
    told.adverts[0].since = soon;
    for (asked_at, is_news) in [(sent - 10, true), (sent + 1, false)] {
        memory.entries[0].stock_asked_at = Some(Time(at(asked_at)));
        let gate = ask_told(&memory, &[], &pool, Some(&told), sent + 11);
        assert_eq!(gate == Gate::Scout(pool.candidates[0].clone()), is_news, "asked at {asked_at}: {gate:?}");
    }
}

#[test]
fn an_advertisement_ends_no_other_back_off() {
    let pool = valid();
    for (code, ends) in [
        ("LimitExceeded.SpotQuota", true),
        ("ResourcesSoldOut.AvailableZone", true),
        ("ResourceInsufficient.CloudDiskSoldOut", false),
        ("FailedOperation.NoAvailableIpAddressCountInSubnet", false),
        ("LimitExceeded.UserSpotQuota", false),
        ("InvalidParameterValue.InsufficientPrice", false),
        ("InvalidAccount.InsufficientBalance", false),
        ("InvalidImageId.NotFound", false),
        ("InternalError", false),
    ] {
        let mut memory = learn(&Memory::default(), &[refused(1, 100, code)], &pool, 100);
        memory.entries[0].until = Time(at(160));
        let told = told(&pool, &[Some(true)], 102, 103);
        let open = ask_told(&memory, &[], &pool, Some(&told), 103) == Gate::Scout(pool.candidates[0].clone());
        assert_eq!(open, ends, "{code}");
    }
}

#[test]
fn a_back_off_for_something_else_holds_news_up_only_while_it_lasts() {
    let pool = valid();
    for code in ["RequestLimitExceeded", "InternalError", "ResourceInsufficient.CloudDiskSoldOut"] {
        let (memory, sent) = often_refused(&pool);
        let memory = learn(&memory, &[refused(2, sent + 1, code)], &pool, sent + 1);
        let over = memory.entries.iter().find(|entry| entry.code == code).unwrap().until.0;
        let told = told(&pool, &[Some(true)], sent + 3, sent + 20);
        let ask = |now| ask_told(&memory, &[], &pool, Some(&told), now);
        let shut = Gate::Shut(memory.backs_off_until(&pool.candidates[0], &pool).unwrap());
        let last = over.duration_since(at(0)).as_secs().unsigned_abs();
        assert_eq!(ask(last - 1), shut, "{code}");
        assert_eq!(ask(last), Gate::Scout(pool.candidates[0].clone()), "{code}");
    }
}

#[test]
fn news_that_proved_false_is_not_believed_before_the_next_back_off() {
    let pool = valid();
    let (memory, sent) = often_refused(&pool);
    let early = sent + 20;
    let memory = learn(&memory, &[refused(1, early, SOLD_OUT)], &pool, early);
    let until = memory.backs_off_until(&pool.candidates[0], &pool).unwrap();
    // Sold out for a moment, and then advertised again.
    let again = told(&pool, &[Some(true)], early + 21, early + 30);
    assert_eq!(ask_told(&memory, &[], &pool, Some(&again), early + 30), Gate::Shut(until));
    // The attempt after the whole back-off is refused too: from then on news is news.
    let waited = early + 60;
    let memory = learn(&memory, &[refused(1, waited, SOLD_OUT)], &pool, waited);
    let again = told(&pool, &[Some(true)], waited + 5, waited + 5);
    let open = ask_told(&memory, &[], &pool, Some(&again), waited + 6);
    assert_eq!(open, Gate::Scout(pool.candidates[0].clone()));
}

#[test]
fn the_last_refusal_that_can_be_paid_for_is_kept_for_news() {
    let pool = valid();
    let (memory, sent) = often_refused(&pool);
    // Whole again in 28 times two minutes: one refusal can be paid for.
    let memory =
        Memory { budget_whole_at: Some(later(at(sent + 100), Duration::from_secs(28 * 120))), ..memory };
    let ask = |told: Option<&Advertised>| ask_told(&memory, &[], &pool, told, sent + 100);
    assert_eq!(ask(None), Gate::Shut(at(sent + 220)));
    assert_eq!(ask(Some(&told(&pool, &[Some(true)], sent - 5, sent + 100))), Gate::Shut(at(sent + 220)));
    let news = told(&pool, &[Some(true)], sent + 95, sent + 100);
    assert_eq!(ask(Some(&news)), Gate::Scout(pool.candidates[0].clone()));
}

/// Asks at most once a second of a cloud that has nothing and advertises what `lie` says at that time: when each
/// request was sent.
fn refused_by(lie: impl Fn(u64) -> Option<(bool, u64)>, until: u64) -> Vec<u64> {
    let pool = valid();
    let mut memory = Memory::default();
    let mut sent = Vec::new();
    for now in 1..until {
        let told = lie(now).map(|(in_stock, since)| told(&pool, &[Some(in_stock)], since, now));
        if let Gate::Scout(_) = ask_told(&memory, &[], &pool, told.as_ref(), now) {
            let mut refused = refused(i64::try_from(now).unwrap(), now, SOLD_OUT);
            refused.1.attempts[0].stock_asked_at = told.map(|told| Time(told.asked_at));
            memory = learn(&memory, &[refused], &pool, now);
            sent.push(now);
        }
    }
    sent
}

#[test]
fn a_lie_that_stands_costs_one_attempt_for_all_time() {
    let silence = refused_by(|_| None, 3600);
    let stands = refused_by(|_| Some((true, 100)), 3600);
    assert!(stands.len() <= silence.len() + 1, "{stands:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_advertised_each_candidate_is_asked_before_any_is_asked_twice(
        said in prop::collection::vec(prop::option::of(any::<bool>()), 1..=24),
        stock in any::<prop::sample::Index>(),
    ) {
        let candidates = (0..said.len()).map(|i| candidate("A", &i.to_string())).collect();
        let pool = ValidPool { candidates, ..valid() };
        let (stock, mut memory) = (stock.index(said.len()), Memory::default());
        for now in 1..=said.len() as u64 {
            let told = told(&pool, &said, 0, now);
            let Gate::Scout(next) = ask_told(&memory, &[], &pool, Some(&told), now) else { panic!("shut") };
            if next == pool.candidates[stock] {
                return Ok(());
            }
            memory = learn(&memory, &[of(next, refused(1, now, SOLD_OUT))], &pool, now);
        }
        prop_assert!(false, "never asked for");
    }

    #[test]
    fn a_liar_costs_one_attempt_in_a_back_off_and_never_more_than_60_an_hour(
        turns in prop::collection::vec(10_u64..120, 2..400),
    ) {
        // Sold out and in stock by turns, each as long as the liar likes.
        let mut begins = vec![0];
        for turn in turns {
            begins.push(begins.last().unwrap() + turn);
        }
        let lie = |now: u64| {
            let turn = begins.partition_point(|begin| *begin <= now) - 1;
            Some((turn % 2 == 1, begins[turn]))
        };
        let sent = refused_by(lie, 2 * 3600);
        // Every other attempt at least has waited for its back-off, which after the seventh is 45 s or more.
        for three in sent[7.min(sent.len())..].windows(3) {
            prop_assert!(three[2] - three[0] >= 45, "{three:?}");
        }
        let by_time: BTreeMap<u64, ()> = sent.iter().map(|at| (*at, ())).collect();
        let most = sent.iter().map(|from| by_time.range(from..&(from + 3600)).count()).max().unwrap_or(0);
        prop_assert!(most <= 60, "{most}");
    }
}

/// A pool of one machine, which it has not got, with so many zones to choose from, after these refusals: whether it
/// asks what is advertised, and how soon it looks again.
fn asks(zones: usize, refused: &[Kept], told: Option<Advertised>, now: u64) -> (bool, Option<u64>) {
    let mut pool = pool(1, 1);
    pool.spec.candidates = Some((0..zones).map(|i| candidate("A", &i.to_string())).collect());
    let valid = ValidPool::try_from(&pool).unwrap();
    let mut memory = Memory::default();
    for (instance, status) in refused {
        let sent = status.attempts[0].sent_at.0.duration_since(at(0)).as_secs().unsigned_abs();
        let kept = of(candidate("A", "0"), (instance.clone(), status.clone()));
        memory = learn(&memory, &[kept], &valid, sent);
    }
    let status = pool.status.get_or_insert_default();
    (status.launch_back_off, status.launched) = (memory.entries, 1);
    let mut model = Model::new(pool, 0);
    model.now = at(now);
    model.instances.push(instance(1));
    let mut seen = model.observe();
    if let CloudSeen::Account(account) = &mut seen.cloud {
        account.advertised = told;
    }
    let plan = plan(&seen, &rules(), at(now));
    (plan.asks_stock, plan.wake_after.map(|pause| pause.as_secs()))
}

#[test]
fn the_cloud_is_asked_only_by_those_who_have_to_choose_or_wait_for_stock() {
    let two = ValidPool { candidates: vec![candidate("A", "0"), candidate("A", "1")], ..valid() };
    let fresh = told(&two, &[Some(false), Some(false)], 0, 5000);
    let often = |code| (0..8).map(|n| refused(1, n * 600, code)).collect::<Vec<Kept>>();
    let now = 7 * 600 + 10;
    assert_eq!(asks(1, &[], None, now), (false, None), "there is nothing to choose");
    assert!(asks(2, &[], None, now).0);
    assert!(!asks(2, &[], Some(fresh.clone()), now).0, "it was asked a moment ago");
    let old = Advertised { again_at: at(now), ..fresh.clone() };
    assert!(asks(2, &[], Some(old), now).0);
    assert!(asks(1, &often(SOLD_OUT), None, now).0, "it waits for stock");
    let soon = Advertised { again_at: at(now + 7), ..fresh };
    assert_eq!(asks(1, &often(SOLD_OUT), Some(soon), now), (false, Some(7)), "and asks again when it may");
    let money = asks(1, &often("InvalidAccount.InsufficientBalance"), None, now);
    assert!(!money.0 && money.1.is_some_and(|pause| pause > 200), "no stock will help: {money:?}");
}
