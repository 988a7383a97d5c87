//! Time, in paused time.

use std::time::Duration;

use llm_client::{Call, Chat, Deadline, Error, Profile};
use serde_json::json;
use tokio::time::Instant;

use crate::endpoint::{Endpoint, Reply, answer, delta, last, question};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Half an hour of comments, as DeepSeek sends under load.
fn keep_alive() -> Reply {
    (0..180).fold(Reply::events([]), |reply, _| reply.and(": keep-alive\n\n").pause(seconds(10)))
}

#[tokio::test(start_paused = true)]
async fn keep_alive_comments_do_not_hold_up_the_first_byte_deadline() {
    let endpoint = Endpoint::always(keep_alive());
    let chat = endpoint.simulated(Profile::DeepSeek).tries(1).build().expect("a client");
    let start = Instant::now();
    let error = chat.stream(&question()).await.expect_err("late");
    assert!(matches!(error, Error::Late { deadline: Deadline::FirstByte, .. }), "{error}");
    assert_eq!(start.elapsed(), seconds(30));
}

#[tokio::test(start_paused = true)]
async fn who_has_time_gets_the_answer_behind_half_an_hour_of_comments() {
    let late = keep_alive().and_events([delta(&json!({"content": "here"})), last("stop")]);
    let builder = Endpoint::always(late).simulated(Profile::DeepSeek);
    let chat = builder.first_byte(seconds(3600)).deadline(seconds(3600)).build().expect("a client");
    let stream = chat.stream(&question()).await.expect("a stream");
    assert_eq!(stream.complete().await.expect("an answer").content, "here");
}

#[tokio::test(start_paused = true)]
async fn blank_lines_do_not_hold_up_the_total_deadline() {
    let blank = Reply::raw(200, "application/json", "");
    let blank = (0..180).fold(blank, |reply, _| reply.and("\n").pause(seconds(10)));
    let chat = Endpoint::always(blank).simulated(Profile::DeepSeek).build().expect("a client");
    let start = Instant::now();
    let error = chat.complete(&question()).await.expect_err("late");
    assert!(matches!(error, Error::Late { deadline: Deadline::Total, .. }), "{error}");
    assert_eq!(start.elapsed(), seconds(120));
}

#[tokio::test(start_paused = true)]
async fn a_model_that_thinks_aloud_is_not_late() {
    let thinking = (0..10).fold(Reply::events([]), |reply, _| {
        reply.and_events([delta(&json!({"reasoning_content": "hm"}))]).pause(seconds(10))
    });
    let thinking = thinking.and_events([delta(&json!({"content": "42"})), last("stop")]);
    let chat = Endpoint::always(thinking).simulated(Profile::DeepSeek).build().expect("a client");
    let completion = chat.stream(&question()).await.expect("a stream").complete().await.expect("an answer");
    assert_eq!((completion.content.as_str(), completion.reasoning), ("42", Some("hm".repeat(10))));
}

#[tokio::test(start_paused = true)]
async fn within_bounds_every_try_and_pause_together() {
    let endpoint =
        Endpoint::always(Reply::json(503, &json!({"error": {"message": "busy"}})).after(seconds(3)));
    let chat = endpoint.simulated(Profile::OpenAi).tries(100).build().expect("a client");
    let start = Instant::now();
    chat.complete(&question().within(seconds(10))).await.expect_err("busy");
    assert!(start.elapsed() <= seconds(10), "{:?}", start.elapsed());
    assert!(endpoint.seen().len() > 1);
}

#[tokio::test(start_paused = true)]
async fn the_clients_own_deadline_holds_whatever_the_request_says() {
    let endpoint =
        Endpoint::always(Reply::json(200, &answer(&json!({"content": "x"}), "stop")).after(seconds(9)));
    let chat = endpoint.simulated(Profile::OpenAi).deadline(seconds(5)).build().expect("a client");
    let error = chat.complete(&question().within(seconds(3600))).await.expect_err("late");
    assert!(matches!(error, Error::Late { after, .. } if after == seconds(5)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn waits_are_said_in_tenths_of_a_second() {
    let odd = Duration::from_nanos(1_234_567_891);
    let chat = Endpoint::always(Reply::silence()).simulated(Profile::OpenAi).build().expect("a client");
    let late = chat.complete(&question().within(odd)).await.expect_err("late").to_string();
    assert!(late.contains("the answer was not complete after 1.2s"), "{late}");
    let resting = Error::Resting { call: Call::new("test", "complete"), wait: odd }.to_string();
    assert!(resting.contains("not asked for another 1.2s"), "{resting}");
}

#[tokio::test(start_paused = true)]
async fn pauses_between_tries_grow_and_differ_by_seed() {
    let pauses = async |seed| {
        let endpoint = Endpoint::always(Reply::not_sent());
        let chat = endpoint.simulated(Profile::OpenAi).tries(4).jitter_seed(seed).build().expect("a client");
        chat.complete(&question()).await.expect_err("not sent");
        let seen = endpoint.seen();
        seen.windows(2).map(|two| two[1].at - two[0].at).collect::<Vec<_>>()
    };
    let some = pauses(1).await;
    assert_eq!(some.len(), 3);
    for (pause, least) in some.iter().zip([500, 1000, 2000]) {
        assert!((least..=2 * least + 1).contains(&pause.as_millis()), "{some:?}");
    }
    assert_eq!(some, pauses(1).await);
    assert_ne!(some, pauses(2).await);
}
