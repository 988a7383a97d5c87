//! The dialects, by name.

use std::fmt;
use std::str::FromStr;

/// Whose dialect an endpoint speaks. Each says where requests go by default, how the limit of tokens is called, how
/// JSON is asked for, whether a key is needed, and what to mistrust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// OpenAI: `max_completion_tokens`, `json_schema`.
    OpenAi,
    /// DeepSeek: `json_object` with the word "json" in the prompt, keep-alive comments and blank lines under load,
    /// sometimes no content.
    DeepSeek,
    /// Qwen on DashScope: `json_object` (the newest models take `json_schema`: see
    /// [`crate::HttpChatBuilder::structured_output`]), refuses content by inspection.
    DashScope,
    /// SiliconFlow: errors of its own shape, `json_object`.
    SiliconFlow,
    /// vLLM: `json_schema`, needs no key unless it was started with one.
    Vllm,
    /// Ollama's OpenAI-compatible API: `json_schema`, no key, cuts long prompts without a word.
    Ollama,
}

/// How JSON is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StructuredOutput {
    /// `response_format: json_schema`: the endpoint holds the model to the schema.
    JsonSchema,
    /// `response_format: json_object`, and the schema in the system message: the endpoint sees to it that it is JSON.
    JsonObject,
    /// The schema in the system message, and nothing else: for models that know no `response_format`.
    Prompt,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::OpenAi, Self::DeepSeek, Self::DashScope, Self::SiliconFlow, Self::Vllm, Self::Ollama];

    /// Its name: `openai`, `deepseek`, `dashscope`, `siliconflow`, `vllm`, `ollama`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::DeepSeek => "deepseek",
            Self::DashScope => "dashscope",
            Self::SiliconFlow => "siliconflow",
            Self::Vllm => "vllm",
            Self::Ollama => "ollama",
        }
    }

    /// Where its API is unless the caller says otherwise; for the self-hosted ones on this machine.
    pub fn base_url(self) -> &'static str {
        match self {
            Self::OpenAi => "https://api.openai.com/v1",
            Self::DeepSeek => "https://api.deepseek.com",
            Self::DashScope => "https://dashscope.aliyuncs.com/compatible-mode/v1",
            Self::SiliconFlow => "https://api.siliconflow.cn/v1",
            Self::Vllm => "http://localhost:8000/v1",
            Self::Ollama => "http://localhost:11434/v1",
        }
    }

    /// Whether [`HttpChatBuilder::key`](crate::HttpChatBuilder::key) must be called. The self-hosted ones take a key and
    /// need none.
    pub fn needs_key(self) -> bool {
        !matches!(self, Self::Vllm | Self::Ollama)
    }

    /// OpenAI's newer models refuse `max_tokens`; the others know nothing else.
    pub(crate) fn calls_it_max_completion_tokens(self) -> bool {
        self == Self::OpenAi
    }

    pub(crate) fn structured_output(self) -> StructuredOutput {
        match self {
            Self::OpenAi | Self::Vllm | Self::Ollama => StructuredOutput::JsonSchema,
            Self::DeepSeek | Self::DashScope | Self::SiliconFlow => StructuredOutput::JsonObject,
        }
    }

    /// Whether it drops the start of a prompt that is too long instead of refusing it.
    pub(crate) fn cuts_prompts(self) -> bool {
        self == Self::Ollama
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No profile has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no profile; there are openai, deepseek, dashscope, siliconflow, vllm and ollama")]
pub struct UnknownProfile(String);

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        let found = Self::ALL.into_iter().find(|profile| profile.as_str() == name);
        found.ok_or_else(|| UnknownProfile(name.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_found_by_its_name_and_has_a_url() {
        for profile in Profile::ALL {
            assert_eq!(profile.to_string().parse(), Ok(profile));
            assert!(url::Url::parse(profile.base_url()).is_ok());
        }
        assert!("OpenAI".parse::<Profile>().unwrap_err().to_string().contains("there are openai"));
    }
}
