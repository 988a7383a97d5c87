//! How an answer gets to its caller, and what goes wrong on the way.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::face::{End, Piece, Reply};

/// What goes wrong, or comes before.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Delivery {
    /// Comments or blank lines: how many, and the time between them.
    pub(super) keep_alive: Option<(u32, Duration)>,
    /// After so many pieces.
    pub(super) fault: Option<(usize, Fault)>,
    /// Between the pieces of a stream.
    pub(super) pace: Duration,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    Hang,
    Cut,
    Error,
}

impl Delivery {
    /// A whole answer.
    pub(super) fn whole(self, body: &Value) -> Reply {
        let body = Bytes::from(body.to_string());
        let half = body.len() / 2;
        match self.fault {
            Some((0, Fault::Hang)) => return Reply::Silence,
            Some((_, Fault::Cut)) => return Reply::cut(json_response(StatusCode::OK, body), half),
            Some((_, Fault::Hang)) => {
                let start = Piece { after: Duration::ZERO, bytes: body.slice(..half) };
                return paced("application/json", vec![start], End::Hangs);
            }
            // Whoever makes a whole answer knows of the failure in time to say it properly.
            Some((_, Fault::Error)) => {
                return Reply::Whole(json_response(StatusCode::INTERNAL_SERVER_ERROR, failure().to_string()));
            }
            None => {}
        }
        match self.keep_alive {
            None => Reply::Whole(json_response(StatusCode::OK, body)),
            Some((count, every)) => {
                let mut pieces = repeated("\n", count, every);
                pieces.push(Piece { after: every, bytes: body });
                paced("application/json", pieces, End::Whole)
            }
        }
    }

    /// A stream of events, and the end of it.
    pub(super) fn stream(self, events: &[Value]) -> Reply {
        let (count, every) = self.keep_alive.unwrap_or_default();
        let mut pieces = repeated(": keep-alive\n\n", count, every);
        let (kept, fault) = self.fault.map_or((events.len(), None), |(after, fault)| (after, Some(fault)));
        for event in events.iter().take(kept) {
            pieces.push(event_piece(event, self.pace));
        }
        let end = match fault {
            None => {
                pieces.push(Piece { after: self.pace, bytes: Bytes::from_static(b"data: [DONE]\n\n") });
                End::Whole
            }
            Some(Fault::Error) => {
                pieces.push(event_piece(&failure(), self.pace));
                End::Whole
            }
            Some(Fault::Cut) => End::Breaks,
            Some(Fault::Hang) => End::Hangs,
        };
        paced("text/event-stream; charset=utf-8", pieces, end)
    }
}

fn event_piece(event: &Value, after: Duration) -> Piece {
    Piece { after, bytes: format!("data: {event}\n\n").into() }
}

fn repeated(text: &'static str, count: u32, every: Duration) -> Vec<Piece> {
    (0..count).map(|_| Piece { after: every, bytes: Bytes::from_static(text.as_bytes()) }).collect()
}

fn failure() -> Value {
    let message = "The server had an error while processing your request. Sorry about that!";
    json!({"error": {"message": message, "type": "server_error", "param": null, "code": null}})
}

fn paced(content_type: &'static str, pieces: Vec<Piece>, end: End) -> Reply {
    let mut head = Response::new(());
    head.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    Reply::Paced { head, pieces, end }
}

/// An answer of JSON in one piece.
pub(super) fn json_response(status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    crate::face::admin::document(status, "application/json", body)
}
