//! What is asked for.

use std::time::Duration;

use crate::{Message, Schema, Tool, ToolChoice};

/// One question to a model. Which model is the client's to know: the same request can go to several.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ChatRequest {
    /// The conversation so far, oldest first.
    pub messages: Vec<Message>,
    /// The most tokens that the answer may have, reasoning included; the client's default when `None`.
    pub max_tokens: Option<u32>,
    /// 0 (always the likeliest) to 2; the model's default when `None`.
    pub temperature: Option<f32>,
    /// The same seed and request give mostly the same answer, where the endpoint knows the field.
    pub seed: Option<i64>,
    /// The answer ends before any of these; at most 4.
    pub stop: Vec<String>,
    /// What the model may ask to be called.
    pub tools: Vec<Tool>,
    /// Whether it may, or must. Sent only when there are tools.
    pub tool_choice: ToolChoice,
    /// The form of the answer.
    pub format: Format,
    /// The longest that the whole call may take, all tries and providers included. The client's own deadline holds
    /// as well. A list of providers divides it: see [`Providers`](crate::Providers).
    pub within: Option<Duration>,
}

/// The form of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub enum Format {
    /// Whatever the model says.
    #[default]
    Text,
    /// JSON that fits this schema, asked for in the way that the endpoint's dialect knows. Nothing is checked:
    /// that is what [`crate::Chat::structured`] does.
    Json(Schema),
}

impl ChatRequest {
    /// A conversation to go on with.
    pub fn new(messages: impl IntoIterator<Item = Message>) -> Self {
        Self { messages: messages.into_iter().collect(), ..Self::default() }
    }

    /// Adds a message.
    #[must_use]
    pub fn message(mut self, message: Message) -> Self {
        self.messages.push(message);
        self
    }

    /// Sets [`ChatRequest::max_tokens`].
    #[must_use]
    pub fn max_tokens(mut self, tokens: u32) -> Self {
        self.max_tokens = Some(tokens);
        self
    }

    /// Sets [`ChatRequest::temperature`].
    #[must_use]
    pub fn temperature(mut self, temperature: f32) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Adds a tool.
    #[must_use]
    pub fn tool(mut self, tool: Tool) -> Self {
        self.tools.push(tool);
        self
    }

    /// Sets [`ChatRequest::tool_choice`].
    #[must_use]
    pub fn tool_choice(mut self, choice: ToolChoice) -> Self {
        self.tool_choice = choice;
        self
    }

    /// Sets [`ChatRequest::format`].
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Sets [`ChatRequest::within`].
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.within = Some(time);
        self
    }
}
