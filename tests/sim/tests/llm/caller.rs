//! A stand-in on a free port, and what calls it.

use jiff::Timestamp;
use llm_client::{ChatRequest, HttpChat, HttpChatBuilder, Message, Profile};
use reqwest::{Client, Method, Url};
use serde_json::{Value, json};
use sim::llm::{Dialect, Play, Settings, SimLlm};
use tokio::net::TcpListener;

pub(crate) const MODEL: &str = "sim-chat";

pub(crate) fn key() -> String {
    ["sk", "EXAMPLE", "of", "a", "test"].join("-")
}

pub(crate) fn question() -> ChatRequest {
    ChatRequest::new([Message::user("Why is the sky blue?")])
}

/// The profile of ours that speaks a dialect.
pub(crate) fn profile(dialect: Dialect) -> Profile {
    match dialect {
        Dialect::OpenAi => Profile::OpenAi,
        Dialect::DeepSeek => Profile::DeepSeek,
        Dialect::DashScope => Profile::DashScope,
        Dialect::SiliconFlow => Profile::SiliconFlow,
        Dialect::Vllm => Profile::Vllm,
        Dialect::Ollama => Profile::Ollama,
    }
}

pub(crate) struct Endpoint {
    pub(crate) base: Url,
    http: Client,
}

impl Endpoint {
    pub(crate) async fn start(settings: Settings) -> Self {
        // Another test of this binary may have done it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let path = settings.dialect.base_path();
        let base = format!("http://{}{path}/", listener.local_addr().expect("an address"));
        tokio::spawn(SimLlm::new(settings, [key()], Timestamp::UNIX_EPOCH).serve(listener));
        Self { base: base.parse().expect("a URL"), http: Client::new() }
    }

    pub(crate) async fn of(dialect: Dialect) -> Self {
        Self::start(Settings::new(dialect)).await
    }

    /// Our client for it, which tries once.
    pub(crate) fn client(&self, dialect: Dialect) -> HttpChatBuilder {
        HttpChat::builder(profile(dialect), MODEL)
            .key(key())
            .service("sim")
            .base_url(self.base.clone())
            .tries(1)
    }

    /// Status and body of a bare call.
    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let url = self.base.join(path).expect("a URL");
        let request = self.http.request(method, url).bearer_auth(key()).json(body);
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    pub(crate) async fn chat(&self, body: &Value) -> (u16, Value) {
        self.call(Method::POST, "chat/completions", body).await
    }

    /// Has this happen to the next request.
    pub(crate) async fn play(&self, play: &Play) {
        self.admin(Method::POST, "script", &json!({"play": play, "count": 1})).await;
    }

    pub(crate) async fn admin(&self, method: Method, path: &str, body: &Value) -> Value {
        let (status, answer) = self.call(method, &format!("/_sim/{path}"), body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }
}
