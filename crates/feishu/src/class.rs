//! From Feishu's codes to what can be done about them. One table, and the only place that knows a code.

use std::fmt;

/// What a refusal means.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Too many messages: 11232, or 9499 or a code that is in no table with words such as `too many request` or `frequency
    /// limit`. Nothing is wrong with this one.
    Throttled,
    /// Feishu failed inside: 2200.
    Internal,
    /// The message is not one that Feishu reads, or too large: 9499 with any other text, 19036.
    Format,
    /// The card is refused: 11310, 230099, the codes around 200621. As text the message would pass.
    Card,
    /// No bot listens under this webhook: 19001. It was removed from its group, or the token is wrong.
    Webhook,
    /// The request lacks its type: 19002. This crate never sends one like that.
    Request,
    /// The signature is wrong or an hour old: 19021. The secret or a clock is wrong.
    Signature,
    /// This machine's address is not on the bot's list: 19022.
    Address,
    /// None of the bot's keywords is in the message: 19024.
    Keyword,
    /// A code that is in no table, with words that say nothing of too many.
    Other,
}

impl Class {
    /// Sorts a code. 9499 has two meanings, which only its text tells apart (nightingale issue 1437 saw `too many
    /// request` with HTTP status 400; a bad format has `Bad Request`). So do the words of a code that is in no table, such as
    /// 99991400.
    ///
    /// # Examples
    /// ```
    /// use feishu::Class;
    ///
    /// assert_eq!(Class::of(9499, "Bad Request"), Class::Format);
    /// assert_eq!(Class::of(9499, "too many request"), Class::Throttled);
    /// assert_eq!(Class::of(99_991_400, "request trigger frequency limit"), Class::Throttled);
    /// ```
    pub fn of(code: i64, message: &str) -> Self {
        match code {
            9499 if is_about_too_many(message) => Self::Throttled,
            9499 | 19036 => Self::Format,
            11232 => Self::Throttled,
            2200 => Self::Internal,
            11310 | 230_099 | 200_000..=200_999 => Self::Card,
            19001 => Self::Webhook,
            19002 => Self::Request,
            19021 => Self::Signature,
            19022 => Self::Address,
            19024 => Self::Keyword,
            _ if is_about_too_many(message) => Self::Throttled,
            _ => Self::Other,
        }
    }

    /// Whether the code is in the table.
    pub(crate) fn knows(code: i64) -> bool {
        Self::of(code, "") != Self::Other
    }

    /// Whether the same message may pass when it is sent again later.
    pub fn is_passing(self) -> bool {
        matches!(self, Self::Throttled | Self::Internal)
    }

    /// What to do about it, for people.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Throttled => "repeating later helps: send fewer messages, away from the full and half hour",
            Self::Internal => "repeating later helps",
            Self::Format => "repeating does not help: send it shorter or as text",
            Self::Card => "repeating does not help: send it as text",
            Self::Webhook => {
                "repeating does not help: the webhook is dead, make a new one in the group's settings"
            }
            Self::Request => "repeating does not help: this is a defect of the client",
            Self::Signature => "repeating does not help: check the secret and this machine's clock",
            Self::Address => "repeating does not help: put this machine's address on the bot's list",
            Self::Keyword => "repeating does not help: give the client one of the bot's keywords",
            Self::Other => "the code is not documented; repeating is not known to help",
        }
    }
}

fn is_about_too_many(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["too many request", "frequency limit", "rate limit"].iter().any(|words| message.contains(words))
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Throttled => "throttled",
            Self::Internal => "internal",
            Self::Format => "format",
            Self::Card => "card",
            Self::Webhook => "webhook",
            Self::Request => "request",
            Self::Signature => "signature",
            Self::Address => "address",
            Self::Keyword => "keyword",
            Self::Other => "other",
        })
    }
}
