//! What the card's JSON and the text message may not hold, whatever the text. How Feishu would draw it is tested with the
//! stand-in, which draws cards.

use feishu::{Card, CollapsiblePanel, Column, ColumnSet, Line, Markdown, Message, Post, TagColor, Text};
use proptest::prelude::*;
use serde_json::Value;

/// Text made of what is dangerous, in any order.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<at id=all></at>",
        "<at user_id=\"all\">x</at>",
        "<",
        ">",
        "at",
        "[x](http://evil.example)",
        "[",
        "](",
        ")",
        "http",
        "://",
        "evil",
        ".",
        "example",
        "www.",
        "a@b.example",
        "@all",
        "**",
        "__",
        "~~",
        "`",
        "```",
        "\n",
        "# ",
        "- ",
        "1. ",
        "> ",
        "| a |\n|---|\n",
        "![x](img_v2_EXAMPLE)",
        ":OK:",
        "&lt;",
        "&#60;",
        "<font color='red'>",
        "\u{202e}",
        "\u{200b}",
        "\u{2060}",
        "\u{feff}",
        "\\",
        "\"},{\"tag\":\"hr\"}",
        "${x}",
        "    ",
        "\t",
        "长",
        "😀.ws",
        "cafe\u{301}.com",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| strings(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}

fn strings_of(message: &Message) -> Vec<String> {
    let mut found = Vec::new();
    strings(message.render(None).expect("it fits").body(), &mut found);
    found
}

fn is_harmless(text: &str) -> bool {
    let lower = text.to_lowercase();
    !["<at", "</at", "<a", "<font", "http://", "://", "evil.ex", "www.e", "😀.w", "\u{301}.c", "@b", "@all"]
        .iter()
        .any(|bad| lower.contains(bad))
        && !text
            .chars()
            .any(|c| c != '\n' && (c.is_control() || matches!(c, '\u{200b}' | '\u{202e}' | '\u{feff}')))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_string_of_a_message_holds_a_tag_a_link_or_what_cannot_be_seen(a in hostile(), b in hostile()) {
        let card = Card::new(a.clone())
            .subtitle(b.clone())
            .tag(a.clone(), TagColor::Red)
            .markdown(Markdown::new(a.clone()).text(b.clone()).bold(a.clone()).code_block(b.clone()))
            .columns(ColumnSet::new().column(Column::new(1).markdown(a.clone())))
            .panel(CollapsiblePanel::new(b.clone()).markdown(a.clone()));
        let messages: [Message; 3] = [
            card.into(),
            Text::new(a.clone()).text(b.clone()).into(),
            Post::new(a.clone()).line(Line::new().text(a.clone()).text(b.clone())).into(),
        ];
        for message in messages {
            for text in strings_of(&message.with_reference(format!("{a}{b}"))) {
                prop_assert!(is_harmless(&text), "{text:?}");
            }
        }
    }

    #[test]
    fn no_markup_character_stands_bare_in_markdown(text in hostile()) {
        let message = Message::from(Card::new("t").markdown(text));
        let body = message.render(None).expect("it fits").body().clone();
        let content = body["card"]["body"]["elements"][0]["content"].as_str().unwrap_or_default();
        let bare = content.replace("&#", "");
        prop_assert!(!bare.contains(['<', '>', '*', '_', '~', '`', '[', ']', '|', '\\', '$', '&', ':', '!']), "{content:?}");
        for line in content.lines() {
            prop_assert!(!line.starts_with([' ', '-', '+', '=', '#']), "{line:?}");
        }
    }
}

#[test]
fn what_is_meant_as_markup_is_markup() {
    let url = "https://example.com/a(b)".parse().expect("a URL");
    let markdown =
        Markdown::new("a").bold("b*").link("c]", &url).mention(feishu::Mention::All).trusted("<hr>");
    let found = strings_of(&Card::new("t").markdown(markdown).into());
    let expected = "a**\u{2060}b&#42;\u{2060}**[c&#93;](https://example.com/a%28b%29)<at id=all></at><hr>";
    assert!(found.iter().any(|text| text == expected), "{found:?}");
}

#[test]
fn a_link_with_another_scheme_stays_text() {
    let url = "javascript:alert(1)".parse().expect("a URL");
    let found = strings_of(&Card::new("t").markdown(Markdown::default().link("x", &url)).into());
    assert!(found.iter().any(|text| text == "x (javascript&#58;\u{2060}alert(1))"), "{found:?}");
}
