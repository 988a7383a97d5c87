//! Twice as much input costs no more than two and a half times as much.
//!
//! `cargo test --release -p loki-client -p llm-client -p feishu --test wire cost -- --nocapture --test-threads 1`
//! prints the numbers of what is shipped.

use std::hint::black_box;

use feishu::{Card, Markdown, Message, answer};
use http::StatusCode;

use crate::growth::Growths;

#[test]
fn an_answer_is_decoded_in_linear_time() {
    let mut growths = Growths::default();
    for piece in ["a", "长", "\\u202e", "[", "{\"a\":", "\"code\":1,", "\\n", "\u{200b}", " "] {
        for (before, after) in
            [("{\"code\":1,\"msg\":\"", "\"}"), ("", ""), ("{\"x\":[", "]}"), ("{\"code\":", "}")]
        {
            growths.measure(&format!("{before}{piece}…{after}").escape_debug().to_string(), |size| {
                let body = format!("{before}{}{after}", piece.repeat(size / piece.len()));
                move || {
                    let _ = black_box(answer::read(StatusCode::OK, body.as_bytes()));
                }
            });
        }
    }
    growths.judge();
}

#[test]
fn a_message_is_rendered_in_linear_time() {
    let mut growths = Growths::default();
    for piece in ["a", "长", "*", "`", "<at", "a.b", "http://", "\u{202e}", "\n", " "] {
        growths.measure(&format!("a card of {}", piece.escape_debug()), |size| {
            let text = piece.repeat(size / piece.len());
            let message =
                Message::from(Card::new(text.clone()).markdown(Markdown::new(text.clone()).code_block(text)));
            move || {
                let _ = black_box(message.render(None));
            }
        });
    }
    growths.judge();
}
