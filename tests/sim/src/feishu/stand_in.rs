//! The stand-in: webhooks, the script, and what becomes of a request.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::DATE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::bot::Desk;
use super::play::{Turn, Way};
use super::{Bot, Play, Refusal, Settings, Throttle, admin, page, refusal};
use crate::face::{self, End, Piece, Records, Reply, Script, StandIn};

const BOT_PATH: &str = "/open-apis/bot/v2/hook/";
const FLOW_PATH: &str = "/flow/api/trigger-webhook/";

/// A handle on a stand-in; clones are the same one.
#[derive(Clone)]
pub struct SimFeishu {
    state: Arc<Mutex<State>>,
}

/// Everything that a stand-in knows.
#[derive(Debug)]
pub(super) struct State {
    pub(super) settings: Settings,
    /// By token.
    pub(super) desks: BTreeMap<String, Desk>,
    pub(super) script: Script<Play>,
    pub(super) records: Records,
    /// What stands in the groups.
    pub(super) posted: Vec<Posted>,
    epoch: Timestamp,
    start: Instant,
}

/// A message in a group, or a payload that a flow got.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Posted {
    /// The number of its request.
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) token: String,
    /// As it was sent, without its signature.
    pub(super) message: Value,
}

impl fmt::Debug for SimFeishu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimFeishu").field("settings", &self.lock().settings).finish_non_exhaustive()
    }
}

impl SimFeishu {
    /// Feishu with these bots. It is `epoch` now, and goes on with tokio's clock.
    pub fn new(settings: Settings, bots: impl IntoIterator<Item = Bot>, epoch: Timestamp) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                settings,
                desks: bots.into_iter().map(|bot| (bot.token.clone(), Desk::new(bot))).collect(),
                script: Script::default(),
                records: Records::default(),
                posted: Vec::new(),
                epoch,
                start: Instant::now(),
            })),
        }
    }

    /// Answers on this listener for ever: `/_sim/…` is the admin API, everything else Feishu's.
    pub async fn serve(self, listener: TcpListener) -> Infallible {
        face::serve(listener, self).await
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StandIn for SimFeishu {
    async fn answer(&self, request: Request<Bytes>) -> Reply {
        self.lock().answer(&request)
    }

    fn admin(&self, request: &Request<Bytes>) -> Response<Bytes> {
        if request.uri().path().trim_end_matches('/') == "/_sim/cards" {
            return page::response(&self.lock().posted);
        }
        admin::answer(self, request)
    }
}

impl State {
    /// Feishu's time.
    fn now(&self) -> Timestamp {
        let ahead = SignedDuration::try_from_secs_f64(self.settings.clock_ahead).unwrap_or_default();
        let now = self.epoch + self.start.elapsed();
        now.checked_add(ahead).unwrap_or(now)
    }

    fn answer(&mut self, request: &Request<Bytes>) -> Reply {
        let now = self.now();
        let seq = self.records.add(now, request);
        let path = request.uri().path();
        let token = path.strip_prefix(BOT_PATH).or_else(|| path.strip_prefix(FLOW_PATH));
        let (Some(token), &Method::POST) = (token, request.method()) else {
            self.records.answered(seq, "404");
            let nothing = Response::builder()
                .status(StatusCode::NOT_FOUND)
                .body(Bytes::from_static(b"404 page not found"));
            return nothing.map_or(Reply::Reset, Reply::Whole);
        };
        let is_flow = path.starts_with(FLOW_PATH);
        let (mut reply, word) = self.turn(token, is_flow, request.body(), seq, now);
        let date = HeaderValue::try_from(now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
        if let Ok(date) = date {
            match &mut reply {
                Reply::Whole(response) => drop(response.headers_mut().insert(DATE, date)),
                Reply::Paced { head, .. } => drop(head.headers_mut().insert(DATE, date)),
                Reply::Reset | Reply::Silence => {}
            }
        }
        self.records.answered(seq, word);
        reply
    }

    fn turn(
        &mut self,
        token: &str,
        is_flow: bool,
        body: &Bytes,
        seq: u64,
        now: Timestamp,
    ) -> (Reply, String) {
        let within_rates = self.desks.get_mut(token).map(|desk| desk.window.take(Instant::now()));
        let turn = self.script.next(token).map(Play::turn);
        let (outcome, way) = match turn {
            Some(Turn::Refuse(refusal)) => (Err(refusal), None),
            Some(Turn::Page(status)) => return (html(status), format!("html {status}")),
            Some(Turn::Lose(way)) => return (go(way, Response::default()), "lost".to_owned()),
            Some(Turn::Judge(way)) => (self.judge(token, is_flow, body, within_rates, now), Some(way)),
            None => (self.judge(token, is_flow, body, within_rates, now), None),
        };
        let code = outcome.as_ref().err().map_or(0, |refusal| refusal.code);
        if let Some(desk) = self.desks.get_mut(token) {
            *desk.answers.entry(code).or_default() += 1;
        }
        let response = match outcome {
            Ok(mut message) => {
                if let (Value::Object(fields), false) = (&mut message, is_flow) {
                    fields.remove("sign");
                    fields.remove("timestamp");
                }
                self.posted.push(Posted { seq, at: now, token: token.to_owned(), message });
                refusal::done()
            }
            Err(refusal) => refusal.response(),
        };
        let reply = match way {
            Some(way) => go(way, response),
            None => Reply::Whole(response),
        };
        (reply, code.to_string())
    }

    fn judge(
        &self,
        token: &str,
        is_flow: bool,
        body: &Bytes,
        within_rates: Option<bool>,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let (Some(desk), Some(within_rates)) = (self.desks.get(token), within_rates) else {
            return Err(Refusal::dead_webhook());
        };
        if !within_rates {
            return Err(match self.settings.throttle {
                Throttle::FrequencyLimited => Refusal::frequency_limited(),
                Throttle::TooManyRequest => Refusal::too_many_request(),
            });
        }
        if is_flow {
            return serde_json::from_slice(body).map_err(|_| Refusal::bad_request());
        }
        desk.judge(body, now)
    }
}

/// An answer on its way.
fn go(way: Way, response: Response<Bytes>) -> Reply {
    match way {
        Way::Silence => Reply::Silence,
        Way::Reset => Reply::Reset,
        Way::Cut => {
            let half = response.body().len() / 2;
            Reply::cut(response, half)
        }
        Way::After(delay) => {
            let (mut head, body) = response.into_parts();
            head.headers.insert(http::header::CONTENT_LENGTH, body.len().into());
            let late = Piece { after: delay, bytes: body };
            Reply::Paced { head: Response::from_parts(head, ()), pieces: vec![late], end: End::Whole }
        }
    }
}

fn html(status: u16) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let page = "<html><body><h1>Sign in to the proxy</h1></body></html>";
    Reply::Whole(face::admin::document(status, "text/html; charset=utf-8", page))
}
