//! Several endpoints in order.

use std::time::Duration;

use llm_client::{BreakerState, Chat, Error, HttpChat, Profile, Providers, Schema};
use serde_json::json;
use tokio::time::{Instant, advance};

use crate::endpoint::{Endpoint, Reply, delta, last, question};

fn client(endpoint: &Endpoint, name: &str) -> HttpChat {
    endpoint.simulated(Profile::OpenAi).service(name).tries(1).build().expect("a client")
}

fn pair(first: &Endpoint, second: &Endpoint) -> Providers {
    Providers::new("first", client(first, "first")).then("second", client(second, "second"))
}

fn down() -> Reply {
    Reply::error(503, "server_error", "", "down")
}

#[tokio::test(start_paused = true)]
async fn the_first_that_answers_is_enough() {
    let (first, second) = (Endpoint::always(Reply::says("1")), Endpoint::always(Reply::says("2")));
    let completion = pair(&first, &second).complete(&question()).await.expect("an answer");
    assert_eq!((completion.content.as_str(), &*completion.service), ("1", "first"));
    assert!(second.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_the_next_is_asked() {
    for failing in [
        down(),
        Reply::silence(),
        Reply::lost(),
        Reply::not_sent(),
        Reply::says(""),
        Reply::error(401, "", "invalid_api_key", ""),
        Reply::error(400, "", "data_inspection_failed", ""),
        Reply::raw(200, "text/html", "<html>hello</html>"),
    ] {
        let (first, second) = (Endpoint::always(failing), Endpoint::always(Reply::says("2")));
        let completion = pair(&first, &second).complete(&question()).await.expect("the second");
        assert_eq!(&*completion.service, "second");
    }
}

#[tokio::test(start_paused = true)]
async fn when_all_fail_each_has_its_say() {
    let (first, second) =
        (Endpoint::always(down()), Endpoint::always(Reply::error(401, "", "invalid_api_key", "who?")));
    let error = pair(&first, &second).complete(&question()).await.expect_err("all failed");
    let shown = error.to_string();
    assert!(
        shown.contains("first: complete: status 503") && shown.contains("second: complete: status 401"),
        "{shown}"
    );
    assert!(error.is_retryable(), "the first may come back");
}

#[tokio::test(start_paused = true)]
async fn an_invalid_request_goes_to_nobody() {
    let (first, second) = (Endpoint::always(down()), Endpoint::always(down()));
    let error = pair(&first, &second).complete(&question().max_tokens(0)).await.expect_err("invalid");
    assert!(matches!(error, Error::Invalid { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn one_that_keeps_failing_rests_and_is_asked_once_when_it_may_be_back() {
    let first = Endpoint::new(|seen| if seen.number < 3 { down() } else { Reply::says("1") });
    let second = Endpoint::always(Reply::says("2"));
    let providers = pair(&first, &second);
    for _ in 0..5 {
        assert_eq!(&*providers.complete(&question()).await.expect("an answer").service, "second");
    }
    assert_eq!(first.seen().len(), 3);
    assert_eq!(providers.states()[0], ("first", BreakerState::Open(Duration::from_secs(30))));
    advance(Duration::from_secs(30)).await;
    assert_eq!(&*providers.complete(&question()).await.expect("an answer").service, "first");
    assert_eq!(providers.states()[0].1, BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_has_begun_ends_a_rest_for_others_too() {
    let first = Endpoint::new(|seen| match seen.number {
        0 => Reply::error(401, "", "invalid_api_key", ""),
        1 => Reply::events([delta(&json!({"content": "a long"}))]).hang(),
        _ => Reply::says("1"),
    });
    let providers = pair(&first, &Endpoint::always(Reply::says("2")));
    providers.complete(&question()).await.expect("the second");
    advance(Duration::from_secs(30)).await;
    let _running = providers.stream(&question()).await.expect("content came");
    assert_eq!(&*providers.complete(&question()).await.expect("an answer").service, "first");
}

#[tokio::test(start_paused = true)]
async fn without_money_it_rests_at_once() {
    let first = Endpoint::always(Reply::error(429, "insufficient_quota", "credit_balance_exhausted", ""));
    let second = Endpoint::always(Reply::says("2"));
    let providers = pair(&first, &second);
    for _ in 0..5 {
        providers.complete(&question()).await.expect("the second");
    }
    assert_eq!(first.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_prompt_that_a_filter_refuses_does_not_make_a_provider_rest() {
    let first = Endpoint::always(Reply::error(400, "", "data_inspection_failed", ""));
    let providers = pair(&first, &Endpoint::always(Reply::says("2")));
    for _ in 0..5 {
        providers.complete(&question()).await.expect("the second");
    }
    assert_eq!((first.seen().len(), providers.states()[0].1), (5, BreakerState::Closed));
}

#[tokio::test(start_paused = true)]
async fn before_the_first_content_a_stream_goes_to_the_next() {
    for failing in
        [down(), Reply::events([]).hang(), Reply::events([delta(&json!({"role": "assistant"}))]).cut()]
    {
        let (first, second) = (Endpoint::always(failing), Endpoint::always(Reply::streams(&["2"])));
        let stream = pair(&first, &second).stream(&question()).await.expect("a stream");
        assert_eq!(stream.complete().await.expect("an answer").content, "2");
    }
}

#[tokio::test(start_paused = true)]
async fn after_the_first_content_a_stream_goes_nowhere_else_and_counts_as_a_failure() {
    let first = Endpoint::always(Reply::events([delta(&json!({"content": "half"}))]).cut());
    let second = Endpoint::always(Reply::streams(&["2"]));
    let providers = pair(&first, &second);
    for _ in 0..3 {
        let stream = providers.stream(&question()).await.expect("content came");
        stream.complete().await.expect_err("cut");
    }
    assert!(second.seen().is_empty());
    assert!(matches!(providers.states()[0].1, BreakerState::Open(_)), "{providers:?}");
    providers.stream(&question()).await.expect("the second").complete().await.expect("an answer");
}

#[tokio::test(start_paused = true)]
async fn within_covers_the_whole_list() {
    let (first, second) = (Endpoint::always(Reply::silence()), Endpoint::always(Reply::silence()));
    let providers = Providers::new(
        "first",
        first.simulated(Profile::OpenAi).deadline(Duration::from_secs(6)).build().expect("a client"),
    )
    .then("second", client(&second, "second"));
    let start = Instant::now();
    providers.complete(&question().within(Duration::from_secs(10))).await.expect_err("late");
    assert_eq!(start.elapsed(), Duration::from_secs(10));
    assert_eq!((first.seen().len(), second.seen().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_model_that_cannot_keep_to_a_schema_is_followed_by_the_next() {
    let schema = Schema::new("s", json!({"type": "object", "required": ["x"]})).expect("a schema");
    let (first, second) = (Endpoint::always(Reply::says("{}")), Endpoint::always(Reply::says("{\"x\": 1}")));
    let found = pair(&first, &second).structured(&question(), &schema).await.expect("the second");
    assert_eq!((&*found.completion.service, found.repaired), ("second", false));
    assert_eq!((first.seen().len(), second.seen().len()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_list_is_a_chat_and_can_stand_in_a_list() {
    let (first, second, third) =
        (Endpoint::always(down()), Endpoint::always(down()), Endpoint::always(Reply::says("3")));
    let outer = Providers::new("pair", pair(&first, &second)).then("third", client(&third, "third"));
    assert_eq!(outer.complete(&question()).await.expect("an answer").content, "3");
}

/// Three silent ones, and a list of them.
fn silent() -> ([Endpoint; 3], Providers) {
    let endpoints = [(); 3].map(|()| Endpoint::always(Reply::silence()));
    let [first, second, third] = endpoints.each_ref();
    let providers = pair(first, second).then("third", client(third, "third"));
    (endpoints, providers)
}

/// How long after `start` each was asked first, in seconds.
fn asked(endpoints: &[Endpoint], start: Instant) -> Vec<u64> {
    endpoints.iter().map(|endpoint| (endpoint.seen()[0].at - start).as_secs()).collect()
}

#[tokio::test(start_paused = true)]
async fn one_that_is_silent_leaves_time_to_the_next() {
    let schema = Schema::new("s", json!({"type": "object"})).expect("a schema");
    let request = question().within(Duration::from_secs(60));
    let first = Endpoint::always(Reply::silence());
    let second = Endpoint::always(Reply::says("{}").after(Duration::from_secs(29)));

    let start = Instant::now();
    let answer = pair(&first, &second).complete(&request).await.expect("the second has half a minute");
    assert_eq!((&*answer.service, start.elapsed().as_secs()), ("second", 59));
    let found = pair(&first, &second).structured(&request, &schema).await.expect("the second");
    assert_eq!(&*found.completion.service, "second");

    let second = Endpoint::always(Reply::streams(&["2"]).after(Duration::from_secs(29)));
    let stream = pair(&first, &second).stream(&request).await.expect("the second");
    assert_eq!(stream.complete().await.expect("an answer").content, "2");
}

#[tokio::test(start_paused = true)]
async fn each_gets_its_share_of_what_is_left() {
    let (endpoints, providers) = silent();
    let start = Instant::now();
    let error = providers.complete(&question().within(Duration::from_secs(60))).await.expect_err("late");
    assert_eq!((asked(&endpoints, start), start.elapsed().as_secs()), (vec![0, 20, 40], 60));
    let shown = error.to_string();
    assert_eq!(shown.matches("the answer was not complete after 20s").count(), 3, "{shown}");

    // What one does not use is there for the others.
    let endpoints = [Endpoint::always(down()), Endpoint::always(Reply::silence()), endpoints[2].clone()];
    let providers = pair(&endpoints[0], &endpoints[1]).then("third", client(&endpoints[2], "third"));
    let start = Instant::now();
    providers.complete(&question().within(Duration::from_secs(60))).await.expect_err("late");
    assert_eq!(asked(&endpoints[..2], start), [0, 0]);
    assert_eq!((endpoints[2].seen()[1].at - start).as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn of_little_time_the_last_has_as_much_as_the_first() {
    let (endpoints, providers) = silent();
    let start = Instant::now();
    providers.complete(&question().within(Duration::from_secs(9))).await.expect_err("late");
    assert_eq!((asked(&endpoints, start), start.elapsed().as_secs()), (vec![0, 3, 6], 9));

    let second = Endpoint::always(Reply::says("2").after(Duration::from_millis(3_900)));
    let answer = pair(&endpoints[0], &second).complete(&question().within(Duration::from_secs(8))).await;
    assert_eq!(&*answer.expect("the second").service, "second");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_for_one_that_rests() {
    let first = Endpoint::always(Reply::says("1").after(Duration::from_secs(50)));
    let second = Endpoint::always(Reply::error(401, "", "invalid_api_key", ""));
    let providers = pair(&first, &second);
    // The first is too late, and the second goes to rest.
    providers.complete(&question().within(Duration::from_secs(20))).await.expect_err("late");
    let answer = providers.complete(&question().within(Duration::from_secs(60))).await.expect("all the time");
    assert_eq!(&*answer.service, "first");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_has_begun_has_all_the_time() {
    let words = Reply::events([delta(&json!({"content": "half"}))])
        .pause(Duration::from_secs(50))
        .and_events([delta(&json!({"content": " whole"})), last("stop")])
        .and("data: [DONE]\n\n");
    let (first, second) = (Endpoint::always(words), Endpoint::always(Reply::streams(&["2"])));
    let request = question().within(Duration::from_secs(60));
    let stream = pair(&first, &second).stream(&request).await.expect("a stream");
    assert_eq!(stream.complete().await.expect("an answer").content, "half whole");
    assert!(second.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_its_own_holds_as_well() {
    let (first, second) = (Endpoint::always(Reply::silence()), Endpoint::always(Reply::streams(&["2"])));
    let impatient = first.simulated(Profile::OpenAi).first_byte(Duration::from_secs(3)).tries(1);
    let providers = Providers::new("first", impatient.build().expect("a client"))
        .then("second", client(&second, "second"));
    let start = Instant::now();
    providers.stream(&question().within(Duration::from_secs(60))).await.expect("the second");
    assert_eq!(start.elapsed().as_secs(), 3);
}
