//! The same seed and the same calls give the same answers.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;
use sim::cvm::{Cloud, Fate, Fault, FaultRule, Latency, Span};

use crate::caller::{Request, follow, launch_body, noon, quiet_config};

/// Everything that two hours of a busy, unreliable cloud give out, as text.
fn transcript(seed: u64) -> String {
    let mut config = quiet_config();
    config.settings.latency = Latency::Lognormal;
    config.settings.visibility_lag = Span::between(Duration::ZERO, Duration::from_secs(60));
    config.settings.tag_lag = Span::between(Duration::ZERO, Duration::from_secs(60));
    config.settings.launch_failure = 0.1;
    let mut cloud = Cloud::new(config, seed);
    for fault in
        [Fault::CutAnswer, Fault::LateCommit { delay: "1s..60s".parse().unwrap() }, Fault::DoubledEntries]
    {
        cloud.add_fault(FaultRule::new(fault).with_probability(0.2));
    }
    let mut text = String::new();
    for minute in 0..120 {
        let now = noon() + SignedDuration::from_mins(minute);
        let name = format!("m{minute}");
        let launch = Request::new("RunInstances", launch_body(&name, &name), now).sign();
        let look = Request::new("DescribeInstances", json!({"Limit": 100}), now).sign();
        for request in [launch, look] {
            let reply = follow(&mut cloud, now, request);
            text.push_str(&format!("{} {} ", reply.answer_at, reply.request_id));
            if let Fate::Deliver(response) | Fate::Cut { response, .. } = &reply.fate {
                text.push_str(&String::from_utf8_lossy(response.body()));
            }
            text.push('\n');
        }
        if minute % 7 == 0 {
            let victim = cloud.existing().map(|machine| machine.id.clone()).next();
            victim.map_or(Ok(()), |victim| cloud.vanish(&victim)).unwrap();
        }
    }
    text + &serde_json::to_string(cloud.ledger().events()).unwrap()
}

#[test]
fn one_seed_is_one_story_and_another_seed_is_another() {
    let story = transcript(7);
    assert!(story.len() > 100_000, "something must have happened");
    assert_eq!(story, transcript(7));
    assert_ne!(story, transcript(8));
}

#[test]
fn the_latencies_are_what_the_design_assumes() {
    let measure = |action: &str| {
        let mut config = quiet_config();
        config.settings.latency = Latency::Lognormal;
        let mut cloud = Cloud::new(config, 1);
        let mut millis: Vec<i128> = (0..4000)
            .map(|n| {
                let now = noon() + SignedDuration::from_secs(n);
                let reply = follow(&mut cloud, now, Request::new(action, "{}", now).sign());
                reply.answer_at.duration_since(now).as_millis()
            })
            .collect();
        millis.sort_unstable();
        (millis[2000], millis[3960])
    };
    let near = |measured: i128, expected: i128| (measured - expected).abs() * 10 <= expected;
    for (action, p50, p99) in
        [("DescribeInstances", 120, 400), ("TerminateInstances", 120, 400), ("RunInstances", 600, 1500)]
    {
        let measured = measure(action);
        assert!(near(measured.0, p50) && near(measured.1, p99), "{action}: {measured:?} for ({p50}, {p99})");
    }
}
