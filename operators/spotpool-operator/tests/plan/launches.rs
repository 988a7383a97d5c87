//! Back-off, and who may ask now.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use spotpool_operator::crd::pool::LaunchBackOff;
use spotpool_operator::crd::{AttemptOutcome, SpotInstance, SpotInstanceStatus};
use spotpool_operator::plan::AccountSeen;
use spotpool_operator::plan::back_off::{Gate, gate, next};
use spotpool_operator::plan::room::may_come;

use crate::given::{at, attempt, instance, rules};

const SOLD_OUT: &str = "ResourceInsufficient.SpecifiedInstanceType";

fn refused(n: i64, sent: u64, code: &str) -> (SpotInstance, SpotInstanceStatus) {
    let mut refused = attempt(1, "a", at(sent), AttemptOutcome::Refused);
    refused.code = Some(code.to_owned());
    (instance(n), SpotInstanceStatus { attempts: vec![refused], ..SpotInstanceStatus::default() })
}

fn with(
    n: i64,
    sent: u64,
    outcome: AttemptOutcome,
    state: Option<&str>,
) -> (SpotInstance, SpotInstanceStatus) {
    let status = SpotInstanceStatus {
        attempts: vec![attempt(1, "a", at(sent), outcome)],
        cloud_state: state.map(str::to_owned),
        ..SpotInstanceStatus::default()
    };
    (instance(n), status)
}

fn learn(
    memory: Option<&LaunchBackOff>,
    known: &[(SpotInstance, SpotInstanceStatus)],
) -> Option<LaunchBackOff> {
    next(memory, &known.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>(), 1)
}

fn ask(
    memory: Option<&LaunchBackOff>,
    known: &[(SpotInstance, SpotInstanceStatus)],
    generation: i64,
    now: u64,
) -> Gate {
    gate(memory, &known.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>(), generation, at(now))
}

#[test]
fn refusals_back_off_from_1_to_60_seconds_and_count_once() {
    let mut memory = None;
    let mut sent = 0;
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let known = [refused(1, sent, SOLD_OUT)];
        memory = learn(memory.as_ref(), &known);
        assert_eq!(learn(memory.as_ref(), &known), memory, "seen twice, counted once");
        let until = memory.as_ref().unwrap().until.0;
        pauses.push(until.duration_since(at(sent)).as_secs());
        assert_eq!(ask(memory.as_ref(), &known, 1, sent), Gate::Shut(until));
        sent += 100;
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
}

#[test]
fn a_wrong_request_waits_for_another_spec_and_money_for_minutes() {
    let pause = |code| learn(None, &[refused(1, 0, code)]).unwrap().until.0.duration_since(at(0)).as_secs();
    assert_eq!(pause("InvalidImageId.NotFound"), 600);
    assert_eq!(pause("InvalidAccount.InsufficientBalance"), 300);
    assert_eq!(pause("UnauthorizedOperation"), 60);
    let memory = learn(None, &[refused(1, 0, "InvalidImageId.NotFound")]);
    assert_eq!(ask(memory.as_ref(), &[], 1, 30), Gate::Shut(at(600)));
    assert_eq!(ask(memory.as_ref(), &[], 2, 30), Gate::Scout, "an edited spec is tried at once");
}

#[test]
fn one_asks_first_and_the_others_follow_its_answer() {
    use AttemptOutcome::{Made, Unknown};
    assert_eq!(ask(None, &[], 1, 0), Gate::Scout);
    assert_eq!(ask(None, &[with(1, 10, Unknown, None)], 1, 12), Gate::Shut(at(25)), "its answer is awaited");
    assert_eq!(ask(None, &[with(1, 10, Unknown, None)], 1, 25), Gate::Open, "but not for ever");
    assert_eq!(ask(None, &[with(1, 10, Made, None)], 1, 12), Gate::Open);
    assert_eq!(ask(None, &[with(1, 10, Made, None)], 1, 10 + 301), Gate::Scout, "stock was known long ago");
    let sold_out = learn(None, &[refused(1, 10, SOLD_OUT)]);
    assert_eq!(
        ask(sold_out.as_ref(), &[with(2, 5, Made, None)], 1, 11),
        Gate::Scout,
        "made before the refusal"
    );
    assert_eq!(ask(sold_out.as_ref(), &[with(2, 12, Made, None)], 1, 13), Gate::Open, "made after it");
}

#[test]
fn only_a_machine_that_came_up_ends_the_back_off() {
    let memory = learn(None, &[refused(1, 10, SOLD_OUT)]);
    let made = with(1, 20, AttemptOutcome::Made, Some("PENDING"));
    assert_eq!(learn(memory.as_ref(), &[made]), memory, "accepted may still fail");
    assert_eq!(
        learn(memory.as_ref(), &[with(1, 5, AttemptOutcome::Made, Some("RUNNING"))]),
        memory,
        "an older one"
    );
    assert_eq!(learn(memory.as_ref(), &[with(1, 20, AttemptOutcome::Made, Some("RUNNING"))]), None);
}

#[test]
fn machines_that_fail_to_come_up_back_off_further_each_time() {
    let failed = |n, sent| {
        let (instance, mut status) = with(n, sent, AttemptOutcome::Made, Some("LAUNCH_FAILED"));
        status.reason = Some("LaunchFailed".to_owned());
        status.recorded_at = Some(Time(at(sent)));
        (instance, status)
    };
    let first = learn(None, &[failed(1, 10)]).unwrap();
    let second = learn(Some(&first), &[failed(1, 10), failed(2, 30)]).unwrap();
    assert_eq!((first.failures, second.failures), (1, 2));
    assert_eq!(second.until.0, at(32));
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
