//! Each dialect in its own words, and our profile for it.

use llm_client::{Chat, Class, Schema};
use reqwest::Method;
use serde_json::{Value, json};
use sim::llm::{Dialect, Play, Settings};

use crate::caller::{Endpoint, MODEL, question};

const ALL: [Dialect; 6] = [
    Dialect::OpenAi,
    Dialect::DeepSeek,
    Dialect::DashScope,
    Dialect::SiliconFlow,
    Dialect::Vllm,
    Dialect::Ollama,
];

fn body() -> Value {
    json!({"model": MODEL, "messages": [{"role": "user", "content": "hello"}]})
}

#[tokio::test]
async fn a_service_answers_under_its_documented_paths_and_no_others() {
    let paths = ["", "/v1", "/beta", "/compatible-mode/v1", "/api", "/v1/v1", "/openai/v1"];
    for dialect in ALL {
        let documented: &[&str] = match dialect {
            Dialect::DeepSeek => &["", "/v1", "/beta"],
            Dialect::DashScope => &["/compatible-mode/v1"],
            _ => &["/v1"],
        };
        let endpoint = Endpoint::of(dialect).await;
        for path in paths {
            let status = if documented.contains(&path) { 200 } else { 404 };
            let (chat, _) = endpoint.call(Method::POST, &format!("{path}/chat/completions"), &body()).await;
            let (models, _) = endpoint.call(Method::GET, &format!("{path}/models"), &Value::Null).await;
            let (model, _) =
                endpoint.call(Method::GET, &format!("{path}/models/{MODEL}"), &Value::Null).await;
            assert_eq!([chat, models, model], [status; 3], "{dialect:?} under {path:?}");
        }
    }
}

#[tokio::test]
async fn refusals_have_the_shape_that_the_service_gives_them() {
    for (dialect, play, status, expected) in [
        (
            Dialect::DeepSeek,
            json!({"kind": "no_balance"}),
            402,
            json!({"error": {"message": "Insufficient Balance", "type": "unknown_error", "param": null,
                          "code": "invalid_request_error"}}),
        ),
        (
            Dialect::DashScope,
            json!({"kind": "moderated"}),
            400,
            json!({"error": {"message": "Input data may contain inappropriate content.", "type": "data_inspection_failed",
                          "param": null, "code": "data_inspection_failed"}}),
        ),
        (
            Dialect::SiliconFlow,
            json!({"kind": "forbidden"}),
            403,
            json!({"code": 30003, "message": "The key may not use this model", "data": null}),
        ),
        (
            Dialect::Vllm,
            json!({"kind": "unprocessable"}),
            422,
            json!({"error": {"message": "Invalid parameters", "type": "BadRequestError", "param": null, "code": 422}}),
        ),
        (
            Dialect::OpenAi,
            json!({"kind": "quota"}),
            429,
            json!({"error": {"message": "You exceeded your current quota, please check your plan and billing details.",
                          "type": "insufficient_quota", "param": null, "code": "credit_balance_exhausted"}}),
        ),
    ] {
        let endpoint = Endpoint::of(dialect).await;
        endpoint.play(&serde_json::from_value::<Play>(play).expect("a play")).await;
        assert_eq!(endpoint.chat(&body()).await, (status, expected), "{dialect:?}");
    }
}

#[tokio::test]
async fn a_profile_and_its_dialect_agree_on_what_a_refusal_means() {
    for dialect in ALL {
        for (play, class) in [
            (json!({"kind": "rate_limited"}), Class::RateLimited),
            (json!({"kind": "quota"}), Class::OutOfCredit),
            (json!({"kind": "overloaded"}), Class::Unavailable),
            (json!({"kind": "moderated"}), Class::Moderated),
        ] {
            // vLLM and Ollama sell nothing and filter nothing.
            if matches!(dialect, Dialect::Vllm | Dialect::Ollama)
                && matches!(class, Class::OutOfCredit | Class::Moderated)
                || dialect == Dialect::DeepSeek && class == Class::Moderated
            {
                continue;
            }
            let endpoint = Endpoint::of(dialect).await;
            endpoint.play(&serde_json::from_value::<Play>(play.clone()).expect("a play")).await;
            let chat = endpoint.client(dialect).build().expect("a client");
            let error = chat.complete(&question()).await.expect_err("refused");
            assert_eq!(error.class(), Some(class), "{dialect:?} {play}: {error}");
        }
    }
}

