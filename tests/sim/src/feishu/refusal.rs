//! Feishu's refusals, in its own words.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use bytes::Bytes;

use crate::face::admin::document;

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The body's `code`.
    pub code: i64,
    /// The body's `msg`.
    pub message: String,
    /// The HTTP status: 200 but for one of them.
    pub status: u16,
}

impl Refusal {
    /// A refusal with HTTP status 200.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), status: 200 }
    }

    pub(super) fn bad_request() -> Self {
        Self::new(9499, "Bad Request")
    }

    /// The same code with another meaning, and another status.
    pub(super) fn too_many_request() -> Self {
        Self { status: 400, ..Self::new(9499, "too many request") }
    }

    pub(super) fn frequency_limited() -> Self {
        Self::new(11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]")
    }

    pub(super) fn dead_webhook() -> Self {
        Self::new(19001, "param invalid: incoming webhook access token invalid")
    }

    pub(super) fn no_type() -> Self {
        Self::new(19002, "params error, msg_type need")
    }

    pub(super) fn sign_mismatch() -> Self {
        Self::new(19021, "sign match fail or timestamp is not within one hour from current time")
    }

    pub(super) fn ip_not_allowed() -> Self {
        Self::new(19022, "Ip Not Allowed")
    }

    pub(super) fn keyword_missing() -> Self {
        Self::new(19024, "Key Words Not Found")
    }

    pub(super) fn card(what: &str) -> Self {
        Self::new(
            200_621,
            format!("parse card json err, please check whether the card json is correct: {what}"),
        )
    }

    pub(super) fn tables() -> Self {
        Self::new(11310, "card table number over limit")
    }

    pub(super) fn internal() -> Self {
        Self::new(2200, "internal error")
    }

    pub(super) fn response(&self) -> Response<Bytes> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        answer(status, &json!({ "code": self.code, "data": {}, "msg": self.message }))
    }
}

/// The answer to a message that was taken: the fields, and their old names.
pub(super) fn done() -> Response<Bytes> {
    let body =
        json!({ "StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success" });
    answer(StatusCode::OK, &body)
}

fn answer(status: StatusCode, body: &Value) -> Response<Bytes> {
    document(status, "application/json; charset=utf-8", body.to_string())
}
