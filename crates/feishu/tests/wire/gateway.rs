//! What a gateway in front of Feishu answers in JSON: with a code of its own, which means less than its status.

use feishu::{Class, CustomBot, Error, FlowTrigger, HttpFlowTrigger, Message, Text};
use serde_json::json;
use tokio::time::Instant;

use crate::group::{Group, Reply};

fn text() -> Message {
    Text::new("up").into()
}

#[tokio::test(start_paused = true)]
async fn too_many_in_json_is_waited_for_as_long_as_it_says() {
    for (code, says) in
        [(429, "Too Many Requests"), (429, "slow down"), (99_991_400, "request trigger frequency limit")]
    {
        let busy = Reply::refused(code, says).status(429).header("retry-after", "7");
        let group = Group::answers([busy.clone(), Reply::done()]);
        let start = Instant::now();
        let delivery = group.bot().send(&text()).await.expect(says);
        let waited = start.elapsed().as_secs();
        assert_eq!((delivery.tries, delivery.maybe_doubled, waited), (2, false, 7), "{says}");

        let error = Group::answers([busy]).bot().send(&text()).await.expect_err(says);
        assert!(matches!(error, Error::RateLimited { .. }) && error.is_retryable(), "{error:?}");
        let cause = std::error::Error::source(&error).expect("what was answered").to_string();
        assert!(cause.contains(says), "{cause}");
    }
}

#[tokio::test(start_paused = true)]
async fn too_many_by_its_words_is_waited_for_under_any_code() {
    for status in [200, 400] {
        let slow = Reply::refused(99_991_400, "request trigger frequency limit").status(status);
        let group = Group::answers([slow, Reply::done()]);
        let delivery = group.bot().send(&text()).await.expect("taken");
        assert_eq!((delivery.tries, delivery.maybe_doubled), (2, false), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_failed_does_not_know_what_became_of_it() {
    for (status, says) in [(500, "oops"), (502, "bad gateway"), (503, "rate limit"), (504, "gateway timeout")]
    {
        let failed = || Reply::refused(i64::from(status), says).status(status);
        let group = Group::answers([failed(), Reply::done()]);
        let error = group.bot().send(&text()).await.expect_err(says);
        assert!(matches!(error, Error::Unknown { .. }) && !error.is_retryable(), "{error:?}");
        let cause = std::error::Error::source(&error).expect("what was answered").to_string();
        assert!(
            cause.contains(&format!("(HTTP status {status}, JSON with a code of no table: `")),
            "{cause}"
        );
        assert!(cause.contains(says), "{cause}");
        assert_eq!(group.seen().len(), 1, "its readers could not tell a double");

        let group = Group::answers([failed(), Reply::done()]);
        let delivery = group.bot().send(&text().with_reference("INC-42")).await.expect(says);
        assert_eq!((delivery.tries, delivery.maybe_doubled), (2, true), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_known_keeps_its_meaning_under_any_status() {
    for (code, says, class) in [
        (19001, "param invalid: incoming webhook access token invalid", Class::Webhook),
        (19024, "Key Words Not Found", Class::Keyword),
    ] {
        for status in [200, 400, 429, 502, 504] {
            let group = Group::answers([Reply::refused(code, says).status(status)]);
            let error = group.bot().send(&text().with_reference("INC-42")).await.expect_err(says);
            assert_eq!(error.class(), Some(class), "{status}: {error}");
            assert_eq!(group.seen().len(), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_flow_waits_as_well() {
    let busy = Reply::refused(429, "slow down").status(429).header("retry-after", "7");
    let group = Group::answers([busy, Reply::done()]);
    let webhook = "https://www.feishu.cn/flow/api/trigger-webhook/EXAMPLE".parse().expect("a webhook");
    let flow = HttpFlowTrigger::builder(webhook)
        .transport(std::sync::Arc::new(group.clone()))
        .build()
        .expect("a client");
    let start = Instant::now();
    flow.trigger(&json!({})).await.expect("triggered");
    assert_eq!(start.elapsed().as_secs(), 7);
}
