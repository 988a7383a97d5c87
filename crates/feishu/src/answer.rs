//! What Feishu's answer says: done, refused, or nothing that Feishu ever says.
//!
//! Its errors come with HTTP status 200 and one of them with 400, so the `code` in the body decides. Gateways write one,
//! too: one that is in no table means less than the status. Pure, for whoever brings the requests over in another way.

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::Class;
use crate::escape::visible;

/// Long enough for every text of Feishu seen, short enough for a condition.
const MAX_MESSAGE: usize = 300;
/// Of an answer that is not Feishu's: enough to see whose it is.
const MAX_WORDS: usize = 120;
/// What is taken by Feishu and lost on the way back may look like this.
const DONE_YET_FAILED: &str = "code 0, which cannot be with this status";

/// Why a message was not taken, by Feishu's own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The body's `code`.
    pub code: i64,
    /// The body's `msg`, at most 300 characters and an ellipsis, without any that could not be seen.
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

/// An answer that is not Feishu's: from a proxy, cut short, or in a shape that is in no document. Of the message it says
/// at most that it was [not delivered](Self::is_undelivered).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not Feishu's (HTTP status {status}, {what}{})", said(.words))]
pub struct NotFeishu {
    /// Its HTTP status.
    pub status: u16,
    /// What it is instead.
    pub what: String,
    /// How it begins, or where it redirects to: for people, to see whose it is. At most 120 characters and an ellipsis, of
    /// a page only its text, without any that could not be seen.
    pub words: String,
}

fn said(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(": `{words}`") }
}

impl NotFeishu {
    /// Whether the message is certainly not in the group: who redirects (3xx) or finds fault with the request (4xx) has not
    /// passed it on to Feishu. Neither passes, but for 408: there a gateway had no time to read the request.
    pub fn is_undelivered(&self) -> bool {
        matches!(self.status, 300..=499) && self.status != 408 && self.what != DONE_YET_FAILED
    }

    /// Instead of its body, which says less: where it redirects to.
    pub(crate) fn redirecting_to(mut self, location: &str, redact: impl Fn(&str, usize) -> String) -> Self {
        self.what = "a redirect".to_owned();
        self.words = excerpt(&redact(location, MAX_WORDS + 1), MAX_WORDS);
        self
    }
}

/// A custom bot's answer has `code` and `msg`, and beside them their old names; a flow's has the first two.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    code: Field<'a>,
    #[serde(borrow, default)]
    msg: Field<'a>,
    #[serde(borrow, default, rename = "StatusCode")]
    status_code: Field<'a>,
    #[serde(borrow, default, rename = "StatusMessage")]
    status_message: Field<'a>,
}

/// What stands in a field, as far as it can mean anything. A text without escapes stays where it is.
#[derive(Default)]
enum Field<'a> {
    Number(i64),
    Text(Cow<'a, str>),
    #[default]
    Other,
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Anything;
        impl<'de> Visitor<'de> for Anything {
            type Value = Field<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_i64<E>(self, number: i64) -> Result<Field<'de>, E> {
                Ok(Field::Number(number))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Field<'de>, E> {
                Ok(i64::try_from(number).map_or(Field::Other, Field::Number))
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Field<'de>, E> {
                Ok(Field::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Field<'de>, E> {
                Ok(Field::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Field<'de>, E> {
                Ok(Field::Other)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Field<'de>, E> {
                Ok(Field::Other)
            }

            fn visit_unit<E>(self) -> Result<Field<'de>, E> {
                Ok(Field::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Field<'de>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Field::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field<'de>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Field::Other)
            }
        }
        deserializer.deserialize_any(Anything)
    }
}

impl<'a> Field<'a> {
    /// Some proxies turn numbers into text.
    fn whole_number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Other => None,
        }
    }

    fn words(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }
}

/// Reads an answer.
///
/// # Errors
/// [`NotFeishu`] when the body is no JSON object with a code that is a whole number, and when the code is in no table and
/// the status is one of those with which a gateway answers in its own name: 3xx, 408, 429 or 5xx.
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
    read_redacted(status, body, |words, most| words.chars().take(most).collect())
}

