//! The admin API of the Feishu stand-in. JSON in, JSON out.

use bytes::Bytes;
use http::{Method, Request, Response};
use serde_json::{Value, json};

use super::bot::Desk;
use super::stand_in::State;
use super::{Bot, SimFeishu};
use crate::face::admin::{self, Failure, parameter, read, value};

/// The table of contents, also the answer to `GET /_sim/`.
const CONTENTS: &str = include_str!("admin.txt");

pub(super) fn answer(stand_in: &SimFeishu, request: &Request<Bytes>) -> Response<Bytes> {
    admin::answer(request, CONTENTS, |path| route(&mut stand_in.lock(), request, path))
}

fn route(state: &mut State, request: &Request<Bytes>, path: &[&str]) -> Result<Value, Failure> {
    let (method, body) = (request.method(), request.body());
    let query = request.uri().query().unwrap_or_default();
    match (method, path) {
        (_, ["script", rest @ ..]) => admin::script(&mut state.script, method, rest, body),
        (_, ["requests"]) => admin::requests(&mut state.records, method, query),
        (&Method::GET, ["messages"]) => {
            let since = parameter(query, "since").and_then(|since| since.parse().ok()).unwrap_or(0);
            value(&state.posted.iter().filter(|posted| posted.seq > since).collect::<Vec<_>>())
        }
        (&Method::DELETE, ["messages"]) => {
            state.posted.clear();
            Ok(json!({}))
        }
        (&Method::GET, ["bots"]) => Ok(state.desks.values().map(shown).collect()),
        (&Method::POST, ["bots"]) => {
            let bot: Bot = read(body)?;
            match state.desks.get_mut(&bot.token) {
                Some(desk) => desk.bot = bot,
                None => drop(state.desks.insert(bot.token.clone(), Desk::new(bot))),
            }
            Ok(json!({}))
        }
        (&Method::DELETE, ["bots", token]) => match state.desks.remove(*token) {
            Some(_) => Ok(json!({})),
            None => Err(Failure::missing("there is no such bot")),
        },
        (&Method::GET, ["settings"]) => value(&state.settings),
        (&Method::POST | &Method::PATCH, ["settings"]) => {
            state.settings = admin::overlaid(&state.settings, body)?;
            value(&state.settings)
        }
        _ => Err(Failure::no_such_call(method)),
    }
}

fn shown(desk: &Desk) -> Value {
    json!({ "bot": desk.bot, "most": desk.window.most, "answers": desk.answers })
}
