//! A launch is one request.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tencent_cvm::{Action, Class, Cvm, Error, HttpCvm, InstanceId, Reach, RunInstances, SendOptions, Tag};
use tokio::time::{Instant, sleep};

use crate::cloud::{Cloud, EPOCH, Reply, date, name, ok, page_of, refused};

pub(crate) fn request() -> RunInstances {
    RunInstances {
        instance_charge_type: "SPOTPAID".into(),
        zone: "ap-singapore-2".into(),
        instance_type: "GN7.2XLARGE32".into(),
        image_id: "img-5gn3j31i".into(),
        vpc_id: "vpc-86f66zht".into(),
        subnet_id: "subnet-gfrv79s2".into(),
        security_group_ids: vec!["sg-aglabemo".into()],
        system_disk_type: "CLOUD_BSSD".into(),
        system_disk_gib: 100,
        public_bandwidth_mbps: 1,
        key_ids: vec!["skey-00000001".into()],
        user_data: Some("#!/bin/sh\necho 你好\n".into()),
        instance_name: "sp-abcdefghijklmnop-3-0a1b2c".into(),
        client_token: "0a1b2c3d-0001".into(),
        tags: vec![Tag { key: "team".into(), value: "gpu".into() }],
        count: 1,
    }
}

fn launched() -> Reply {
    ok(json!({ "InstanceIdSet": [name(1)] }))
}

async fn run(cvm: &HttpCvm) -> Result<Vec<InstanceId>, Error> {
    cvm.run_instances(&request(), SendOptions::default()).await
}

#[tokio::test]
async fn what_is_sent_is_the_body_byte_for_byte() {
    let cloud = Cloud::new(|_| launched());
    let (_server, builder) = cloud.served().await;
    let made = run(&builder.build().expect("client")).await.expect("launched");
    assert_eq!(made, [InstanceId::new(name(1))]);

    let calls = cloud.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].action, "RunInstances");
    assert_eq!(calls[0].raw, request().body());
    // The bytes themselves are a promise: a recorded hash of them must stay true from release to release.
    let golden = include_str!("../fixtures/run_instances.json").trim_end();
    assert_eq!(String::from_utf8(calls[0].raw.clone()).expect("text"), golden);
}

#[test]
fn what_is_empty_is_left_out() {
    let smallest = RunInstances {
        instance_charge_type: "POSTPAID_BY_HOUR".into(),
        zone: "z".into(),
        instance_type: "t".into(),
        image_id: "i".into(),
        count: 2,
        ..RunInstances::default()
    };
    let body: Value = serde_json::from_slice(&smallest.body()).expect("JSON");
    assert_eq!(
        body,
        json!({
            "InstanceChargeType": "POSTPAID_BY_HOUR",
            "Placement": { "Zone": "z" },
            "InstanceType": "t",
            "ImageId": "i",
            "InstanceCount": 2,
        })
    );
}

#[test]
fn the_default_network_is_asked_for_by_name() {
    let request = RunInstances { vpc_id: "DEFAULT".into(), subnet_id: "DEFAULT".into(), ..request() };
    let body: Value = serde_json::from_slice(&request.body()).expect("JSON");
    assert_eq!(body["VirtualPrivateCloud"], json!({ "VpcId": "DEFAULT", "SubnetId": "DEFAULT" }));
}

#[test]
fn a_password_is_never_set_and_a_login_only_by_key() {
    let body: Value = serde_json::from_slice(&request().body()).expect("JSON");
    assert_eq!(body["LoginSettings"], json!({ "KeyIds": ["skey-00000001"] }));
    let without = RunInstances { key_ids: vec![], ..request() };
    let body: Value = serde_json::from_slice(&without.body()).expect("JSON");
    assert_eq!(body.get("LoginSettings"), None);
}