/// The same, without secrets in the server's words: `redact` gives the start of a text without them, in at least so many
/// characters if there are that many. They are taken out before the cap is put on: half a secret is one, too.
pub(crate) fn read_redacted(
    status: StatusCode,
    body: &[u8],
    redact: impl Fn(&str, usize) -> String,
) -> Result<Answer, NotFeishu> {
    let not_feishu = |what: &str| NotFeishu {
        status: status.as_u16(),
        what: what.to_owned(),
        words: excerpt(&redact(&words_of(body), MAX_WORDS + 1), MAX_WORDS),
    };
    // serde would read a struct out of an array, too.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(not_feishu(what_instead(body)));
    }
    let fields: Body<'_> = serde_json::from_slice(body).map_err(|_| not_feishu(what_instead(body)))?;
    let codes = [fields.code.whole_number(), fields.status_code.whole_number()];
    // The two should agree. Should they not, the one that complains is believed.
    let code = codes.into_iter().flatten().max_by_key(|code| *code != 0);
    let code = code.ok_or_else(|| not_feishu("JSON without a code"))?;
    if code == 0 && status.is_success() {
        return Ok(Answer::Done);
    }
    if code == 0 {
        return Err(not_feishu(DONE_YET_FAILED));
    }
    let says = fields.msg.words().or_else(|| fields.status_message.words()).unwrap_or_default();
    // One more than is shown, so that it is seen that there are more.
    let message = excerpt(&redact(&says, MAX_MESSAGE + 1), MAX_MESSAGE);
    let refusal = Refusal { code, message };
    if means_less_than(status, &refusal) {
        return Err(not_feishu("JSON with a code of no table"));
    }
    Ok(Answer::Refused(refusal))
}

/// Whether the code says nothing and the status does. That it was one too many is also said in words; but who answers 5xx
/// need not know whether Feishu has taken it.
fn means_less_than(status: StatusCode, refusal: &Refusal) -> bool {
    let in_words = refusal.class() == Class::Throttled && !status.is_server_error();
    let tells = matches!(status.as_u16(), 300..=399 | 408 | 429 | 500..);
    tells && !in_words && !Class::knows(refusal.code)
}

/// What a person can read of a body that is not Feishu's, on one line.
fn words_of(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = if text.trim_start().starts_with('<') { text_of_page(&text) } else { text.into_owned() };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A page without its tags, styles and scripts.
fn text_of_page(page: &str) -> String {
    // As long as the page: positions in one are positions in the other.
    let lower = page.to_ascii_lowercase();
    let mut text = String::new();
    let mut at = 0;
    while let Some(tag) = page[at..].find('<').map(|found| at + found) {
        text.push_str(&page[at..tag]);
        text.push(' ');
        let ends_with = match &lower[tag + 1..] {
            inside if inside.starts_with("style") => "</style",
            inside if inside.starts_with("script") => "</script",
            inside if inside.starts_with("!--") => "-->",
            _ => "",
        };
        let end = lower[tag..].find(ends_with).map(|found| tag + found);
        let Some(end) = end.and_then(|end| page[end..].find('>').map(|found| end + found)) else {
            return text;
        };
        at = end + 1;
    }
    text.push_str(&page[at..]);
    text
}

/// serde's own message may quote the body, secrets included. And it stops at the first thing that is amiss: in
/// `404 page not found` at a number that is no object, before it sees that this is no JSON.
fn what_instead(body: &[u8]) -> &'static str {
    let Some(first) = body.trim_ascii_start().first() else { return "empty" };
    match std::str::from_utf8(body).map(serde_json::from_str::<IgnoredAny>) {
        _ if *first == b'<' => "HTML or XML",
        Ok(Ok(_)) => "JSON in another shape",
        Ok(Err(error)) if error.is_eof() && matches!(first, b'{' | b'[') => "JSON that ends too soon",
        _ => "not JSON",
    }
}

