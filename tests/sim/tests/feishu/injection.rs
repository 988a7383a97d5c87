//! Hostile text through the client's builders, drawn by the stand-in, which takes for markup whatever it can.
//!
//! Where a browser is installed, the page is parsed by it, too: what it finds in the page is what the markup says.

use std::collections::BTreeMap;
use std::process::Command;

use feishu::{Card, CollapsiblePanel, Column, ColumnSet, Line, Markdown, Message, Post, TagColor, Text};
use serde_json::{Value, json};

use crate::server::{Server, TOKEN};

const PAYLOADS: [&str; 69] = [
    "<at id=all></at>",
    "<at user_id=\"all\">everybody</at>",
    "<at id=ou_4d7a8f></at>",
    "<AT ID=ALL></AT>",
    "<at email=a@b.example></at>",
    "@all",
    "@_all",
    "@所有人",
    "＠all",
    "<person id='ou_1'></person>",
    "[click](http://evil.example)",
    "[click]( javascript:alert(1) )",
    "[x][y]\n\n[y]: http://evil.example",
    "![x](img_v2_EXAMPLE)",
    "<http://evil.example>",
    "<a@evil.example>",
    "http://evil.example/a?b=c#d",
    "HTTPS://EVIL.EXAMPLE",
    "www.evil.example",
    "evil.example",
    "evil．example",
    "evil｡example",
    "evil。com",
    "😀.ws",
    "i❤\u{fe0f}.ws",
    "👩\u{200d}💻.ws",
    "cafe\u{301}.com",
    "1\u{fe0f}\u{20e3}.ws",
    "😀。ws",
    "mailto:a@evil.example",
    "tel:110",
    "lark://client/open",
    "javascript:alert(1)",
    "data:text/html,x",
    "http：//evil.example",
    "<a href='http://evil.example'>x</a>",
    "<link url='http://evil.example'></link>",
    "**bold**",
    "__bold__",
    "*italic*",
    "_italic_",
    "~~gone~~",
    "`code`",
    "```\nblock\n```",
    "```js\n<at id=all></at>\n```",
    "# heading",
    "heading\n===",
    "heading\n---",
    "- list",
    "+ list",
    "1. list",
    "1) list",
    "> quote",
    "| a | b |\n|---|---|\n| c | d |",
    "---",
    "***",
    "    code",
    "\tcode",
    ":OK:",
    ":THUMBSUP:",
    "- [x] task",
    "<font color='red'>red</font>",
    "<text_tag color='red'>x</text_tag>",
    "<hr>",
    "<!-- -->",
    "<script>alert(1)</script>",
    "\"},{\"tag\":\"hr\"},{\"tag\":\"markdown\",\"content\":\"<at id=all></at>\"",
    "\\u003cat id=all\\u003e",
    "${title}",
];

/// Each makes another text of a payload.
const TWISTS: [fn(&str) -> String; 8] = [
    |text| text.to_owned(),
    |text| format!("a {text} b"),
    |text| format!("\n\n{text}\n\n{text}"),
    // Encoded, for whoever decodes.
    |text| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(':', "&#58;"),
    // With characters that cannot be seen, for whoever drops them.
    |text| text.chars().flat_map(|c| [c, '\u{200b}']).collect(),
    // Turned around.
    |text| format!("\u{202e}{text}\u{202c}\u{2066}{text}\u{2069}"),
    // Out of whatever it may stand in.
    |text| format!("```\n</at>**_`{text}`_**\n```\n{text}"),
    |text| format!("\\{text}\\\\{text}\u{feff}"),
];

fn hostile_strings() -> Vec<String> {
    TWISTS.iter().flat_map(|twist| PAYLOADS.iter().map(|payload| twist(payload))).collect()
}

/// The text in every place that takes one, cut in the middle where places are next to each other.
fn messages(text: &str) -> [Message; 3] {
    let mut half = text.len() / 2;
    while !text.is_char_boundary(half) {
        half -= 1;
    }
    let (first, second) = text.split_at(half);
    let url = "https://example.com/runbook".parse().expect("a URL");
    let markdown = Markdown::new(first).text(second).bold(text).code_block(text).link(text, &url).text(text);
    let card = Card::new(text)
        .subtitle(text)
        .tag(text, TagColor::Red)
        .markdown(text)
        .markdown(markdown)
        .columns(ColumnSet::new().column(Column::new(1).markdown(Markdown::new(text).small())))
        .panel(CollapsiblePanel::new(text).markdown(text));
    let post = Post::new(text).line(Line::new().text(first).text(second).link(text, &url));
    [Message::from(card).with_reference(text), post.into(), Text::new(first).text(second).into()]
}

