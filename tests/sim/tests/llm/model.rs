//! What the model that is none says.

use llm_client::{Chat, ChatRequest, Message, Tool, ToolChoice};
use serde_json::json;
use sim::llm::{Dialect, Settings};

use crate::caller::{Endpoint, question};

#[tokio::test]
async fn a_stream_and_a_whole_answer_are_the_same() {
    let endpoint = Endpoint::of(Dialect::OpenAi).await;
    let chat = endpoint.client(Dialect::OpenAi).build().expect("a client");
    let whole = chat.complete(&question()).await.expect("an answer");
    let stream = chat.stream(&question()).await.expect("a stream").complete().await.expect("an answer");
    assert_eq!((&whole.content, &whole.finish, whole.usage), (&stream.content, &stream.finish, stream.usage));
    assert_eq!(whole.content, "You said: Why is the sky blue?");
}

#[tokio::test]
async fn a_tool_that_must_be_called_is_called_with_arguments_that_fit() {
    let endpoint = Endpoint::of(Dialect::OpenAi).await;
    let chat = endpoint.client(Dialect::OpenAi).build().expect("a client");
    let parameters = json!({
        "type": "object",
        "properties": {"replicas": {"type": "integer", "minimum": 2}, "why": {"type": "string", "minLength": 30}},
        "required": ["replicas", "why"],
    });
    let tools = [Tool::new("scale", "Changes the number of replicas", parameters).expect("a tool")];
    let request = question().tool(tools[0].clone()).tool_choice(ToolChoice::Required);
    for completion in [
        chat.complete(&request).await.expect("an answer"),
        chat.stream(&request).await.expect("a stream").complete().await.expect("an answer"),
    ] {
        let arguments = completion.tool_calls[0].check(&tools).expect("fitting arguments");
        assert_eq!(arguments["replicas"], 2);
    }
}

#[tokio::test]
async fn max_tokens_and_the_window_cut_an_answer() {
    let endpoint = Endpoint::start(Settings { context: 40, ..Settings::new(Dialect::OpenAi) }).await;
    let chat = endpoint.client(Dialect::OpenAi).build().expect("a client");
    let completion = chat.complete(&question().max_tokens(2)).await.expect("an answer");
    assert_eq!((completion.content.as_str(), completion.finish), ("You said", llm_client::Finish::Length));
    let long = ChatRequest::new([Message::user("word ".repeat(30))]);
    let completion = chat.complete(&long).await.expect("an answer");
    assert_eq!(completion.finish, llm_client::Finish::Length);
    assert!(completion.usage.expect("counted").total_tokens() <= 40);
}
