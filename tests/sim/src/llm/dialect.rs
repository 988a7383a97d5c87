//! Whose dialect it speaks.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refusal::{Reason, Refusal};

/// The dialects, by the names that clients use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lowercase")]
pub enum Dialect {
    /// OpenAI.
    OpenAi,
    /// DeepSeek.
    DeepSeek,
    /// Qwen on DashScope.
    DashScope,
    /// SiliconFlow.
    SiliconFlow,
    /// vLLM.
    Vllm,
    /// Ollama's OpenAI-compatible API.
    Ollama,
}

const CALLS: [&str; 2] = ["/chat/completions", "/models"];

impl Dialect {
    /// What stands before `/chat/completions`, as the service documents it; the first of several is the usual one.
    /// DeepSeek takes a version for the sake of clients that want one, and another path for what is in beta.
    const fn base_paths(self) -> &'static [&'static str] {
        match self {
            Self::DeepSeek => &["/v1", "", "/beta"],
            Self::DashScope => &["/compatible-mode/v1"],
            Self::OpenAi | Self::SiliconFlow | Self::Vllm | Self::Ollama => &["/v1"],
        }
    }

    /// The path of the URL that a client is given.
    pub const fn base_path(self) -> &'static str {
        self.base_paths()[0]
    }

    /// What is asked for, behind a base path of this service; nothing under any other path.
    pub(super) fn call(self, path: &str) -> Option<&str> {
        let behind = |base: &&str| {
            path.strip_prefix(base).filter(|rest| CALLS.iter().any(|call| rest.starts_with(call)))
        };
        self.base_paths().iter().find_map(behind)
    }

    /// Whether a call without a key is refused. vLLM checks one when it was started with one.
    pub(super) fn checks_keys(self, any: bool) -> bool {
        match self {
            Self::Ollama => false,
            Self::Vllm => any,
            Self::OpenAi | Self::DeepSeek | Self::DashScope | Self::SiliconFlow => true,
        }
    }

    pub(super) fn takes_json_schema(self) -> bool {
        matches!(self, Self::OpenAi | Self::Vllm | Self::Ollama)
    }

    /// Whether a schema that is called strict must be closed, with every property required.
    pub(super) fn checks_strict(self) -> bool {
        self == Self::OpenAi
    }

    /// Whether `json_object` without the word "json" in the prompt is refused.
    pub(super) fn wants_the_word_json(self) -> bool {
        matches!(self, Self::OpenAi | Self::DashScope)
    }

    /// Whether the start of a prompt that is too long is dropped without a word.
    pub(super) fn cuts_prompts(self) -> bool {
        self == Self::Ollama
    }

    /// Status and body of a refusal.
    pub(super) fn refusal(self, refusal: &Refusal) -> (u16, Value) {
        let Words { status, kind, code, message } = self.words(refusal);
        let body = match self {
            Self::SiliconFlow => json!({"code": code, "message": message, "data": null}),
            Self::Vllm => {
                json!({"error": {"message": message, "type": kind, "param": refusal.param, "code": status}})
            }
            _ => {
                json!({"error": {"message": message, "type": kind, "param": refusal.param, "code": code}})
            }
        };
        (status, body)
    }

    fn words(self, refusal: &Refusal) -> Words {
        let message = refusal.message.clone();
        let words =
            |status, kind: &'static str, code: Value| Words { status, kind, code, message: message.clone() };
        let reason = &refusal.reason;
        match self {
            Self::SiliconFlow => {
                let (status, code) = match reason {
                    Reason::NoKey | Reason::WrongKey => (401, 30014),
                    Reason::NoModel => (400, 20012),
                    Reason::Forbidden => (403, 30003),
                    Reason::NoBalance | Reason::Quota(_) => (403, 30001),
                    Reason::RateLimited => (429, 50602),
                    Reason::Overloaded => (503, 50505),
                    Reason::TooLong => (400, 20015),
                    Reason::Moderated => (451, 20015),
                    Reason::Invalid(_) | Reason::Unprocessable | Reason::TooLarge => (400, 20015),
                    Reason::NoSuchPath => (404, 20001),
                };
                words(status, "", code.into())
            }
            Self::Vllm => match reason {
                Reason::NoKey | Reason::WrongKey => words(401, "Unauthorized", Value::Null),
                Reason::NoModel | Reason::NoSuchPath => words(404, "NotFoundError", Value::Null),
                Reason::Overloaded => words(503, "ServiceUnavailableError", Value::Null),
                _ => words(reason.status(), "BadRequestError", Value::Null),
            },
            Self::Ollama => match reason {
                Reason::NoModel | Reason::NoSuchPath => words(404, "not_found_error", Value::Null),
                Reason::Overloaded => words(503, "api_error", Value::Null),
                _ => words(reason.status(), "invalid_request_error", Value::Null),
            },
            Self::DeepSeek => match reason {
                Reason::NoKey | Reason::WrongKey => {
                    words(401, "authentication_error", "invalid_request_error".into())
                }
                Reason::NoBalance => words(402, "unknown_error", "invalid_request_error".into()),
                Reason::Overloaded => {
                    words(503, "service_unavailable_error", "service_unavailable_error".into())
                }
                Reason::RateLimited => words(429, "rate_limit_error", "rate_limit_exceeded".into()),
                Reason::Quota(code) => words(429, "insufficient_quota", code.clone().into()),
                _ => words(reason.status(), "invalid_request_error", "invalid_request_error".into()),
            },
            Self::DashScope => match reason {
                Reason::NoKey | Reason::WrongKey => {
                    words(401, "invalid_request_error", "invalid_api_key".into())
                }
                Reason::Moderated => words(400, "data_inspection_failed", "data_inspection_failed".into()),
                Reason::NoBalance => words(400, "Arrearage", "Arrearage".into()),
                Reason::Quota(code) => words(429, "insufficient_quota", code.clone().into()),
                Reason::RateLimited => words(429, "limit_requests", "limit_requests".into()),
                Reason::NoModel => words(404, "invalid_request_error", "model_not_found".into()),
                _ => words(reason.status(), "invalid_request_error", "invalid_parameter_error".into()),
            },
            Self::OpenAi => match reason {
                Reason::NoKey => words(401, "invalid_request_error", Value::Null),
                Reason::WrongKey => words(401, "invalid_request_error", "invalid_api_key".into()),
                Reason::NoModel => words(404, "invalid_request_error", "model_not_found".into()),
                Reason::RateLimited => words(429, "requests", "rate_limit_exceeded".into()),
                Reason::Quota(code) => words(429, "insufficient_quota", code.clone().into()),
                Reason::NoBalance => words(429, "insufficient_quota", "insufficient_quota".into()),
                Reason::TooLong => words(400, "invalid_request_error", "context_length_exceeded".into()),
                Reason::Moderated => words(400, "invalid_request_error", "content_policy_violation".into()),
                Reason::Overloaded => words(503, "server_error", Value::Null),
                Reason::Invalid(code) => words(400, "invalid_request_error", (*code).into()),
                _ => words(reason.status(), "invalid_request_error", Value::Null),
            },
        }
    }
}

struct Words {
    status: u16,
    kind: &'static str,
    code: Value,
    message: String,
}
