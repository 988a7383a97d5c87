//! The messages of the groups as a page, each roughly as a client of Feishu would draw it.
//!
//! Whatever is more than text has an attribute `data-acts`, so that tests can count it.

mod html;
mod inline;
mod markdown;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use serde_json::Value;

use super::stand_in::Posted;
use crate::face::admin::document;
use html::{Act, Html};

const HEAD: &str = include_str!("head.html");

/// Nothing on the page runs or is loaded, whatever a message says.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

pub(super) fn response(posted: &[Posted]) -> Response<Bytes> {
    let mut response = document(StatusCode::OK, "text/html; charset=utf-8", draw(posted));
    response.headers_mut().insert("content-security-policy", HeaderValue::from_static(POLICY));
    response
}

fn draw(posted: &[Posted]) -> String {
    let mut html = Html::default();
    html.raw(HEAD);
    if posted.is_empty() {
        html.raw("<p class=\"none\">No messages yet.</p>\n");
    }
    for message in posted {
        draw_posted(&mut html, message);
    }
    html.raw("</main>\n</body>\n</html>\n");
    html.finish()
}

fn draw_posted(html: &mut Html, posted: &Posted) {
    html.open("article", "message", "");
    html.open("p", "meta", "");
    html.text(&format!("#{} at {} through {}", posted.seq, posted.at.strftime("%H:%M:%S"), posted.token));
    html.close("p");
    let message = &posted.message;
    let content = &message["content"];
    match message["msg_type"].as_str() {
        Some("interactive") => card(html, &message["card"]),
        Some("text") => bubble(html, |html| inline::draw(html, str_of(&content["text"]))),
        Some("post") => bubble(html, |html| {
            for (_, post) in content["post"].as_object().into_iter().flatten() {
                draw_post(html, post);
            }
        }),
        Some("image") => bubble(html, |html| image(html, str_of(&content["image_key"]))),
        // A flow's payload may have any shape.
        _ => bubble(html, |html| html.text(&format!("{message:#}"))),
    }
    html.close("article");
    html.raw("\n");
}

fn str_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn bubble(html: &mut Html, draw: impl FnOnce(&mut Html)) {
    html.open("div", "bubble", "");
    draw(html);
    html.close("div");
}

fn image(html: &mut Html, key: &str) {
    html.act(Act::Image, key);
    html.text(key);
    html.end(Act::Image);
}

fn draw_post(html: &mut Html, post: &Value) {
    html.open("h3", "title", "");
    inline::draw(html, str_of(&post["title"]));
    html.close("h3");
    for line in post["content"].as_array().into_iter().flatten() {
        html.open("p", "line", "");
        for part in line.as_array().into_iter().flatten() {
            match part["tag"].as_str() {
                Some("a") => {
                    html.act(Act::Link, str_of(&part["href"]));
                    inline::draw(html, str_of(&part["text"]));
                    html.end(Act::Link);
                }
                Some("at") => {
                    html.act(Act::Mention, "");
                    html.text("@");
                    html.text(str_of(&part["user_id"]));
                    html.end(Act::Mention);
                }
                Some("img") => image(html, str_of(&part["image_key"])),
                _ => inline::draw(html, str_of(&part["text"])),
            }
        }
        html.close("p");
    }
}

fn card(html: &mut Html, card: &Value) {
    let header = &card["header"];
    html.open("section", "card", "");
    html.open("header", "header", str_of(&header["template"]));
    html.open("h3", "title", "");
    words(html, &header["title"]);
    for tag in header["text_tag_list"].as_array().into_iter().flatten() {
        html.open("span", "tag", str_of(&tag["color"]));
        words(html, &tag["text"]);
        html.close("span");
    }
    html.close("h3");
    if !header["subtitle"].is_null() {
        html.open("p", "subtitle", "");
        words(html, &header["subtitle"]);
        html.close("p");
    }
    html.close("header");
    html.open("div", "body", "");
    elements(html, &card["body"]["elements"]);
    html.close("div");
    html.close("section");
}

/// A `plain_text` or `markdown` in a header.
fn words(html: &mut Html, text: &Value) {
    let content = str_of(&text["content"]);
    if text["tag"] == "markdown" { markdown::draw(html, content) } else { inline::draw(html, content) }
}

fn elements(html: &mut Html, elements: &Value) {
    for element in elements.as_array().into_iter().flatten() {
        match element["tag"].as_str() {
            Some("markdown") => {
                html.open("div", "markdown", str_of(&element["text_size"]));
                markdown::draw(html, str_of(&element["content"]));
                html.close("div");
            }
            Some("hr") => html.raw("<hr>"),
            Some("collapsible_panel") => panel(html, element),
            Some("column_set") => {
                html.open("div", "columns", str_of(&element["flex_mode"]));
                for column in element["columns"].as_array().into_iter().flatten() {
                    let weight = column["weight"].as_u64().unwrap_or(1);
                    html.open("div", "column", &format!("weight-{weight}"));
                    self::elements(html, &column["elements"]);
                    html.close("div");
                }
                html.close("div");
            }
            _ => {}
        }
    }
}

fn panel(html: &mut Html, panel: &Value) {
    html.raw(if panel["expanded"] == true { "<details open>" } else { "<details>" });
    html.raw("<summary>");
    words(html, &panel["header"]["title"]);
    html.raw("</summary>");
    elements(html, &panel["elements"]);
    html.raw("</details>");
}
