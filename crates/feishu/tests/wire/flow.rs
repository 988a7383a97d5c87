//! The trigger of a flow.

use std::sync::Arc;
use std::time::Duration;

use feishu::{Error, FlowTrigger, FlowWebhook, HttpBuilder, HttpFlowTrigger};
use serde_json::json;
use tokio::time::Instant;

use crate::group::{Group, Reply};

fn builder(group: &Group) -> HttpBuilder<FlowWebhook> {
    let webhook: FlowWebhook =
        "https://www.feishu.cn/flow/api/trigger-webhook/EXAMPLE".parse().expect("a webhook");
    HttpFlowTrigger::builder(webhook).transport(Arc::new(group.clone()))
}

fn trigger(group: &Group) -> HttpFlowTrigger {
    builder(group).build().expect("a client")
}

#[tokio::test(start_paused = true)]
async fn a_payload_is_sent_as_it_stands() {
    let group = Group::answers([Reply::body(r#"{"code":0,"data":{},"msg":"ok"}"#)]);
    let payload = json!({ "title": "<at id=all></at>", "n": 1 });
    trigger(&group).trigger(&payload).await.expect("triggered");
    assert_eq!(group.seen()[0].body, payload);
}

#[tokio::test(start_paused = true)]
async fn a_payload_over_the_cap_is_refused_here() {
    let group = Group::answers([Reply::done()]);
    let error = trigger(&group).trigger(&json!("长".repeat(7000))).await.expect_err("too large");
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "feishu: trigger a flow: the payload has 21002 bytes, 20480 at most are sent; repeating does not help"
    );
    assert!(group.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_flow_that_may_have_run_is_never_triggered_again() {
    let group = Group::answers([Reply::lost()]);
    let error = trigger(&group).trigger(&json!({})).await.expect_err("unknown");
    assert!(matches!(error, Error::Unknown { .. }), "{error:?}");
    assert_eq!(group.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_flow_that_does_not_answer_is_waited_for_until_the_deadline() {
    let group = Group::answers([Reply::done().after(Duration::from_secs(3600))]);
    let start = Instant::now();
    let trigger = builder(&group).deadline(Duration::from_secs(8)).build().expect("a client");
    let error = trigger.trigger(&json!({})).await.expect_err("unknown");
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    assert_eq!(cause, "no answer within 8 s, when the deadline passed");
    assert_eq!(start.elapsed(), Duration::from_secs(8));
}

#[tokio::test(start_paused = true)]
async fn what_did_not_run_is_triggered_again() {
    let group =
        Group::answers([Reply::not_sent(), Reply::refused(11232, "frequency limited"), Reply::done()]);
    trigger(&group).trigger(&json!({})).await.expect("triggered");
    assert_eq!(group.seen().len(), 3);
}
