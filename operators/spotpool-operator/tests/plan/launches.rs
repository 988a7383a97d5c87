//! What refusals teach, and who may ask now, with one candidate.

use std::slice::from_ref;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use spotpool_operator::crd::{Attempt, AttemptOutcome, SpotInstance, SpotInstanceStatus};
use spotpool_operator::plan::candidates::{Gate, gate};
use spotpool_operator::plan::room::may_come;
use spotpool_operator::plan::{AccountSeen, Advertised, Memory};
use spotpool_operator::valid::ValidPool;

use crate::given::{at, attempt, candidate, instance, pool, rules};

pub(crate) const SOLD_OUT: &str = "ResourceInsufficient.SpecifiedInstanceType";
/// Long enough for a back-off to be over, and for the budget of refusals to be whole again.
const LONG: u64 = 600;

pub(crate) type Kept = (SpotInstance, SpotInstanceStatus);

pub(crate) fn refused(n: i64, sent: u64, code: &str) -> Kept {
    let mut refused = attempt(1, "a", at(sent), AttemptOutcome::Refused);
    refused.code = Some(code.to_owned());
    (instance(n), SpotInstanceStatus { attempts: vec![refused], ..SpotInstanceStatus::default() })
}

pub(crate) fn with(n: i64, sent: u64, outcome: AttemptOutcome, state: Option<&str>) -> Kept {
    let status = SpotInstanceStatus {
        attempts: vec![attempt(1, "a", at(sent), outcome)],
        cloud_state: state.map(str::to_owned),
        ..SpotInstanceStatus::default()
    };
    (instance(n), status)
}

pub(crate) fn valid() -> ValidPool {
    ValidPool::try_from(&pool(1, 3)).unwrap()
}

pub(crate) fn learn(memory: &Memory, known: &[Kept], pool: &ValidPool, now: u64) -> Memory {
    memory.clone().learn(&known.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>(), pool, at(now))
}

pub(crate) fn ask(memory: &Memory, known: &[Kept], pool: &ValidPool, now: u64) -> Gate {
    ask_told(memory, known, pool, None, now)
}

/// The same for one whom the cloud has told what is in stock.
pub(crate) fn ask_told(
    memory: &Memory,
    known: &[Kept],
    pool: &ValidPool,
    told: Option<&Advertised>,
    now: u64,
) -> Gate {
    gate(memory, &known.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>(), pool, told, &rules(), at(now))
}

#[test]
fn refusals_back_off_from_1_to_60_seconds_with_jitter_and_count_once() {
    let pool = valid();
    let mut memory = Memory::default();
    let mut sent = 0;
    let mut pauses = Vec::new();
    for n in 1..=8 {
        let known = [refused(n, sent, SOLD_OUT)];
        memory = learn(&memory, &known, &pool, sent);
        assert_eq!(learn(&memory, &known, &pool, sent), memory, "seen twice, counted once");
        let until = memory.backs_off_until(&candidate(), &pool).unwrap();
        assert_eq!(ask(&memory, &known, &pool, sent), Gate::Shut(until));
        assert_eq!(ask(&memory, &known, &pool, sent + 61), Gate::Scout(candidate()));
        pauses.push(until.duration_since(at(sent)).as_secs());
        sent += LONG;
    }
    let exact = [1, 2, 4, 8, 16, 32, 60, 60];
    for (pause, exact) in pauses.iter().zip(exact) {
        assert!((exact * 3 / 4..=exact).contains(pause), "{pauses:?}");
    }
    let mut other = pool.clone();
    other.uid = "somebody-elses".to_owned();
    let known: Vec<Kept> = vec![refused(1, sent, SOLD_OUT)];
    let apart = |pool| learn(&memory, &known, pool, sent).backs_off_until(&candidate(), pool);
    assert_ne!(apart(&pool), apart(&other), "two pools refused together come back apart");
    let whole = |pool| learn(&Memory::default(), &known, pool, sent).budget_whole_at;
    assert_ne!(whole(&pool), whole(&other), "and so they do when each waits for its budget");
}

#[test]
fn a_wrong_request_waits_for_another_template_and_money_for_minutes() {
    let pool = valid();
    let pause = |code| {
        let memory = learn(&Memory::default(), &[refused(1, 0, code)], &pool, 0);
        memory.backs_off_until(&candidate(), &pool).unwrap().duration_since(at(0)).as_secs()
    };
    assert_eq!(pause("InvalidImageId.NotFound"), 600);
    assert_eq!(pause("InvalidAccount.InsufficientBalance"), 300);
    assert_eq!(pause("UnauthorizedOperation"), 60);
    assert_eq!(pause("ResourceUnavailable.InstanceType"), 24 * 3600, "the zone does not sell it");
    let wrong = learn(&Memory::default(), &[refused(1, 0, "InvalidImageId.NotFound")], &pool, 0);
    assert_eq!(ask(&wrong, &[], &pool, 30), Gate::Shut(at(600)));
    let mut edited = pool.clone();
    edited.template.image_id = "img-right".to_owned();
    assert_eq!(
        ask(&wrong, &[], &edited, 30),
        Gate::Scout(candidate()),
        "an edited template is tried at once"
    );
    let sold_out = learn(&Memory::default(), &[refused(1, 0, SOLD_OUT)], &pool, 0);
    assert_eq!(ask(&sold_out, &[], &edited, 0), Gate::Shut(at(1)), "and finds no more stock");
}

