//! A test for each row of the table of dialects: what each endpoint does in its own way.

use llm_client::{
    BreakerState, Chat, ChatRequest, Class, Error, Finish, Message, Profile, PromptCut, Providers, Schema,
    StructuredOutput,
};
use serde_json::{Value, json};

use crate::endpoint::{Endpoint, Reply, answer, delta, key, last, question};

fn schema() -> Schema {
    let schema = json!({
        "type": "object",
        "properties": {"severity": {"enum": ["info", "error"]}},
        "required": ["severity"],
        "additionalProperties": false,
    });
    Schema::new("finding", schema).expect("a schema")
}

/// The class, code and words that a profile's client makes of an answer.
async fn refused(profile: Profile, reply: Reply) -> (Class, Option<String>, String) {
    let chat = Endpoint::always(reply).served(profile).await.build().expect("a client");
    match chat.complete(&question()).await {
        Err(Error::Api { class, code, message, .. }) => (class, code, message),
        other => panic!("{other:?}"),
    }
}

/// The body that a profile's client sends for structured output.
async fn structured_body(profile: Profile) -> Value {
    let endpoint = Endpoint::always(Reply::says("{\"severity\": \"info\"}"));
    let chat = endpoint.served(profile).await.build().expect("a client");
    let found = chat.structured(&question(), &schema()).await.expect("an answer");
    assert_eq!(found.value, json!({"severity": "info"}));
    endpoint.seen().remove(0).body
}

#[tokio::test]
async fn openai_takes_max_completion_tokens_and_a_strict_json_schema() {
    let endpoint = Endpoint::always(Reply::says("ok"));
    let chat = endpoint.served(Profile::OpenAi).await.build().expect("a client");
    chat.complete(&question().max_tokens(50)).await.expect("an answer");
    let body = &endpoint.seen()[0].body;
    assert_eq!((&body["max_completion_tokens"], &body["max_tokens"]), (&json!(50), &Value::Null));

    let format = &structured_body(Profile::OpenAi).await["response_format"];
    assert_eq!(format["type"], "json_schema");
    assert_eq!(format["json_schema"]["name"], "finding");
    assert_eq!(format["json_schema"]["strict"], true);
    assert_eq!(format["json_schema"]["schema"], *schema().as_json());
}

#[tokio::test]
async fn openai_context_length_exceeded_says_to_shorten_the_prompt() {
    let reply = Reply::error(
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "maximum context length is 8192",
    );
    let (class, code, _) = refused(Profile::OpenAi, reply).await;
    assert_eq!((class, code.as_deref()), (Class::ContextTooLong, Some("context_length_exceeded")));
}

