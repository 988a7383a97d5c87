//! A program that uses the trait `Chat`, and its tests, which need no endpoint.

use llm_client::{
    Call, Chat, ChatRequest, ChatStream, Class, Completion, Error, Event, Message, MockChat, Schema,
    Structured, decode::Delta, extract,
};
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, PartialEq, Deserialize)]
struct Verdict {
    severity: String,
}

/// What a program does with a line: a verdict, or none when the model has nothing to say today.
async fn judge(chat: &dyn Chat, line: &str) -> Result<Option<Verdict>, Error> {
    let schema =
        json!({"type": "object", "properties": {"severity": {"type": "string"}}, "required": ["severity"]});
    let schema = Schema::new("verdict", schema).expect("a schema");
    let request = ChatRequest::new([Message::system("You judge log lines."), Message::user(line)]);
    match extract(chat, &request, &schema).await {
        Ok(found) => Ok(Some(found.value)),
        Err(error) if error.class() == Some(Class::OutOfCredit) => Ok(None),
        Err(error) => Err(error),
    }
}

#[tokio::test]
async fn a_program_is_tested_with_an_answer_that_fits() {
    let mut chat = MockChat::new();
    chat.expect_structured()
        .once()
        .withf(|request, _| matches!(&request.messages[1], Message::User(content) if content == "disk full"))
        .returning(|_, _| {
            Ok(Structured::new(json!({"severity": "error"}), Completion::new(r#"{"severity": "error"}"#)))
        });
    let verdict = judge(&chat, "disk full").await.expect("a verdict");
    assert_eq!(verdict, Some(Verdict { severity: "error".into() }));
}

#[tokio::test]
async fn a_program_is_tested_with_a_failure() {
    let refused = |class| Error::Api {
        call: Call::new("deepseek", "structured"),
        status: Some(402),
        class,
        code: None,
        message: "Insufficient Balance".into(),
        request_id: None,
        retry_after: None,
    };
    let mut chat = MockChat::new();
    chat.expect_structured().once().returning(move |_, _| Err(refused(Class::OutOfCredit)));
    assert_eq!(judge(&chat, "disk full").await.expect("no failure"), None);

    chat.expect_structured().once().returning(move |_, _| Err(refused(Class::Unauthorized)));
    let error = judge(&chat, "disk full").await.expect_err("a failure");
    assert!(error.to_string().starts_with("deepseek: structured: "), "{error}");
}

#[tokio::test]
async fn a_program_is_tested_with_a_stream_that_breaks() {
    let mut chat = MockChat::new();
    chat.expect_stream().once().returning(|_| {
        let broken = Error::Broken { call: Call::new("ollama", "stream"), source: "gone".into() };
        let events = [Ok(Event::Delta(Delta::Content("The".into()))), Err(broken)];
        Ok(ChatStream::new("ollama", futures::stream::iter(events)))
    });
    chat.expect_stream().once().returning(|_| Ok(ChatStream::of_completion(Completion::new("The disk."))));
    let request = ChatRequest::new([Message::user("why?")]);
    let error = chat.stream(&request).await.expect("a stream").complete().await.expect_err("broken");
    assert!(error.is_retryable(), "{error}");
    let answer = chat.stream(&request).await.expect("a stream").complete().await.expect("whole");
    assert_eq!(answer.content, "The disk.");
}
