//! What is made of answers that are none, and how often a read is repeated.

use std::error::Error as _;
use std::time::Duration;

use serde_json::json;
use tencent_cvm::{Class, Cvm, Error, Reach};
use tokio::time::Instant;

use crate::cloud::{Cloud, Reply, ok, page_of, refused};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_refusal_carries_code_class_text_and_request_id() {
    let cloud = Cloud::new(|_| refused("UnauthorizedOperation.PermissionDenied").header("retry-after", "7"));
    let (_server, builder) = cloud.served().await;
    let error = builder.build().expect("client").describe_instances(&[]).await.expect_err("refused");
    assert_eq!(error.code(), Some("UnauthorizedOperation.PermissionDenied"));
    assert_eq!(error.class(), Some(Class::Auth));
    assert_eq!(error.request_id(), Some("req-refused"));
    assert_eq!(error.retry_after(), Some(7 * SECOND));
    assert_eq!((error.reach(), error.is_retryable()), (Reach::Answered, false));
    assert_eq!(
        error.to_string(),
        "DescribeInstances: the cloud answered UnauthorizedOperation.PermissionDenied: the cloud's text \
         (RequestId req-refused)"
    );
    assert_eq!(cloud.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn passing_trouble_is_waited_out() {
    for (what, reply) in [
        ("internal error", refused("InternalError")),
        ("throttled", refused("RequestLimitExceeded.UinLimitExceeded")),
        ("lost", Reply::lost()),
        ("not sent", Reply::not_sent()),
        ("a proxy's 502", Reply::body("<html>").status(502)),
        ("a redirect", Reply::body("").status(302).header("location", "http://elsewhere/")),
        ("a client error that the API never answers", Reply::body("{}").status(403)),
        ("no JSON", Reply::body("welcome to the login page")),
        ("cut JSON", Reply::body(r#"{"Response":{"TotalCount":0,"Inst"#)),
        ("no body", Reply::body("")),
        ("no Response", Reply::body("{}")),
        ("null Response", Reply::body(r#"{"Response":null}"#)),
        ("an error without a code", ok(json!({ "Error": { "Message": "?" } }))),
        ("slow", ok(json!({ "TotalCount": 0 })).after(12 * SECOND)),
    ] {
        let cloud = Cloud::new(move |seen| if seen.number == 0 { reply.clone() } else { page_of(1, seen) });
        let listing = cloud.simulated().build().expect("client").describe_instances(&[]).await;
        let listing = listing.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!((listing.instances.len(), listing.calls), (1, 2), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_that_does_not_pass_is_given_up_after_five_tries() {
    let cloud = Cloud::new(|_| refused("InternalError"));
    let start = Instant::now();
    let error =
        cloud.simulated().build().expect("client").describe_instances(&[]).await.expect_err("trouble");
    assert_eq!(error.code(), Some("InternalError"));
    let calls = cloud.calls();
    assert_eq!(calls.len(), 5);
    let pauses: Vec<_> = calls.windows(2).map(|pair| (pair[1].at - pair[0].at).as_millis()).collect();
    let bounds = [100..=200, 200..=400, 400..=800, 800..=1600];
    for (pause, bounds) in pauses.iter().zip(&bounds) {
        // The timer's resolution is a millisecond.
        assert!((*bounds.start()..=bounds.end() + 1).contains(pause), "{pauses:?}");
    }
    assert!(start.elapsed() < 4 * SECOND, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_will_not_pass_is_not_repeated() {
    for code in
        ["AuthFailure.SecretIdNotFound", "InvalidAccount.UnpaidOrder", "InvalidFilter", "UnsupportedRegion"]
    {
        let cloud = Cloud::new(move |_| refused(code));
        cloud.simulated().build().expect("client").describe_instances(&[]).await.expect_err(code);
        assert_eq!(cloud.calls().len(), 1, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn everything_ends_with_the_deadline() {
    for reply in [
        ok(json!({ "TotalCount": 0 })).after(3600 * SECOND),
        refused("InternalError").after(4 * SECOND),
        refused("RequestLimitExceeded").header("retry-after", "3600"),
    ] {
        let cloud = Cloud::new(move |_| reply.clone());
        let start = Instant::now();
        let cvm = cloud.simulated().deadline(15 * SECOND).build().expect("client");
        let error = cvm.describe_instances(&[]).await.expect_err("no answer in time");
        assert!(start.elapsed() <= 15 * SECOND, "{:?}", start.elapsed());
        assert_ne!(error.reach(), Reach::NotSent, "requests did leave: {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_cloud_asks_to_wait_is_waited() {
    for reply in [
        refused("RequestLimitExceeded").header("retry-after", "5"),
        refused("InternalError").header("retry-after", "5"),
        Reply::body("busy").status(503).header("retry-after", "5"),
    ] {
        let cloud = Cloud::new(move |seen| if seen.number == 0 { reply.clone() } else { page_of(0, seen) });
        cloud.simulated().build().expect("client").describe_instances(&[]).await.expect("listing");
        let calls = cloud.calls();
        let waited = calls[1].at - calls[0].at;
        assert!(waited >= 5 * SECOND && waited < 7 * SECOND, "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_cause_says_what_the_answer_was_without_quoting_it() {
    let cause = async |reply: Reply| {
        let cloud = Cloud::new(move |_| reply.clone());
        let error =
            cloud.simulated().build().expect("client").describe_instances(&[]).await.expect_err("no answer");
        assert!(matches!(error, Error::Unknown { .. }), "{error:?}");
        assert_eq!(error.to_string(), "DescribeInstances: sent, but the outcome is unknown");
        error.source().expect("a cause").to_string()
    };
    let status = cause(Reply::body("do-not-quote").status(502)).await;
    assert_eq!(status, "HTTP status 502 Bad Gateway, which the API itself never answers");
    let text = cause(Reply::body("do-not-quote")).await;
    assert_eq!(text, "the answer cannot be read: it is not JSON at line 1 column 1");
    let cut = cause(Reply::body(r#"{"Response":{"RequestId":"do-not-quote"#)).await;
    assert!(cut.contains("it ends too soon") && !cut.contains("do-not-quote"), "{cut}");
}

#[tokio::test(start_paused = true)]
async fn a_long_text_of_the_cloud_is_capped_and_kept_on_one_line() {
    let long = "é\n".repeat(10_000);
    let cloud = Cloud::new(move |_| {
        let error = json!({ "Code": "InvalidFilter", "Message": long });
        Reply::body(json!({ "Response": { "Error": error, "RequestId": "r" } }).to_string())
    });
    let error =
        cloud.simulated().build().expect("client").describe_instances(&[]).await.expect_err("refused");
    let Error::Api { message, .. } = &error else { panic!("{error:?}") };
    assert_eq!(message.chars().count(), 301);
    assert!(message.ends_with('…') && !message.contains('\n'), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_without_text_or_request_id_is_still_one() {
    let cloud = Cloud::new(|_| {
        Reply::body(r#"{"Response":{"Error":{"Code":"InvalidFilter","Message":null},"RequestId":null}}"#)
    });
    let error =
        cloud.simulated().build().expect("client").describe_instances(&[]).await.expect_err("refused");
    assert_eq!((error.code(), error.request_id()), (Some("InvalidFilter"), None));
}
