//! A scripted cloud, over HTTP or in paused time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tencent_cvm::{
    Credentials, HttpCvm, HttpCvmBuilder, InstanceId, Transport, TransportError, WallClock, sign,
};
use tokio::time::{Instant, sleep};
use wiremock::{Mock, MockServer, Respond, ResponseTemplate, matchers};

pub(crate) const SECRET_ID: &str = "AKIDFAKE0000000000000001";
pub(crate) const SECRET_KEY: &str = "fakeSecretKey0123456789abcdefABCD";
pub(crate) const TOKEN: &str = "fakeToken.Zm9vYmFyLXRva2VuLVRFU1Q";
pub(crate) const REGION: &str = "ap-singapore";

/// The cloud's time when a simulated test begins.
pub(crate) const EPOCH: i64 = 1_763_600_000;

/// One request as the cloud saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Counted from 0.
    pub(crate) number: usize,
    pub(crate) at: Instant,
    pub(crate) action: String,
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
    pub(crate) raw: Vec<u8>,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.body["InstanceIds"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|id| id.as_str().expect("an id").to_owned())
            .collect()
    }

    pub(crate) fn offset(&self) -> usize {
        self.body["Offset"].as_u64().expect("an offset") as usize
    }

    /// What the official signer would have put into `Authorization` for exactly this request.
    pub(crate) fn expected_authorization(&self, credentials: &Credentials) -> String {
        sign::authorization(
            credentials,
            &sign::Parts {
                service: "cvm",
                host: self.header("host"),
                content_type: self.header("content-type"),
                timestamp: Timestamp::from_second(self.header("x-tc-timestamp").parse().expect("seconds"))
                    .expect("in range"),
                payload: &self.raw,
            },
        )
    }
}

/// What comes of one request.
#[derive(Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    after: Duration,
    fault: Option<Fault>,
}

#[derive(Clone, Copy)]
enum Fault {
    NotSent,
    Lost,
}

impl Reply {
    pub(crate) fn body(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.into(), after: Duration::ZERO, fault: None }
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn after(mut self, delay: Duration) -> Self {
        self.after = delay;
        self
    }

    /// The connection could not be made.
    pub(crate) fn not_sent() -> Self {
        Self { fault: Some(Fault::NotSent), ..Self::body("") }
    }

    /// The request arrived and its answer did not.
    pub(crate) fn lost() -> Self {
        Self { fault: Some(Fault::Lost), ..Self::body("") }
    }
}

pub(crate) fn ok(mut response: Value) -> Reply {
    response["RequestId"] = json!("req-ok");
    Reply::body(json!({ "Response": response }).to_string())
}

pub(crate) fn refused(code: &str) -> Reply {
    Reply::body(
        json!({ "Response": { "Error": { "Code": code, "Message": "the cloud's text" }, "RequestId": "req-refused" } })
            .to_string(),
    )
}

/// `ins-00000` and so on.
pub(crate) fn name(number: usize) -> String {
    format!("ins-{number:05}")
}

pub(crate) fn ids(numbers: std::ops::Range<usize>) -> Vec<InstanceId> {
    numbers.map(|number| InstanceId::new(name(number))).collect()
}

/// A page with these ids.
pub(crate) fn page(total: usize, ids: impl IntoIterator<Item = String>) -> Reply {
    let instances: Vec<Value> = ids.into_iter().map(|id| json!({ "InstanceId": id })).collect();
    ok(json!({ "TotalCount": total, "InstanceSet": instances }))
}

/// The page that an account with `total` instances gives to this request.
pub(crate) fn page_of(total: usize, seen: &Seen) -> Reply {
    page(total, (seen.offset()..total.min(seen.offset() + 100)).map(name))
}

type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

/// Answers requests by a script and remembers them.
#[derive(Clone)]
pub(crate) struct Cloud {
    script: Arc<Script>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    under_way: usize,
    most_at_once: usize,
}

impl Cloud {
    pub(crate) fn new(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self { script: Arc::new(script), state: Arc::default() }
    }

