//! Answers as they are being made.

use std::time::Duration;

use llm_client::decode::Delta;
use llm_client::{Chat, Completion, Error, Event, Finish, Profile};
use serde_json::json;
use tokio::time::Instant;

use crate::endpoint::{Endpoint, Reply, answer, delta, last, question, usage};

/// What came before the end, and the end.
async fn streamed(reply: Reply) -> (Vec<Delta>, Result<Completion, Error>) {
    let chat = Endpoint::always(reply).served(Profile::Vllm).await.build().expect("a client");
    let mut stream = match chat.stream(&question()).await {
        Ok(stream) => stream,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let mut deltas = Vec::new();
    loop {
        match stream.next().await.expect("an end") {
            Ok(Event::Delta(delta)) => deltas.push(delta),
            Ok(Event::Done(completion)) => {
                assert!(stream.next().await.is_none(), "Done is the last event");
                return (deltas, Ok(*completion));
            }
            Err(error) => return (deltas, Err(error)),
            Ok(other) => panic!("{other:?}"),
        }
    }
}

fn content(text: &str) -> Delta {
    Delta::Content(text.into())
}

#[tokio::test]
async fn words_come_one_by_one_and_then_the_whole() {
    let (deltas, whole) = streamed(Reply::streams(&["The ", "sky ", "is."])).await;
    assert_eq!(deltas, [content("The "), content("sky "), content("is.")]);
    let whole = whole.expect("an answer");
    assert_eq!((whole.content.as_str(), &whole.finish), ("The sky is.", &Finish::Stop));
    assert_eq!(whole.usage.expect("counted in the piece without choices").total_tokens(), 21);
}

#[tokio::test]
async fn a_think_block_is_reasoning_however_it_is_cut() {
    let pieces =
        ["<th", "ink>six ", "times nine</thi", "nk>\n\n", "42"].map(|text| delta(&json!({"content": text})));
    let (deltas, whole) = streamed(Reply::events(pieces).and_events([last("stop")])).await;
    let whole = whole.expect("an answer");
    assert_eq!((whole.content.as_str(), whole.reasoning.as_deref()), ("42", Some("six times nine")));
    assert_eq!(deltas.last(), Some(&content("42")));
    assert!(
        deltas[..deltas.len() - 1].iter().all(|delta| matches!(delta, Delta::Reasoning(_))),
        "{deltas:?}"
    );
}

#[tokio::test]
async fn tool_calls_are_put_together_from_their_pieces() {
    let piece = |index: u64, rest: serde_json::Value| {
        let mut call = rest;
        call["index"] = json!(index);
        delta(&json!({"tool_calls": [call]}))
    };
    let reply = Reply::events([
        piece(0, json!({"id": "a", "type": "function", "function": {"name": "scale", "arguments": ""}})),
        piece(0, json!({"function": {"arguments": "{\"repl"}})),
        piece(1, json!({"id": "b", "type": "function", "function": {"name": "restart", "arguments": "{}"}})),
        piece(0, json!({"function": {"arguments": "icas\": 3}"}})),
    ]);
    let (_, whole) = streamed(reply.and_events([last("tool_calls"), usage(1, 2)])).await;
    let whole = whole.expect("an answer");
    let calls: Vec<_> = whole
        .tool_calls
        .iter()
        .map(|call| (call.id.as_str(), call.name.as_str(), call.arguments.as_str()))
        .collect();
    assert_eq!(calls, [("a", "scale", "{\"replicas\": 3}"), ("b", "restart", "{}")]);
    assert_eq!(whole.finish, Finish::ToolCalls);
}

#[tokio::test]
async fn an_endpoint_that_streams_not_though_asked_is_taken_whole() {
    let (deltas, whole) = streamed(Reply::says("all at once")).await;
    assert_eq!(deltas, [content("all at once")]);
    assert_eq!(whole.expect("an answer").content, "all at once");
}

#[tokio::test]
async fn tool_calls_of_an_endpoint_that_streams_not_come_as_from_a_stream() {
    let calls = ["scale", "restart"].map(
        |name| json!({"id": name, "type": "function", "function": {"name": name, "arguments": "{\"n\": 3}"}}),
    );
    let message = json!({"reasoning_content": "hm", "content": "Both.", "tool_calls": calls});
    let (deltas, whole) = streamed(Reply::json(200, &answer(&message, "tool_calls"))).await;
    let call = |index, name: &str| Delta::ToolCall {
        index,
        name: Some(name.into()),
        arguments: "{\"n\": 3}".into(),
    };
    let thought = Delta::Reasoning("hm".into());
    assert_eq!(deltas, [thought, content("Both."), call(0, "scale"), call(1, "restart")]);
    assert_eq!(whole.expect("an answer").tool_calls.len(), 2);
}

#[tokio::test]
async fn an_endpoint_that_streams_though_not_asked_is_taken_whole() {
    let chat = Endpoint::always(Reply::streams(&["word ", "by word"])).served(Profile::Vllm).await;
    let completion = chat.build().expect("a client").complete(&question()).await.expect("an answer");
    assert_eq!(completion.content, "word by word");
}

/// A stream that has said why it ends.
fn finished() -> Reply {
    Reply::events([delta(&json!({"content": "The"})), delta(&json!({"content": " sky"})), last("stop")])
}

#[tokio::test]
async fn a_finished_stream_whose_connection_breaks_is_an_answer() {
    let half_a_count = "data: {\"choices\": [], \"usage\": {\"prompt_tok";
    for reply in [finished().cut(), finished().and(half_a_count).cut()] {
        let (_, whole) = streamed(reply).await;
        let whole = whole.expect("all of it was there");
        assert_eq!((whole.content.as_str(), whole.finish, whole.usage), ("The sky", Finish::Stop, None));
    }
    let (_, whole) = streamed(finished().and_events([usage(9, 12)]).cut()).await;
    assert_eq!(whole.expect("an answer").usage.expect("counted").total_tokens(), 21);
}

#[tokio::test(start_paused = true)]
async fn a_finished_stream_that_stays_open_is_an_answer_after_a_short_wait_for_its_count() {
    for (reply, counted) in [
        (finished().hang(), None),
        (finished().pause(Duration::from_secs(1)).and_events([usage(9, 12)]).hang(), Some(21)),
        // What keeps a connection open is no part of an answer.
        ((0..99).fold(finished(), |reply, _| reply.pause(Duration::from_secs(1)).and(": alive\n\n")), None),
    ] {
        let chat = Endpoint::always(reply).simulated(Profile::Vllm).build().expect("a client");
        let start = Instant::now();
        let stream = chat.stream(&question()).await.expect("content came");
        let whole = stream.complete().await.expect("all of it was there");
        assert_eq!(
            (whole.content.as_str(), whole.usage.map(|usage| usage.total_tokens())),
            ("The sky", counted)
        );
        assert_eq!(start.elapsed(), Duration::from_secs(2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_finished_stream_is_not_late() {
    let chat = Endpoint::always(finished().hang()).simulated(Profile::Vllm).build().expect("a client");
    let request = question().within(Duration::from_secs(1));
    chat.stream(&request).await.expect("content came").complete().await.expect("all of it was there");
}

#[tokio::test]
async fn a_stream_that_says_nothing_is_empty() {
    let (_, end) =
        streamed(Reply::events([delta(&json!({"role": "assistant"})), last("stop")]).and("data: [DONE]\n\n"))
            .await;
    assert!(matches!(end, Err(Error::Empty { .. })), "{end:?}");
}

#[tokio::test]
async fn a_refusal_can_be_streamed() {
    let pieces = ["I ", "cannot."].map(|text| delta(&json!({"refusal": text})));
    let (deltas, whole) = streamed(Reply::events(pieces).and_events([last("stop")])).await;
    assert_eq!(deltas, []);
    assert_eq!(whole.expect("an answer").refusal.as_deref(), Some("I cannot."));
}

#[tokio::test]
async fn content_behind_which_the_stream_is_broken_is_handed_out_first() {
    // In one piece of the wire.
    let text = format!("data: {}\n\ndata: {{broken\n\n", delta(&json!({"content": "The"})));
    let (deltas, end) = streamed(Reply::raw(200, "text/event-stream", text)).await;
    assert_eq!(deltas, [content("The")]);
    let error = end.expect_err("broken");
    assert!(error.to_string().contains("what should be JSON is not"), "{error}");
}
