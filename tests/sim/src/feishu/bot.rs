//! The bots and what they demand of a message.

use std::collections::BTreeMap;

use clap::ValueEnum;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rate::Window;
use super::{Refusal, card, signature};

/// The documented cap of a body, 20 KB.
const CAP: usize = 20 * 1024;

/// A custom bot, or a flow, as its owner set it up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bot {
    /// The last part of its webhook.
    pub token: String,
    /// Messages must be signed with it.
    #[serde(default)]
    pub secret: Option<String>,
    /// One of them must be in each message, when there are any.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// The caller's address is not on its list.
    #[serde(default)]
    pub refuses_ip: bool,
}

/// How the stand-in behaves towards all bots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Seconds that Feishu's clock is ahead of this machine's.
    pub clock_ahead: f64,
    /// How a message beyond the rates is refused.
    pub throttle: Throttle,
}

/// The two ways in which Feishu says that there are too many messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Throttle {
    /// 11232.
    #[default]
    FrequencyLimited,
    /// 9499 with HTTP status 400.
    TooManyRequest,
}

impl Default for Settings {
    fn default() -> Self {
        Self { clock_ahead: 0.0, throttle: Throttle::default() }
    }
}

/// A bot and what came to it.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) bot: Bot,
    pub(super) window: Window,
    /// Answers by code.
    pub(super) answers: BTreeMap<i64, u64>,
}

impl Desk {
    pub(super) fn new(bot: Bot) -> Self {
        Self { bot, window: Window::default(), answers: BTreeMap::new() }
    }

    /// Whether this body is a message that the bot posts.
    pub(super) fn judge(&self, body: &[u8], now: Timestamp) -> Result<Value, Refusal> {
        if body.len() > CAP {
            return Err(Refusal::bad_request());
        }
        let Ok(message @ Value::Object(_)) = serde_json::from_slice::<Value>(body) else {
            return Err(Refusal::bad_request());
        };
        if self.bot.refuses_ip {
            return Err(Refusal::ip_not_allowed());
        }
        if self.bot.secret.as_ref().is_some_and(|secret| !signature::is_valid(&message, secret, now)) {
            return Err(Refusal::sign_mismatch());
        }
        let content =
            if message["msg_type"] == "interactive" { &message["card"] } else { &message["content"] };
        let kind = message["msg_type"].as_str().ok_or_else(Refusal::no_type)?;
        if !self.bot.keywords.is_empty() && !self.bot.keywords.iter().any(|word| holds(content, word)) {
            return Err(Refusal::keyword_missing());
        }
        let is_whole = match kind {
            "text" => content["text"].as_str().is_some_and(|text| !text.is_empty()),
            "post" => is_post(&content["post"]),
            "image" => content["image_key"].is_string(),
            "share_chat" => content["share_chat_id"].is_string(),
            "interactive" => return card::check(content).map(|()| message),
            _ => false,
        };
        if is_whole { Ok(message) } else { Err(Refusal::bad_request()) }
    }
}

/// Whether the word is in any text below this.
fn holds(value: &Value, word: &str) -> bool {
    match value {
        Value::String(text) => text.contains(word),
        Value::Array(values) => values.iter().any(|value| holds(value, word)),
        Value::Object(fields) => fields.values().any(|value| holds(value, word)),
        _ => false,
    }
}

/// In one language at least: a title, and lines of known parts.
fn is_post(post: &Value) -> bool {
    let is_line = |line: &Value| line.as_array().is_some_and(|parts| parts.iter().all(is_part));
    let is_language = |language: &Value| {
        language["content"].as_array().is_some_and(|lines| !lines.is_empty() && lines.iter().all(is_line))
    };
    post.as_object().is_some_and(|languages| !languages.is_empty() && languages.values().all(is_language))
}

fn is_part(part: &Value) -> bool {
    match part["tag"].as_str() {
        Some("text") => part["text"].is_string(),
        Some("a") => part["text"].is_string() && part["href"].is_string(),
        Some("at") => part["user_id"].is_string(),
        Some("img") => part["image_key"].is_string(),
        _ => false,
    }
}
