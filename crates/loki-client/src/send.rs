//! The one way out: headers, deadline, repetition, and what an answer means.

use std::fmt;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, header};
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument as _, debug};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::auth::LONGEST_TEXT;
use crate::decode::Unread;
use crate::wait::Wait;
use crate::{BoxError, Error, HttpLoki, Operation, Refusal, TransportError, Window};

/// Asks for structured metadata apart from the stream's labels.
const ENCODING_FLAGS: HeaderName = HeaderName::from_static("x-loki-response-encoding-flags");
const CATEGORIZE: HeaderValue = HeaderValue::from_static("categorize-labels");
/// Loki compares the whole value.
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
/// Proxies take URLs of at least this length. Longer queries are sent as a form, which Loki takes for the same.
const LONGEST_QUERY: usize = 4096;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// One call, ready to be sent.
pub(crate) struct Call {
    pub(crate) operation: Operation,
    method: Method,
    path: String,
    /// Encoded as in a query string and as in a form, which is the same.
    params: String,
    body: Option<(HeaderValue, Bytes)>,
    categorized: bool,
    uncached: bool,
}

impl Call {
    pub(crate) fn new(operation: Operation, method: Method, path: impl Into<String>) -> Self {
        Self {
            operation,
            method,
            path: path.into(),
            params: String::new(),
            body: None,
            categorized: false,
            uncached: false,
        }
    }

    pub(crate) fn get(operation: Operation, path: impl Into<String>) -> Self {
        Self::new(operation, Method::GET, path)
    }

    pub(crate) fn param(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.params = Serializer::new(self.params).append_pair(name, &value.to_string()).finish();
        self
    }

    pub(crate) fn window(self, window: Window) -> Self {
        self.param("start", window.start).param("end", window.end)
    }

    pub(crate) fn body(mut self, content_type: HeaderValue, body: Bytes) -> Self {
        self.body = Some((content_type, body));
        self
    }

    /// Structured metadata comes apart from the labels.
    pub(crate) fn categorized(mut self) -> Self {
        self.categorized = true;
        self
    }

    /// Loki's caches are passed by.
    pub(crate) fn uncached(mut self) -> Self {
        self.uncached = true;
        self
    }
}

impl HttpLoki {
    /// Makes one call. `read` takes the result out of a good answer's body.
    pub(crate) async fn send<T, E: Into<Unread>>(
        &self,
        call: &Call,
        read: impl Fn(&[u8]) -> Result<T, E> + Send + Sync,
    ) -> Result<T, Error> {
        let span = tracing::debug_span!("loki", operation = call.operation.as_str());
        let deadline = Instant::now() + self.deadline;
        let mut backoff = ExponentialBuilder::new()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_max_times(self.tries - 1)
            .with_jitter();
        if let Some(seed) = self.jitter_seed {
            backoff = backoff.with_jitter_seed(seed);
        }
        let read = &read;
        let attempt = || async move {
            let answer = self.exchange(call, deadline).await?;
            self.judge(call.operation, &answer)?;
            read(answer.body()).map_err(|error| self.unreadable(call.operation, answer.body(), error.into()))
        };
        attempt
            .retry(backoff)
            .when(is_worth_another_try)
            .adjust(|error, pause| {
                let pause = pause?.max(error.retry_after().unwrap_or_default());
                // A gateway may name a time so far away that there is no such instant.
                (pause < deadline.saturating_duration_since(Instant::now())).then_some(pause)
            })
            .notify(|error, pause| debug!(?pause, %error, "trying again"))
            .instrument(span)
            .await
    }

