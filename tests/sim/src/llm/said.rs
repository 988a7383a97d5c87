//! What the model says, before it is put on the wire.

use super::body::{Asked, Choice, Format};
use super::example::example_of;
use super::{Dialect, tokens};

const WHITE_SPACE: usize = 256;

/// An answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Said {
    /// Goes into the field `reasoning_content`.
    pub(super) reasoning: Option<String>,
    pub(super) content: String,
    pub(super) refusal: Option<String>,
    /// Names and arguments.
    pub(super) tool_calls: Vec<(String, String)>,
    /// In a stream each comes whole, and all at index 0.
    pub(super) one_tool_index: bool,
    pub(super) finish: Option<&'static str>,
}

impl Said {
    /// This and nothing else.
    pub(super) fn content(content: impl Into<String>) -> Self {
        Self { content: content.into(), ..Self::default() }
    }

    /// What it says when nobody told it what to say: the tool that it must call, a value that fits, or what it heard.
    pub(super) fn to(asked: &Asked, dialect: Dialect) -> Self {
        let tool = match &asked.choice {
            Choice::Named(name) => asked.tools.iter().find(|(tool, _)| tool == name),
            Choice::Must => asked.tools.first(),
            Choice::Free => None,
        };
        if let Some((name, parameters)) = tool {
            return Self {
                tool_calls: vec![(name.clone(), example_of(parameters).to_string())],
                ..Self::default()
            };
        }
        match (&asked.format, asked.schema()) {
            (Format::Text, _) => Self::content(format!("You said: {}", asked.last_of_user())),
            // Its documentation: white space without end, until the limit of tokens.
            (Format::JsonObject, _) if dialect == Dialect::DeepSeek && !asked.says_json() => {
                Self { finish: Some("length"), ..Self::content("\n".repeat(WHITE_SPACE)) }
            }
            (_, Some(schema)) => Self::content(example_of(&schema).to_string()),
            (_, None) => Self::content(serde_json::json!({"heard": asked.last_of_user()}).to_string()),
        }
    }

    /// With what the request itself cuts off: a stop sequence, the limit of tokens.
    pub(super) fn within(mut self, asked: &Asked, room: u64) -> Self {
        let stop = asked
            .stop
            .iter()
            .filter(|stop| !stop.is_empty())
            .filter_map(|stop| self.content.find(stop))
            .min();
        if let Some(at) = stop {
            self.content.truncate(at);
        }
        let most = asked.max_tokens.unwrap_or(room).min(room);
        let left = most.saturating_sub(self.reasoning.as_deref().map_or(0, tokens::count));
        if tokens::first(&self.content, left).1 { self } else { self.cut(left, "length") }
    }

    /// Only the first so many tokens of the content, for this reason.
    pub(super) fn cut(mut self, tokens: u64, finish: &'static str) -> Self {
        let length = tokens::first(&self.content, tokens).0.len();
        self.content.truncate(length);
        self.finish = Some(finish);
        self
    }

    /// Why it ends.
    pub(super) fn finish(&self) -> &'static str {
        self.finish.unwrap_or(if self.tool_calls.is_empty() { "stop" } else { "tool_calls" })
    }

    pub(super) fn reasoning_tokens(&self) -> u64 {
        self.reasoning.as_deref().map_or(0, tokens::count)
    }

    pub(super) fn tokens(&self) -> u64 {
        let calls =
            self.tool_calls.iter().map(|(name, arguments)| tokens::count(name) + tokens::count(arguments));
        self.reasoning_tokens()
            + tokens::count(&self.content)
            + self.refusal.as_deref().map_or(0, tokens::count)
            + calls.sum::<u64>()
    }
}
