//! What goes wrong, when, and what of it takes effect.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sim::cvm::{Cloud, Fate, Fault, FaultRule, Loss, Span, What};

use crate::caller::{
    Request, call, code, follow, launch, launch_body, listed, noon, quiet_config, response_of,
};

/// A cloud in which the next call meets this fault.
fn with(fault: Fault) -> Cloud {
    let mut cloud = Cloud::new(quiet_config(), 1);
    cloud.add_fault(FaultRule::new(fault).times(1));
    cloud
}

/// What becomes of one launch, and how many machines there are then.
fn launch_into(cloud: &mut Cloud) -> (Fate, usize) {
    let request = Request::new("RunInstances", launch_body("m", "t"), noon()).sign();
    let fate = follow(cloud, noon(), request).fate;
    (fate, cloud.existing().count())
}

fn body(fate: &Fate) -> String {
    let Fate::Deliver(response) = fate else { panic!("not delivered: {fate:?}") };
    String::from_utf8(response.body().to_vec()).unwrap()
}

#[test]
fn a_lost_request_makes_nothing_and_a_lost_answer_does() {
    for (loss, lost) in [
        (Loss::Silence, (|fate| matches!(fate, Fate::Silence)) as fn(&Fate) -> bool),
        (Loss::Reset, |fate| matches!(fate, Fate::Reset)),
        (Loss::Refused, |fate| matches!(fate, Fate::Refused)),
    ] {
        let (fate, made) = launch_into(&mut with(Fault::LostRequest { loss }));
        assert!(lost(&fate) && made == 0, "{loss:?}");
        let (fate, made) = launch_into(&mut with(Fault::LostAnswer { loss }));
        assert!(lost(&fate) && made == 1, "{loss:?}");
    }
}

#[test]
fn answers_are_cut_doubled_emptied_and_hollowed_after_the_commit() {
    let (fate, made) = launch_into(&mut with(Fault::CutAnswer));
    let Fate::Cut { response, keep } = fate else { panic!("{fate:?}") };
    assert!(keep > 0 && keep < response.body().len() && made == 1);
    let (fate, made) = launch_into(&mut with(Fault::DoubledBody));
    let text = body(&fate);
    let (first, second) = text.split_at(text.len() / 2);
    assert!(first == second && serde_json::from_str::<Value>(first).is_ok() && made == 1);
    let (fate, made) = launch_into(&mut with(Fault::EmptyAnswer));
    assert_eq!((body(&fate).as_str(), made), ("", 1));
    let (fate, made) = launch_into(&mut with(Fault::HollowAnswer));
    assert_eq!((body(&fate).as_str(), made), ("{}", 1));
}

#[test]
fn gateways_answer_html_before_or_after_the_commit() {
    for (committed, expected) in [(false, 0), (true, 1)] {
        let (fate, made) = launch_into(&mut with(Fault::HttpError { status: 502, committed }));
        let Fate::Deliver(response) = &fate else { panic!("{fate:?}") };
        assert_eq!((response.status().as_u16(), made), (502, expected));
        assert_eq!(response.headers()["content-type"], "text/html");
        assert!(body(&fate).starts_with("<html>"));
    }
}

#[test]
fn error_codes_come_instead_of_the_effect_or_on_top_of_it() {
    let (fate, made) = launch_into(&mut with(Fault::Refuse { code: "LimitExceeded.SpotQuota".to_owned() }));
    assert!(body(&fate).contains("LimitExceeded.SpotQuota") && made == 0);
    let (fate, made) = launch_into(&mut with(Fault::FailAfterCommit { code: "InternalError".to_owned() }));
    assert!(body(&fate).contains("InternalError") && made == 1);
}

