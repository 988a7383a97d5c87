//! A stand-in in this test's runtime, and the ways to talk to it.

use std::time::Duration;

use feishu::{HttpBuilder, HttpCustomBot, RateLimits, Rates};
use jiff::Timestamp;
use serde_json::{Value, json};
use sim::feishu::{Bot, Settings, SimFeishu};
use tokio::net::TcpListener;

pub(crate) const TOKEN: &str = "EXAMPLE-BOT";
pub(crate) const SECRET: &str = "EXAMPLE-secret-of-a-bot";

/// The page of all hostile strings takes seconds to draw in a debug build, and several times as long on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// It ends with the test.
pub(crate) struct Server {
    pub(crate) base: String,
    http: reqwest::Client,
}

impl Server {
    pub(crate) async fn start(bot: Bot) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(SimFeishu::new(Settings::default(), [bot], Timestamp::now()).serve(listener));
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
        Self { base, http }
    }

    /// With a bot that demands nothing.
    pub(crate) async fn open() -> Self {
        Self::start(Bot { token: TOKEN.to_owned(), ..Bot::default() }).await
    }

    pub(crate) fn webhook(&self) -> String {
        format!("{}/open-apis/bot/v2/hook/{TOKEN}", self.base)
    }

    /// The client under test, whose windows are its own.
    pub(crate) fn client(&self) -> HttpBuilder<feishu::BotWebhook> {
        HttpCustomBot::builder(self.webhook().parse().expect("a webhook"))
            .limits(std::sync::Arc::new(RateLimits::new(Rates::DOCUMENTED)))
            .jitter_seed(7)
    }

    /// Posts a body without the client; the status and the answer.
    pub(crate) async fn post(&self, body: impl Into<reqwest::Body>) -> reqwest::Result<(u16, Value)> {
        let response = self.http.post(self.webhook()).body(body).send().await?;
        let status = response.status().as_u16();
        Ok((status, serde_json::from_slice(&response.bytes().await?).unwrap_or(Value::Null)))
    }

    /// Posts a body and gives the `code`.
    pub(crate) async fn code(&self, body: &Value) -> i64 {
        let (_, answer) = self.post(body.to_string()).await.expect("an answer");
        answer["code"].as_i64().unwrap_or_else(|| panic!("{answer}"))
    }

    pub(crate) async fn admin(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let method = method.parse().expect("a method");
        let request = self.http.request(method, format!("{}/_sim/{path}", self.base));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let response = request.body(body).send().await.expect("an answer");
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.expect("a body")).unwrap_or(Value::Null))
    }

    /// Lets this happen to the next message.
    pub(crate) async fn play(&self, play: Value) {
        let (status, answer) = self.admin("POST", "script", &json!({ "play": play, "count": 1 })).await;
        assert_eq!(status, 200, "{answer}");
    }

    pub(crate) async fn messages(&self) -> Vec<Value> {
        let (_, messages) = self.admin("GET", "messages", &Value::Null).await;
        messages.as_array().expect("a list").clone()
    }

    /// The page of all messages.
    pub(crate) async fn page(&self) -> String {
        let response = self.http.get(format!("{}/_sim/cards", self.base)).send().await.expect("an answer");
        assert!(
            response.headers()["content-security-policy"]
                .to_str()
                .expect("text")
                .starts_with("default-src 'none'")
        );
        response.text().await.expect("a page")
    }
}
