//! A test for each row of the list of faults that an endpoint, or what stands before it, can show.

use std::time::Duration;

use llm_client::{Chat, Class, Deadline, Error, Finish, Profile};
use serde_json::json;

use crate::endpoint::{Endpoint, Reply, answer, delta, last, question};

const SOON: Duration = Duration::from_millis(200);

async fn error_of(reply: Reply) -> Error {
    let chat = Endpoint::always(reply).served(Profile::OpenAi).await.build().expect("a client");
    chat.complete(&question()).await.expect_err("a fault")
}

#[tokio::test]
async fn first_byte_hang_is_late_by_the_first_byte_deadline() {
    for hanging in [
        Reply::silence(),
        Reply::events([]).hang(),
        Reply::events([delta(&json!({"role": "assistant"}))]).hang(),
    ] {
        let builder = Endpoint::always(hanging).served(Profile::OpenAi).await.first_byte(SOON);
        let error = builder.build().expect("a client").stream(&question()).await.expect_err("late");
        assert!(matches!(error, Error::Late { deadline: Deadline::FirstByte, after: SOON, .. }), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_is_late_by_the_total_deadline() {
    let slow = Reply::events([delta(&json!({"content": "a"}))]).hang();
    let chat = Endpoint::always(slow).simulated(Profile::OpenAi).build().expect("a client");
    let mut stream = chat.stream(&question()).await.expect("content came");
    assert!(stream.next().await.expect("an event").is_ok());
    let error = stream.next().await.expect("an event").expect_err("late");
    assert!(matches!(error, Error::Late { deadline: Deadline::Total, .. }), "{error}");
}

#[tokio::test]
async fn a_mid_stream_error_comes_after_the_content_before_it_and_is_never_retried() {
    let failing = Reply::events([
        delta(&json!({"content": "The sky"})),
        json!({"error": {"message": "The server had an error", "type": "server_error", "code": null}}),
    ]);
    let endpoint = Endpoint::always(failing);
    let chat = endpoint.served(Profile::OpenAi).await.tries(3).build().expect("a client");
    let mut stream = chat.stream(&question()).await.expect("content came");
    assert!(stream.next().await.expect("an event").is_ok());
    let error = stream.next().await.expect("an event").expect_err("failed");
    assert_eq!(error.class(), Some(Class::Unavailable));
    assert!(error.to_string().contains("in the middle of the answer"), "{error}");
    assert!(stream.next().await.is_none());
    assert_eq!(endpoint.seen().len(), 1);
}

#[tokio::test]
async fn an_error_as_the_first_event_of_a_stream_is_tried_again() {
    let failing = Reply::events([json!({"error": {"message": "overloaded", "code": "server_error"}})]);
    let endpoint = Endpoint::playing([failing, Reply::streams(&["fine"])]);
    let chat = endpoint.simulated(Profile::OpenAi).build().expect("a client");
    let completion = chat.stream(&question()).await.expect("a stream").complete().await.expect("an answer");
    assert_eq!(completion.content, "fine");
}

#[tokio::test]
async fn a_refusal_is_kept_apart_from_the_content() {
    let message = json!({"content": null, "refusal": "I cannot help with that."});
    let reply = Reply::json(200, &answer(&message, "stop"));
    let chat = Endpoint::always(reply).served(Profile::OpenAi).await.build().expect("a client");
    let completion = chat.complete(&question()).await.expect("an answer");
    assert_eq!(
        (completion.content.as_str(), completion.refusal.as_deref()),
        ("", Some("I cannot help with that."))
    );
}

#[tokio::test]
async fn a_length_cut_is_noticed() {
    let reply = Reply::json(200, &answer(&json!({"content": "The sky is"}), "length"));
    let chat = Endpoint::always(reply).served(Profile::OpenAi).await.build().expect("a client");
    assert_eq!(chat.complete(&question()).await.expect("an answer").finish, Finish::Length);
}

#[tokio::test]
async fn a_content_filter_is_noticed() {
    let reply = Reply::json(200, &answer(&json!({"content": ""}), "content_filter"));
    let chat = Endpoint::always(reply).served(Profile::OpenAi).await.build().expect("a client");
    assert_eq!(chat.complete(&question()).await.expect("an answer").finish, Finish::ContentFilter);
}

#[tokio::test(start_paused = true)]
async fn a_429_of_the_rate_waits_at_least_retry_after() {
    for code in ["rate_limit_exceeded", "slow_down"] {
        let refusal = Reply::error(429, "requests", code, "Rate limit reached").header("retry-after", "7");
        let endpoint = Endpoint::playing([refusal, Reply::says("ok")]);
        let chat = endpoint.simulated(Profile::OpenAi).build().expect("a client");
        chat.complete(&question()).await.expect("the second try");
        let seen = endpoint.seen();
        assert!(seen[1].at - seen[0].at >= Duration::from_secs(7), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_says_how_long_to_wait_is_heeded() {
    let refusal = Reply::raw(503, "text/html", "<html>overloaded</html>").header("retry-after", "7");
    let endpoint = Endpoint::playing([refusal, Reply::says("ok")]);
    let chat = endpoint.simulated(Profile::OpenAi).build().expect("a client");
    chat.complete(&question()).await.expect("the second try");
    let seen = endpoint.seen();
    assert!(seen[1].at - seen[0].at >= Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn a_429_whose_retry_after_is_beyond_the_deadline_is_given_back_at_once() {
    let refusal = Reply::error(429, "requests", "rate_limit_exceeded", "").header("retry-after", "500");
    let endpoint = Endpoint::always(refusal);
    let chat = endpoint.simulated(Profile::OpenAi).build().expect("a client");
    let start = tokio::time::Instant::now();
    let error = chat.complete(&question()).await.expect_err("limited");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(500)));
    assert_eq!((start.elapsed(), endpoint.seen().len()), (Duration::ZERO, 1));
}

#[tokio::test]
async fn a_429_of_the_quota_is_never_retried() {
    for code in [
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "insufficient_quota",
    ] {
        let refusal = Reply::error(429, "insufficient_quota", code, "You exceeded your current quota")
            .header("retry-after", "1");
        let endpoint = Endpoint::always(refusal);
        let chat = endpoint.served(Profile::OpenAi).await.tries(3).build().expect("a client");
        let error = chat.complete(&question()).await.expect_err("out of credit");
        assert_eq!((error.class(), endpoint.seen().len()), (Some(Class::OutOfCredit), 1), "{code}");
    }
}

#[tokio::test]
async fn empty_choices_are_an_error_and_no_panic() {
    for body in [
        json!({"choices": []}),
        json!({"choices": [null]}),
        json!({"choices": [{"index": 0}]}),
        json!({"choices": [{"index": 0, "message": null, "finish_reason": "stop"}]}),
        json!({"choices": [{"index": 7, "message": {"content": "not the first"}}]}),
    ] {
        let error = error_of(Reply::json(200, &body)).await;
        assert!(matches!(error, Error::Decode { .. } | Error::Empty { .. }), "{body}: {error}");
        assert!(error.is_retryable());
    }
}

#[tokio::test]
async fn a_page_of_html_names_the_service_the_operation_and_its_words() {
    let page = "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>";
    for (status, retryable) in [(502, true), (429, true), (408, true), (200, false), (404, false)] {
        let error = error_of(Reply::raw(status, "text/html", page)).await;
        assert!(matches!(error, Error::NotTheApi { .. }), "{error}");
        assert_eq!(error.is_retryable(), retryable);
        let shown = error.to_string();
        assert!(shown.starts_with("test: complete: ") && shown.contains("502 Bad Gateway nginx"), "{shown}");
        let advice = if retryable { "repeating may help" } else { "repeating does not help" };
        assert!(shown.contains(advice), "{shown}");
    }
}

#[tokio::test]
async fn of_a_page_the_words_are_shown_and_not_what_makes_it_look_nice() {
    let style = ".error { color: red; } ".repeat(500);
    let script = "<script>if (1 < 2) { window.x = '<p>' }</script>";
    let page = format!(
        "<!DOCTYPE html><head><style>{style}</style>{script}</head><!-- {style} --><h1>Tom &amp; Jerry&#39;s proxy</h1>"
    );
    for status in [200, 403, 502] {
        let error = error_of(Reply::raw(status, "text/html", page.clone())).await;
        assert!(
            matches!(&error, Error::NotTheApi { words, .. } if words == "Tom & Jerry's proxy"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_where_it_leads_is_said() {
    let moved = |kind, body| Reply::raw(307, kind, body).header("location", "https://login.example.com/v1");
    for reply in [
        moved("text/plain", "elsewhere"),
        moved("text/html", "<html>elsewhere</html>"),
        moved("application/json", r#"{"message": "elsewhere"}"#),
        moved("text/plain", ""),
    ] {
        let error = error_of(reply).await;
        assert!(matches!(error, Error::NotTheApi { status: 307, retryable: false, .. }), "{error}");
        assert!(error.to_string().contains("\"moved to https://login.example.com/v1\""), "{error}");
    }
    let nowhere = error_of(Reply::raw(307, "text/plain", "elsewhere")).await;
    assert!(matches!(nowhere, Error::NotTheApi { status: 307, .. }), "{nowhere}");
    assert!(nowhere.to_string().contains("\"elsewhere\""), "{nowhere}");
}

#[tokio::test]
async fn truncated_json_is_an_error_that_says_where() {
    let whole = answer(&json!({"content": "The sky"}), "stop").to_string();
    let error = error_of(Reply::raw(200, "application/json", &whole.as_bytes()[..40])).await;
    assert!(error.to_string().contains("breaks off at line 1 column 40"), "{error}");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_body_without_bytes_is_an_error() {
    let error = error_of(Reply::raw(200, "application/json", "")).await;
    assert!(error.to_string().contains("no body"), "{error}");
}

#[tokio::test]
async fn a_connection_cut_in_a_body_is_broken_and_worth_repeating() {
    let error = error_of(Reply::raw(200, "application/json", "{\"choices\": [").cut()).await;
    assert!(matches!(error, Error::Broken { .. }) && error.is_retryable(), "{error}");
    let error = error_of(Reply::lost()).await;
    assert!(matches!(error, Error::Broken { .. }), "{error}");
}

#[tokio::test]
async fn a_refused_connection_has_sent_nothing() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // A port that was just free.
    let port =
        tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("it").port();
    let builder = llm_client::HttpChat::builder(Profile::Ollama, "m")
        .base_url(format!("http://127.0.0.1:{port}/v1").parse().expect("a URL"))
        .tries(1);
    let error = builder.build().expect("a client").complete(&question()).await.expect_err("refused");
    assert!(matches!(error, Error::NotSent { .. }) && error.is_retryable(), "{error}");
    assert!(error.to_string().starts_with("ollama at 127.0.0.1:"), "{error}");
}

#[tokio::test]
async fn a_stream_that_ends_before_the_answer_is_an_error() {
    let cut = Reply::events([delta(&json!({"content": "The"}))]);
    let chat = Endpoint::always(cut).served(Profile::OpenAi).await.build().expect("a client");
    let error = chat.stream(&question()).await.expect("content came").complete().await.expect_err("cut");
    assert!(error.to_string().contains("the stream ended before the answer did"), "{error}");
    // A server that forgets `[DONE]` after saying why the answer ends is forgiven.
    let whole = Reply::events([delta(&json!({"content": "The"})), last("stop")]);
    let chat = Endpoint::always(whole).served(Profile::OpenAi).await.build().expect("a client");
    chat.stream(&question()).await.expect("content").complete().await.expect("whole");
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_is_not() {
    for (status, tries) in
        [(400, 1), (401, 1), (403, 1), (404, 1), (408, 3), (422, 1), (500, 3), (503, 3), (529, 3)]
    {
        let endpoint = Endpoint::always(Reply::json(status, &json!({"error": {"message": "no"}})));
        let chat = endpoint.simulated(Profile::OpenAi).tries(3).build().expect("a client");
        tokio::time::pause();
        chat.complete(&question()).await.expect_err("refused");
        tokio::time::resume();
        assert_eq!(endpoint.seen().len(), tries, "{status}");
    }
}

#[tokio::test]
async fn an_error_has_the_request_id_for_the_endpoints_support() {
    let error = error_of(Reply::error(500, "server_error", "", "no").header("x-request-id", "req_123")).await;
    assert_eq!(error.request_id(), Some("req_123"));
}
