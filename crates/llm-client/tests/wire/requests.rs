//! What is sent.

use llm_client::{Chat, ChatRequest, Decimal, Error, Message, Prices, Profile, Tool, ToolCall, ToolChoice};
use serde_json::{Value, json};

use crate::endpoint::{Endpoint, Reply, answer, question};

/// The body of a request, and the answer's tool call for later.
async fn body_of(request: ChatRequest) -> Value {
    let endpoint = Endpoint::always(Reply::says("ok"));
    let chat = endpoint.simulated(Profile::Vllm).build().expect("a client");
    chat.complete(&request).await.expect("an answer");
    endpoint.seen().remove(0).body
}

fn tool(name: &str) -> Tool {
    Tool::new(name, "does it", json!({"type": "object"})).expect("a tool")
}

#[tokio::test]
async fn a_plain_request_has_nothing_that_was_not_asked_for() {
    let expected = json!({
        "model": "model-as-asked",
        "messages": [{"role": "user", "content": "Why is the sky blue?"}],
        "stream": false,
    });
    assert_eq!(body_of(question()).await, expected);
}

#[tokio::test]
async fn everything_that_was_asked_for_is_sent() {
    let call: ToolCall = ToolCall { id: "c1".into(), name: "f".into(), arguments: "{}".into() };
    let mut request = ChatRequest::new([Message::system("Be brief."), Message::user("q")])
        .message(Message::Assistant { content: String::new(), tool_calls: vec![call.clone()] })
        .message(Message::tool(&call, "r"))
        .max_tokens(100)
        .temperature(0.5)
        .tool(tool("f"))
        .tool_choice(ToolChoice::Named("f".into()));
    request.seed = Some(7);
    request.stop = vec!["END".into()];
    let expected = json!({
        "model": "model-as-asked",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": "",
             "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "content": "r", "tool_call_id": "c1"},
        ],
        "max_tokens": 100,
        "temperature": 0.5,
        "seed": 7,
        "stop": ["END"],
        "stream": false,
        "tools": [{"type": "function",
                   "function": {"name": "f", "description": "does it", "parameters": {"type": "object"}}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
    });
    assert_eq!(body_of(request).await, expected);
}

#[tokio::test]
async fn a_stream_asks_for_its_count() {
    let endpoint = Endpoint::always(Reply::streams(&["ok"]));
    let chat = endpoint.simulated(Profile::Vllm).build().expect("a client");
    chat.stream(&question()).await.expect("a stream");
    let body = &endpoint.seen()[0].body;
    assert_eq!((&body["stream"], &body["stream_options"]), (&json!(true), &json!({"include_usage": true})));
}

#[tokio::test]
async fn extra_fields_are_sent_as_they_are() {
    let endpoint = Endpoint::always(Reply::says("ok"));
    let builder = endpoint.simulated(Profile::DashScope).extra("enable_thinking", json!(false));
    builder.build().expect("a client").complete(&question()).await.expect("an answer");
    assert_eq!(endpoint.seen()[0].body["enable_thinking"], false);
}

#[tokio::test]
async fn what_no_endpoint_takes_is_not_sent() {
    let endpoint = Endpoint::always(Reply::says("ok"));
    let chat = endpoint.simulated(Profile::OpenAi).build().expect("a client");
    let mut stops = question();
    stops.stop = vec![String::new(); 5];
    for request in [
        ChatRequest::new([]),
        question().temperature(2.5),
        question().temperature(f32::NAN),
        question().max_tokens(0),
        question().tool(tool("f")).tool(tool("f")),
        question().tool_choice(ToolChoice::Required),
        question().tool(tool("f")).tool_choice(ToolChoice::Named("g".into())),
        stops,
    ] {
        let error = chat.complete(&request).await.expect_err("invalid");
        assert!(matches!(error, Error::Invalid { .. }) && !error.is_retryable(), "{request:?}: {error}");
    }
    assert!(endpoint.seen().is_empty());
}

#[tokio::test]
async fn usage_and_cost_come_with_the_answer() {
    let mut body = answer(&json!({"content": "ok"}), "stop");
    body["usage"] = json!({
        "prompt_tokens": 1000, "completion_tokens": 100,
        "prompt_tokens_details": {"cached_tokens": 600},
        "completion_tokens_details": {"reasoning_tokens": 40},
    });
    let endpoint = Endpoint::always(Reply::json(200, &body));
    let prices =
        Prices::per_million("CNY", Decimal::TWO, Decimal::from(8)).cached("0.5".parse().expect("a price"));
    let chat = endpoint.simulated(Profile::DeepSeek).prices(prices).build().expect("a client");
    let completion = chat.complete(&question()).await.expect("an answer");
    let usage = completion.usage.expect("counted");
    assert_eq!((usage.prompt_tokens, usage.completion_tokens), (1000, 100));
    assert_eq!((usage.cached_tokens, usage.reasoning_tokens), (600, 40));
    // 400 * 2 + 600 * 0.5 + 100 * 8 = 1900 millionths.
    assert_eq!(completion.cost.expect("priced").to_string(), "0.0019 CNY");
    assert_eq!(
        (completion.model.as_deref(), completion.id.as_deref()),
        (Some("model-as-served"), Some("chatcmpl-1"))
    );
}

#[tokio::test]
async fn an_endpoint_that_does_not_count_gives_no_cost() {
    let endpoint = Endpoint::always(Reply::json(200, &json!({"choices": [{"message": {"content": "ok"}}]})));
    let prices = Prices::per_million("CNY", Decimal::TWO, Decimal::TWO);
    let chat = endpoint.simulated(Profile::Vllm).prices(prices).build().expect("a client");
    let completion = chat.complete(&question()).await.expect("an answer");
    assert_eq!((completion.usage, completion.cost), (None, None));
}