#[tokio::test]
async fn openai_invalid_api_key_says_to_check_the_key() {
    let reply = Reply::error(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided");
    let (class, code, message) = refused(Profile::OpenAi, reply).await;
    assert_eq!((class, code.as_deref()), (Class::Unauthorized, Some("invalid_api_key")));
    assert_eq!(message, "Incorrect API key provided");
}

#[tokio::test]
async fn deepseek_402_is_out_of_credit() {
    let reply = Reply::error(402, "unknown_error", "invalid_request_error", "Insufficient Balance");
    assert_eq!(refused(Profile::DeepSeek, reply).await.0, Class::OutOfCredit);
}

#[tokio::test]
async fn deepseek_422_is_a_bad_request() {
    let reply = Reply::error(422, "invalid_request_error", "invalid_request_error", "temperature: too high");
    assert_eq!(refused(Profile::DeepSeek, reply).await.0, Class::BadRequest);
}

#[tokio::test]
async fn deepseek_503_is_unavailable_and_worth_repeating() {
    let reply = Reply::error(503, "service_unavailable_error", "", "Service is too busy");
    let class = refused(Profile::DeepSeek, reply).await.0;
    assert!(class == Class::Unavailable && class.is_retryable(), "{class:?}");
}

#[tokio::test]
async fn deepseek_is_asked_for_a_json_object_with_the_word_json_and_the_schema_in_the_prompt() {
    let body = structured_body(Profile::DeepSeek).await;
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    let system = body["messages"][0]["content"].as_str().expect("a text");
    assert_eq!(body["messages"][0]["role"], "system");
    assert!(system.contains("JSON") && system.contains(&schema().as_json().to_string()), "{system}");
}

#[tokio::test]
async fn deepseek_empty_content_is_asked_for_again_and_then_an_error_of_its_own() {
    let empty = Reply::says("");
    let endpoint = Endpoint::playing([empty.clone(), Reply::says("{\"severity\": \"info\"}")]);
    let chat = endpoint.simulated(Profile::DeepSeek).build().expect("a client");
    chat.structured(&question(), &schema()).await.expect("the second try");
    assert_eq!(endpoint.seen().len(), 2);

    let chat = Endpoint::always(empty).served(Profile::DeepSeek).await.build().expect("a client");
    let error = chat.complete(&question()).await.expect_err("empty");
    assert!(matches!(error, Error::Empty { .. }) && error.is_retryable(), "{error}");
}

#[tokio::test]
async fn deepseek_blank_lines_before_a_body_are_not_a_part_of_it() {
    let blank = (0..200).fold(Reply::raw(200, "application/json", "\n"), |reply, _| reply.and("\n"));
    let reply = blank.and(answer(&json!({"content": "late, but here"}), "stop").to_string());
    let chat = Endpoint::always(reply).served(Profile::DeepSeek).await.build().expect("a client");
    assert_eq!(chat.complete(&question()).await.expect("an answer").content, "late, but here");
}

#[tokio::test]
async fn deepseek_keep_alive_comments_are_not_a_part_of_a_stream() {
    let reply = (0..200).fold(Reply::events([]), |reply, _| reply.and(": keep-alive\n\n"));
    let reply = reply.and_events([delta(&json!({"content": "here"})), last("stop")]).and("data: [DONE]\n\n");
    let chat = Endpoint::always(reply).served(Profile::DeepSeek).await.build().expect("a client");
    let stream = chat.stream(&question()).await.expect("a stream");
    assert_eq!(stream.complete().await.expect("an answer").content, "here");
}

#[tokio::test]
async fn dashscope_data_inspection_failed_is_moderation_and_never_repeated() {
    let message = "Input data may contain inappropriate content.";
    let reply = Reply::error(400, "data_inspection_failed", "data_inspection_failed", message);
    let endpoint = Endpoint::always(reply);
    let chat = endpoint.served(Profile::DashScope).await.tries(5).build().expect("a client");
    let error = chat.complete(&question()).await.expect_err("refused");
    assert_eq!(error.class(), Some(Class::Moderated));
    assert!(!error.is_retryable() && error.to_string().contains("a filter refused"), "{error}");
    assert_eq!(endpoint.seen().len(), 1);
}

#[tokio::test]
async fn dashscope_is_asked_for_a_json_object_and_for_a_schema_on_the_newest_models() {
    assert_eq!(structured_body(Profile::DashScope).await["response_format"]["type"], "json_object");

    let endpoint = Endpoint::always(Reply::says("{\"severity\": \"info\"}"));
    let newest = endpoint.served(Profile::DashScope).await.structured_output(StructuredOutput::JsonSchema);
    newest.build().expect("a client").structured(&question(), &schema()).await.expect("an answer");
    assert_eq!(endpoint.seen()[0].body["response_format"]["type"], "json_schema");
}

#[tokio::test]
async fn dashscope_older_models_degrade_to_json_object_once_and_for_all() {
    let message = "'response_format.type' json_schema is not supported by this model";
    let refusal = Reply::error(400, "invalid_request_error", "invalid_parameter_error", message);
    let endpoint = Endpoint::playing([refusal, Reply::says("{\"severity\": \"info\"}")]);
    let builder = endpoint.served(Profile::DashScope).await.structured_output(StructuredOutput::JsonSchema);
    let chat = builder.build().expect("a client");
    for _ in 0..2 {
        chat.structured(&question(), &schema()).await.expect("an answer");
    }
    let asked: Vec<Value> =
        endpoint.seen().iter().map(|seen| seen.body["response_format"]["type"].clone()).collect();
    assert_eq!(asked, ["json_schema", "json_object", "json_object"]);
}

#[tokio::test]
async fn siliconflow_20012_is_no_such_model() {
    let body =
        json!({"code": 20012, "message": "Model does not exist. Please check it carefully.", "data": null});
    let (class, code, message) = refused(Profile::SiliconFlow, Reply::json(400, &body)).await;
    assert_eq!((class, code.as_deref()), (Class::NotFound, Some("20012")));
    assert!(message.starts_with("Model does not exist"), "{message}");
}

#[tokio::test]
async fn siliconflow_30014_is_a_wrong_key() {
    let body = json!({"code": 30014, "message": "Invalid token", "data": null});
    assert_eq!(refused(Profile::SiliconFlow, Reply::json(401, &body)).await.0, Class::Unauthorized);
    // The same, as its gateway says it.
    let bare = Reply::raw(401, "application/json", "\"Invalid token\"");
    let (class, _, message) = refused(Profile::SiliconFlow, bare).await;
    assert_eq!((class, message.as_str()), (Class::Unauthorized, "Invalid token"));
}

#[tokio::test]
async fn siliconflow_30003_is_forbidden() {
    let body = json!({"code": 30003, "message": "Model disabled.", "data": null});
    assert_eq!(refused(Profile::SiliconFlow, Reply::json(403, &body)).await.0, Class::Forbidden);
}

#[tokio::test]
async fn vllm_flat_errors_are_read() {
    let message = "This model's maximum context length is 4096 tokens.";
    let body =
        json!({"object": "error", "message": message, "type": "BadRequestError", "param": null, "code": 400});
    let (class, code, words) = refused(Profile::Vllm, Reply::json(400, &body)).await;
    assert_eq!((class, code.as_deref(), words.as_str()), (Class::ContextTooLong, Some("400"), message));
}

#[tokio::test]
async fn vllm_errors_whose_code_is_a_number_are_read() {
    let body =
        json!({"error": {"message": "The model `m` does not exist.", "type": "NotFoundError", "code": 404}});
    let (class, code, _) = refused(Profile::Vllm, Reply::json(404, &body)).await;
    assert_eq!((class, code.as_deref()), (Class::NotFound, Some("404")));
}

#[tokio::test]
async fn vllm_takes_a_json_schema_and_no_key() {
    assert_eq!(structured_body(Profile::Vllm).await["response_format"]["type"], "json_schema");
    let endpoint = Endpoint::always(Reply::says("ok"));
    let chat =
        llm_client::HttpChat::builder(Profile::Vllm, "m").transport(std::sync::Arc::new(endpoint.clone()));
    chat.build().expect("a client").complete(&question()).await.expect("an answer");
    assert_eq!(endpoint.seen()[0].header("authorization"), "");
}

#[tokio::test]
async fn ollama_a_prompt_that_was_cut_without_a_word_is_noticed() {
    // 5000 words, and the endpoint counted 2048 tokens.
    let prompt = ChatRequest::new([Message::user("word ".repeat(5000))]);
    let mut body = answer(&json!({"content": "a summary of the end"}), "stop");
    body["usage"]["prompt_tokens"] = json!(2048);
    let reply = Reply::json(200, &body);

    let chat = Endpoint::always(reply.clone()).served(Profile::Ollama).await.build().expect("a client");
    let cut = chat.complete(&prompt).await.expect("an answer").prompt_cut.expect("noticed");
    let PromptCut { counted, at_least, .. } = cut;
    assert_eq!((counted, at_least), (2048, 5000));

    // One that fits raises no alarm, nor does an endpoint that refuses long prompts.
    assert_eq!(chat.complete(&question()).await.expect("an answer").prompt_cut, None);
    let chat = Endpoint::always(reply).served(Profile::Vllm).await.build().expect("a client");
    assert_eq!(chat.complete(&prompt).await.expect("an answer").prompt_cut, None);
}

#[tokio::test]
async fn ollama_a_prompt_that_cannot_fit_its_window_is_not_sent() {
    let endpoint = Endpoint::always(Reply::says("an answer to the end of it"));
    let chat = endpoint.simulated(Profile::Ollama).context_window(4096).build().expect("a client");
    let words =
        |count| ChatRequest::new([Message::system("Be brief."), Message::user("word ".repeat(count))]);

    let schema = Schema::new("s", json!({"type": "object"})).expect("a schema");
    let errors = [
        chat.complete(&words(4095)).await.expect_err("too long"),
        chat.stream(&words(4095)).await.expect_err("too long"),
        chat.structured(&words(4095), &schema).await.expect_err("too long"),
    ];
    for error in errors {
        assert!(
            matches!(error, Error::PromptTooLong { at_least: 4097, context_window: 4096, .. }),
            "{error:?}"
        );
        let shown = error.to_string();
        assert!(shown.contains("at least 4097 tokens and the context window 4096"), "{shown}");
        assert!(!error.is_retryable() && error.call().is_some());
    }
    assert!(endpoint.seen().is_empty());
    chat.complete(&words(4094)).await.expect("it may fit");

    // Another model may have a larger window, and this one works.
    let larger = endpoint.simulated(Profile::Vllm).service("larger").build().expect("a client");
    let providers = Providers::new("small", chat).then("larger", larger);
    for _ in 0..4 {
        assert_eq!(&*providers.complete(&words(5000)).await.expect("an answer").service, "larger");
    }
    assert_eq!(providers.states()[0].1, BreakerState::Closed);
}

#[tokio::test]
async fn ollama_a_prompt_that_filled_its_window_is_noticed() {
    // A log of which nobody knows how many tokens it has: of at least 300, 2048 were counted.
    let prompt = ChatRequest::new([Message::user("0x1f ".repeat(300))]);
    let counted = |tokens: u64| {
        let mut body = answer(&json!({"content": "a summary of the end"}), "stop");
        body["usage"]["prompt_tokens"] = json!(tokens);
        Endpoint::always(Reply::json(200, &body))
    };
    let cut = async |tokens, window: Option<u32>| {
        let builder = counted(tokens).simulated(Profile::Ollama);
        let builder = window.into_iter().fold(builder, llm_client::HttpChatBuilder::context_window);
        let chat = builder.build().expect("a client");
        chat.complete(&prompt).await.expect("an answer").prompt_cut
    };
    let noticed = cut(2048, Some(2048)).await.expect("noticed");
    assert_eq!((noticed.counted, noticed.at_least, noticed.context_window), (2048, 300, Some(2048)));
    assert!(noticed.to_string().contains("fills the context window (2048 of 2048 tokens)"), "{noticed}");
    assert!(cut(2028, Some(2048)).await.is_some(), "within a hundredth");
    assert_eq!(cut(2027, Some(2048)).await, None);
    assert_eq!(cut(2048, Some(4096)).await, None);
    assert_eq!(cut(2048, None).await, None);
    let noticed = cut(200, Some(2048)).await.expect("fewer than there are");
    assert_eq!(noticed.to_string(), "of the prompt only 200 tokens of at least 300 were read");
}

#[tokio::test]
async fn ollama_needs_no_key_and_its_native_stream_is_not_taken_for_an_answer() {
    let native = "{\"message\":{\"role\":\"assistant\",\"content\":\"h\"},\"done\":false}\n\
                  {\"message\":{\"role\":\"assistant\",\"content\":\"i\"},\"done\":true}\n";
    let reply = Reply::raw(200, "application/x-ndjson", native);
    let chat = Endpoint::always(reply).served(Profile::Ollama).await.build().expect("a client");
    let error = chat.complete(&question()).await.expect_err("another API");
    assert!(matches!(error, Error::NotTheApi { retryable: false, .. }), "{error}");
    assert!(error.to_string().contains("check the base URL"), "{error}");
}

/// The calls of a stream in which each piece holds one, with these fields, at index 0.
async fn calls_at_index_0(pieces: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    let pieces = pieces.iter().map(|(id, name, arguments)| {
        let function = json!({"name": name, "arguments": arguments});
        delta(&json!({"tool_calls": [{"index": 0, "id": id, "type": "function", "function": function}]}))
    });
    let reply = Reply::events(pieces).and_events([last("tool_calls")]).and("data: [DONE]\n\n");
    let chat = Endpoint::always(reply).served(Profile::Ollama).await.build().expect("a client");
    let stream = chat.stream(&question()).await.expect("a stream");
    let calls = stream.complete().await.expect("an answer").tool_calls;
    calls.into_iter().map(|call| (call.id, call.name, call.arguments)).collect()
}

#[tokio::test]
async fn ollama_calls_that_share_an_index_stay_apart() {
    let call = |id: &str, name: &str, arguments: &str| (id.to_owned(), name.to_owned(), arguments.to_owned());
    let (web, db) = (r#"{"app": "web"}"#, r#"{"app": "db"}"#);
    assert_eq!(
        calls_at_index_0(&[("call_a", "scale", web), ("call_b", "scale", db), ("call_c", "list", "{}")])
            .await,
        [call("call_a", "scale", web), call("call_b", "scale", db), call("call_c", "list", "{}")]
    );
    // What comes without an id goes on with the last of them; a whole call after a whole one does not.
    assert_eq!(
        calls_at_index_0(&[
            ("call_a", "scale", web),
            ("call_b", "scale", r#"{"app":"#),
            ("", "", r#" "db"}"#)
        ])
        .await,
        [call("call_a", "scale", web), call("call_b", "scale", db)]
    );
    assert_eq!(
        calls_at_index_0(&[("", "scale", web), ("", "scale", db)]).await,
        [call("call_0", "scale", web), call("call_1", "scale", db)]
    );
    // Servers that repeat id or name with every piece still make one call.
    for id in ["call_a", ""] {
        let pieces = [(id, "scale", r#"{"app":"#), (id, "scale", r#" "db""#), (id, "scale", "}")];
        let calls = calls_at_index_0(&pieces).await;
        assert_eq!((calls.len(), calls[0].2.as_str()), (1, db), "{calls:?}");
    }
}

#[tokio::test]
async fn ollama_errors_are_read() {
    let body = json!({"error": {"message": "model \"m\" not found, try pulling it first", "type": "api_error",
                                "param": null, "code": null}});
    let (class, code, message) = refused(Profile::Ollama, Reply::json(404, &body)).await;
    assert_eq!((class, code.as_deref()), (Class::NotFound, Some("api_error")));
    assert!(message.contains("try pulling it first"), "{message}");
}

#[tokio::test]
async fn reasoning_content_is_kept_apart() {
    for field in ["reasoning_content", "reasoning"] {
        let reply = Reply::json(200, &answer(&json!({"content": "42", field: "six times nine"}), "stop"));
        let chat = Endpoint::always(reply).served(Profile::DeepSeek).await.build().expect("a client");
        let completion = chat.complete(&question()).await.expect("an answer");
        assert_eq!(
            (completion.content.as_str(), completion.reasoning.as_deref()),
            ("42", Some("six times nine"))
        );
    }
}

#[tokio::test]
async fn a_think_block_before_json_is_stripped() {
    let reply = Reply::says("<think>{\"severity\": \"info\"}? No.</think>\n\n{\"severity\": \"error\"}");
    let chat = Endpoint::always(reply).served(Profile::Vllm).await.build().expect("a client");
    let found = chat.structured(&question(), &schema()).await.expect("an answer");
    assert_eq!(found.value, json!({"severity": "error"}));
    assert_eq!(found.completion.reasoning.as_deref(), Some("{\"severity\": \"info\"}? No."));
    assert!(!found.repaired);
}

#[tokio::test]
async fn every_profile_sends_the_key_as_a_bearer_token_to_chat_completions() {
    for profile in Profile::ALL {
        let endpoint = Endpoint::always(Reply::says("ok"));
        let chat = endpoint.served(profile).await.build().expect("a client");
        let completion = chat.complete(&question()).await.expect("an answer");
        assert_eq!(completion.finish, Finish::Stop);
        let seen = endpoint.seen().remove(0);
        assert_eq!(seen.line, "POST /v1/chat/completions", "{profile}");
        assert_eq!(seen.header("authorization"), format!("Bearer {}", key()), "{profile}");
        assert_eq!(seen.body["model"], "model-as-asked", "{profile}");
    }
}