#[test]
fn a_late_commit_takes_effect_after_its_delay_and_not_before() {
    let mut cloud = with(Fault::LateCommit { delay: Span::secs(40) });
    let (flight, _) = cloud.send(noon(), Request::new("RunInstances", launch_body("m", "t"), noon()).sign());
    let sim::cvm::Step::On(flight) = cloud.step(noon(), flight) else { panic!("took effect at once") };
    assert_eq!(flight.at(), noon() + SignedDuration::from_secs(40));
    assert_eq!(listed(&mut cloud, noon() + SignedDuration::from_secs(39), &json!({})).len(), 0);
    assert!(matches!(cloud.step(flight.at(), *flight), sim::cvm::Step::Done(_)));
    assert_eq!(cloud.existing().next().unwrap().created_at, noon() + SignedDuration::from_secs(40));
}

#[test]
fn a_doubled_request_takes_effect_twice_when_tokens_are_ignored() {
    let mut config = quiet_config();
    config.settings.token_mode = sim::cvm::TokenMode::Ignored;
    let mut cloud = Cloud::new(config, 1);
    cloud.add_fault(FaultRule::new(Fault::DoubledRequest { delay: Span::secs(9) }).times(1));
    let (_, made) = launch_into(&mut cloud);
    assert_eq!(made, 2);
    let mut times: Vec<_> = cloud.existing().map(|machine| machine.created_at).collect();
    times.sort();
    assert_eq!(times, [noon(), noon() + SignedDuration::from_secs(9)]);
}

#[test]
fn a_slow_answer_is_late_and_its_effect_is_not() {
    let mut cloud = with(Fault::SlowAnswer { delay: Span::secs(25) });
    let reply =
        follow(&mut cloud, noon(), Request::new("RunInstances", launch_body("m", "t"), noon()).sign());
    assert_eq!(reply.answer_at, noon() + SignedDuration::from_secs(25));
    assert_eq!(cloud.existing().next().unwrap().created_at, noon());
}

#[test]
fn listings_lie_in_each_of_their_ways() {
    let page = |fault: Fault| {
        let mut cloud = Cloud::new(quiet_config(), 1);
        for name in ["a", "b", "c"] {
            launch(&mut cloud, noon(), name);
        }
        cloud.add_fault(FaultRule::new(fault).on("DescribeInstances").times(1));
        let response = call(&mut cloud, noon(), "DescribeInstances", &json!({}));
        (response["TotalCount"].as_i64().unwrap(), response["InstanceSet"].as_array().unwrap().len())
    };
    assert_eq!(page(Fault::EmptyListing), (0, 0));
    assert_eq!(page(Fault::EmptyPage), (3, 0));
    assert_eq!(page(Fault::ShortPage { missing: 1 }), (3, 2));
    assert_eq!(page(Fault::DoubledEntries), (3, 6));
    assert_eq!(page(Fault::MovedTotal { by: 2 }), (5, 3));
    assert_eq!(page(Fault::MovedTotal { by: -9 }), (0, 3));
}

#[test]
fn the_date_header_is_the_clouds_clock_unless_it_is_wrong() {
    let date = |cloud: &mut Cloud| {
        let reply = follow(cloud, noon(), Request::new("DescribeInstances", "{}", noon()).sign());
        let Fate::Deliver(response) = reply.fate else { panic!() };
        response.headers()["date"].to_str().unwrap().to_owned()
    };
    assert_eq!(date(&mut Cloud::new(quiet_config(), 1)), "Sun, 01 Mar 2026 12:00:00 GMT");
    assert_eq!(date(&mut with(Fault::WrongDate { ahead: -3600.0 })), "Sun, 01 Mar 2026 11:00:00 GMT");
}

