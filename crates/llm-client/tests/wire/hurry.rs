//! A list of providers whose callers have little time.

use std::time::Duration;

use llm_client::{BreakerState, Chat, ChatRequest, HttpChat, Profile, Providers};
use serde_json::json;
use tokio::time::{Instant, advance};

use crate::endpoint::{Endpoint, Reply, delta, question};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn within(time: u64) -> ChatRequest {
    question().within(seconds(time))
}

fn client(endpoint: &Endpoint, name: &str) -> HttpChat {
    endpoint.simulated(Profile::OpenAi).service(name).tries(1).build().expect("a client")
}

fn states(providers: &Providers) -> Vec<BreakerState> {
    providers.states().into_iter().map(|(_, state)| state).collect()
}

/// One that hangs, and one that takes so many seconds.
fn silent_then(takes: u64) -> Providers {
    let slow = Endpoint::always(Reply::says("2").after(seconds(takes)));
    let silent = Endpoint::always(Reply::silence());
    Providers::new("first", client(&silent, "first")).then("second", client(&slow, "second"))
}

#[tokio::test(start_paused = true)]
async fn calls_in_a_hurry_close_no_provider_to_those_with_time() {
    let providers = silent_then(6);
    for _ in 0..5 {
        providers.complete(&within(8)).await.expect_err("late");
    }
    assert_eq!(states(&providers), [BreakerState::Closed; 2]);
    let answer = providers.complete(&within(60)).await.expect("the second has half a minute");
    assert_eq!(&*answer.service, "second");

    let slow = Endpoint::always(Reply::says("1").after(seconds(6)));
    let only = Providers::new("only", client(&slow, "only"));
    for _ in 0..5 {
        only.complete(&within(1)).await.expect_err("late");
        only.stream(&within(1)).await.expect_err("late");
    }
    only.complete(&within(60)).await.expect("it was never the fault of the provider");
}

#[tokio::test(start_paused = true)]
async fn who_is_silent_for_a_fair_time_rests() {
    let providers = silent_then(90);
    for _ in 0..3 {
        providers.complete(&within(60)).await.expect_err("late");
    }
    // The rest of the first began half a minute before that of the second.
    assert_eq!(states(&providers), [BreakerState::HalfOpen, BreakerState::Open(seconds(30))]);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_its_own_counts_however_short() {
    let silent = Endpoint::always(Reply::silence());
    let impatient =
        silent.simulated(Profile::OpenAi).tries(1).deadline(seconds(2)).build().expect("a client");
    let providers = Providers::new("only", impatient);
    for _ in 0..3 {
        providers.complete(&within(8)).await.expect_err("late");
    }
    assert!(matches!(states(&providers)[..], [BreakerState::Open(_)]), "{providers:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_in_a_hurry_does_not_make_a_rest_longer() {
    let endpoint = Endpoint::new(|seen| match seen.number {
        0 => Reply::error(401, "", "invalid_api_key", ""),
        _ => Reply::says("1").after(seconds(6)),
    });
    let providers = Providers::new("only", client(&endpoint, "only"));
    providers.complete(&within(60)).await.expect_err("refused");
    advance(seconds(30)).await;
    providers.complete(&within(1)).await.expect_err("late");
    assert_eq!(states(&providers), [BreakerState::HalfOpen]);
    providers.complete(&within(60)).await.expect("it works again");
    assert_eq!(states(&providers), [BreakerState::Closed]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_outlasts_a_short_call_is_no_failure() {
    let endless = (0..60).fold(Reply::events([]), |reply, _| {
        reply.and_events([delta(&json!({"content": "more "}))]).pause(seconds(1))
    });
    let providers = Providers::new("only", client(&Endpoint::always(endless), "only"));
    for _ in 0..5 {
        let start = Instant::now();
        let stream = providers.stream(&within(10)).await.expect("content came");
        stream.complete().await.expect_err("late");
        assert_eq!(start.elapsed(), seconds(10));
    }
    assert_eq!(states(&providers), [BreakerState::Closed]);
}

#[tokio::test(start_paused = true)]
async fn a_list_in_a_list_is_not_blamed_for_the_hurry_either() {
    let outer = Providers::new("inner", silent_then(6));
    for _ in 0..5 {
        outer.complete(&within(8)).await.expect_err("late");
    }
    assert_eq!(states(&outer), [BreakerState::Closed]);
}
