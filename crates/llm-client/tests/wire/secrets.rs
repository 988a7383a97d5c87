//! No key and nothing of a prompt is in what is printed or logged.

use std::error::Error as _;
use std::io;
use std::sync::{Arc, Mutex};

use llm_client::{Chat, ChatRequest, Error, Message, Profile, Providers, Schema, Tool, extract};
use serde_json::json;

use crate::endpoint::{Endpoint, Reply, answer, delta, key, last};

const PROMPT: &str = "user alice from 10.1.2.3 has password=hunter2, 数据库连接失败 again";
const ANSWER: &str = "alice should change hunter2";

fn request() -> ChatRequest {
    ChatRequest::new([Message::system("Beware of hunter2."), Message::user(PROMPT)])
}

#[track_caller]
fn assert_shows_no_secret(text: &str) {
    for secret in ["EXAMPLE", "alice", "hunter2", "10.1.2.3", "连接失败", "\\u8fde"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

fn assert_error_shows_no_secret(error: &Error) {
    assert_shows_no_secret(&format!("{error} {error:?} {error:#?}"));
    let mut cause = error.source();
    while let Some(error) = cause {
        assert_shows_no_secret(&format!("{error} {error:?}"));
        cause = error.source();
    }
}

/// Everything that an endpoint can say, with what was sent to it in its words.
fn echoes() -> Vec<Reply> {
    let echo = format!("Incorrect API key {} for prompt {PROMPT:?}", key());
    let style = "a ".repeat(3000);
    let html = format!("<html><style>{style}</style><body>{}: {PROMPT}</body></html>", key());
    let escaped = PROMPT.replace('=', "&#61;").replace('.', "&#x2e;");
    vec![
        Reply::error(401, "invalid_request_error", &key(), &echo),
        Reply::error(400, &echo, "", &echo),
        Reply::json(422, &json!({"detail": [{"msg": echo, "input": PROMPT}]})),
        Reply::json(400, &json!({"code": 20012, "message": echo, "data": PROMPT})),
        Reply::json(400, &json!({"object": "error", "message": echo, "code": 400})),
        Reply::raw(500, "text/plain", echo.clone()),
        Reply::raw(502, "text/html", html.clone()),
        Reply::raw(200, "text/html", html),
        Reply::raw(403, "text/html", format!("<p>{escaped}</p>")),
        Reply::raw(200, &key(), echo.clone()),
        Reply::raw(200, "application/json", format!("{{\"choices\": {PROMPT}")),
        Reply::raw(307, "text/plain", "").header("location", format!("http://localhost:1/?key={}", key())),
        Reply::error(500, "", "", "").header("x-request-id", key()),
        Reply::events([json!({"error": {"message": echo, "code": key()}})]),
        Reply::events([delta(&json!({"content": ANSWER})), json!({"error": echo})]),
        Reply::lost(),
    ]
}

#[tokio::test]
async fn no_error_shows_a_secret_whatever_the_endpoint_says() {
    for reply in echoes() {
        let chat = Endpoint::always(reply).served(Profile::OpenAi).await.build().expect("a client");
        assert_error_shows_no_secret(&chat.complete(&request()).await.expect_err("failed"));
        let error = match chat.stream(&request()).await {
            Ok(stream) => stream.complete().await.expect_err("failed"),
            Err(error) => error,
        };
        assert_error_shows_no_secret(&error);
        let all = Providers::new("only", chat).complete(&request()).await.expect_err("failed");
        assert_error_shows_no_secret(&all);
    }
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_not_shown() {
    let schema = json!({"type": "object", "properties": {"x": {"enum": [1]}}, "additionalProperties": false});
    let schema = Schema::new("s", schema).expect("a schema");
    let open =
        json!({"type": "object", "propertyNames": {"maxLength": 3}, "additionalProperties": {"enum": [1]}});
    let open = Schema::new("open", open).expect("a schema");
    // The names in an answer are the model's words as well.
    for (answer, schema) in
        [(json!({"x": ANSWER}), &schema), (json!({ANSWER: 1}), &schema), (json!({ANSWER: ANSWER}), &open)]
    {
        let chat = Endpoint::always(Reply::says(&answer.to_string())).served(Profile::OpenAi).await;
        let error = chat.build().expect("a client").structured(&request(), schema).await.expect_err("unfit");
        assert_error_shows_no_secret(&error);
    }
}

#[tokio::test]
async fn a_key_in_the_base_url_is_not_shown() {
    let secret = ["EXAMPLE", "in", "the", "url"].join("-");
    let said = format!("Cannot POST /v1/chat/completions?key={secret}");
    let chat = Endpoint::always(Reply::raw(404, "text/plain", said)).simulated(Profile::Vllm);
    let chat = chat.base_url(format!("http://gateway.test/v1?key={secret}").parse().expect("a URL"));
    let error = chat.build().expect("a client").complete(&request()).await.expect_err("not found");
    assert_error_shows_no_secret(&error);
}

#[tokio::test]
async fn requests_and_answers_print_without_their_words() {
    // A line of a prompt can make a model call a tool by any name.
    let call =
        json!({"id": "10.1.2.3", "function": {"name": "hunter2", "arguments": "{\"who\": \"alice\"}"}});
    let message =
        json!({"content": ANSWER, "reasoning_content": PROMPT, "refusal": PROMPT, "tool_calls": [call]});
    let endpoint = Endpoint::always(Reply::json(200, &answer(&message, "stop")));
    let builder = endpoint.served(Profile::OpenAi).await;
    assert_shows_no_secret(&format!("{builder:?}"));
    let chat = builder.build().expect("a client");
    assert_shows_no_secret(&format!("{chat:?} {chat:#?}"));
    let request = request().tool(Tool::new("f", "does it", json!({})).expect("a tool"));
    assert_shows_no_secret(&format!("{request:?} {request:#?}"));
    let completion = chat.complete(&request).await.expect("an answer");
    assert_shows_no_secret(&format!("{completion:?} {completion:#?} {:?}", completion.to_message()));
    assert!(format!("{completion:?}").contains("content_bytes: 27"), "what helps is shown");
    let error = completion.tool_calls[0].check(&request.tools).expect_err("undeclared");
    assert_shows_no_secret(&format!("{error} {error:?}"));
    let pieces = delta(&json!({"tool_calls": [call]}));
    let chat = Endpoint::always(Reply::events([pieces, last("tool_calls")])).served(Profile::OpenAi).await;
    let mut stream = chat.build().expect("a client").stream(&request).await.expect("a stream");
    while let Some(event) = stream.next().await {
        assert_shows_no_secret(&format!("{event:?}"));
    }
}

#[tokio::test]
async fn an_answer_that_fits_prints_without_its_words() {
    let says = json!({"who": "alice", "password": "hunter2"}).to_string();
    let chat = Endpoint::always(Reply::says(&says)).served(Profile::OpenAi).await.build().expect("a client");
    let schema = Schema::new("s", json!({"type": "object"})).expect("a schema");
    let found = extract::<serde_json::Value>(&chat, &request(), &schema).await.expect("an answer");
    assert_shows_no_secret(&format!("{found:?} {found:#?} {:?}", found.structured));
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_shows_a_secret_at_the_finest_level() {
    // For every thread: a callsite that another test reaches first would otherwise be switched off for good.
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .init();
    let mut replies = echoes();
    replies.push(Reply::says(ANSWER));
    replies.push(Reply::streams(&[ANSWER]));
    let call = json!({"id": "10.1.2.3", "function": {"name": "hunter2", "arguments": "{}"}});
    replies.push(Reply::json(200, &answer(&json!({"tool_calls": [call]}), "tool_calls")));
    for reply in replies {
        let chat = Endpoint::always(reply).served(Profile::OpenAi).await.build().expect("a client");
        let _ = chat.complete(&request()).await;
        if let Ok(stream) = chat.stream(&request()).await {
            let _ = stream.complete().await;
        }
        let _ = Providers::new("only", chat).complete(&request()).await;
    }
    let log = String::from_utf8(log.0.lock().expect("lock").clone()).expect("text");
    assert!(log.contains("a try failed") && log.contains("a provider failed"), "something is logged");
    assert!(log.contains(" complete service=test content_bytes="), "what helps is logged");
    assert_shows_no_secret(&log);
}
