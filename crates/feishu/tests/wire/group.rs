//! A bot's group with a script of answers, in paused time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use feishu::{BotWebhook, HttpBuilder, HttpCustomBot, SecretUrl, Transport, TransportError, WallClock};
use http::Response;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

pub(crate) const SECRET: &str = "EXAMPLE-secret-of-a-bot";
pub(crate) const TOKEN: &str = "EXAMPLE-token-0001";

/// The time when a test begins.
pub(crate) const EPOCH: i64 = 1_763_600_000;

pub(crate) fn webhook() -> BotWebhook {
    format!("https://open.feishu.cn/open-apis/bot/v2/hook/{TOKEN}").parse().expect("a webhook")
}

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Counted from 0.
    pub(crate) number: usize,
    pub(crate) at: Instant,
    pub(crate) bytes: usize,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn kind(&self) -> &str {
        self.body["msg_type"].as_str().unwrap_or_default()
    }

    pub(crate) fn text(&self) -> &str {
        self.body["content"]["text"].as_str().unwrap_or_default()
    }
}

/// What comes of one request.
#[derive(Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    after: Duration,
    fault: Option<Fault>,
}

#[derive(Clone, Copy)]
enum Fault {
    NotSent,
    Lost,
}

impl Reply {
    pub(crate) fn body(body: impl Into<String>) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.into(), after: Duration::ZERO, fault: None }
    }

    pub(crate) fn done() -> Self {
        Self::body(r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#)
    }

    pub(crate) fn refused(code: i64, message: &str) -> Self {
        Self::body(json!({ "code": code, "data": {}, "msg": message }).to_string())
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

type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

#[derive(Clone)]
pub(crate) struct Group {
    script: Arc<Script>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Group {
    pub(crate) fn new(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self { script: Arc::new(script), seen: Arc::default() }
    }

    /// These answers, the last one for ever.
    pub(crate) fn answers(replies: impl Into<Vec<Reply>>) -> Self {
        let replies = replies.into();
        Self::new(move |seen| replies[seen.number.min(replies.len() - 1)].clone())
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("lock").clone()
    }

    /// A client for it, unsigned.
    pub(crate) fn builder(&self) -> HttpBuilder<BotWebhook> {
        HttpCustomBot::builder(webhook()).transport(Arc::new(self.clone())).jitter_seed(7)
    }

    pub(crate) fn bot(&self) -> HttpCustomBot {
        self.builder().build().expect("a client")
    }
}

#[async_trait]
impl Transport for Group {
    async fn post(&self, _: &SecretUrl, body: Bytes) -> Result<Response<Bytes>, TransportError> {
        let reply = {
            let mut seen = self.seen.lock().expect("lock");
            let request = Seen {
                number: seen.len(),
                at: Instant::now(),
                bytes: body.len(),
                body: serde_json::from_slice(&body).expect("JSON"),
            };
            let reply = (self.script)(&request);
            seen.push(request);
            reply
        };
        sleep(reply.after).await;
        match reply.fault {
            Some(Fault::NotSent) => return Err(TransportError::NotSent("connection refused".into())),
            Some(Fault::Lost) => return Err(TransportError::Unknown("connection reset".into())),
            None => {}
        }
        let mut response = Response::builder().status(reply.status);
        for (name, value) in reply.headers {
            response = response.header(name, value);
        }
        Ok(response.body(Bytes::from(reply.body)).expect("a response"))
    }
}

/// A wall clock that runs with tokio's, wrong by some time.
pub(crate) struct Clock {
    start: Instant,
    ahead: SignedDuration,
}

impl Clock {
    pub(crate) fn ahead(ahead: SignedDuration) -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), ahead })
    }
}

/// `EPOCH` and what passed since `start`.
pub(crate) fn time_since(start: Instant) -> Timestamp {
    Timestamp::from_second(EPOCH).expect("in range") + start.elapsed()
}

impl WallClock for Clock {
    fn now(&self) -> Timestamp {
        time_since(self.start) + self.ahead
    }
}

/// As an answer's `Date` header has it.
pub(crate) fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
