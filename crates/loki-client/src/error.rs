//! One error type, whose variants are named for what the caller may do next.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::Refusal;

/// A cause of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What was asked of Loki.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// `GET /loki/api/v1/query_range`
    QueryRange,
    /// `GET /loki/api/v1/query`
    Query,
    /// `GET /loki/api/v1/labels`
    Labels,
    /// `GET /loki/api/v1/label/{name}/values`
    LabelValues,
    /// `GET /loki/api/v1/series`
    Series,
    /// `GET /loki/api/v1/format_query`
    FormatQuery,
    /// `POST /loki/api/v1/push`
    Push,
    /// `GET /loki/api/v1/tail`
    Tail,
    /// `GET /ready`
    Ready,
    /// `GET /loki/api/v1/status/buildinfo`
    BuildInfo,
    /// `GET /loki/api/v1/index/stats`
    IndexStats,
    /// `GET /loki/api/v1/detected_fields`
    DetectedFields,
    /// `GET /loki/api/v1/detected_labels`
    DetectedLabels,
    /// `GET /loki/api/v1/patterns`
    Patterns,
}

impl Operation {
    /// The name of the endpoint.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QueryRange => "query_range",
            Self::Query => "query",
            Self::Labels => "labels",
            Self::LabelValues => "label values",
            Self::Series => "series",
            Self::FormatQuery => "format_query",
            Self::Push => "push",
            Self::Tail => "tail",
            Self::Ready => "ready",
            Self::BuildInfo => "buildinfo",
            Self::IndexStats => "index/stats",
            Self::DetectedFields => "detected_fields",
            Self::DetectedLabels => "detected_labels",
            Self::Patterns => "patterns",
        }
    }

    /// Whether it is asked about a window, which could be shorter.
    pub(crate) const fn has_window(self) -> bool {
        !matches!(self, Self::FormatQuery | Self::Push | Self::Tail | Self::Ready | Self::BuildInfo)
    }

    /// Whether Loki reads entries for it, which takes as long the next time.
    pub(crate) const fn reads_entries(self) -> bool {
        matches!(self, Self::QueryRange | Self::Query | Self::DetectedFields)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a call did not give what was asked.
///
/// The text names the service, the operation, the server's own words (capped, without the client's secrets) and
/// whether repeating can help; the cause stands in `source()`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No request left: repeat it.
    #[error("Loki {operation}: nothing was sent; repeating can help")]
    NotSent {
        /// The call.
        operation: Operation,
        /// What kept it.
        source: BoxError,
    },
    /// No request left, and none will: the certificate is not trusted, or what listens there speaks no TLS. Correct the
    /// URL, or name the certificate's authority.
    #[error(
        "Loki {operation}: no TLS connection can be made; repeating will not help: check the URL and the certificate"
    )]
    Tls {
        /// The call.
        operation: Operation,
        /// What kept it.
        source: BoxError,
    },
    /// A request was sent and no whole answer came (a timeout, a cut connection, JSON that ends early). Repeat it: reads
    /// change nothing, and Loki keeps an entry that is pushed twice once.
    #[error("Loki {operation}: sent, but no whole answer came; repeating can help")]
    Unanswered {
        /// The call.
        operation: Operation,
        /// What went wrong.
        source: BoxError,
    },
    /// Loki, or what stands before it, answered with an error.
    #[error("Loki {operation}: {status}: {message}; {refusal}")]
    Refused {
        /// The call.
        operation: Operation,
        /// The HTTP status.
        status: StatusCode,
        /// What to do about it.
        refusal: Refusal,
        /// The server's text: for people, never to decide on. Capped, on one line.
        message: String,
        /// A `Retry-After` of the answer. Loki sends none; gateways do.
        retry_after: Option<Duration>,
    },
    /// The answer is larger than the client takes: ask for less.
    #[error(
        "Loki {operation}: the answer is larger than {most} bytes; repeating will not help: ask for less"
    )]
    TooLarge {
        /// The call.
        operation: Operation,
        /// The most that the client takes.
        most: usize,
    },
    /// The answer is no answer of Loki's: something else listens there.
    #[error("Loki {operation}: the answer is not Loki's ({excerpt:?}); repeating will not help")]
    Decode {
        /// The call.
        operation: Operation,
        /// How it begins, capped.
        excerpt: String,
        /// Where it stops making sense.
        source: BoxError,
    },
    /// The query is of the other kind: log queries have entries, metric queries numbers. Make it by the method that the
    /// text names.
    #[error("Loki {operation}: {what}; repeating will not help")]
    OtherKind {
        /// The call.
        operation: Operation,
        /// Which kind it is, and what answers it.
        what: &'static str,
    },
    /// The request cannot be made. Nothing was sent, and repeating it will not help.
    #[error("Loki {operation}: {what}; repeating will not help")]
    Invalid {
        /// The call.
        operation: Operation,
        /// What to change.
        what: String,
    },
    /// More entries of one nanosecond than a page holds, which no label and no part of the line tells apart. One of these
    /// helps:
    ///
    /// - a larger page: raise the server's `max_entries_limit_per_query` and the client's
    ///   [`PageOptions::most`](crate::PageOptions::most) or [`CursorOptions::most`](crate::CursorOptions::most);
    /// - a query that shows more: without a formatter such as `line_format`, which makes entries look the same;
    /// - a query that finds less: of one tenant, or with another filter;
    /// - to do without the nanosecond: read the window up to `at`, and another one from [`at.next()`](crate::Nanos::next) on.
    #[error(
        "Loki {operation}: more than {limit} entries at {at} cannot be told apart; repeating will not help: raise \
         max_entries_limit_per_query and `most`, leave out formatters, ask for less, or leave out that nanosecond"
    )]
    Inseparable {
        /// The call.
        operation: Operation,
        /// The nanosecond.
        at: crate::Nanos,
        /// The largest page.
        limit: u32,
    },
    /// The client itself cannot be built.
    #[error("build the Loki client: {what}")]
    Config {
        /// What to change.
        what: String,
        /// What kept it, when something below did.
        source: Option<BoxError>,
    },
}

impl Error {
    /// The call that failed; `None` when there is no client to call with.
    pub fn operation(&self) -> Option<Operation> {
        match self {
            Self::NotSent { operation, .. }
            | Self::Tls { operation, .. }
            | Self::Unanswered { operation, .. }
            | Self::Refused { operation, .. }
            | Self::TooLarge { operation, .. }
            | Self::Decode { operation, .. }
            | Self::OtherKind { operation, .. }
            | Self::Invalid { operation, .. }
            | Self::Inseparable { operation, .. } => Some(*operation),
            Self::Config { .. } => None,
        }
    }

    /// What the server refused it for, when it did.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    /// How long the answer asked to wait, uncapped.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the same call, made again after a pause, can succeed.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NotSent { .. } | Self::Unanswered { .. } => true,
            Self::Refused { refusal, .. } => refusal.is_retryable(),
            Self::Tls { .. }
            | Self::TooLarge { .. }
            | Self::Decode { .. }
            | Self::OtherKind { .. }
            | Self::Invalid { .. }
            | Self::Inseparable { .. }
            | Self::Config { .. } => false,
        }
    }

    /// Whether the same call over a shorter window can succeed, or, of a push, with fewer entries.
    pub fn asks_for_less(&self) -> bool {
        match self {
            Self::TooLarge { .. } => true,
            Self::Refused { refusal, .. } => {
                matches!(refusal, Refusal::TooMuch | Refusal::PushTooLarge | Refusal::TimedOut)
            }
            _ => false,
        }
    }
}
