//! The stand-in: keys, limits, the script, and what becomes of a request.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::answer::Envelope;
use super::body::Asked;
use super::delivery::{Delivery, Fault, json_response};
use super::limits::Window;
use super::play::{Play, Shape};
use super::refusal::{Reason, Refusal};
use super::said::Said;
use super::{Settings, admin, example, prompt};
use crate::face::{self, Records, Reply, Script, StandIn};

const MAX_BODY: usize = 10 << 20;

/// A handle on a stand-in; clones are the same one.
#[derive(Clone)]
pub struct SimLlm {
    state: Arc<Mutex<State>>,
}

/// Everything that a stand-in knows.
#[derive(Debug)]
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) keys: BTreeSet<String>,
    pub(super) script: Script<Play>,
    pub(super) records: Records,
    window: Window,
    epoch: Timestamp,
    start: Instant,
}

impl fmt::Debug for SimLlm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimLlm").field("settings", &self.lock().settings).finish_non_exhaustive()
    }
}

impl SimLlm {
    /// An endpoint that takes these keys. It is `epoch` now, and goes on with tokio's clock.
    pub fn new(settings: Settings, keys: impl IntoIterator<Item = String>, epoch: Timestamp) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                settings,
                keys: keys.into_iter().collect(),
                script: Script::default(),
                records: Records::default(),
                window: Window::default(),
                epoch,
                start: Instant::now(),
            })),
        }
    }

    /// Answers on this listener for ever: `/_sim/…` is the admin API, everything else the endpoint's.
    pub async fn serve(self, listener: TcpListener) -> Infallible {
        face::serve(listener, self).await
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StandIn for SimLlm {
    async fn answer(&self, request: Request<Bytes>) -> Reply {
        self.lock().answer(&request)
    }

    fn admin(&self, request: &Request<Bytes>) -> Response<Bytes> {
        admin::answer(self, request)
    }
}

impl State {
    fn now(&self) -> Timestamp {
        self.epoch + self.start.elapsed()
    }

    fn answer(&mut self, request: &Request<Bytes>) -> Reply {
        let seq = self.records.add(self.now(), request);
        let mut headers = HeaderMap::new();
        let outcome = self.route(request, seq, &mut headers);
        let (mut reply, word) = match outcome {
            Ok((reply, word)) => (reply, word),
            Err(refusal) => {
                let (status, body) = self.settings.dialect.refusal(&refusal);
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
                (Reply::Whole(json_response(status, body.to_string())), status.as_str().to_owned())
            }
        };
        if let Ok(id) = HeaderValue::try_from(format!("req_{seq}")) {
            headers.insert("x-request-id", id);
        }
        match &mut reply {
            Reply::Whole(response) => response.headers_mut().extend(headers),
            Reply::Paced { head, .. } => head.headers_mut().extend(headers),
            Reply::Reset | Reply::Silence => {}
        }
        self.records.answered(seq, word);
        reply
    }

    fn route(
        &mut self,
        request: &Request<Bytes>,
        seq: u64,
        headers: &mut HeaderMap,
    ) -> Result<(Reply, String), Refusal> {
        let path = request.uri().path().trim_end_matches('/');
        let call = self.settings.dialect.call(path).unwrap_or_default();
        match (request.method(), call, call.strip_prefix("/models/")) {
            (&Method::POST, "/chat/completions", _) => {
                self.authorize(request)?;
                self.chat(request.body(), seq, headers)
            }
            (&Method::GET, "/models", _) => {
                self.authorize(request)?;
                let models: Vec<Value> = self.settings.models.iter().map(|name| model_object(name)).collect();
                Ok(ok(&json!({"object": "list", "data": models})))
            }
            (&Method::GET, _, Some(name)) => {
                self.authorize(request)?;
                self.known(name)?;
                Ok(ok(&model_object(name)))
            }
            _ => Err(Refusal::new(Reason::NoSuchPath, format!("Invalid URL ({} {path})", request.method()))),
        }
    }

    fn authorize(&self, request: &Request<Bytes>) -> Result<(), Refusal> {
        if !self.settings.dialect.checks_keys(!self.keys.is_empty()) {
            return Ok(());
        }
        let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        match header.and_then(|header| header.strip_prefix("Bearer ")).map(str::trim) {
            None | Some("") => Err(Refusal::new(
                Reason::NoKey,
                "You didn't provide an API key. You need to provide your API key in an Authorization header using \
                 Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
            )),
            Some(key) if self.keys.contains(key) => Ok(()),
            // The services repeat the ends of it.
            Some(key) => {
                let tail: String = key.chars().skip(key.chars().count().saturating_sub(4)).collect();
                let head: String = key.chars().take(8).collect();
                Err(Refusal::new(Reason::WrongKey, format!("Incorrect API key provided: {head}****{tail}.")))
            }
        }
    }

    fn known(&self, model: &str) -> Result<(), Refusal> {
        if self.settings.models.iter().any(|known| known == model) {
            return Ok(());
        }
        let message = format!("The model `{model}` does not exist or you do not have access to it.");
        Err(Refusal::new(Reason::NoModel, message))
    }

    fn chat(&mut self, body: &Bytes, seq: u64, headers: &mut HeaderMap) -> Result<(Reply, String), Refusal> {
        if body.len() > MAX_BODY {
            return Err(Refusal::new(Reason::TooLarge, "Request entity too large"));
        }
        let mut asked = Asked::read(body, self.settings.dialect)?;
        self.known(&asked.model)?;
        let play = self.script.next(&asked.model);
        if let Some(play) = &play
            && let Some(reply) = instead(play, headers)?
        {
            return Ok((reply, word(play)));
        }
        let reads = match &play {
            Some(Play::PromptCut { tokens }) => prompt::cut_to(&mut asked, *tokens),
            _ => prompt::read(&mut asked, &self.settings)?,
        };
        let room = self.settings.context.saturating_sub(reads);
        self.limit(reads + asked.max_tokens.unwrap_or(0), headers)?;

        let said = said(&asked, play.as_ref(), &self.settings).within(&asked, room);
        let said = cut(said, play.as_ref());
        let envelope =
            Envelope { id: format!("chatcmpl-{seq}"), created: self.now().as_second(), prompt_tokens: reads };
        let delivery = Delivery { pace: self.settings.pace(), ..delivery(play.as_ref()) };
        let choiceless = matches!(play, Some(Play::EmptyChoices {}));
        let reply = match (asked.stream, choiceless) {
            (true, false) => delivery.stream(&envelope.pieces(&asked, &said)),
            (true, true) => delivery.stream(&[]),
            (false, false) => delivery.whole(&envelope.whole(&asked, &said)),
            (false, true) => delivery.whole(&envelope.without_choices(&asked)),
        };
        Ok((reply, play.as_ref().map_or_else(|| "200".to_owned(), word)))
    }

    fn limit(&mut self, tokens: u64, headers: &mut HeaderMap) -> Result<(), Refusal> {
        let now = Instant::now();
        let taken = self.window.take(&self.settings, tokens, now);
        headers.extend(self.window.headers(&self.settings, now));
        taken.map_err(|full| {
            let seconds = full.wait.as_secs() + u64::from(full.wait.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
            let message = format!(
                "Rate limit reached on {} per min: Limit {}. Please try again in {seconds}s.",
                full.what, full.limit
            );
            Refusal::new(Reason::RateLimited, message)
        })
    }
}

fn model_object(name: &str) -> Value {
    json!({"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "sim"})
}

fn ok(body: &Value) -> (Reply, String) {
    (Reply::Whole(json_response(StatusCode::OK, body.to_string())), "200".to_owned())
}

/// A play's name in scripts.
fn word(play: &Play) -> String {
    let json = serde_json::to_value(play).unwrap_or_default();
    json["kind"].as_str().unwrap_or_default().to_owned()
}

/// What a play gives instead of any answer.
fn instead(play: &Play, headers: &mut HeaderMap) -> Result<Option<Reply>, Refusal> {
    let refusal = |reason, message: &str| Err(Refusal::new(reason, message));
    match play {
        Play::RateLimited { retry_after } => {
            if *retry_after > 0 {
                headers.insert(RETRY_AFTER, HeaderValue::from(*retry_after));
            }
            refusal(Reason::RateLimited, "Rate limit reached for requests")
        }
        Play::Quota { code } => refusal(
            Reason::Quota(code.clone()),
            "You exceeded your current quota, please check your plan and billing details.",
        ),
        Play::NoBalance {} => refusal(Reason::NoBalance, "Insufficient Balance"),
        Play::Unprocessable {} => refusal(Reason::Unprocessable, "Invalid parameters"),
        Play::Overloaded {} => {
            refusal(Reason::Overloaded, "The server is overloaded, please try again later")
        }
        Play::Forbidden {} => refusal(Reason::Forbidden, "The key may not use this model"),
        Play::Moderated {} => refusal(Reason::Moderated, "Input data may contain inappropriate content."),
        Play::Error { status, shape, code, message } => Ok(Some(shaped(*status, *shape, code, message))),
        Play::Html { status } => {
            let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
                        <center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>";
            Ok(Some(Reply::Whole(face::admin::document(status_of(*status), "text/html", page))))
        }
        Play::Reset {} => Ok(Some(Reply::Reset)),
        _ => Ok(None),
    }
}

fn shaped(status: u16, shape: Shape, code: &Value, message: &str) -> Reply {
    let body = match shape {
        Shape::OpenAi => json!({"error": {"message": message, "type": "error", "param": null, "code": code}}),
        Shape::Flat => {
            json!({"object": "error", "message": message, "type": "BadRequestError", "param": null, "code": code})
        }
        Shape::Code => json!({"code": code, "message": message, "data": null}),
        Shape::Word => json!({"error": message}),
        Shape::String => json!(message),
        Shape::Text => {
            let text = message.to_owned();
            return Reply::Whole(face::admin::document(status_of(status), "text/plain", text));
        }
    };
    Reply::Whole(json_response(status_of(status), body.to_string()))
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// What the model says under a play.
fn said(asked: &Asked, play: Option<&Play>, settings: &Settings) -> Said {
    let usual = || Said::to(asked, settings.dialect);
    match play {
        Some(Play::Say { content, reasoning, tool_calls }) => Said {
            content: content.clone(),
            reasoning: reasoning.clone(),
            tool_calls: called(tool_calls),
            ..Said::default()
        },
        Some(Play::SharedToolIndex { tool_calls }) => {
            Said { tool_calls: called(tool_calls), one_tool_index: true, ..Said::default() }
        }
        Some(Play::FencedJson {}) => Said::content(format!("```json\n{}\n```", usual().content)),
        Some(Play::Prose {}) => {
            Said::content(format!("Here it is:\n\n{}\n\nAnything else?", usual().content))
        }
        Some(Play::Think { text }) => Said::content(format!("<think>{text}</think>\n\n{}", usual().content)),
        Some(Play::Reasoning { text }) => Said { reasoning: Some(text.clone()), ..usual() },
        Some(Play::Refusal { text }) => Said { refusal: Some(text.clone()), ..Said::default() },
        Some(Play::EmptyContent {} | Play::EmptyChoices {}) => Said::default(),
        Some(Play::WrongSchema {}) => match asked.schema() {
            Some(schema) => Said::content(example::wrong_example_of(&schema).to_string()),
            None => Said::content("{\"wrong\": true}"),
        },
        Some(Play::ObeysInjection {}) => prompt::injected(asked).map_or_else(usual, Said::content),
        _ => usual(),
    }
}

/// Names, and arguments as the model writes them.
fn called(tool_calls: &[(String, Value)]) -> Vec<(String, String)> {
    let written = |arguments: &Value| arguments.as_str().map_or_else(|| arguments.to_string(), str::to_owned);
    tool_calls.iter().map(|(name, arguments)| (name.clone(), written(arguments))).collect()
}

/// What a play cuts off.
fn cut(said: Said, play: Option<&Play>) -> Said {
    match play {
        Some(Play::LengthCut { tokens }) => said.cut(*tokens, "length"),
        Some(Play::ContentFilter { tokens }) => said.cut(*tokens, "content_filter"),
        _ => said,
    }
}

fn delivery(play: Option<&Play>) -> Delivery {
    let fault = match play {
        Some(Play::FirstByteHang {}) => Some((0, Fault::Hang)),
        Some(Play::MidStreamHang { after }) => Some(((*after).max(1), Fault::Hang)),
        Some(Play::MidStreamError { after }) => Some((*after, Fault::Error)),
        Some(Play::Cut { after }) => Some((*after, Fault::Cut)),
        _ => None,
    };
    let keep_alive = match play {
        Some(Play::KeepAlive { count, every }) => {
            Some((*count, std::time::Duration::try_from_secs_f64(*every).unwrap_or_default()))
        }
        _ => None,
    };
    Delivery { keep_alive, fault, ..Delivery::default() }
}
