//! Answers that must fit a schema.

use std::time::Duration;

use llm_client::{Chat, ChatRequest, Error, Message, Profile, Schema, extract};
use serde::Deserialize;
use serde_json::json;

use crate::endpoint::{Endpoint, Reply, answer, question};

const FITS: &str = "{\"severity\": \"error\", \"title\": \"disk full\"}";

#[derive(Debug, Deserialize, PartialEq)]
struct Finding {
    severity: String,
    title: String,
}

fn schema() -> Schema {
    let schema = json!({
        "type": "object",
        "properties": {"severity": {"enum": ["info", "error"]}, "title": {"type": "string", "maxLength": 80}},
        "required": ["severity", "title"],
        "additionalProperties": false,
    });
    Schema::new("finding", schema).expect("a schema")
}

async fn of(replies: impl Into<Vec<Reply>>) -> (Endpoint, Result<llm_client::Structured, Error>) {
    let endpoint = Endpoint::playing(replies);
    let chat = endpoint.served(Profile::OpenAi).await.build().expect("a client");
    let outcome = chat.structured(&question(), &schema()).await;
    (endpoint, outcome)
}

#[tokio::test]
async fn json_fenced_json_and_json_after_prose_are_taken_in_one_round() {
    for said in
        [FITS.to_owned(), format!("```json\n{FITS}\n```"), format!("Here you are:\n\n{FITS}\nAnything else?")]
    {
        let (endpoint, found) = of([Reply::says(&said)]).await;
        let found = found.expect("an answer");
        assert_eq!((found.value["title"].as_str(), found.repaired), (Some("disk full"), false), "{said}");
        assert_eq!(endpoint.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_wrong_schema_is_repaired_in_one_round_with_the_validators_words() {
    let wrong = "{\"severity\": \"apocalypse\", \"title\": \"disk full\"}";
    let (endpoint, found) = of([Reply::says(wrong), Reply::says(FITS)]).await;
    let found = found.expect("the second answer");
    assert!(found.repaired);
    assert_eq!(found.value["severity"], "error");
    assert_eq!(found.usage.expect("of both rounds").total_tokens(), 42);
    let messages = endpoint.seen()[1].body["messages"].as_array().expect("messages").clone();
    let [_, wrong_again, complaint] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!(*wrong_again, json!({"role": "assistant", "content": wrong}));
    let complaint = complaint["content"].as_str().expect("a text");
    assert!(complaint.contains("/severity") && complaint.contains("\"info\""), "{complaint}");
}

#[tokio::test]
async fn an_error_of_either_round_names_what_was_asked_for() {
    let wrong_key = || Reply::error(401, "invalid_request_error", "invalid_api_key", "Incorrect API key");
    for replies in [vec![wrong_key()], vec![Reply::says("no JSON"), wrong_key()]] {
        let (_, outcome) = of(replies).await;
        let error = outcome.expect_err("refused");
        assert_eq!(error.call().expect("a call").operation, "structured", "{error}");
        assert!(error.to_string().contains(": structured: status 401"), "{error}");
    }
}

/// How each request asked for JSON.
fn ways(endpoint: &Endpoint) -> Vec<String> {
    let of =
        |body: &serde_json::Value| body["response_format"]["type"].as_str().unwrap_or("prompt").to_owned();
    endpoint.seen().iter().map(|seen| of(&seen.body)).collect()
}

#[tokio::test]
async fn a_schema_that_the_endpoint_dislikes_takes_nothing_from_the_others() {
    let endpoint = Endpoint::new(|seen| {
        let name = seen.body["response_format"]["json_schema"]["name"].as_str();
        match name {
            Some("disliked") => Reply::error(
                400,
                "invalid_request_error",
                "",
                "Invalid schema for response_format 'disliked': In context=(), 'minLength' is not permitted.",
            ),
            _ => Reply::says(FITS),
        }
    });
    let chat = endpoint.served(Profile::OpenAi).await.build().expect("a client");
    let disliked = Schema::new("disliked", schema().as_json().clone()).expect("a schema");
    chat.structured(&question(), &disliked).await.expect("asked in a humbler way");
    chat.structured(&question(), &schema()).await.expect("an answer");
    assert_eq!(ways(&endpoint), ["json_schema", "json_object", "json_schema"]);
}

#[tokio::test]
async fn a_prompt_that_speaks_of_formats_does_not_hide_that_the_endpoint_knows_none() {
    let endpoint = Endpoint::new(|seen| match seen.body["response_format"]["type"].as_str() {
        Some(kind) => {
            let message = format!("'response_format.type' {kind} is not supported by this model");
            Reply::error(400, "invalid_request_error", "invalid_parameter_error", &message)
        }
        None => Reply::says(FITS),
    });
    let chat = endpoint.served(Profile::OpenAi).await.build().expect("a client");
    let request = ChatRequest::new([Message::user("400: response_format json_schema or json_object?")]);
    for _ in 0..2 {
        chat.structured(&request, &schema()).await.expect("asked in a humbler way");
    }
    assert_eq!(ways(&endpoint), ["json_schema", "json_object", "prompt", "prompt"]);
}

#[tokio::test]
async fn a_line_of_a_prompt_that_the_endpoint_repeats_takes_nothing_from_later_calls() {
    let line = "level=error msg=\"response_format json_schema is not supported\" from a log of somebody";
    let endpoint = Endpoint::new(move |seen| match seen.number {
        0 => Reply::error(400, "", "", &format!("cannot read {line:?}")),
        _ => Reply::says(FITS),
    });
    let chat = endpoint.served(Profile::OpenAi).await.build().expect("a client");
    let request = ChatRequest::new([Message::user(line)]);
    for _ in 0..2 {
        chat.structured(&request, &schema()).await.expect("an answer");
    }
    assert_eq!(ways(&endpoint), ["json_schema", "json_object", "json_schema"]);
}

#[tokio::test]
async fn a_second_wrong_answer_is_the_end() {
    let (endpoint, outcome) =
        of([Reply::says("I would say it is bad."), Reply::says("{\"severity\": \"bad\"}")]).await;
    let error = outcome.expect_err("unfit");
    let Error::Unfit { violations, .. } = &error else { panic!("{error}") };
    assert!(violations.iter().any(|violation| violation.at == "/severity"), "{violations:?}");
    assert!(!error.to_string().contains("bad") && !error.is_retryable(), "{error}");
    assert_eq!(endpoint.seen().len(), 2);
}

#[tokio::test]
async fn of_several_values_the_one_that_fits_is_taken() {
    let (_, found) = of([Reply::says(&format!("Not {{\"severity\": 1}}, but {FITS}"))]).await;
    assert_eq!(found.expect("an answer").value["severity"], "error");
}

#[tokio::test]
async fn a_cut_answer_is_truncated_and_not_repaired() {
    let cut = Reply::json(200, &answer(&json!({"content": "{\"severity\": \"err"}), "length"));
    let (endpoint, outcome) = of([cut]).await;
    let error = outcome.expect_err("cut");
    assert!(matches!(error, Error::Truncated { completion_tokens: 12, .. }), "{error}");
    assert!(!error.is_retryable());
    assert_eq!(endpoint.seen().len(), 1);
}

#[tokio::test]
async fn a_refusal_and_a_filter_are_withheld_and_not_repaired() {
    for (message, finish, filter) in [
        (json!({"content": null, "refusal": "No."}), "stop", false),
        (json!({"content": "{\"severity\""}), "content_filter", true),
    ] {
        let (endpoint, outcome) = of([Reply::json(200, &answer(&message, finish))]).await;
        let error = outcome.expect_err("withheld");
        assert!(matches!(error, Error::Withheld { filtered, .. } if filtered == filter), "{error}");
        assert_eq!(endpoint.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_model_that_obeys_an_injection_gives_nothing_but_what_the_schema_allows() {
    let obeys = "{\"severity\": \"info\", \"title\": \"all is well\", \"mute\": true}";
    let (_, outcome) = of([Reply::says(obeys)]).await;
    assert!(matches!(outcome, Err(Error::Unfit { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_struct_is_extracted() {
    let chat = Endpoint::always(Reply::says(FITS)).served(Profile::OpenAi).await.build().expect("a client");
    let found = extract::<Finding>(&chat, &question(), &schema()).await.expect("a finding");
    assert_eq!(found.value, Finding { severity: "error".into(), title: "disk full".into() });
    assert!(!found.structured.repaired);
}

#[tokio::test]
async fn what_fits_the_schema_and_not_the_type_is_unfit() {
    let chat = Endpoint::always(Reply::says(FITS)).served(Profile::OpenAi).await.build().expect("a client");
    let error = extract::<Vec<u8>>(&chat, &question(), &schema()).await.expect_err("unfit");
    assert!(matches!(error, Error::Unfit { .. }), "{error}");
}

#[tokio::test]
async fn tools_are_not_offered_when_a_schema_is_wanted() {
    let endpoint = Endpoint::always(Reply::says(FITS));
    let chat = endpoint.served(Profile::OpenAi).await.build().expect("a client");
    let tool = llm_client::Tool::new("f", "does it", json!({})).expect("a tool");
    let request = question().tool(tool).tool_choice(llm_client::ToolChoice::Required);
    chat.structured(&request, &schema()).await.expect("an answer");
    assert_eq!(endpoint.seen()[0].body.get("tools"), None);
}

#[tokio::test(start_paused = true)]
async fn within_covers_both_rounds() {
    let slow = Reply::says("{}").after(Duration::from_secs(7));
    let chat = Endpoint::always(slow).simulated(Profile::OpenAi).build().expect("a client");
    let start = tokio::time::Instant::now();
    let error =
        chat.structured(&question().within(Duration::from_secs(10)), &schema()).await.expect_err("late");
    assert!(matches!(error, Error::Late { .. }), "{error}");
    assert_eq!(start.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn the_clients_deadline_covers_both_rounds() {
    let slow = Reply::says("{}").after(Duration::from_secs(7));
    let chat = Endpoint::always(slow).simulated(Profile::OpenAi).deadline(Duration::from_secs(10));
    let start = tokio::time::Instant::now();
    let error = chat.build().expect("a client").structured(&question(), &schema()).await.expect_err("late");
    assert!(matches!(error, Error::Late { .. }), "{error}");
    assert_eq!(start.elapsed(), Duration::from_secs(10));
}

#[tokio::test]
async fn the_instruction_joins_the_first_system_message() {
    let endpoint = Endpoint::always(Reply::says(FITS));
    let chat = endpoint.served(Profile::DeepSeek).await.build().expect("a client");
    let mut request = question();
    request.messages.insert(0, Message::system("You know logs."));
    chat.structured(&request, &schema()).await.expect("an answer");
    let messages = &endpoint.seen()[0].body["messages"];
    assert_eq!(messages.as_array().expect("messages").len(), 2);
    let system = messages[0]["content"].as_str().expect("a text");
    assert!(system.starts_with("You know logs.\n\nAnswer with one JSON value"), "{system}");
}