#[tokio::test(start_paused = true)]
async fn no_failure_is_ever_repeated() {
    let replies: [(&str, Reply, Reach); 9] = [
        ("throttled", refused("RequestLimitExceeded"), Reach::Answered),
        ("internal error", refused("InternalError"), Reach::Answered),
        ("expired", refused("AuthFailure.SignatureExpire").header("date", date(EPOCH)), Reach::Answered),
        ("price query failed", refused("FailedOperation.InquiryPriceFailed"), Reach::Answered),
        ("a proxy's 502", Reply::body("<html>").status(502), Reach::Unknown),
        ("cut JSON", Reply::body(r#"{"Response":{"InstanceIdSet":["ins-"#), Reach::Unknown),
        ("lost", Reply::lost(), Reach::Unknown),
        ("not sent", Reply::not_sent(), Reach::NotSent),
        ("too late", launched().after(Duration::from_secs(60)), Reach::Unknown),
    ];
    for (what, reply, reach) in replies {
        let cloud = Cloud::new(move |_| reply.clone());
        let error = run(&cloud.simulated().build().expect("client")).await.expect_err(what);
        assert_eq!(error.reach(), reach, "{what}: {error:?}");
        assert_eq!(cloud.calls().len(), 1, "{what}");
        assert_eq!(error.action(), Some(Action::RunInstances));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_names_no_machine_leaves_the_outcome_unknown() {
    for response in [
        json!({}),
        json!({ "InstanceIdSet": null }),
        json!({ "InstanceIdSet": [] }),
        json!({ "InstanceIdSet": [""] }),
        json!({ "InstanceIdSet": [null] }),
        json!({ "InstanceIdSet": 7 }),
    ] {
        let cloud = Cloud::new(move |_| ok(response.clone()));
        let error = run(&cloud.simulated().build().expect("client")).await.expect_err("no machine");
        assert!(matches!(error, Error::Protocol { .. }), "{error:?}");
        assert_eq!((error.reach(), error.is_retryable()), (Reach::Unknown, false));
        assert_eq!(error.request_id(), Some("req-ok"));
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_definite_refusal_proves_that_nothing_was_made() {
    let of = async |code: &'static str| {
        let cloud = Cloud::new(move |_| refused(code));
        let error = run(&cloud.simulated().build().expect("client")).await.expect_err(code);
        error.class().expect("a class")
    };
    assert!(of("LimitExceeded.SpotQuota").await.is_definite_refusal());
    assert!(of("ResourceUnavailable.InstanceType").await.is_definite_refusal());
    assert!(of("InvalidParameterValue.InsufficientPrice").await.is_definite_refusal());
    assert_eq!(of("InternalError").await, Class::Unknown);
    for code in ["InternalError", "InvalidParameterValue", "AuthFailure.SignatureExpire", "NeverHeardOf"] {
        assert!(!of(code).await.is_definite_refusal(), "{code}");
    }
}

#[tokio::test]
async fn a_fixed_time_is_what_is_signed_and_sent() {
    let cloud = Cloud::new(|_| launched());
    let (_server, builder) = cloud.served().await;
    let timestamp = Timestamp::from_second(1_700_000_000).expect("in range");
    let options = SendOptions { timestamp: Some(timestamp), ..SendOptions::default() };
    builder.build().expect("client").run_instances(&request(), options).await.expect("launched");
    let seen = &cloud.calls()[0];
    assert_eq!(seen.header("x-tc-timestamp"), "1700000000");
    assert_eq!(seen.header("authorization"), seen.expected_authorization(&crate::cloud::credentials()));
    assert!(seen.header("authorization").contains("/2023-11-14/cvm/tc3_request"));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_after_the_last_moment() {
    let cloud = Cloud::new(|_| launched());
    let cvm = cloud.simulated().build().expect("client");
    let not_after = Instant::now() + Duration::from_secs(20);
    let options = SendOptions { not_after: Some(not_after), ..SendOptions::default() };

    sleep(Duration::from_secs(20)).await;
    cvm.run_instances(&request(), options).await.expect("the last moment itself is in time");
    sleep(Duration::from_millis(1)).await;
    let error = cvm.run_instances(&request(), options).await.expect_err("too late");
    assert!(matches!(error, Error::NotSent { .. }), "{error:?}");
    assert_eq!(cloud.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_the_rate_limit_does_not_carry_a_launch_past_its_last_moment() {
    let cloud = Cloud::new(|_| launched());
    let cvm = cloud.simulated().build().expect("client");
    for _ in 0..10 {
        run(&cvm).await.expect("launched");
    }
    let soon = Instant::now() + Duration::from_millis(500);
    let options = SendOptions { not_after: Some(soon), ..SendOptions::default() };
    let error = cvm.run_instances(&request(), options).await.expect_err("no room in time");
    assert!(matches!(error, Error::NotSent { .. }), "{error:?}");
    assert_eq!(cloud.calls().len(), 10);

    // Several that wait at once: none slips out late.
    let waiting: Vec<_> = (0..25)
        .map(|_| {
            let not_after = Instant::now() + Duration::from_millis(2500);
            cvm.run_instances_by(not_after)
        })
        .collect();
    let deadline = Instant::now() + Duration::from_millis(2500);
    let sent = futures::future::join_all(waiting).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(sent, 20, "two windows of ten");
    assert!(cloud.calls().iter().all(|seen| seen.at <= deadline));
}

/// Shortens the test above.
trait RunBy {
    fn run_instances_by(&self, not_after: Instant) -> impl Future<Output = Result<Vec<InstanceId>, Error>>;
}

impl RunBy for HttpCvm {
    async fn run_instances_by(&self, not_after: Instant) -> Result<Vec<InstanceId>, Error> {
        let options = SendOptions { not_after: Some(not_after), ..SendOptions::default() };
        self.run_instances(&request(), options).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_launch_ends_with_its_timeout() {
    let cloud = Cloud::new(|_| launched().after(Duration::from_secs(3600)));
    let start = Instant::now();
    let cvm = cloud.simulated().timeout(Duration::from_secs(7)).build().expect("client");
    let error = run(&cvm).await.expect_err("no answer");
    assert_eq!(error.reach(), Reach::Unknown);
    assert_eq!(start.elapsed(), Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn a_throttled_launch_slows_down_the_next_one_but_not_the_reads() {
    let cloud = Cloud::new(|seen| match (seen.number, seen.action.as_str()) {
        (0, _) => refused("RequestLimitExceeded"),
        (_, "RunInstances") => launched(),
        _ => page_of(0, seen),
    });
    let cvm = cloud.simulated().build().expect("client");
    run(&cvm).await.expect_err("throttled");
    let start = Instant::now();
    cvm.describe_instances(&[]).await.expect("listing");
    assert_eq!(start.elapsed(), Duration::ZERO);
    run(&cvm).await.expect("launched");
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_would_be_misunderstood_is_not_sent() {
    let cloud = Cloud::new(|_| launched());
    let cvm = cloud.simulated().build().expect("client");
    for (what, request) in [
        ("charge type", RunInstances { instance_charge_type: String::new(), ..request() }),
        ("none", RunInstances { count: 0, ..request() }),
        ("too many", RunInstances { count: 101, ..request() }),
        ("long name", RunInstances { instance_name: "n".repeat(61), ..request() }),
        ("long token", RunInstances { client_token: "t".repeat(65), ..request() }),
        ("token", RunInstances { client_token: "é".into(), ..request() }),
        ("user data", RunInstances { user_data: Some("u".repeat(12 * 1024 + 1)), ..request() }),
    ] {
        let error = cvm.run_instances(&request, SendOptions::default()).await.expect_err(what);
        assert!(matches!(error, Error::Invalid { .. }), "{what}: {error:?}");
    }
    assert!(cloud.calls().is_empty());

    let largest = RunInstances {
        count: 100,
        instance_name: "n".repeat(60),
        client_token: "t".repeat(64),
        user_data: Some("u".repeat(12 * 1024)),
        ..request()
    };
    cvm.run_instances(&largest, SendOptions::default()).await.expect("the most that is allowed");
}
