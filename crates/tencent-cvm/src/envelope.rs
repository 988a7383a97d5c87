//! From an HTTP answer to the cloud's own: `{"Response": {...}}`, an error or a result.
//!
//! The cloud answers 200 for its errors too. Another status, a body that is not JSON or has no `Response` never
//! came from the API itself (a proxy, a load balancer, a cut body), so it says nothing about what happened.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::opened::Opened;
use crate::{Action, BoxError, Credentials, Error, class::classify};

/// Long enough for every text of the cloud seen, short enough for a condition.
const MAX_MESSAGE: usize = 300;
const MAX_WORD: usize = 128;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope<T> {
    response: Option<T>,
}

/// What every answer has.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Head {
    error: Option<Refusal>,
    request_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Refusal {
    code: Option<String>,
    message: Option<String>,
}

/// An answer of the API that is no error.
pub(crate) struct Answer<T> {
    /// What it says, unless that is not as documented.
    pub(crate) result: Result<T, String>,
    pub(crate) request_id: String,
}

impl<T: DeserializeOwned> Answer<T> {
    /// Opens the envelope. An error of the cloud becomes [`Error::Api`]; what is no envelope becomes
    /// [`Error::Unknown`].
    pub(crate) fn open(
        action: Action,
        credentials: &Credentials,
        response: Response<Bytes>,
    ) -> Result<Self, Error> {
        let unknown = |source: BoxError| Error::Unknown { action, source };
        let retry_after = retry_after(response.headers());
        if response.status() != StatusCode::OK {
            return Err(unknown(Box::new(NotTheApi { status: response.status(), retry_after })));
        }
        // The cloud may echo what it was sent, in whatever field.
        let said = |text: &str, limit| capped(without_secrets(text, credentials), limit);
        let named = |request_id: Option<String>| said(request_id.as_deref().unwrap_or_default(), MAX_WORD);
        let body = response.into_body();
        if let Ok(Envelope { response: Some(Opened { request_id, result }) }) = read(&body) {
            return Ok(Self { result: Ok(result), request_id: named(request_id) });
        }
        // Not what it should be: how far does it go?
        let envelope: Envelope<Head> =
            read(&body).map_err(|error| unknown(Box::new(Unreadable::from(&error))))?;
        let Some(head) = envelope.response else {
            return Err(unknown("the answer has no Response".into()));
        };
        let request_id = named(head.request_id);
        let Some(refusal) = head.error else {
            return Ok(Self { result: result(&body), request_id });
        };
        let Some(code) = refusal.code.filter(|code| !code.is_empty()) else {
            return Err(unknown("the answer is an error without a code".into()));
        };
        Err(Error::Api {
            action,
            class: classify(action, &code),
            code: said(&code, MAX_WORD),
            message: said(&refusal.message.unwrap_or_default(), MAX_MESSAGE),
            request_id,
            retry_after,
        })
    }
}

fn result<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let envelope: Envelope<T> = read(body).map_err(|error| Unreadable::from(&error).to_string())?;
    envelope.response.ok_or_else(|| "the answer has no Response".to_owned())
}

/// That all of it is text is seen faster at once than word by word. Where it is not, what nobody reads does not matter.
fn read<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    match std::str::from_utf8(body) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(body),
    }
}

/// An answer that something between us and the API gave.
#[derive(Debug, thiserror::Error)]
#[error("HTTP status {status}, which the API itself never answers")]
pub(crate) struct NotTheApi {
    status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
}

/// Where reading stopped. serde's own message may quote the body, which stays out of errors.
#[derive(Debug, thiserror::Error)]
#[error("the answer cannot be read: {what} at line {line} column {column}")]
struct Unreadable {
    what: &'static str,
    line: usize,
    column: usize,
}

impl From<&serde_json::Error> for Unreadable {
    fn from(error: &serde_json::Error) -> Self {
        let what = match error.classify() {
            serde_json::error::Category::Data => "a value of another type than documented",
            serde_json::error::Category::Eof => "it ends too soon",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "it is not JSON",
        };
        Self { what, line: error.line(), column: error.column() }
    }
}

/// The `Date` of an answer: the cloud's clock in whole seconds.
pub(crate) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(headers.get(header::DATE)?.to_str().ok()?).ok()
}

/// `Retry-After` in its form in seconds. Its other form, a date, depends on a clock that may be wrong.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn without_secrets(text: &str, credentials: &Credentials) -> String {
    let mut text = text.to_owned();
    for secret in [Some(credentials.secret_key()), credentials.token()].into_iter().flatten() {
        if !secret.is_empty() {
            text = text.replace(secret, "[redacted]");
        }
    }
    text
}

/// At most `limit` characters, without control characters (a line feed would break a log line).
pub(crate) fn capped(text: String, limit: usize) -> String {
    if text.len() <= limit && !text.contains(char::is_control) {
        return text;
    }
    let mut capped: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(limit).collect();
    if text.chars().nth(limit).is_some() {
        capped.push('…');
    }
    capped
}
