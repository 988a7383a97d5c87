//! Markdown of a card, drawn. What Feishu adds to Markdown (mentions, colours, emoji by name) is drawn, too.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd, TextMergeStream};

use super::html::{Act, Html};
use super::inline;

/// Stand for the colons of `:NAME:` in what the Markdown parser sees: an entity for a colon is none to Feishu.
const EMOJI: (char, char) = ('\u{e000}', '\u{e001}');

pub(super) fn draw(html: &mut Html, content: &str) {
    let content = mark_emoji(content);
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    // Every line feed is a new line to Feishu, and a line may begin with any number of spaces that count.
    for event in TextMergeStream::new(Parser::new_ext(&content, options)) {
        match event {
            Event::Start(tag) => start(html, &tag),
            Event::End(tag) => end(html, tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => draw_text(html, &text),
            Event::Code(text) => {
                html.act(Act::Code, "");
                draw_text(html, &text);
                html.end(Act::Code);
            }
            Event::SoftBreak | Event::HardBreak => html.raw("<br>"),
            Event::Rule => html.act(Act::Rule, ""),
            Event::TaskListMarker(_)
            | Event::FootnoteReference(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => {
                html.act(Act::Tag, "");
                html.end(Act::Tag);
            }
        }
    }
}

/// `:NAME:` to marks around the name.
fn mark_emoji(content: &str) -> String {
    let mut out = String::with_capacity(content.len());
    let mut rest = content;
    while let Some((before, after)) = rest.split_once(':') {
        out.push_str(before);
        let length =
            after.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').take(40).count();
        let name = &after[..length];
        if name.starts_with(|c: char| c.is_ascii_alphabetic()) && after[length..].starts_with(':') {
            out.push(EMOJI.0);
            out.push_str(name);
            out.push(EMOJI.1);
            rest = &after[length + 1..];
        } else {
            out.push(':');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

fn draw_text(html: &mut Html, text: &str) {
    let mut rest = text;
    while let Some((before, name, after)) = next_emoji(rest) {
        inline::draw(html, before);
        html.act(Act::Emoji, name);
        html.text(name);
        html.end(Act::Emoji);
        rest = after;
    }
    inline::draw(html, rest);
}

fn next_emoji(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once(EMOJI.0)?;
    let (name, after) = rest.split_once(EMOJI.1)?;
    Some((before, name, after))
}

fn act_of(tag: &TagEnd) -> Option<Act> {
    Some(match tag {
        TagEnd::Paragraph | TagEnd::HtmlBlock => return None,
        TagEnd::Heading(_) => Act::Heading,
        TagEnd::BlockQuote(_) => Act::Quote,
        TagEnd::CodeBlock => Act::Block,
        TagEnd::List(_) => Act::List,
        TagEnd::Table => Act::Table,
        TagEnd::Emphasis => Act::Italic,
        TagEnd::Strong => Act::Bold,
        TagEnd::Strikethrough => Act::Strike,
        TagEnd::Link => Act::Link,
        TagEnd::Image => Act::Image,
        // Their container acts already.
        TagEnd::Item | TagEnd::TableHead | TagEnd::TableRow | TagEnd::TableCell => return None,
        _ => Act::Tag,
    })
}

fn start(html: &mut Html, tag: &Tag<'_>) {
    let target = match tag {
        Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => dest_url.as_ref(),
        Tag::CodeBlock(CodeBlockKind::Fenced(language)) => language.as_ref(),
        _ => "",
    };
    if let Some(act) = act_of(&tag.to_end()) {
        html.act(act, target);
    }
    match tag {
        Tag::Paragraph => html.raw("<p>"),
        Tag::Item => html.raw("<li>"),
        Tag::TableHead => html.raw("<thead><tr>"),
        Tag::TableRow => html.raw("<tr>"),
        Tag::TableCell => html.raw("<td>"),
        _ => {}
    }
}

fn end(html: &mut Html, tag: TagEnd) {
    match tag {
        TagEnd::Paragraph => html.raw("</p>"),
        TagEnd::Item => html.raw("</li>"),
        TagEnd::TableHead => html.raw("</tr></thead>"),
        TagEnd::TableRow => html.raw("</tr>"),
        TagEnd::TableCell => html.raw("</td>"),
        _ => {}
    }
    if let Some(act) = act_of(&tag) {
        html.end(act);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(content: &str) -> String {
        let mut html = Html::default();
        draw(&mut html, content);
        html.finish()
    }

    #[test]
    fn markup_is_drawn() {
        for (content, word) in [
            ("**a**", "bold"),
            ("*a*", "italic"),
            ("~~a~~", "strike"),
            ("`a`", "code"),
            ("```\na\n```", "block"),
            ("    a", "block"),
            ("# a", "heading"),
            ("a\n===", "heading"),
            ("- a", "list"),
            ("1. a", "list"),
            ("> a", "quote"),
            ("---", "rule"),
            ("[x](y)", "link"),
            ("![x](img_v2_EXAMPLE)", "image"),
            ("<at id=all></at>", "mention"),
            ("<font color='red'>a</font>", "tag"),
            ("<div>\n\nhttp://e.example", "link"),
            (":OK:", "emoji"),
            ("| a | b |\n|---|---|\n| c | d |", "table"),
        ] {
            assert!(
                drawn(content).contains(&format!("data-acts=\"{word}\"")),
                "{content}: {}",
                drawn(content)
            );
        }
    }

    #[test]
    fn entities_are_text() {
        assert_eq!(drawn("&#42;&#42;a&#42;&#42; &#58;OK&#58; 1 &#60; 2"), "<p>**a** :OK: 1 &lt; 2</p>");
        assert_eq!(drawn("a\nb"), "<p>a<br>b</p>");
    }
}
