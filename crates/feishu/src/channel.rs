//! One request to one webhook: its turn under the rates, its timeout, its answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use crate::answer::{self, Answer};
use crate::error::tenths;
use crate::limit::{Limiter, NoRoom};
use crate::webhook::SecretUrl;
use crate::{Error, Operation, Transport, TransportError, retry};

/// What a call's last request has at least. Feishu answers sooner.
const TIME_TO_ANSWER: Duration = Duration::from_secs(1);

/// The way to one webhook.
pub(crate) struct Channel {
    pub(crate) operation: Operation,
    pub(crate) webhook: SecretUrl,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) timeout: Duration,
}

/// When a call has to end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    /// No request leaves after it.
    pub(crate) send_by: Instant,
    /// Nor is anything waited for after it.
    pub(crate) end: Instant,
}

impl Deadline {
    /// So long from now. A request that left just before the end would hardly be answered in time and leave its outcome
    /// unknown: none leaves in the last second, or in the last quarter of what is shorter than four.
    pub(crate) fn after(time: Duration) -> Self {
        let end = Instant::now() + time;
        Self { send_by: end - (time / 4).min(TIME_TO_ANSWER), end }
    }
}

/// What came of one request.
pub(crate) struct Exchange {
    pub(crate) outcome: Result<(), Error>,
    /// The server's clock, from the answer's `Date` header: in whole seconds, cut.
    pub(crate) date: Option<Timestamp>,
}

impl Channel {
    /// Spares the making of a message that cannot be sent in time.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub(crate) fn foresee(&self, deadline: Deadline) -> Result<(), Error> {
        self.limiter.foresee(deadline.send_by).map_err(|no_room| self.rate_limited(no_room))
    }

    /// Waits for a turn and makes one request, whose body is made only then: a signature must not age in line.
    ///
    /// # Errors
    /// [`Error::RateLimited`], before anything was sent.
    pub(crate) async fn exchange(
        &self,
        deadline: Deadline,
        body: impl FnOnce() -> Bytes,
    ) -> Result<Exchange, Error> {
        let operation = self.operation;
        let place =
            self.limiter.acquire(deadline.send_by).await.map_err(|no_room| self.rate_limited(no_room))?;
        let sent = Instant::now();
        let until = deadline.end.min(sent + self.timeout);
        let response = timeout_at(until, self.transport.post(&self.webhook, body())).await;
        drop(place);

        let response = match response {
            Ok(Ok(response)) => response,
            Ok(Err(TransportError::NotSent(source))) => {
                return Ok(Exchange { outcome: Err(Error::NotSent { operation, source }), date: None });
            }
            Ok(Err(TransportError::Tls(source))) => {
                return Ok(Exchange { outcome: Err(Error::Tls { operation, source }), date: None });
            }
            Ok(Err(TransportError::Unknown(source))) => {
                return Ok(Exchange { outcome: Err(Error::Unknown { operation, source }), date: None });
            }
            Err(_) => {
                let source = Box::new(NoAnswer { waited: until - sent, ended: until == deadline.end });
                return Ok(Exchange { outcome: Err(Error::Unknown { operation, source }), date: None });
            }
        };
        let round_trip = sent.elapsed();
        debug!(?round_trip, status = response.status().as_u16(), "answered");
        Ok(Exchange { outcome: self.read(&response), date: date(response.headers()) })
    }

    fn rate_limited(&self, no_room: NoRoom) -> Error {
        if no_room.wait.is_zero() {
            // There is room: what there is not is time.
            let source = "the deadline passed before its turn".into();
            return Error::NotSent { operation: self.operation, source };
        }
        Error::RateLimited { operation: self.operation, wait: no_room.wait, source: None }
    }

    fn read(&self, response: &http::Response<Bytes>) -> Result<(), Error> {
        let operation = self.operation;
        let status = response.status();
        let retry_after = retry_after(response.headers());
        let redact = |words: &str, most| self.webhook.redact_start(words, most);
        match answer::read_redacted(status, response.body(), redact) {
            Ok(Answer::Done) => Ok(()),
            Ok(Answer::Refused(refusal)) => Err(Error::Refused {
                operation,
                code: refusal.code,
                class: refusal.class(),
                message: refusal.message,
                status: status.as_u16(),
                retry_after,
            }),
            // Who says that has not let it through.
            Err(not_feishu) if status == StatusCode::TOO_MANY_REQUESTS => Err(Error::RateLimited {
                operation,
                wait: retry_after.unwrap_or(retry::FIRST_PAUSE),
                source: Some(Box::new(not_feishu)),
            }),
            Err(not_feishu) if not_feishu.is_undelivered() => {
                let location = response.headers().get(header::LOCATION).filter(|_| status.is_redirection());
                let source = match location.map(|location| String::from_utf8_lossy(location.as_bytes())) {
                    Some(location) => not_feishu.redirecting_to(&location, redact),
                    None => not_feishu,
                };
                Err(Error::NotFeishu { operation, source })
            }
            Err(not_feishu) => Err(Error::Unknown { operation, source: Box::new(not_feishu) }),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("no answer within {}{}", tenths(*.waited), if *.ended { ", when the deadline passed" } else { "" })]
struct NoAnswer {
    waited: Duration,
    /// By the call's deadline, before the request's own timeout.
    ended: bool,
}

/// The `Date` of an answer.
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(headers.get(header::DATE)?.to_str().ok()?).ok()
}

/// `Retry-After` in its form in seconds. Its other form, a date, depends on a clock that may be wrong.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
