//! What a script may make of a message.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Refusal;

/// One thing that happens to a message instead of its being judged, or after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Play {
    /// 9499 `Bad Request`.
    BadRequest,
    /// 9499 `too many request`, with HTTP status 400.
    TooManyRequest,
    /// 11232.
    FrequencyLimited,
    /// 19001.
    DeadWebhook,
    /// 19002.
    NoType,
    /// 19021.
    SignMismatch,
    /// 19022.
    IpNotAllowed,
    /// 19024.
    KeywordMissing,
    /// 200621.
    CardRefused,
    /// 11310.
    TableLimit,
    /// 2200.
    Internal,
    /// Any other refusal.
    Error {
        /// The body's `code`.
        code: i64,
        /// The body's `msg`.
        msg: String,
        /// The HTTP status.
        #[serde(default = "ok")]
        status: u16,
    },
    /// A proxy's page; the message is lost.
    Html {
        /// Its HTTP status.
        #[serde(default = "ok")]
        status: u16,
    },
    /// Nothing comes, and the connection stays open; the message is lost.
    Silence,
    /// The connection breaks; the message is lost.
    Reset,
    /// The message is judged and, if taken, posted; nothing comes back.
    AcceptThenSilence,
    /// The message is judged and, if taken, posted; the connection breaks.
    AcceptThenReset,
    /// The message is judged, and half of the answer comes.
    Cut,
    /// The message is judged, and the answer comes later.
    Slow {
        /// By so many seconds.
        seconds: f64,
    },
}

fn ok() -> u16 {
    200
}

/// A play, sorted by what it does to the message.
pub(super) enum Turn {
    Refuse(Refusal),
    Page(u16),
    /// The message is lost; how the answer goes.
    Lose(Way),
    /// The message is judged; how the answer goes.
    Judge(Way),
}

/// How an answer comes, or does not.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Silence,
    Reset,
    Cut,
    After(Duration),
}

impl Play {
    pub(super) fn turn(self) -> Turn {
        Turn::Refuse(match self {
            Self::BadRequest => Refusal::bad_request(),
            Self::TooManyRequest => Refusal::too_many_request(),
            Self::FrequencyLimited => Refusal::frequency_limited(),
            Self::DeadWebhook => Refusal::dead_webhook(),
            Self::NoType => Refusal::no_type(),
            Self::SignMismatch => Refusal::sign_mismatch(),
            Self::IpNotAllowed => Refusal::ip_not_allowed(),
            Self::KeywordMissing => Refusal::keyword_missing(),
            Self::CardRefused => Refusal::card("refused by the script"),
            Self::TableLimit => Refusal::tables(),
            Self::Internal => Refusal::internal(),
            Self::Error { code, msg, status } => Refusal { code, message: msg, status },
            Self::Html { status } => return Turn::Page(status),
            Self::Silence => return Turn::Lose(Way::Silence),
            Self::Reset => return Turn::Lose(Way::Reset),
            Self::AcceptThenSilence => return Turn::Judge(Way::Silence),
            Self::AcceptThenReset => return Turn::Judge(Way::Reset),
            Self::Cut => return Turn::Judge(Way::Cut),
            Self::Slow { seconds } => {
                // What is no duration is no delay.
                return Turn::Judge(Way::After(Duration::try_from_secs_f64(seconds).unwrap_or_default()));
            }
        })
    }
}
