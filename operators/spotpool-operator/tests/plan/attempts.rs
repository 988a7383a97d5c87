//! Steps 6 to 8: what the record of attempts permits. The rows are the rules whose absence
//! `launch-traces` tells of.

use spotpool_operator::crd::{AttemptOutcome, SpotInstanceStatus};
use spotpool_operator::plan::attempts::{NextAttempt, all_answered, close, next_attempt, push};

use spotpool_operator::plan::seen::NameLook;
use tencent_cvm::{Instance, InstanceState};

use crate::given::{at, attempt, instance, machine, rules};

fn status(outcomes: &[(&str, u64, AttemptOutcome)]) -> SpotInstanceStatus {
    let mut status = SpotInstanceStatus::default();
    for (number, (token, sent, outcome)) in outcomes.iter().enumerate() {
        status.attempts.push(attempt(i64::try_from(number).unwrap() + 1, token, at(*sent), *outcome));
    }
    status
}

fn next(status: &SpotInstanceStatus, look_begun: Option<u64>, same_body: bool) -> NextAttempt {
    next_attempt(status, look_begun.map(at), |_| same_body, &rules())
}

#[test]
fn the_record_of_attempts_permits_exactly_one_thing() {
    use AttemptOutcome::{Closed, Errored, Made, NotSent, Refused, Unknown};
    let after = |seconds| NextAttempt::LookAfter(at(seconds));
    let again =
        |status: &SpotInstanceStatus, i: usize| NextAttempt::Again(Box::new(status.attempts[i].clone()));
    let one = status(&[("a", 0, Unknown)]);
    let resent = status(&[("a", 0, Unknown), ("a", 120, Unknown)]);
    let held = status(&[("a", 0, Unknown), ("a", 130, NotSent)]);
    let rows: Vec<(&str, SpotInstanceStatus, Option<u64>, bool, NextAttempt)> = vec![
        ("nothing was ever sent", status(&[]), None, true, NextAttempt::New),
        ("it never left", status(&[("a", 0, NotSent)]), None, true, NextAttempt::New),
        ("refused", status(&[("a", 0, Refused)]), None, true, NextAttempt::New),
        ("closed", status(&[("a", 0, Closed)]), None, true, NextAttempt::New),
        (
            "made, but the id was lost from the record",
            status(&[("a", 0, Made)]),
            None,
            true,
            NextAttempt::New,
        ),
        ("no look yet", one.clone(), None, true, after(120)),
        ("a look begun before the window was over", one.clone(), Some(119), true, after(120)),
        ("a look begun in time", one.clone(), Some(120), true, again(&one, 0)),
        ("the template was edited meanwhile", one, Some(120), false, NextAttempt::Close),
        ("a re-send counts from its own time", resent.clone(), Some(120), true, after(240)),
        ("and may itself be repeated", resent.clone(), Some(240), true, again(&resent, 1)),
        (
            "a re-send that was refused",
            status(&[("a", 0, Unknown), ("a", 120, Refused)]),
            None,
            true,
            NextAttempt::New,
        ),
        (
            "a re-send that errored waits too",
            status(&[("a", 0, Unknown), ("a", 120, Errored)]),
            Some(239),
            true,
            after(240),
        ),
        (
            "and its token is never sent again",
            status(&[("a", 0, Unknown), ("a", 120, Errored)]),
            Some(240),
            true,
            NextAttempt::Close,
        ),
        (
            "a re-send that never left says nothing about the first",
            held.clone(),
            Some(125),
            true,
            again(&held, 0),
        ),
    ];
    for (what, status, look, same_body, expected) in rows {
        assert_eq!(next(&status, look, same_body), expected, "{what}");
    }
    let with_machine =
        SpotInstanceStatus { instance_id: Some("ins-1".to_owned()), ..status(&[("a", 0, Unknown)]) };
    assert_eq!(next(&with_machine, Some(9999), true), NextAttempt::HasMachine);
}

#[test]
fn closing_touches_only_what_has_no_answer() {
    use AttemptOutcome::{Closed, Errored, NotSent, Refused, Unknown};
    let mut status = status(&[("a", 0, Refused), ("b", 1, Unknown), ("b", 2, NotSent), ("b", 3, Errored)]);
    close(&mut status);
    let outcomes: Vec<_> = status.attempts.iter().map(|attempt| attempt.outcome).collect();
    assert_eq!(outcomes, [Refused, Closed, NotSent, Closed]);
    assert!(
        !all_answered(&status),
        "closed by a look is not answered: the finalizer still waits forgetAfter"
    );
}

#[test]
fn the_record_keeps_ten_and_everything_unanswered() {
    use AttemptOutcome::{Closed, Refused, Unknown};
    let rules = rules();
    let mut status = SpotInstanceStatus::default();
    push(&mut status, attempt(0, "lost", at(0), Unknown), &rules);
    push(&mut status, attempt(0, "closed", at(10), Closed), &rules);
    for i in 0..30 {
        push(&mut status, attempt(0, "next", at(20 + i), Refused), &rules);
    }
    let tokens: Vec<_> = status.attempts.iter().map(|attempt| attempt.token.as_str()).collect();
    assert_eq!(tokens.len(), 12, "{tokens:?}");
    assert_eq!(tokens[..2], ["lost", "closed"], "a closed one may still matter for forgetAfter");
    push(&mut status, attempt(0, "much later", at(1000), Refused), &rules);
    assert_eq!(status.attempts[0].token, "lost", "without an answer it stays for ever");
    assert!(status.attempts.iter().all(|attempt| attempt.token != "closed"));
    assert_eq!(status.attempted, 33);
    assert_eq!(status.attempts.last().unwrap().number, 33, "numbers go on when old ones are dropped");
}

#[test]
fn an_old_look_that_showed_a_machine_says_nothing_and_an_old_empty_one_still_does() {
    let shown = machine(&instance(1), "ins-shown", InstanceState::Running);
    let look = |machines: &[Instance]| NameLook { begun: at(100), machines: machines.to_vec() };
    let (full, empty) = (look(std::slice::from_ref(&shown)), look(&[]));
    for (now, full_holds) in [(Some(at(130)), true), (Some(at(131)), false), (None, false)] {
        assert_eq!(full.holds(now), full_holds, "a machine at {now:?}: it is no look for nothing");
        assert!(empty.holds(now), "an empty look at {now:?}");
    }
}