#[test]
fn a_rule_strikes_only_what_it_names_when_it_says_so_and_as_often() {
    let throttle = || FaultRule::new(Fault::Refuse { code: "RequestLimitExceeded".to_owned() });
    let struck = |rule: FaultRule, calls: &[i64]| {
        let mut cloud = Cloud::new(quiet_config(), 1);
        cloud.advance(noon());
        cloud.add_fault(rule);
        let at = |second: i64| noon() + SignedDuration::from_secs(second);
        let ask =
            |second: &i64| !code(&call(&mut cloud, at(*second), "DescribeInstances", &json!({}))).is_empty();
        calls.iter().map(ask).collect::<Vec<_>>()
    };
    assert_eq!(struck(throttle(), &[0, 1]), [true, true]);
    assert_eq!(struck(throttle().on("RunInstances"), &[0, 1]), [false, false]);
    assert_eq!(struck(throttle().times(1), &[0, 1, 2]), [true, false, false]);
    assert_eq!(struck(FaultRule { skip: 1, ..throttle().times(1) }, &[0, 1, 2]), [false, true, false]);
    let window = FaultRule {
        from: Some(noon() + SignedDuration::from_secs(10)),
        until: Some(noon() + SignedDuration::from_secs(20)),
        ..throttle()
    };
    assert_eq!(struck(window, &[9, 10, 19, 20]), [false, true, true, false]);
    let lasting = FaultRule { lasts: Some(Span::secs(5)), ..throttle() };
    assert_eq!(struck(lasting, &[4, 5]), [true, false]);
    let other = FaultRule { secret_id: Some("AKIDFAKEother".to_owned()), ..throttle() };
    assert_eq!(struck(other, &[0]), [false]);
    let half = struck(throttle().with_probability(0.5), &(0..200).collect::<Vec<_>>());
    let hits = half.iter().filter(|hit| **hit).count();
    assert!((60..140).contains(&hits), "{hits} of 200");
}

#[test]
fn each_strike_is_in_the_ledger_with_its_call() {
    let mut cloud = with(Fault::CutAnswer);
    let reply = follow(&mut cloud, noon(), Request::new("DescribeInstances", "{}", noon()).sign());
    let faults: Vec<_> = cloud
        .ledger()
        .events()
        .iter()
        .filter_map(|event| match &event.what {
            What::Fault { caller, kind, .. } => Some((caller.request_id.clone(), *kind)),
            _ => None,
        })
        .collect();
    assert_eq!(faults, [(reply.request_id, "cut_answer")]);
    assert!(cloud.faults().is_empty(), "a spent rule is gone");
}

#[test]
fn a_fault_given_with_a_call_strikes_that_call_alone() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let request = || Request::new("DescribeInstances", "{}", noon()).sign();
    let refusal = Fault::Refuse { code: "InternalError".to_owned() };
    let (flight, _) = cloud.send_under(noon(), request(), vec![refusal]);
    assert_eq!(code(&response_of(&follow(&mut cloud, noon(), request()))), "");
    let sim::cvm::Step::Done(reply) = cloud.step(noon(), flight) else { panic!("not answered") };
    assert_eq!(code(&response_of(&reply)), "InternalError");
}

#[test]
fn the_json_form_of_a_rule_is_strict() {
    let parse = serde_json::from_value::<FaultRule>;
    let rule =
        parse(json!({"fault": {"kind": "late_commit", "delay": "10s..60s"}, "action": "RunInstances"}));
    let expected =
        FaultRule::new(Fault::LateCommit { delay: "10s..60s".parse().unwrap() }).on("RunInstances");
    assert_eq!(rule.unwrap(), expected);
    assert!(parse(json!({"fault": {"kind": "late_commit"}})).is_err());
    assert!(parse(json!({"fault": {"kind": "cut_answer"}, "tims": 3})).is_err());
    assert!(parse(json!({"fault": {"kind": "gremlins"}})).is_err());
    assert!(parse(json!({"fault": {"kind": "refuse", "code": "X", "colour": 1}})).is_err());
}

#[test]
fn a_refused_answer_is_well_formed() {
    let mut cloud = with(Fault::Refuse { code: "InternalError".to_owned() });
    let reply = follow(&mut cloud, noon(), Request::new("DescribeInstances", "{}", noon()).sign());
    let response = response_of(&reply);
    assert_eq!(code(&response), "InternalError");
    assert_eq!(response["RequestId"].as_str(), Some(reply.request_id.as_str()));
    assert!(response["Error"]["Message"].is_string());
}
