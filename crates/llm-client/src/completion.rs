//! What a model answered.

use std::fmt;
use std::sync::Arc;

use crate::{Cost, Message, ToolCall};

/// A whole answer. `Debug` shows its measures, never its words.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Completion {
    /// The answer itself, without reasoning.
    pub content: String,
    /// What the model thought first, when it shows it: the field `reasoning_content` or `reasoning`, or a leading
    /// `<think>` block of the content.
    pub reasoning: Option<String>,
    /// The model's own words when it refuses (OpenAI's `refusal`).
    pub refusal: Option<String>,
    /// The tools that it wants called, in order. Arguments are the model's word: see [`ToolCall::check`].
    pub tool_calls: Vec<ToolCall>,
    /// Why the answer ends here.
    pub finish: Finish,
    /// Tokens, as the endpoint counted them; `None` when it did not say.
    pub usage: Option<Usage>,
    /// What that cost, when the client was given prices and the endpoint counted.
    pub cost: Option<Cost>,
    /// Set when the endpoint seems to have dropped a part of the prompt without a word.
    pub prompt_cut: Option<PromptCut>,
    /// The model's name as the endpoint gives it.
    pub model: Option<String>,
    /// The endpoint's id of this answer.
    pub id: Option<String>,
    /// Who answered: the client's name.
    pub service: Arc<str>,
}

impl Completion {
    /// An answer of these words and nothing else, for other implementations of [`Chat`](crate::Chat) and for mocks.
    pub fn new(content: impl Into<String>) -> Self {
        Self { content: content.into(), ..Self::default() }
    }

    /// This answer as a message of the conversation, to go on with it.
    pub fn to_message(&self) -> Message {
        Message::Assistant { content: self.content.clone(), tool_calls: self.tool_calls.clone() }
    }

    /// Neither words nor tool calls nor a refusal, though nothing cut the answer short.
    pub(crate) fn is_empty(&self) -> bool {
        self.content.trim().is_empty()
            && self.tool_calls.is_empty()
            && self.refusal.is_none()
            && !matches!(self.finish, Finish::Length | Finish::ContentFilter)
    }
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completion")
            .field("service", &self.service)
            .field("model", &self.model)
            .field("id", &self.id)
            .field("content_bytes", &self.content.len())
            .field("reasoning_bytes", &self.reasoning.as_deref().map(str::len))
            .field("refused", &self.refusal.is_some())
            .field("tool_calls", &self.tool_calls)
            .field("finish", &self.finish)
            .field("usage", &self.usage)
            .field("cost", &self.cost)
            .field("prompt_cut", &self.prompt_cut)
            .finish()
    }
}

/// Why an answer ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finish {
    /// The model had said everything.
    #[default]
    Stop,
    /// The limit of tokens cut it: JSON in it is broken off.
    Length,
    /// A filter took some or all of it.
    ContentFilter,
    /// The model wants tools called.
    ToolCalls,
    /// Something else, in the endpoint's word.
    Other(String),
}

impl Finish {
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "stop" | "eos" | "stop_sequence" => Self::Stop,
            "length" | "max_tokens" => Self::Length,
            "content_filter" | "sensitive" => Self::ContentFilter,
            "tool_calls" | "function_call" => Self::ToolCalls,
            other => Self::Other(other.chars().take(40).collect()),
        }
    }
}

/// Tokens, counted by the endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Of the prompt, cached ones included.
    pub prompt_tokens: u64,
    /// Of the answer, reasoning included.
    pub completion_tokens: u64,
    /// Those of the prompt that came from the endpoint's cache, and mostly cost less.
    pub cached_tokens: u64,
    /// Those of the answer that were reasoning, when the endpoint says so.
    pub reasoning_tokens: u64,
}

impl Usage {
    /// Tokens of both sides.
    pub fn total_tokens(&self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            prompt_tokens: self.prompt_tokens.saturating_add(other.prompt_tokens),
            completion_tokens: self.completion_tokens.saturating_add(other.completion_tokens),
            cached_tokens: self.cached_tokens.saturating_add(other.cached_tokens),
            reasoning_tokens: self.reasoning_tokens.saturating_add(other.reasoning_tokens),
        }
    }
}

/// The endpoint dropped a part of the prompt, as Ollama does beyond its `num_ctx`. Two things tell it:
///
/// - It counted fewer tokens than the prompt can have.
/// - It counted as many as the context window holds (to within a hundredth), when the client was told of one: that is what
///   is left of a prompt that was cut; one that was not has no room for an answer.
///
/// `Display` says it in one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PromptCut {
    /// What the endpoint counted.
    pub counted: u64,
    /// What the prompt must have at the very least; not more than `counted` when only the window tells.
    pub at_least: u64,
    /// The context window, when the client was told of it: see [`crate::HttpChatBuilder::context_window`].
    pub context_window: Option<u64>,
}

impl PromptCut {
    /// What an endpoint's count says of a prompt that has at least so many tokens. Only some endpoints `drop` what is
    /// too much without a word.
    pub(crate) fn of(counted: u64, at_least: u64, context_window: Option<u64>, drops: bool) -> Option<Self> {
        let fills_it = context_window.is_some_and(|window| counted >= window - window / 100);
        ((drops && counted < at_least) || fills_it).then_some(Self { counted, at_least, context_window })
    }
}

impl fmt::Display for PromptCut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { counted, at_least, context_window } = self;
        match context_window {
            Some(window) if counted >= at_least => {
                write!(
                    f,
                    "the prompt fills the context window ({counted} of {window} tokens): a part of it was dropped, or nothing is left for the answer"
                )
            }
            _ => write!(f, "of the prompt only {counted} tokens of at least {at_least} were read"),
        }
    }
}