#[tokio::test]
async fn a_wrong_key_and_an_unknown_model_are_recognised_in_every_dialect() {
    for dialect in ALL {
        let endpoint = Endpoint::of(dialect).await;
        let wrong = ["sk", "EXAMPLE", "wrong"].join("-");
        let outcome =
            endpoint.client(dialect).key(&wrong).build().expect("a client").complete(&question()).await;
        match outcome {
            Err(error) => {
                assert_eq!(error.class(), Some(Class::Unauthorized), "{dialect:?}: {error}");
                assert!(!error.to_string().contains("EXAM"), "{error}");
            }
            Ok(_) => assert_eq!(dialect, Dialect::Ollama, "it ignores the key"),
        }
        endpoint.admin(reqwest::Method::POST, "settings", &json!({"models": ["other"]})).await;
        let chat = endpoint.client(dialect).build().expect("a client");
        let error = chat.complete(&question()).await.expect_err("no such model");
        assert_eq!(error.class(), Some(Class::NotFound), "{dialect:?}: {error}");
    }
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_refused_in_every_dialect_but_ollamas() {
    for dialect in ALL {
        let endpoint = Endpoint::start(Settings { context: 100, ..Settings::new(dialect) }).await;
        let chat = endpoint.client(dialect).build().expect("a client");
        let long = llm_client::ChatRequest::new([llm_client::Message::user("word ".repeat(500))]);
        match chat.complete(&long).await {
            Err(error) => assert_eq!(error.class(), Some(Class::ContextTooLong), "{dialect:?}: {error}"),
            Ok(completion) => {
                assert_eq!(dialect, Dialect::Ollama);
                let cut = completion.prompt_cut.expect("our client notices");
                assert_eq!((cut.counted, cut.at_least), (100, 500));
            }
        }
    }
}

#[tokio::test]
async fn a_schema_gets_through_in_every_dialect() {
    let schema = json!({
        "type": "object",
        "properties": {"severity": {"enum": ["info", "error"]}},
        "required": ["severity"],
        "additionalProperties": false,
    });
    let schema = Schema::new("finding", schema).expect("a schema");
    for dialect in ALL {
        let endpoint = Endpoint::of(dialect).await;
        // The humbler ways, too: where the endpoint refuses a format, our client steps down.
        for way in [
            None,
            Some(llm_client::StructuredOutput::JsonSchema),
            Some(llm_client::StructuredOutput::JsonObject),
        ] {
            let builder = endpoint.client(dialect);
            let builder = match way {
                Some(way) => builder.structured_output(way),
                None => builder,
            };
            let found = builder.build().expect("a client").structured(&question(), &schema).await;
            let found = found.unwrap_or_else(|error| panic!("{dialect:?} {way:?}: {error}"));
            assert_eq!(
                (found.value, found.repaired),
                (json!({"severity": "info"}), false),
                "{dialect:?} {way:?}"
            );
        }
    }
}

#[tokio::test]
async fn deepseek_without_the_word_json_gives_white_space() {
    let endpoint = Endpoint::of(Dialect::DeepSeek).await;
    let mut body = body();
    body["response_format"] = json!({"type": "json_object"});
    let (status, answer) = endpoint.chat(&body).await;
    let choice = &answer["choices"][0];
    assert_eq!((status, choice["finish_reason"].as_str()), (200, Some("length")));
    assert!(choice["message"]["content"].as_str().expect("a text").trim().is_empty());
}