/// At most `limit` characters, all of them visible.
pub(crate) fn excerpt(text: &str, limit: usize) -> String {
    let mut shown = visible(text).replace('\n', " ");
    if let Some((end, _)) = shown.char_indices().nth(limit) {
        shown.truncate(end);
        shown.push('…');
    }
    shown
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
            ("404 page not found", "not JSON"),
            ("[error] no upstream", "not JSON"),
            ("true story", "not JSON"),
            ("t", "not JSON"),
            ("[0", "JSON that ends too soon"),
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
    fn what_is_not_feishu_is_shown_as_far_as_somebody_can_read_it() {
        let long = format!("no {}", "长".repeat(200));
        for (body, words) in [
            ("", ""),
            ("upstream\n  connect error\u{1b}[2J", "upstream connect error\\u{1b}[2J"),
            (r#"{"message":"API rate limit exceeded"}"#, r#"{"message":"API rate limit exceeded"}"#),
            (
                "<html><HEAD><Style>b{}</style><!-- > a --><title>Sign in</title></HEAD><SCRIPT>x('<b>')</SCRIPT>\n<b>to</b> go on",
                "Sign in to go on",
            ),
            ("<html><script>never ends", ""),
            ("<a", ""),
            (&long, &format!("no {}…", "长".repeat(117))),
        ] {
            assert_eq!(answer(body).expect_err(body).words, words, "{body}");
        }
        let error = answer("<b>Sign in</b>").expect_err("a page").to_string();
        assert_eq!(error, "the answer is not Feishu's (HTTP status 200, HTML or XML: `Sign in`)");
        assert_eq!(
            answer("").expect_err("nothing").to_string(),
            "the answer is not Feishu's (HTTP status 200, empty)"
        );
    }

    #[test]
    fn who_redirects_or_finds_fault_with_the_request_has_not_passed_it_on() {
        for (status, body, undelivered) in [
            (302, "", true),
            (308, "<a href=x>", true),
            (404, "404 page not found", true),
            (407, r#"{"message":"who are you?"}"#, true),
            (408, "", false),
            (400, r#"{"code":0}"#, false),
            (200, "Sign in", false),
            (502, "", false),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            let error = read(status, body.as_bytes()).expect_err(body);
            assert_eq!(error.is_undelivered(), undelivered, "{error}");
        }
    }

    #[test]
    fn the_status_does_not_hide_the_code() {
        let body = br#"{"code":9499,"msg":"too many request"}"#;
        let Ok(Answer::Refused(refusal)) = read(StatusCode::BAD_REQUEST, body) else { panic!("refused") };
        assert_eq!(refusal.class(), Class::Throttled);
    }

    #[test]
    fn a_code_of_no_table_means_less_than_a_status_that_tells() {
        for (status, code, is_refused) in [
            (200, 504, true),
            (418, 99999, true),
            (302, 302, false),
            (408, 408, false),
            (429, 429, false),
            (500, 1, false),
            (504, 504, false),
            // What is known is known under any status.
            (429, 19001, true),
            (502, 11232, true),
            (504, 230_099, true),
        ] {
            let body = format!(r#"{{"code":{code},"msg":"EXAMPLE"}}"#);
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(read(status, body.as_bytes()).is_ok(), is_refused, "{status} {body}");
        }
        let slow = br#"{"code":99991400,"msg":"request trigger frequency limit"}"#;
        for (status, is_refused) in [(200, true), (400, true), (429, true), (503, false)] {
            let status = StatusCode::from_u16(status).expect("a status");
            let class = read(status, slow).map(|answer| match answer {
                Answer::Refused(refusal) => refusal.class(),
                Answer::Done => Class::Other,
            });
            assert_eq!(class.ok(), is_refused.then_some(Class::Throttled), "{status}");
        }
    }

    #[test]
    fn the_servers_words_are_capped_and_visible() {
        let body = format!(r#"{{"code":1,"msg":"a\u001b[2J\nb\u202e{}"}}"#, "长".repeat(400));
        let Ok(Answer::Refused(refusal)) = answer(&body) else { panic!("refused") };
        assert!(refusal.message.starts_with("a\\u{1b}[2J b\\u{202e}长"), "{}", refusal.message);
        assert!(refusal.message.ends_with("长…"));
        assert_eq!(refusal.message.chars().count(), MAX_MESSAGE + 1);
        let spelled_out = format!(r#"{{"code":1,"msg":"{}"}}"#, "\\u202e".repeat(300));
        let Ok(Answer::Refused(refusal)) = answer(&spelled_out) else { panic!("refused") };
        assert_eq!(
            refusal.message.chars().count(),
            MAX_MESSAGE + 1,
            "what is spelled out counts as it is shown"
        );
        let fitting = format!(r#"{{"code":1,"msg":"{}"}}"#, "长".repeat(MAX_MESSAGE));
        assert_eq!(answer(&fitting), refused(1, &"长".repeat(MAX_MESSAGE)));
    }
}