#[test]
fn one_asks_first_and_the_others_follow_its_answer() {
    use AttemptOutcome::{Made, Unknown};
    let (pool, nothing) = (valid(), Memory::default());
    let scout = Gate::Scout(candidate());
    let open = |at_most| Gate::Open(candidate(), at_most);
    let ask = |memory: &Memory, known: &[Kept], now| ask(memory, known, &pool, now);
    assert_eq!(ask(&nothing, &[], 0), scout);
    let unknown = with(1, 10, Unknown, None);
    assert_eq!(ask(&nothing, from_ref(&unknown), 12), Gate::Shut(at(25)), "its answer is awaited");
    assert_eq!(ask(&nothing, &[unknown], 25), open(29), "but not for ever");
    assert_eq!(ask(&nothing, &[with(1, 10, Made, None)], 12), open(2));
    assert_eq!(ask(&nothing, &[with(1, 10, Made, None)], 10 + 301), scout, "stock was known long ago");
    let sold_out = learn(&nothing, &[refused(1, 10, SOLD_OUT)], &pool, 10);
    assert_eq!(ask(&sold_out, &[with(2, 5, Made, None)], 11), scout, "made before the refusal");
    assert_eq!(ask(&sold_out, &[with(2, 12, Made, None)], 13), open(2), "made after it");
}

#[test]
fn only_a_machine_that_came_up_ends_the_back_off() {
    let pool = valid();
    let memory = learn(&Memory::default(), &[refused(1, 10, SOLD_OUT)], &pool, 10);
    let after = |made: Kept| learn(&memory, &[made], &pool, 30).about(&candidate(), &pool).count();
    assert_eq!(after(with(1, 20, AttemptOutcome::Made, Some("PENDING"))), 1, "accepted may still fail");
    assert_eq!(after(with(1, 5, AttemptOutcome::Made, Some("RUNNING"))), 1, "an older one");
    assert_eq!(after(with(1, 20, AttemptOutcome::Made, Some("RUNNING"))), 0);
    // What is disproved is still remembered: the refusal stays on record in its SpotInstance for a while.
    let known = [refused(1, 10, SOLD_OUT), with(2, 20, AttemptOutcome::Made, Some("RUNNING"))];
    let disproved = learn(&memory, &known, &pool, 30);
    assert_eq!(learn(&disproved, &[refused(1, 10, SOLD_OUT)], &pool, 40), disproved);
}

#[test]
fn machines_that_fail_to_come_up_back_off_further_each_time() {
    let failed = |n, sent| {
        let (instance, mut status) = with(n, sent, AttemptOutcome::Made, Some("LAUNCH_FAILED"));
        status.reason = Some("LaunchFailed".to_owned());
        status.recorded_at = Some(Time(at(sent)));
        (instance, status)
    };
    let pool = valid();
    let first = learn(&Memory::default(), &[failed(1, 10)], &pool, 10);
    let second = learn(&first, &[failed(1, 10), failed(2, 30)], &pool, 30);
    assert_eq!((first.entries[0].failures, second.entries[0].failures), (1, 2));
    assert_eq!(second.entries[0].until.0, at(32));
    assert_eq!(second.budget_whole_at, None, "the cloud refused nothing");
}

#[test]
fn only_the_last_request_that_left_may_still_turn_into_a_machine() {
    use AttemptOutcome::{Closed, Errored, Made, NotSent, Refused, Unknown};
    let comes = |outcomes: &[AttemptOutcome]| {
        let attempts =
            (0_i64..).zip(outcomes).map(|(n, outcome)| attempt(n, "a", at(10), *outcome)).collect();
        let status = SpotInstanceStatus { attempts, ..SpotInstanceStatus::default() };
        may_come(&instance(1), &status, &AccountSeen::default(), &rules())
    };
    for outcomes in [&[Unknown][..], &[Errored], &[Unknown, NotSent], &[Closed, Unknown]] {
        assert!(comes(outcomes), "{outcomes:?}");
    }
    // The look that let the repetition go was empty, and its refusal settles the rest.
    for outcomes in [&[][..], &[Refused], &[Made], &[Unknown, Refused], &[Closed, Closed, Refused]] {
        assert!(!comes(outcomes), "{outcomes:?}: its pool would wait for it for ever");
    }
}

#[test]
fn what_a_repeated_request_is_told_about_itself_holds_nobody_up() {
    let errored = |code, repeated: bool| {
        let (instance, mut status) = refused(1, 10, code);
        status.attempts[0].outcome = AttemptOutcome::Errored;
        if repeated {
            let first =
                Attempt { number: -1, outcome: AttemptOutcome::Unknown, ..status.attempts[0].clone() };
            status.attempts.insert(0, first);
        }
        learn(&Memory::default(), &[(instance, status)], &valid(), 11).entries.len()
    };
    assert_eq!(errored("InvalidClientToken.Used", true), 0, "the next request has another token");
    assert_eq!(errored("InvalidImageId.NotFound", true), 0, "the next request will tell");
    assert_eq!(errored(SOLD_OUT, true), 1);
    assert_eq!(
        errored("FailedOperation.ComesTomorrow", false),
        1,
        "what is said of a first request is of it"
    );
    let said_at_once = learn(&Memory::default(), &[refused(1, 10, "InvalidImageId.NotFound")], &valid(), 11);
    assert_eq!(said_at_once.entries.len(), 1);
}
