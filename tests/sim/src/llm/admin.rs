//! The admin API of the chat stand-in. JSON in, JSON out.

use bytes::Bytes;
use http::{Method, Request, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::SimLlm;
use super::stand_in::State;
use crate::face::admin::{self, Failure, read, value};

/// The table of contents, also the answer to `GET /_sim/`.
const CONTENTS: &str = include_str!("admin.txt");

pub(super) fn answer(stand_in: &SimLlm, request: &Request<Bytes>) -> Response<Bytes> {
    admin::answer(request, CONTENTS, |path| route(&mut stand_in.lock(), request, path))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    key: String,
}

fn route(state: &mut State, request: &Request<Bytes>, path: &[&str]) -> Result<Value, Failure> {
    let (method, body) = (request.method(), request.body());
    match (method, path) {
        (_, ["script", rest @ ..]) => admin::script(&mut state.script, method, rest, body),
        (_, ["requests"]) => {
            admin::requests(&mut state.records, method, request.uri().query().unwrap_or_default())
        }
        (&Method::GET, ["settings"]) => value(&state.settings),
        (&Method::POST | &Method::PATCH, ["settings"]) => {
            state.settings = admin::overlaid(&state.settings, body)?;
            value(&state.settings)
        }
        (&Method::POST, ["keys"]) => {
            state.keys.insert(read::<Key>(body)?.key);
            Ok(json!({}))
        }
        (&Method::DELETE, ["keys"]) => match state.keys.remove(&read::<Key>(body)?.key) {
            true => Ok(json!({})),
            false => Err(Failure::missing("there is no such key")),
        },
        _ => Err(Failure::no_such_call(method)),
    }
}
