//! Operations that a model may ask for.

use llm_client::{BadToolCall, Chat, Message, Profile, Tool};
use serde::Deserialize;
use serde_json::json;

use crate::endpoint::{Endpoint, Reply, answer, question};

#[derive(Debug, Deserialize, PartialEq)]
struct Scale {
    replicas: u32,
}

fn tools() -> Vec<Tool> {
    let parameters = json!({
        "type": "object",
        "properties": {"replicas": {"type": "integer", "minimum": 0, "maximum": 10}},
        "required": ["replicas"],
        "additionalProperties": false,
    });
    vec![Tool::new("scale", "Changes the number of replicas", parameters).expect("a tool")]
}

fn asks(name: &str, arguments: &serde_json::Value) -> Reply {
    let call =
        json!({"id": "call_7", "type": "function", "function": {"name": name, "arguments": arguments}});
    Reply::json(200, &answer(&json!({"content": null, "tool_calls": [call]}), "tool_calls"))
}

async fn asked(reply: Reply) -> llm_client::ToolCall {
    let chat = Endpoint::always(reply).served(Profile::OpenAi).await.build().expect("a client");
    chat.complete(&question().tool(tools().remove(0))).await.expect("an answer").tool_calls.remove(0)
}

#[tokio::test]
async fn a_tool_is_asked_for_answered_and_the_conversation_goes_on() {
    let endpoint = Endpoint::playing([asks("scale", &json!("{\"replicas\": 3}")), Reply::says("Done.")]);
    let chat = endpoint.served(Profile::OpenAi).await.build().expect("a client");
    let request = question().tool(tools().remove(0));
    let answer = chat.complete(&request).await.expect("an answer");
    let call = &answer.tool_calls[0];
    assert_eq!(call.decode::<Scale>(&tools()), Ok(Scale { replicas: 3 }));

    let request = request.message(answer.to_message()).message(Message::tool(call, "3 replicas"));
    assert_eq!(chat.complete(&request).await.expect("an answer").content, "Done.");
    let messages = &endpoint.seen()[1].body["messages"];
    assert_eq!(messages[1]["tool_calls"][0]["id"], "call_7");
    assert_eq!(messages[2], json!({"role": "tool", "tool_call_id": "call_7", "content": "3 replicas"}));
}

#[tokio::test]
async fn a_tool_that_was_not_declared_is_refused() {
    let call = asked(asks("delete_everything", &json!("{}"))).await;
    let error = call.check(&tools()).expect_err("undeclared");
    assert_eq!(error, BadToolCall::Undeclared { declared: vec!["scale".into()] });
    assert!(!error.to_string().contains("delete"), "{error}");
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_refused_without_being_repeated() {
    for arguments in ["{\"replicas\": 4711}", "{\"replicas\": 1, \"force\": true}", "{\"replicas\"", "[]"] {
        let call = asked(asks("scale", &json!(arguments))).await;
        let error = call.check(&tools()).expect_err(arguments);
        assert!(!error.to_string().contains("4711"), "{error}");
    }
}

#[tokio::test]
async fn arguments_that_come_as_an_object_are_taken() {
    let call = asked(asks("scale", &json!({"replicas": 2}))).await;
    assert_eq!(call.check(&tools()), Ok(json!({"replicas": 2})));
}
