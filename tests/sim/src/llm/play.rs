//! What a script can make it do, instead of answering as it would.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One thing that endpoints and models do. On a stream and on a whole answer alike, each in its own way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Play {
    /// The model says this.
    Say {
        /// Its words.
        #[serde(default)]
        content: String,
        /// What it thinks first, in a field of its own.
        #[serde(default)]
        reasoning: Option<String>,
        /// Tools that it wants called: names and arguments.
        #[serde(default)]
        tool_calls: Vec<(String, Value)>,
    },
    /// The model wants these tools called, and each comes whole and at index 0 of a stream, as Ollama gives them.
    SharedToolIndex {
        /// Names and arguments.
        tool_calls: Vec<(String, Value)>,
    },
    /// The model's usual answer in a fence of Markdown.
    FencedJson {},
    /// The model's usual answer after a sentence, and before another.
    Prose {},
    /// A `<think>` block before the usual answer.
    Think {
        /// What is in it.
        #[serde(default = "thought")]
        text: String,
    },
    /// The usual answer after thoughts in the field `reasoning_content`.
    Reasoning {
        /// What is thought.
        #[serde(default = "thought")]
        text: String,
    },
    /// The model refuses.
    Refusal {
        /// In these words.
        #[serde(default = "no")]
        text: String,
    },
    /// Nothing at all is said.
    EmptyContent {},
    /// An answer without choices.
    EmptyChoices {},
    /// The usual answer, cut after so many tokens.
    LengthCut {
        /// How many are left.
        #[serde(default = "few")]
        tokens: u64,
    },
    /// The usual answer, taken by a filter after so many tokens.
    ContentFilter {
        /// How many are left.
        #[serde(default = "few")]
        tokens: u64,
    },
    /// JSON that does not fit the schema.
    WrongSchema {},
    /// The model does what stands behind `ignore all previous instructions` in what it reads, whoever wrote it.
    ObeysInjection {},
    /// The endpoint reads only the last so many tokens of the prompt, and does not say so.
    PromptCut {
        /// How many it reads.
        tokens: u64,
    },
    /// Before the answer: comments in a stream, blank lines before a whole body.
    KeepAlive {
        /// So many.
        #[serde(default = "few")]
        count: u32,
        /// Seconds between them.
        #[serde(default)]
        every: f64,
    },
    /// Nothing comes: of a stream the head, of a whole answer not even that.
    FirstByteHang {},
    /// Nothing comes after so many pieces of a stream, or after half of a whole body.
    MidStreamHang {
        /// How many come.
        #[serde(default = "one")]
        after: usize,
    },
    /// An error after so many pieces of a stream; a 500 instead of a whole answer.
    MidStreamError {
        /// How many come before.
        #[serde(default = "one")]
        after: usize,
    },
    /// The connection breaks after so many pieces of a stream, or after half of a whole body.
    Cut {
        /// How many come before.
        #[serde(default = "one")]
        after: usize,
    },
    /// The connection breaks at once.
    Reset {},
    /// 429, for requests that come too fast.
    RateLimited {
        /// Seconds in `Retry-After`; no such header when 0.
        #[serde(default)]
        retry_after: u64,
    },
    /// 429, for money that is spent.
    Quota {
        /// The code that says which limit.
        #[serde(default = "exhausted")]
        code: String,
    },
    /// 402 or what the dialect has in its place.
    NoBalance {},
    /// 422.
    Unprocessable {},
    /// 503.
    Overloaded {},
    /// 403.
    Forbidden {},
    /// The prompt may contain inappropriate content.
    Moderated {},
    /// An error of this status and shape, whatever the dialect.
    Error {
        /// The status.
        status: u16,
        /// Where the words are.
        shape: Shape,
        /// The code: a number or a word.
        #[serde(default)]
        code: Value,
        /// The words.
        #[serde(default = "no")]
        message: String,
    },
    /// A gateway's page of HTML.
    Html {
        /// Its status.
        #[serde(default = "bad_gateway")]
        status: u16,
    },
}

/// In which shape an error comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `{"error": {"message", "type", "param", "code"}}`.
    #[serde(rename = "openai")]
    OpenAi,
    /// `{"object": "error", "message", "type", "code"}`, as older vLLM.
    Flat,
    /// `{"code", "message", "data"}`, as SiliconFlow.
    Code,
    /// `{"error": "…"}`.
    Word,
    /// A bare string in JSON.
    String,
    /// Text that is no JSON.
    Text,
}

fn thought() -> String {
    "Let me think. {\"draft\": true}".to_owned()
}

fn no() -> String {
    "I cannot help with that.".to_owned()
}

fn exhausted() -> String {
    "credit_balance_exhausted".to_owned()
}

fn one() -> usize {
    1
}

fn few<T: From<u8>>() -> T {
    T::from(3)
}

fn bad_gateway() -> u16 {
    502
}
