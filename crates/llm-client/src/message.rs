//! What is said, and by whom.

use std::fmt;

use crate::ToolCall;

/// One message of a conversation. `Debug` shows who spoke and how much, never what.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// What the model shall be and do.
    System(String),
    /// What the person, or the program, says.
    User(String),
    /// What the model said before.
    Assistant {
        /// Its words.
        content: String,
        /// The tools it asked for.
        tool_calls: Vec<ToolCall>,
    },
    /// What a tool answered.
    Tool {
        /// The [`ToolCall::id`] that it answers.
        call_id: String,
        /// Its result, as a text.
        content: String,
    },
}

impl Message {
    /// What the model shall be and do.
    pub fn system(content: impl Into<String>) -> Self {
        Self::System(content.into())
    }

    /// What the person, or the program, says.
    pub fn user(content: impl Into<String>) -> Self {
        Self::User(content.into())
    }

    /// What the model said before.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self::Assistant { content: content.into(), tool_calls: Vec::new() }
    }

    /// What a tool answered to `call`.
    pub fn tool(call: &ToolCall, content: impl Into<String>) -> Self {
        Self::Tool { call_id: call.id.clone(), content: content.into() }
    }

    /// The role's name on the wire.
    pub fn role(&self) -> &'static str {
        match self {
            Self::System(_) => "system",
            Self::User(_) => "user",
            Self::Assistant { .. } => "assistant",
            Self::Tool { .. } => "tool",
        }
    }

    /// The text of it.
    pub fn content(&self) -> &str {
        match self {
            Self::System(content)
            | Self::User(content)
            | Self::Assistant { content, .. }
            | Self::Tool { content, .. } => content,
        }
    }

    /// The tools that the model asked for in it.
    pub fn tool_calls(&self) -> &[ToolCall] {
        match self {
            Self::Assistant { tool_calls, .. } => tool_calls,
            _ => &[],
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({} bytes)", self.role(), self.content().len())
    }
}
