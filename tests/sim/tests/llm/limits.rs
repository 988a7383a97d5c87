//! Keys, limits, and the admin API.

use reqwest::Method;
use serde_json::json;
use sim::llm::{Dialect, Settings};

use crate::caller::{Endpoint, MODEL, key};

fn says(content: &str) -> serde_json::Value {
    json!({"model": MODEL, "messages": [{"role": "user", "content": content}]})
}

#[tokio::test]
async fn requests_and_tokens_of_a_minute_are_limited() {
    let settings = Settings { requests_per_minute: 2, ..Settings::new(Dialect::OpenAi) };
    let endpoint = Endpoint::start(settings).await;
    let statuses = [
        endpoint.chat(&says("a")).await.0,
        endpoint.chat(&says("b")).await.0,
        endpoint.chat(&says("c")).await.0,
    ];
    assert_eq!(statuses, [200, 200, 429]);
    let more = json!({"requests_per_minute": 0, "tokens_per_minute": 50});
    endpoint.admin(Method::POST, "settings", &more).await;
    let (status, answer) = endpoint.chat(&says(&"word ".repeat(60))).await;
    assert_eq!(status, 429, "{answer}");
    assert!(
        answer["error"]["message"].as_str().expect("words").contains("tokens per min: Limit 50"),
        "{answer}"
    );
}

#[tokio::test]
async fn what_was_asked_is_kept_without_the_key() {
    let endpoint = Endpoint::of(Dialect::OpenAi).await;
    endpoint.chat(&says("remember me")).await;
    let requests = endpoint.admin(Method::GET, "requests", &json!({})).await;
    assert_eq!(requests[0]["body"]["messages"][0]["content"], "remember me");
    assert_eq!(requests[0]["answer"], "200");
    assert!(!requests.to_string().contains(&key()));
    endpoint.admin(Method::DELETE, "requests", &json!({})).await;
    assert_eq!(endpoint.admin(Method::GET, "requests", &json!({})).await, json!([]));
}

#[tokio::test]
async fn a_script_waits_for_its_model_and_plays_in_order() {
    let settings = Settings { models: vec!["a".into(), "b".into()], ..Settings::new(Dialect::OpenAi) };
    let endpoint = Endpoint::start(settings).await;
    let rule = json!({"play": {"kind": "overloaded"}, "on": "b", "count": 1});
    endpoint.admin(Method::POST, "script", &rule).await;
    let ask = async |model: &str| {
        let body = json!({"model": model, "messages": [{"role": "user", "content": "x"}]});
        endpoint.chat(&body).await.0
    };
    assert_eq!([ask("a").await, ask("b").await, ask("b").await], [200, 503, 200]);
    let script = endpoint.admin(Method::GET, "script", &json!({})).await;
    assert_eq!(script[0]["played"], 1);
}

#[tokio::test]
async fn a_play_or_a_setting_that_does_not_exist_is_refused_with_what_there_is() {
    let endpoint = Endpoint::of(Dialect::OpenAi).await;
    for (path, body) in [
        ("/_sim/script", json!({"play": {"kind": "explode"}})),
        ("/_sim/script", json!({"play": {"kind": "think", "txet": "x"}})),
        ("/_sim/settings", json!({"dialect": "klingon"})),
        ("/_sim/settings", json!({"contxt": 1})),
        ("/_sim/keys", json!({})),
    ] {
        let (status, answer) = endpoint.call(Method::POST, path, &body).await;
        assert_eq!(status, 400, "{path} {body}: {answer}");
        assert!(answer["error"].as_str().expect("words").len() > 10, "{answer}");
    }
}

#[tokio::test]
async fn vllm_checks_a_key_only_when_it_has_one() {
    let endpoint = Endpoint::of(Dialect::Vllm).await;
    let bare = async || {
        let url = endpoint.base.join("chat/completions").expect("a URL");
        let answer = reqwest::Client::new().post(url).json(&says("x")).send().await.expect("an answer");
        answer.status().as_u16()
    };
    assert_eq!(bare().await, 401);
    endpoint.admin(Method::DELETE, "keys", &json!({"key": key()})).await;
    assert_eq!(bare().await, 200);
}
