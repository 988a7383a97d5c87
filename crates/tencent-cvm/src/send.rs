//! The one way out: authentication, rate limit, deadline, retry and tracing.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, header};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{Instrument, Span, debug, field, warn};

use crate::envelope::{self, Answer};
use crate::limit::TooLate;
use crate::retry::{self, MAX_TRIES, Repeat};
use crate::types::ByFilters;
use crate::{Action, BoxError, Class, Error, Filter, HttpCvm, Reach, ServerTime, TransportError, sign};

const SERVICE: &str = "cvm";
const VERSION: &str = "2017-03-12";
const CONTENT_TYPE: &str = "application/json";
const X_TC_ACTION: HeaderName = HeaderName::from_static("x-tc-action");
const X_TC_VERSION: HeaderName = HeaderName::from_static("x-tc-version");
const X_TC_TIMESTAMP: HeaderName = HeaderName::from_static("x-tc-timestamp");
const X_TC_REGION: HeaderName = HeaderName::from_static("x-tc-region");
const X_TC_LANGUAGE: HeaderName = HeaderName::from_static("x-tc-language");
const X_TC_TOKEN: HeaderName = HeaderName::from_static("x-tc-token");
const SIGNATURE_EXPIRE: &str = "AuthFailure.SignatureExpire";

/// One call, ready to be sent.
pub(crate) struct Call {
    pub(crate) action: Action,
    /// Signed and sent as it stands.
    pub(crate) body: Bytes,
    pub(crate) repeat: Repeat,
    /// Signed with this time instead of the present.
    pub(crate) timestamp: Option<Timestamp>,
    /// No request leaves after this.
    pub(crate) send_by: Instant,
    /// No answer is waited for after this, whatever the timeout leaves.
    pub(crate) answer_by: Option<Instant>,
}

/// What a call gave.
pub(crate) struct Answered<T> {
    pub(crate) value: T,
    pub(crate) server_time: Option<ServerTime>,
    /// Requests that left for it.
    pub(crate) tries: u32,
}

/// What to do after a failure.
enum Next {
    GiveUp,
    TryAgain { after: Duration },
}

impl HttpCvm {
    /// One look by filters whose answer comes in one piece.
    pub(crate) async fn ask<W, T>(
        &self,
        action: Action,
        filters: &[Filter],
        read: impl Fn(W) -> Result<T, String> + Send + Sync,
    ) -> Result<T, Error>
    where
        W: DeserializeOwned,
    {
        let deadline = Instant::now() + self.deadline;
        let body = serde_json::to_vec(&ByFilters { filters })
            .map_err(|error| Error::NotSent { action, source: error.into() })?;
        let call = Call {
            action,
            body: Bytes::from(body),
            repeat: Repeat::Idempotent,
            timestamp: None,
            send_by: deadline,
            answer_by: Some(deadline),
        };
        Ok(self.send(&call, read).await?.value)
    }

    /// Makes one call. `read` takes the result out of the answer; when it refuses (in words for people), that is an
    /// [`Error::Protocol`], and an idempotent call is tried again.
    pub(crate) async fn send<W, T>(
        &self,
        call: &Call,
        read: impl Fn(W) -> Result<T, String> + Send + Sync,
    ) -> Result<Answered<T>, Error>
    where
        W: DeserializeOwned,
    {
        let span = tracing::info_span!(
            "cvm",
            action = call.action.as_str(),
            region = %self.region,
            request_id = field::Empty,
            code = field::Empty,
            tries = field::Empty,
            // Fields that OpenTelemetry's bridge takes for the span's own kind and status.
            otel.kind = "client",
            otel.status_code = field::Empty,
        );
        self.tries(call, read).instrument(span).await
    }

    async fn tries<W, T>(
        &self,
        call: &Call,
        read: impl Fn(W) -> Result<T, String> + Send + Sync,
    ) -> Result<Answered<T>, Error>
    where
        W: DeserializeOwned,
    {
        let mut tries = 0;
        let mut resynced = false;
        let mut worst: Option<Error> = None;
        loop {
            tries += 1;
            Span::current().record("tries", tries);
            let (outcome, server_time) = self.attempt(call, &read).await;
            let error = match outcome {
                Ok(value) => return Ok(Answered { value, server_time, tries }),
                Err(error) => error,
            };
            let next = self.after(call, &error, server_time, tries, &mut resynced);
            let kept = further(worst.take(), error);
            match next {
                Next::GiveUp => {
                    Span::current().record("otel.status_code", "ERROR");
                    if let Some(code) = kept.code() {
                        Span::current().record("code", code);
                    }
                    return Err(kept);
                }
                Next::TryAgain { after } => {
                    debug!(tries, pause = ?after, error = %kept, "trying again");
                    worst = Some(kept);
                    sleep(after).await;
                }
            }
        }
    }

    /// Draws the lessons of a failure and decides whether to go on.
    fn after(
        &self,
        call: &Call,
        error: &Error,
        server_time: Option<ServerTime>,
        tries: u32,
        resynced: &mut bool,
    ) -> Next {
        if error.class() == Some(Class::Throttled) {
            let jitter = Duration::from_secs_f64(self.jitter.draw());
            self.limiters.of(call.action).throttled(error.retry_after(), jitter);
        }
        let expired = error.code() == Some(SIGNATURE_EXPIRE);
        if expired && let Some(server_time) = server_time {
            self.resync(server_time);
        }
        if call.repeat == Repeat::Never {
            return Next::GiveUp;
        }
        if expired && server_time.is_some() && !std::mem::replace(resynced, true) {
            return Next::TryAgain { after: Duration::ZERO };
        }
        if tries >= MAX_TRIES || !retry::is_passing(error) {
            return Next::GiveUp;
        }
        let after = retry::pause(tries, error.retry_after(), self.jitter.draw());
        if Instant::now() + after >= call.send_by {
            return Next::GiveUp;
        }
        Next::TryAgain { after }
    }

