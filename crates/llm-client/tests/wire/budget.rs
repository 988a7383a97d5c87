//! Tokens that may be spent.

use std::sync::Arc;
use std::time::Duration;

use llm_client::{BreakerState, Chat, Error, HttpChat, Profile, Providers, TokenBudget};
use serde_json::json;

use crate::endpoint::{Endpoint, Reply, answer, question};

fn client(endpoint: &Endpoint, budget: &Arc<TokenBudget>) -> HttpChat {
    let builder = endpoint.simulated(Profile::OpenAi).max_tokens(100).budget(Arc::clone(budget)).tries(1);
    builder.build().expect("a client")
}

#[tokio::test(start_paused = true)]
async fn a_call_is_charged_what_the_endpoint_counted() {
    let budget = Arc::new(TokenBudget::new(10_000));
    let endpoint = Endpoint::always(Reply::says("ok"));
    client(&endpoint, &budget).complete(&question()).await.expect("an answer");
    assert_eq!((budget.spent(), budget.available()), (21, 9_979));
    let endpoint = Endpoint::always(Reply::streams(&["ok"]));
    client(&endpoint, &budget)
        .stream(&question())
        .await
        .expect("a stream")
        .complete()
        .await
        .expect("an answer");
    assert_eq!(budget.spent(), 42);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_refused_before_anything_is_sent_until_the_caller_resets_it() {
    let budget = Arc::new(TokenBudget::new(300));
    let mut body = answer(&json!({"content": "ok"}), "stop");
    body["usage"] = json!({"prompt_tokens": 150, "completion_tokens": 100});
    let endpoint = Endpoint::always(Reply::json(200, &body));
    let chat = client(&endpoint, &budget);
    chat.complete(&question()).await.expect("an answer");
    let error = chat.complete(&question()).await.expect_err("spent");
    assert!(matches!(error, Error::BudgetSpent { available: 50, needed, .. } if needed > 100), "{error}");
    assert_eq!(endpoint.seen().len(), 1);
    budget.reset();
    chat.complete(&question()).await.expect("a new day");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_costs_nothing_and_a_lost_answer_everything_that_it_could() {
    let budget = Arc::new(TokenBudget::new(10_000));
    for free in [Reply::not_sent(), Reply::error(429, "", "rate_limit_exceeded", "")] {
        client(&Endpoint::always(free), &budget).complete(&question()).await.expect_err("refused");
        assert_eq!(budget.spent(), 0);
    }
    client(&Endpoint::always(Reply::lost()), &budget).complete(&question()).await.expect_err("lost");
    assert!(budget.spent() > 100, "{budget:?}");
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_stopped_waiting_costs_everything_and_a_server_that_refuses_nothing() {
    for (status, open) in [
        (408, true),
        (499, true),
        (502, true),
        (504, true),
        (520, true),
        (524, true),
        (400, false),
        (500, false),
        (503, false),
        (529, false),
    ] {
        let budget = Arc::new(TokenBudget::new(10_000));
        let page = Reply::raw(status, "text/html", "<html><h1>An error</h1></html>");
        for reply in [page, Reply::error(status, "", "", "an error")] {
            budget.reset();
            client(&Endpoint::always(reply), &budget).complete(&question()).await.expect_err("an error");
            assert_eq!(budget.spent() > 100, open, "{status}: {budget:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_try_that_cannot_be_paid_does_not_hide_why_there_was_one() {
    let budget = Arc::new(TokenBudget::new(300));
    let endpoint = Endpoint::always(Reply::lost());
    let builder = endpoint.simulated(Profile::OpenAi).max_tokens(100).budget(Arc::clone(&budget)).tries(2);
    let chat = builder.build().expect("a client");
    let error = chat.complete(&question()).await.expect_err("lost");
    assert!(matches!(error, Error::Broken { .. }), "{error}");
    assert_eq!(endpoint.seen().len(), 1);

    let providers = Providers::new("only", chat);
    for _ in 0..3 {
        budget.reset();
        providers.complete(&question()).await.expect_err("lost");
    }
    assert!(matches!(providers.states()[0].1, BreakerState::Open(_)), "{providers:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_is_charged_in_full() {
    let budget = Arc::new(TokenBudget::new(10_000));
    let endpoint = Endpoint::always(Reply::streams(&["a", "b"]));
    drop(client(&endpoint, &budget).stream(&question()).await.expect("a stream"));
    assert!(budget.spent() > 100, "{budget:?}");
}

#[tokio::test(start_paused = true)]
async fn calls_at_once_never_exceed_the_limit_together() {
    // Each may cost some 230 tokens, so that four fit; all of them are under way at the same time.
    let budget = Arc::new(TokenBudget::new(1_000));
    let endpoint = Endpoint::always(Reply::says("ok").after(Duration::from_secs(1)));
    let chat = client(&endpoint, &budget);
    let request = question();
    let outcomes = futures::future::join_all((0..50).map(|_| chat.complete(&request))).await;
    let answered = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!((answered, endpoint.seen().len()), (4, 4));
    assert!(
        outcomes
            .iter()
            .flat_map(|outcome| outcome.as_ref().err())
            .all(|error| matches!(error, Error::BudgetSpent { .. }))
    );
    assert_eq!(budget.spent(), 4 * 21);
}