    /// One request and its answer.
    async fn exchange(&self, call: &Call, deadline: Instant) -> Result<Response<Bytes>, Error> {
        let operation = call.operation;
        let request = self.request(call)?;
        let asked = Instant::now();
        let until = deadline.min(asked + self.timeout);
        match timeout_at(until, self.transport.send(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(unsent(operation, error)),
            Err(_) => {
                // Near the call's own deadline there was less time than a request is given.
                Err(Error::Unanswered { operation, source: Box::new(NoAnswer(until - asked)) })
            }
        }
    }

    /// The request as it goes over the wire.
    pub(crate) fn request(&self, call: &Call) -> Result<Request<Bytes>, Error> {
        let mut url = self.url(&call.path);
        let params = &call.params;
        let mut method = call.method.clone();
        let (content_type, body) = match &call.body {
            Some((content_type, body)) => (Some(content_type.clone()), body.clone()),
            None if params.len() > LONGEST_QUERY => {
                method = Method::POST;
                (Some(FORM), Bytes::from(params.clone()))
            }
            None => (None, Bytes::new()),
        };
        if method == Method::GET && !params.is_empty() {
            url.set_query(Some(params));
        }
        let mut request = Request::builder().method(method).uri(url.as_str());
        if let Some(headers) = request.headers_mut() {
            headers.extend(self.identity.headers.clone());
            if let Some(content_type) = content_type {
                headers.insert(header::CONTENT_TYPE, content_type);
            }
            if call.categorized {
                headers.insert(ENCODING_FLAGS, CATEGORIZE);
            }
            if call.uncached {
                headers.insert(header::CACHE_CONTROL, NO_CACHE);
            }
        }
        request.body(body).map_err(|error| Error::Invalid {
            operation: call.operation,
            what: format!("the request cannot be written: {error}"),
        })
    }

    /// The base with a path appended.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let prefix = self.base.path().trim_end_matches('/');
        url.set_path(&format!("{prefix}/{path}"));
        url
    }

    /// # Errors
    /// When the status is none of success.
    pub(crate) fn judge(&self, operation: Operation, answer: &Response<Bytes>) -> Result<(), Error> {
        let status = answer.status();
        // Loki answers a push that it drops with 260.
        let stored = matches!(status.as_u16(), 200 | 204);
        if status.is_success() && (stored || operation != Operation::Push) {
            return Ok(());
        }
        let text = String::from_utf8_lossy(answer.body());
        let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let message = match location {
            Some(location) if status.is_redirection() => self.identity.words(&format!("moved to {location}")),
            _ => self.identity.words(&text),
        };
        Err(Error::Refused {
            operation,
            status,
            refusal: Refusal::classify(operation, status, &text),
            message,
            retry_after: retry_after(answer),
        })
    }

    fn unreadable(&self, operation: Operation, body: &[u8], unread: Unread) -> Error {
        let source: BoxError = match unread {
            // The end came too early: a connection or a proxy cut the answer short.
            Unread::Json(error) if error.is_eof() => {
                return Error::Unanswered { operation, source: Box::new(Place::from(&error)) };
            }
            Unread::Json(error) => Box::new(Place::from(&error)),
            Unread::OtherKind(what) => return Error::OtherKind { operation, what },
            Unread::Other(why) => why.into(),
        };
        // Enough for `words` to see that there is more.
        let start = &body[..body.len().min(4 * (LONGEST_TEXT + 1))];
        let excerpt = self.identity.words(&String::from_utf8_lossy(start));
        Error::Decode { operation, excerpt, source }
    }
}

/// Where an answer stops making sense. What the parser says of it quotes the answer, and with it whatever the server
/// echoes.
#[derive(Debug, thiserror::Error)]
#[error("{what} at line {line}, column {column}")]
pub(crate) struct Place {
    what: &'static str,
    line: usize,
    column: usize,
}

impl From<&serde_json::Error> for Place {
    fn from(error: &serde_json::Error) -> Self {
        let what = match error.classify() {
            serde_json::error::Category::Data => "JSON of another form than Loki's",
            serde_json::error::Category::Eof => "the end came too early",
            _ => "no JSON",
        };
        Self { what, line: error.line(), column: error.column() }
    }
}

/// What a transport's error means for a call.
pub(crate) fn unsent(operation: Operation, error: TransportError) -> Error {
    match error {
        TransportError::NotSent(source) => Error::NotSent { operation, source },
        TransportError::Tls(source) => Error::Tls { operation, source },
        TransportError::Unknown(source) => Error::Unanswered { operation, source },
        TransportError::TooLarge(most) => Error::TooLarge { operation, most },
    }
}

/// A query that ran into Loki's timeout would do so again, a minute later.
fn is_worth_another_try(error: &Error) -> bool {
    let slow = error.asks_for_less() && error.operation().is_some_and(Operation::reads_entries);
    error.is_retryable() && !slow
}

/// `Retry-After` in seconds.
fn retry_after(answer: &Response<Bytes>) -> Option<Duration> {
    let value = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

#[derive(Debug, thiserror::Error)]
#[error("no answer within {}", Wait(*.0))]
pub(crate) struct NoAnswer(pub(crate) Duration);
