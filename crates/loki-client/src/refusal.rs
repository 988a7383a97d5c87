//! Loki's refusals by what can be done about them.
//!
//! Loki's errors are plain text without a code: status and wording are all there is. The wordings are those of 3.7.6,
//! recorded in `tests/fixtures`; one that changes falls back to what its status says.

use std::fmt;

use http::StatusCode;

use crate::Operation;

/// What a refusal asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The LogQL is wrong, of a kind that this call does not take, or counts lines that cannot be counted by it (with
    /// `| __error__=""` it leaves them out).
    Query,
    /// The page is larger than `max_entries_limit_per_query`.
    Limit {
        /// The largest page that the server gives, when it said so.
        most: Option<u32>,
    },
    /// Another parameter is wrong.
    Parameter,
    /// The window is too long, or holds too much: ask for less of it.
    TooMuch,
    /// A push has more bytes than the server takes at once: push less at once.
    PushTooLarge,
    /// Loki gave up after `query_timeout`, or what stands before it sooner: ask for less of a window, or again.
    TimedOut,
    /// The tenant is missing, or several are named where Loki takes one.
    Tenant,
    /// Missing or wrong credentials.
    Credentials,
    /// An operator of Loki has switched this query, or all of the tenant's, off.
    Blocked,
    /// Nothing is there: the URL leads elsewhere, or this Loki has not got that call.
    NotFound,
    /// A rate limit, or a full queue: wait.
    Busy,
    /// The labels of a stream are too many, too long, wrong or not those that are demanded, so that none of its entries is
    /// stored. Other streams of the push are.
    Labels,
    /// Some entries of a push are too old, too new, too long or otherwise unwanted. The others are stored.
    Entries,
    /// Loki is starting, stopping or broken, or too slow for what stands before it: wait.
    Unavailable,
    /// Something else.
    Other,
}

impl Refusal {
    /// Whether the same call, made again after a pause, can succeed.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::TimedOut | Self::Busy | Self::Unavailable)
    }

    pub(crate) fn classify(operation: Operation, status: StatusCode, text: &str) -> Self {
        let says = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
        // Said with 401, and with 500.
        if says(&["no org id", "multiple org IDs present"]) {
            return Self::Tenant;
        }
        // Under the status that somebody has configured (`block_ingestion_status_code`); 260 by default.
        if says(&["ingestion blocked for user"]) {
            return Self::Blocked;
        }
        let too_much = if operation == Operation::Push { Self::PushTooLarge } else { Self::TooMuch };
        match status.as_u16() {
            400 if operation == Operation::Push => Self::of_a_push(&without_quoted(text)),
            400 if says(&["max_entries_limit_per_query", "max entries limit per query exceeded"]) => {
                Self::Limit { most: most(text) }
            }
            400 if says(&TOO_MUCH) => Self::TooMuch,
            // Between its own parts it has another limit, of bytes: a querier's answer did not fit.
            500 if says(&["received message larger than max"]) => too_much,
            400 if says(&["blocked by policy"]) => Self::Blocked,
            260 => Self::Blocked,
            400 if says(&QUERY) => Self::Query,
            401 | 403 | 407 => Self::Credentials,
            404 | 405 | 410 => Self::NotFound,
            413 => too_much,
            408 | 504 if operation.has_window() => Self::TimedOut,
            408 | 504 => Self::Unavailable,
            // No shorter: other refusals name the stream, and with it whatever its labels are called.
            429 if says(&["querying is disabled"]) => Self::Blocked,
            429 => Self::Busy,
            400..=498 => Self::Parameter,
            // 499: Loki's word for a query that was cancelled, such as by a shutdown.
            499..=599 => Self::Unavailable,
            _ => Self::Other,
        }
    }

    /// Whichever is about less is said of a push in which several things are wrong.
    fn of_a_push(words: &str) -> Self {
        let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
        match (says(&ENTRIES), says(&LABELS)) {
            (true, _) => Self::Entries,
            (false, true) => Self::Labels,
            (false, false) if words.contains("entry for stream") => Self::Entries,
            (false, false) => Self::Parameter,
        }
    }
}

/// Without what stands in double quotes: the values of labels, which may say anything.
fn without_quoted(text: &str) -> String {
    let (mut words, mut quoted, mut escaped) = (String::new(), false, false);
    for c in text.chars() {
        match c {
            '"' if !escaped => quoted = !quoted,
            _ if !quoted => words.push(c),
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
    }
    words
}

/// `pkg/validation/validate.go`: of a stream that is refused like this nothing is stored, and of the others of the push
/// everything.
const LABELS: [&str; 7] = [
    // It begins like what is said of single entries.
    " label names; limit ",
    "has label name too long",
    "has label value too long",
    "has duplicate label name",
    "Error parsing labels",
    "missing required labels",
    "at least one label pair is required",
];

/// The same of single entries.
const ENTRIES: [&str; 7] = [
    "has timestamp too ",
    "entry with timestamp",
    // Newer versions begin it with a capital.
    "ax entry size",
    "total ignored",
    "has structured metadata too large",
    "has too many structured metadata labels",
    "includes structured metadata, but this feature is disallowed",
];

const QUERY: [&str; 5] = [
    "parse error",
    // Of a metric query: a line does not parse, or a label that is compared with a number holds none.
    "pipeline error",
    "only label matchers are supported",
    "not supported as an instant query type",
    "invalid query",
];

const TOO_MUCH: [&str; 6] = [
    "query time range exceeds the limit",
    "would read too many bytes",
    "exceeded maximum resolution",
    // Of a query, or of one of its shards; 150 GB unless configured.
    "too large to execute on a single querier",
    "maximum number of series",
    "response larger than the max message size",
];

/// The second number of `(5001 > 5000)`.
fn most(text: &str) -> Option<u32> {
    let (_, rest) = text.rsplit_once("> ")?;
    rest.trim_end_matches(')').trim().parse().ok()
}

/// What to do, for a person.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Query => "repeating will not help: change the query",
            Self::Limit { .. } => "repeating will not help: ask for a smaller page",
            Self::Parameter | Self::Other => "repeating will not help",
            Self::TooMuch => "repeating will not help: ask for a shorter window",
            Self::PushTooLarge => "repeating will not help: push less at once",
            Self::TimedOut => "repeating can help, a shorter window more so",
            Self::Tenant => "repeating will not help: name one tenant",
            Self::Credentials => "repeating will not help: check the credentials",
            Self::Blocked => "repeating will not help: Loki's operator has switched it off",
            Self::NotFound => "repeating will not help: check the URL",
            Self::Busy | Self::Unavailable => "repeating can help, after a pause",
            Self::Labels => "repeating will not help: change that stream's labels; other streams are stored",
            Self::Entries => "repeating will not help: the other entries are stored",
        })
    }
}