    pub(crate) fn calls(&self) -> Vec<Seen> {
        self.state.lock().expect("lock").seen.clone()
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.state.lock().expect("lock").most_at_once
    }

    fn receive(&self, uri: String, headers: HeaderMap, raw: Vec<u8>) -> Reply {
        let mut state = self.state.lock().expect("lock");
        let action = headers.get("x-tc-action").expect("an action").to_str().expect("text").to_owned();
        let body = serde_json::from_slice(&raw).expect("a JSON body");
        let seen = Seen { number: state.seen.len(), at: Instant::now(), action, uri, headers, raw, body };
        state.seen.push(seen.clone());
        drop(state);
        (self.script)(&seen)
    }

    /// A client whose transport this is. Its clock is right, its jitter reproducible.
    pub(crate) fn simulated(&self) -> HttpCvmBuilder {
        HttpCvm::builder(credentials(), REGION)
            .transport(Arc::new(self.clone()))
            .clock(Arc::new(Clock::off_by(SignedDuration::ZERO)))
            .jitter_seed(7)
    }

    /// A client that reaches this cloud over HTTP.
    pub(crate) async fn served(&self) -> (MockServer, HttpCvmBuilder) {
        // Another test of this binary may have done it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = MockServer::start().await;
        Mock::given(matchers::method("POST"))
            .and(matchers::path("/"))
            .respond_with(self.clone())
            .mount(&server)
            .await;
        let endpoint = server.uri().parse().expect("a URL");
        (server, HttpCvm::builder(credentials(), REGION).endpoint(endpoint).jitter_seed(7))
    }
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new(SECRET_ID, SECRET_KEY)
}

#[async_trait]
impl Transport for Cloud {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let (parts, body) = request.into_parts();
        let reply = self.receive(parts.uri.to_string(), parts.headers, body.to_vec());
        {
            let mut state = self.state.lock().expect("lock");
            state.under_way += 1;
            state.most_at_once = state.most_at_once.max(state.under_way);
        }
        sleep(reply.after).await;
        self.state.lock().expect("lock").under_way -= 1;
        match reply.fault {
            Some(Fault::NotSent) => Err(TransportError::NotSent("connection refused".into())),
            Some(Fault::Lost) => Err(TransportError::Unknown("connection reset".into())),
            None => {
                let mut response = Response::builder().status(reply.status);
                for (name, value) in reply.headers {
                    response = response.header(name, value);
                }
                Ok(response.body(Bytes::from(reply.body)).expect("a response"))
            }
        }
    }
}

impl Respond for Cloud {
    fn respond(&self, request: &wiremock::Request) -> ResponseTemplate {
        let reply = self.receive(request.url.to_string(), request.headers.clone(), request.body.clone());
        reply.headers.into_iter().fold(
            ResponseTemplate::new(reply.status)
                .set_body_raw(reply.body, "application/json")
                .set_delay(reply.after),
            |template, (name, value)| template.insert_header(name, value.as_str()),
        )
    }
}

/// A wall clock that follows tokio's, some way off the cloud's.
pub(crate) struct Clock {
    start: Mutex<Timestamp>,
    began: Instant,
}

impl Clock {
    pub(crate) fn off_by(offset: SignedDuration) -> Self {
        let start = Timestamp::from_second(EPOCH).expect("in range").checked_add(offset).expect("in range");
        Self { start: Mutex::new(start), began: Instant::now() }
    }

    pub(crate) fn jump(&self, by: SignedDuration) {
        let mut start = self.start.lock().expect("lock");
        *start = start.checked_add(by).expect("in range");
    }
}

impl WallClock for Clock {
    fn now(&self) -> Timestamp {
        self.start.lock().expect("lock").checked_add(self.began.elapsed()).expect("in range")
    }
}

/// A `Date` header of this Unix second.
pub(crate) fn date(second: i64) -> String {
    Timestamp::from_second(second).expect("in range").strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
