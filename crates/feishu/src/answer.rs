//! What Feishu's answer says: done, refused, or nothing that Feishu ever says.
//!
//! Its errors come with HTTP status 200 and one of them with 400, so only the `code` in the body decides. Pure, for
//! whoever brings the requests over in another way.

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::Class;
use crate::escape::visible;

/// Long enough for every text of Feishu seen, short enough for a condition.
const MAX_MESSAGE: usize = 300;

/// Why a message was not taken, by Feishu's own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The body's `code`.
    pub code: i64,
    /// The body's `msg`, at most 300 characters, without any that could not be seen.
    pub message: String,
}

impl Refusal {
    /// What it means.
    pub fn class(&self) -> Class {
        Class::of(self.code, &self.message)
    }
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The message is in the group.
    Done,
    /// The message is not in the group.
    Refused(Refusal),
}

/// An answer that is not Feishu's: from a proxy, cut short, or in a shape that is in no document. It says nothing
/// about the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not Feishu's (HTTP status {status}, {what})")]
pub struct NotFeishu {
    /// Its HTTP status.
    pub status: u16,
    /// What it is instead. Never holds more than a few words of it.
    pub what: String,
}

/// A custom bot's answer has `code` and `msg`, and beside them their old names; a flow's has the first two.
#[derive(Deserialize)]
struct Body {
    code: Option<Value>,
    msg: Option<Value>,
    #[serde(rename = "StatusCode")]
    status_code: Option<Value>,
    #[serde(rename = "StatusMessage")]
    status_message: Option<Value>,
}

/// Reads an answer.
///
/// # Errors
/// [`NotFeishu`] when the body is no JSON object with a code that is a whole number.
///
/// # Examples
/// ```
/// use feishu::answer::{Answer, read};
/// use http::StatusCode;
///
/// assert_eq!(read(StatusCode::OK, br#"{"code":0,"msg":"success","data":{}}"#), Ok(Answer::Done));
/// assert!(read(StatusCode::OK, b"<html>Sign in to the proxy</html>").is_err());
/// ```
pub fn read(status: StatusCode, body: &[u8]) -> Result<Answer, NotFeishu> {
    read_redacted(status, body, str::to_owned)
}

/// The same, with secrets taken out of the server's words before they are capped: half a secret is one, too.
pub(crate) fn read_redacted(
    status: StatusCode,
    body: &[u8],
    redact: impl Fn(&str) -> String,
) -> Result<Answer, NotFeishu> {
    let not_feishu = |what: &str| NotFeishu { status: status.as_u16(), what: what.to_owned() };
    // serde would read a struct out of an array, too.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(not_feishu("JSON in another shape"));
    }
    let body: Body = serde_json::from_slice(body).map_err(|error| not_feishu(what_instead(body, &error)))?;
    let codes = [whole_number(body.code), whole_number(body.status_code)];
    // The two should agree. Should they not, the one that complains is believed.
    let code = codes.into_iter().flatten().max_by_key(|code| *code != 0);
    let code = code.ok_or_else(|| not_feishu("JSON without a code"))?;
    if code == 0 && status.is_success() {
        return Ok(Answer::Done);
    }
    if code == 0 {
        return Err(not_feishu("code 0, which cannot be with this status"));
    }
    let message = [body.msg, body.status_message].into_iter().flatten().find_map(|message| match message {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    });
    Ok(Answer::Refused(Refusal {
        code,
        message: excerpt(&redact(&message.unwrap_or_default()), MAX_MESSAGE),
    }))
}

/// Some proxies turn numbers into text.
fn whole_number(value: Option<Value>) -> Option<i64> {
    match value? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// serde's own message may quote the body, which stays out of errors.
fn what_instead(body: &[u8], error: &serde_json::Error) -> &'static str {
    let start = body.trim_ascii_start();
    if start.is_empty() {
        "empty"
    } else if start[0] == b'<' {
        "HTML or XML"
    } else {
        match error.classify() {
            serde_json::error::Category::Eof => "JSON that ends too soon",
            serde_json::error::Category::Data => "JSON in another shape",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "not JSON",
        }
    }
}

/// At most `limit` characters, all of them visible.
pub(crate) fn excerpt(text: &str, limit: usize) -> String {
    let mut end = text.char_indices().map(|(at, _)| at);
    match end.nth(limit) {
        Some(end) => format!("{}…", visible(&text[..end]).replace('\n', " ")),
        None => visible(text).replace('\n', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Result<Answer, NotFeishu> {
        read(StatusCode::OK, body.as_bytes())
    }

    fn refused(code: i64, message: &str) -> Result<Answer, NotFeishu> {
        Ok(Answer::Refused(Refusal { code, message: message.to_owned() }))
    }

    #[test]
    fn the_old_names_are_read_too() {
        assert_eq!(answer(r#"{"StatusCode":0,"StatusMessage":"success"}"#), Ok(Answer::Done));
        assert_eq!(
            answer(r#"{"StatusCode":19024,"StatusMessage":"Key Words Not Found"}"#),
            refused(19024, "Key Words Not Found")
        );
        assert_eq!(
            answer(r#"{"code":0,"msg":"success","StatusCode":9499,"StatusMessage":"Bad Request"}"#),
            refused(9499, "success"),
            "the code that complains is believed"
        );
        assert_eq!(answer(r#"{"code":"11232","msg":"slow"}"#), refused(11232, "slow"));
    }

    #[test]
    fn what_is_not_feishu_is_never_taken_for_done() {
        for (body, what) in [
            ("", "empty"),
            ("  \n", "empty"),
            ("<html>ok</html>", "HTML or XML"),
            ("ok", "not JSON"),
            ("{}", "JSON without a code"),
            (r#"{"code":null}"#, "JSON without a code"),
            (r#"{"code":0.5}"#, "JSON without a code"),
            (r#"{"code":true}"#, "JSON without a code"),
            (r#"{"code":[0]}"#, "JSON without a code"),
            ("0", "JSON in another shape"),
            ("[0]", "JSON in another shape"),
            (" [0,null,null,null]", "JSON in another shape"),
            (r#"{"code":0"#, "JSON that ends too soon"),
            (r#"{"code":0,"code":0}"#, "JSON in another shape"),
        ] {
            let error = answer(body).expect_err(body);
            assert_eq!(error.what, what, "{body}");
        }
        let error = read(StatusCode::BAD_GATEWAY, br#"{"code":0}"#).expect_err("no such thing");
        assert_eq!(error.status, 502);
    }

    #[test]
    fn the_status_does_not_hide_the_code() {
        let body = br#"{"code":9499,"msg":"too many request"}"#;
        let Ok(Answer::Refused(refusal)) = read(StatusCode::BAD_REQUEST, body) else { panic!("refused") };
        assert_eq!(refusal.class(), Class::Throttled);
    }

    #[test]
    fn the_servers_words_are_capped_and_visible() {
        let body = format!(r#"{{"code":1,"msg":"a\u001b[2J\nb\u202e{}"}}"#, "长".repeat(400));
        let Ok(Answer::Refused(refusal)) = answer(&body) else { panic!("refused") };
        assert!(refusal.message.starts_with("a\\u{1b}[2J b\\u{202e}长"), "{}", refusal.message);
        assert!(refusal.message.ends_with("长…"));
    }
}
