//! What callers get: the envelope, error answers, and what faults make of them.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE};
use http::{Response, StatusCode};
use jiff::Timestamp;

use super::fault::{Fault, Loss};

/// A refusal in the API's own words. It has had no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    pub(crate) fn missing(parameter: &str) -> Self {
        Self::new("MissingParameter", format!("the request lacks the parameter `{parameter}`"))
    }
}

/// How a call ends for its caller.
#[derive(Debug, Clone)]
pub enum Fate {
    /// The whole answer arrives.
    Deliver(Response<Bytes>),
    /// The answer's head and the first `keep` bytes of its body arrive, then the connection breaks.
    Cut {
        /// The answer as it would have been.
        response: Response<Bytes>,
        /// How much of the body arrives.
        keep: usize,
    },
    /// The connection breaks before any of the answer arrives.
    Reset,
    /// Nothing arrives, and nothing says so.
    Silence,
    /// There was no connection to send anything over.
    Refused,
}

/// The end of a call.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The `RequestId`, also when the caller never learns it.
    pub request_id: String,
    /// When the answer reaches the caller, true time.
    pub answer_at: Timestamp,
    /// What reaches it.
    pub fate: Fate,
}

impl From<Loss> for Fate {
    fn from(loss: Loss) -> Self {
        match loss {
            Loss::Silence => Self::Silence,
            Loss::Reset => Self::Reset,
            Loss::Refused => Self::Refused,
        }
    }
}

/// `{"Response":{<content>,"RequestId":"…"}}`; `content` is JSON without its braces, "" for none.
pub(crate) fn success(content: &str, request_id: &str) -> String {
    let mut body = String::with_capacity(content.len() + 80);
    body.push_str(r#"{"Response":{"#);
    if !content.is_empty() {
        body.push_str(content);
        body.push(',');
    }
    body.push_str(r#""RequestId":""#);
    body.push_str(request_id);
    body.push_str(r#""}}"#);
    body
}

/// The error envelope. The API answers errors with HTTP 200 too.
pub(crate) fn refusal(refusal: &Refusal, request_id: &str) -> String {
    serde_json::json!({"Response": {
        "Error": {"Code": refusal.code, "Message": refusal.message},
        "RequestId": request_id,
    }})
    .to_string()
}

/// The answer on its way, after the faults of the call had their way with it.
pub(crate) fn finish(mut body: String, request_id: &str, clock: Timestamp, faults: &[Fault]) -> Fate {
    let mut status = StatusCode::OK;
    let mut content_type = "application/json";
    let mut cut = false;
    for fault in faults {
        match fault {
            Fault::CutAnswer => cut = true,
            Fault::DoubledBody => body = body.repeat(2),
            Fault::EmptyAnswer => body.clear(),
            Fault::HollowAnswer => "{}".clone_into(&mut body),
            Fault::HttpError { status: code, .. } => {
                status = StatusCode::from_u16(*code).unwrap_or(StatusCode::BAD_GATEWAY);
                content_type = "text/html";
                body = html(status);
            }
            Fault::FailAfterCommit { code } => {
                body = refusal(&Refusal::new(code, "the operation failed on the cloud's side"), request_id);
            }
            _ => {}
        }
    }
    let keep = body.len() / 2;
    let response = response(status, content_type, body, clock);
    if cut { Fate::Cut { response, keep } } else { Fate::Deliver(response) }
}

/// What a gateway says when it cannot reach what is behind it.
pub(crate) fn gateway(status: u16, clock: Timestamp) -> Fate {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    Fate::Deliver(response(status, "text/html", html(status), clock))
}

fn html(status: StatusCode) -> String {
    format!(
        "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
}

fn response(
    status: StatusCode,
    content_type: &'static str,
    body: String,
    clock: Timestamp,
) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let length = response.body().len();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    headers.insert(CONTENT_LENGTH, length.into());
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&clock);
    if let Some(date) = date.ok().and_then(|date| date.try_into().ok()) {
        headers.insert(DATE, date);
    }
    response
}
