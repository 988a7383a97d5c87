//! The manners of the admin APIs: JSON in, JSON out, and errors that say what was expected.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{Records, Rule, Script};

/// Why an admin call failed.
#[derive(Debug)]
pub struct Failure(pub StatusCode, pub String);

impl Failure {
    /// There is nothing of this name.
    pub fn missing(what: impl Into<String>) -> Self {
        Self(StatusCode::NOT_FOUND, what.into())
    }

    /// There is no such call.
    pub fn no_such_call(method: &Method) -> Self {
        Self::missing(format!("GET /_sim/ lists what there is; {method} of this is not"))
    }
}

/// The table of contents when `/_sim/` itself is asked for; what `route` says to the parts of the path otherwise.
pub fn answer(
    request: &Request<Bytes>,
    contents: &'static str,
    route: impl FnOnce(&[&str]) -> Result<Value, Failure>,
) -> Response<Bytes> {
    let path = request.uri().path().trim_start_matches("/_sim").trim_matches('/');
    if path.is_empty() {
        return document(StatusCode::OK, "text/plain; charset=utf-8", contents);
    }
    let parts: Vec<&str> = path.split('/').collect();
    match route(&parts) {
        Ok(value) => document(StatusCode::OK, "application/json", format!("{value}\n")),
        Err(Failure(status, message)) => {
            document(status, "application/json", format!("{}\n", json!({"error": message})))
        }
    }
}

/// An answer with a body of this type.
pub fn document(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// `script` and `script/ID`: GET shows what may still play, POST adds a [`Rule`], DELETE takes one or all away.
///
/// # Errors
/// When the rule cannot be read or found.
pub fn script<T>(
    script: &mut Script<T>,
    method: &Method,
    path: &[&str],
    body: &Bytes,
) -> Result<Value, Failure>
where
    T: Clone + Serialize + DeserializeOwned,
{
    match (method, path) {
        (&Method::GET, []) => value(script),
        (&Method::POST, []) => Ok(json!({"id": script.add(read::<Rule<T>>(body)?)})),
        (&Method::DELETE, []) => {
            script.clear();
            Ok(json!({}))
        }
        (&Method::DELETE, [id]) => match id.parse().is_ok_and(|id| script.remove(id)) {
            true => Ok(json!({})),
            false => Err(Failure::missing(format!("the script has no rule {id}"))),
        },
        _ => Err(Failure::no_such_call(method)),
    }
}

/// `requests`: GET shows them, with `?since=SEQ` only those after it; DELETE forgets them.
///
/// # Errors
/// When the call is another.
pub fn requests(records: &mut Records, method: &Method, query: &str) -> Result<Value, Failure> {
    match *method {
        Method::GET => {
            let since = parameter(query, "since").and_then(|since| since.parse().ok()).unwrap_or(0);
            value(&records.since(since).collect::<Vec<_>>())
        }
        Method::DELETE => {
            records.clear();
            Ok(json!({}))
        }
        _ => Err(Failure::no_such_call(method)),
    }
}

/// The settings with the fields that the body gives laid over them.
///
/// # Errors
/// When a field is unknown or has another shape.
pub fn overlaid<T: Serialize + DeserializeOwned>(settings: &T, body: &Bytes) -> Result<T, Failure> {
    let changes = read::<Map<String, Value>>(body)?;
    let mut settings = value(settings)?;
    if let Value::Object(settings) = &mut settings {
        settings.extend(changes);
    }
    serde_json::from_value(settings).map_err(|error| bad(&error))
}

/// The body as a value; an empty one reads as `{}`.
///
/// # Errors
/// When it cannot be read.
pub fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Failure> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| bad(&error))
}

fn bad(error: &serde_json::Error) -> Failure {
    Failure(StatusCode::BAD_REQUEST, error.to_string())
}

/// Something as JSON.
///
/// # Errors
/// When it has no form in JSON.
pub fn value<T: Serialize + ?Sized>(of: &T) -> Result<Value, Failure> {
    serde_json::to_value(of).map_err(|error| Failure(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

/// A parameter of a query string as it stands there; empty when it has no value.
pub fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| match pair.split_once('=') {
        Some((key, value)) => (key == name).then_some(value),
        None => (pair == name).then_some(""),
    })
}
