//! What an endpoint's error means for the caller: one table for all dialects.

use std::fmt;

use crate::envelope::Envelope;

/// How an error that an endpoint answered is to be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// Too many requests or tokens in a while: wait, at least as long as `Retry-After` says.
    RateLimited,
    /// The endpoint is overloaded, restarting or broken: it may pass.
    Unavailable,
    /// No money, or a spending limit is reached. Waiting does not help.
    OutOfCredit,
    /// The key is wrong, expired or missing.
    Unauthorized,
    /// The key is right and may not do this.
    Forbidden,
    /// The endpoint does not have this model, or this path.
    NotFound,
    /// The prompt is longer than the model can read: shorten it.
    ContextTooLong,
    /// A filter refused the prompt or the answer. The same text will be refused again.
    Moderated,
    /// The endpoint does not take the request as it is.
    BadRequest,
}

impl Class {
    /// Whether the same request may be answered later.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable)
    }

    /// Whether every other request to this endpoint will fail in the same way, until somebody acts.
    pub fn is_lasting(self) -> bool {
        matches!(self, Self::OutOfCredit | Self::Unauthorized | Self::Forbidden | Self::NotFound)
    }

    /// What to do, in a few words.
    pub fn advice(self) -> &'static str {
        match self {
            Self::RateLimited => "wait and repeat",
            Self::Unavailable => "repeating may help",
            Self::OutOfCredit => "repeating does not help: top up the account or raise its limit",
            Self::Unauthorized => "repeating does not help: check the API key",
            Self::Forbidden => "repeating does not help: the key may not do this",
            Self::NotFound => "repeating does not help: check the model's name and the base URL",
            Self::ContextTooLong => "repeating does not help: shorten the prompt",
            Self::Moderated => "repeating does not help: a filter refused the content",
            Self::BadRequest => "repeating does not help: the request has to change",
        }
    }

    /// From the status and what the body says. `status` is 200 for an error in the middle of a stream.
    pub(crate) fn of(status: u16, envelope: &Envelope) -> Self {
        let words = [envelope.code.as_deref(), envelope.kind.as_deref()];
        let by_word = words.into_iter().flatten().find_map(of_word);
        // The number of a flat error is a status, and says more than the 200 of a stream.
        let told = envelope.code.as_deref().and_then(|code| code.parse().ok());
        let status = if status < 400 { told.unwrap_or(status) } else { status };
        by_word.unwrap_or_else(|| of_status(status, &envelope.message.to_lowercase()))
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.advice())
    }
}

/// Codes that mean one thing whatever the status. From OpenAI's, DashScope's and SiliconFlow's lists of errors.
fn of_word(word: &str) -> Option<Class> {
    Some(match word {
        "insufficient_quota"
        | "credit_balance_exhausted"
        | "organization_spend_limit_exceeded"
        | "project_spend_limit_exceeded"
        | "organization_usage_limit_exceeded"
        | "billing_hard_limit_reached"
        | "billing_not_active"
        | "Arrearage"
        | "AllocationQuota.FreeTierOnly"
        | "30001" => Class::OutOfCredit,
        "rate_limit_exceeded" | "slow_down" | "limit_requests" | "limit_burst_rate" | "rate_limit_error" => {
            Class::RateLimited
        }
        _ if word.starts_with("Throttling") => Class::RateLimited,
        "context_length_exceeded" | "string_above_max_length" => Class::ContextTooLong,
        "data_inspection_failed" | "DataInspectionFailed" | "content_filter" | "content_policy_violation" => {
            Class::Moderated
        }
        "invalid_api_key" | "InvalidApiKey" | "authentication_error" | "30014" => Class::Unauthorized,
        "model_not_found" | "ModelNotFound" | "20012" => Class::NotFound,
        "30003" => Class::Forbidden,
        "server_error"
        | "internal_server_error"
        | "overloaded_error"
        | "InternalError"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "50505"
        | "50603" => Class::Unavailable,
        _ => return None,
    })
}

/// `message` in lower case: where there is no code, the words are all there is.
fn of_status(status: u16, message: &str) -> Class {
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase));
    match status {
        401 => Class::Unauthorized,
        402 => Class::OutOfCredit,
        403 => Class::Forbidden,
        404 | 405 | 410 => Class::NotFound,
        413 => Class::ContextTooLong,
        451 => Class::Moderated,
        429 if says(&["insufficient balance", "exceeded your current quota", "check your plan"]) => {
            Class::OutOfCredit
        }
        429 => Class::RateLimited,
        408 | 409 | 425 => Class::Unavailable,
        400..=499
            if says(&[
                "maximum context length",
                "context window",
                "context length",
                "prompt is too long",
                "range of input length",
                "max_seq_len",
            ]) =>
        {
            Class::ContextTooLong
        }
        400..=499 => Class::BadRequest,
        // Also an error in a stream that says nothing more: it had been accepted.
        _ => Class::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, code: &str, message: &str) -> Class {
        let code = Some(code.to_owned()).filter(|code| !code.is_empty());
        Class::of(status, &Envelope { code, kind: None, message: message.to_owned() })
    }

    #[test]
    fn the_table_of_codes_and_statuses() {
        for (status, code, message, class) in [
            (429, "rate_limit_exceeded", "", Class::RateLimited),
            (429, "slow_down", "", Class::RateLimited),
            (429, "", "TPM limit reached.", Class::RateLimited),
            (429, "insufficient_quota", "", Class::OutOfCredit),
            (429, "organization_spend_limit_exceeded", "", Class::OutOfCredit),
            (429, "", "You exceeded your current quota, please check your plan", Class::OutOfCredit),
            (402, "", "Insufficient Balance", Class::OutOfCredit),
            (400, "Arrearage", "", Class::OutOfCredit),
            (400, "context_length_exceeded", "", Class::ContextTooLong),
            (400, "400", "This model's maximum context length is 4096 tokens", Class::ContextTooLong),
            (400, "data_inspection_failed", "", Class::Moderated),
            (400, "20012", "Model does not exist", Class::NotFound),
            (404, "404", "The model `m` does not exist.", Class::NotFound),
            (401, "30014", "", Class::Unauthorized),
            (403, "30003", "", Class::Forbidden),
            (
                400,
                "20015",
                "length of prompt_tokens (9000) must be less than max_seq_len (8192).",
                Class::ContextTooLong,
            ),
            (451, "", "", Class::Moderated),
            (422, "", "", Class::BadRequest),
            (500, "", "", Class::Unavailable),
            (503, "", "", Class::Unavailable),
            (529, "", "", Class::Unavailable),
            (200, "400", "", Class::BadRequest),
            (200, "", "", Class::Unavailable),
        ] {
            assert_eq!(of(status, code, message), class, "{status} {code} {message}");
        }
    }

    #[test]
    fn what_lasts_is_never_worth_repeating() {
        for class in [Class::OutOfCredit, Class::Unauthorized, Class::Forbidden, Class::NotFound] {
            assert!(class.is_lasting() && !class.is_retryable() && class.advice().contains("does not help"));
        }
    }
}