    /// Corrects the clock that requests are signed with by an answer that has just come.
    fn resync(&self, server: ServerTime) {
        let age = server.received.elapsed() + server.round_trip / 2;
        let offset = SignedDuration::try_from(age)
            .ok()
            .and_then(|age| server.date.checked_add(age).ok())
            .map(|cloud_now| cloud_now.duration_since(self.clock.now()));
        if let Some(offset) = offset {
            warn!(?offset, "the cloud refused our clock; signing with its own from now on");
            self.learn_clock_offset(offset);
        }
    }

    /// One request and what came of it.
    async fn attempt<W, T>(
        &self,
        call: &Call,
        read: &(impl Fn(W) -> Result<T, String> + Send + Sync),
    ) -> (Result<T, Error>, Option<ServerTime>)
    where
        W: DeserializeOwned,
    {
        let action = call.action;
        let exchange = match self.exchange(call).await {
            Ok(exchange) => exchange,
            Err(error) => return (Err(error), None),
        };
        let server_time = envelope::date(exchange.response.headers()).map(|date| ServerTime {
            date,
            round_trip: exchange.received - exchange.sent,
            received: exchange.received,
        });
        let outcome = Answer::open(action, &self.credentials, exchange.response).and_then(|answer| {
            let Answer { result, request_id } = answer;
            Span::current().record("request_id", request_id.as_str());
            result.and_then(read).map_err(|what| Error::Protocol {
                action,
                what,
                request_id: Some(request_id),
            })
        });
        if let Some(request_id) = outcome.as_ref().err().and_then(Error::request_id) {
            Span::current().record("request_id", request_id);
        }
        debug!(round_trip = ?(exchange.received - exchange.sent), ok = outcome.is_ok(), "answered");
        (outcome, server_time)
    }

    /// Waits for a turn, signs, sends, and waits for the answer.
    async fn exchange(&self, call: &Call) -> Result<Exchange, Error> {
        let action = call.action;
        let not_sent = |source: BoxError| Error::NotSent { action, source };
        self.limiters.of(action).acquire(call.send_by).await.map_err(|late| not_sent(Box::new(late)))?;

        // Signed after the wait, so that a long one does not make the signature old.
        let request = self.signed(call).map_err(|error| not_sent(Box::new(error)))?;
        let sent = Instant::now();
        if sent > call.send_by {
            return Err(not_sent(Box::new(TooLate)));
        }
        let latest = sent + self.timeout;
        let latest = call.answer_by.map_or(latest, |answer_by| latest.min(answer_by));
        let response = match timeout_at(latest, self.transport.send(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(TransportError::NotSent(source))) => return Err(not_sent(source)),
            Ok(Err(TransportError::Unknown(source))) => return Err(Error::Unknown { action, source }),
            Err(_) => {
                return Err(Error::Unknown { action, source: Box::new(NoAnswer(latest - sent)) });
            }
        };
        Ok(Exchange { response, sent, received: Instant::now() })
    }

    /// The request as it goes over the wire. What is signed is what is sent: the same bytes, host and time.
    fn signed(&self, call: &Call) -> Result<Request<Bytes>, http::Error> {
        let timestamp = call.timestamp.unwrap_or_else(|| self.cloud_now());
        let authorization = self.day_key.authorization(
            &self.credentials,
            &sign::Parts {
                service: SERVICE,
                host: &self.origin.host,
                content_type: CONTENT_TYPE,
                timestamp,
                payload: &call.body,
            },
        );
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.origin.uri.clone())
            .header(header::HOST, self.origin.host_header.clone())
            .header(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE))
            .header(header::AUTHORIZATION, secret(&authorization)?)
            .header(X_TC_ACTION, HeaderValue::from_static(call.action.as_str()))
            .header(X_TC_VERSION, HeaderValue::from_static(VERSION))
            .header(X_TC_TIMESTAMP, HeaderValue::from(timestamp.as_second()))
            .header(X_TC_REGION, self.region_header.clone())
            .header(X_TC_LANGUAGE, HeaderValue::from_static("en-US"));
        if let Some(token) = self.credentials.token() {
            request = request.header(X_TC_TOKEN, secret(token)?);
        }
        request.body(call.body.clone())
    }
}

/// One request with its answer, unread.
struct Exchange {
    response: http::Response<Bytes>,
    sent: Instant,
    received: Instant,
}

#[derive(Debug, thiserror::Error)]
#[error("no answer within {:.0} s", .0.as_secs_f64().max(1.0))]
struct NoAnswer(Duration);

/// A header value that no `Debug` prints.
fn secret(value: &str) -> Result<HeaderValue, http::Error> {
    let mut value = HeaderValue::from_str(value)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Of two tries, the error of the one that got further: that the last did not leave says nothing about those
/// before it.
fn further(earlier: Option<Error>, last: Error) -> Error {
    match earlier {
        Some(earlier) if last.reach() == Reach::NotSent => earlier,
        _ => last,
    }
}