/// The page below its head.
fn main_of(page: &str) -> &str {
    page.split_once("<main>").map_or(page, |(_, main)| main)
}

/// What acts on a page, counted by kind.
fn acts(page: &str) -> BTreeMap<String, usize> {
    let mut acts = BTreeMap::new();
    for rest in main_of(page).split("data-acts=\"").skip(1) {
        *acts.entry(rest.split('"').next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    acts
}

/// The text of a page, without what browsers do not show.
fn shown(page: &str) -> String {
    let mut text = String::new();
    for piece in main_of(page).split('<') {
        text.push_str(piece.split_once('>').map_or(piece, |(_, text)| text));
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
}

/// Whether all visible characters of a text are in what is shown, in their order.
fn is_shown(text: &str, shown: &str) -> bool {
    let is_visible = |c: &char| {
        c.is_ascii_graphic()
            || matches!(c, '\u{3000}'..='\u{ffef}') && !matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
    };
    let mut shown = shown.chars();
    text.chars().filter(is_visible).all(|c| shown.any(|other| other == c))
}

/// A page with these messages alone, without the rates, which are not the point here.
async fn page_of(server: &Server, bodies: &[Value]) -> String {
    server.admin("DELETE", "messages", &Value::Null).await;
    for body in bodies {
        assert_eq!(server.code(body).await, 0, "{body}");
        // The bot is made anew, and with it its windows.
        server.admin("DELETE", &format!("bots/{TOKEN}"), &Value::Null).await;
        server.admin("POST", "bots", &json!({ "token": TOKEN })).await;
    }
    server.page().await
}

fn bodies(text: &str) -> Vec<Value> {
    messages(text).iter().map(|message| message.render(None).expect("it fits").body().clone()).collect()
}

#[tokio::test]
async fn five_hundred_hostile_strings_are_nothing_but_text() {
    let server = Server::open().await;
    let strings = hostile_strings();
    assert!(strings.len() >= 500, "{}", strings.len());
    let harmless = acts(&page_of(&server, &bodies("harmless")).await);
    assert_eq!(
        harmless,
        BTreeMap::from([("bold".to_owned(), 1), ("block".to_owned(), 1), ("link".to_owned(), 2)])
    );
    let mut all = Vec::new();
    for text in &strings {
        let bodies = bodies(text);
        let page = page_of(&server, &bodies).await;
        assert_eq!(acts(&page), harmless, "{text:?} acts: {page}");
        assert!(is_shown(text, &shown(&page)), "{text:?} is not shown: {page}");
        all.extend(bodies);
    }
    let page = page_of(&server, &all).await;
    let expected = harmless.into_iter().map(|(act, times)| (act, times * strings.len())).collect();
    assert_eq!(acts(&page), expected);
    match browser(&page) {
        Some(parsed) => {
            assert_eq!(acts(&parsed), expected, "the browser reads the page as it was written");
            for element in ["<a ", "<img", "<script", "<iframe", "<font", "<at"] {
                assert!(!parsed.contains(element), "{element}");
            }
            println!("{} hostile strings, parsed by a browser: none acts", strings.len());
        }
        None => println!("SKIPPED: no chromium is installed, the page was not parsed by a browser"),
    }
}

/// The page as a real browser understands it.
fn browser(page: &str) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cards.html");
    std::fs::write(&file, page).expect("written");
    let output = ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|browser| {
        Command::new(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom"])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg(format!("file://{}", file.display()))
            .output()
            .ok()
    })?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test]
async fn a_domain_of_emoji_or_with_an_accent_of_its_own_is_a_link_without_the_client() {
    let server = Server::open().await;
    for domain in ["😀.ws", "i❤\u{fe0f}.ws", "👩\u{200d}💻.ws", "cafe\u{301}.com", "1\u{20e3}.ws", "😀。ws"]
    {
        let text = json!({ "msg_type": "text", "content": { "text": format!("see {domain} now") } });
        let page = page_of(&server, &[text]).await;
        assert_eq!(acts(&page), BTreeMap::from([("link".to_owned(), 1)]), "{domain:?}: {page}");
    }
}

#[tokio::test]
async fn the_same_strings_without_the_client_do_act() {
    let server = Server::open().await;
    let mut acting = 0;
    let strings = hostile_strings();
    for text in &strings {
        let card = json!({ "msg_type": "interactive", "card": {
            "schema": "2.0",
            "body": { "elements": [{ "tag": "markdown", "content": text }] },
        } });
        if !acts(&page_of(&server, &[card]).await).is_empty() {
            acting += 1;
        }
    }
    assert!(
        acting >= strings.len() * 3 / 4,
        "the page is not credulous: only {acting} of {} act",
        strings.len()
    );
}
