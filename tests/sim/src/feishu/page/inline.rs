//! What a credulous client sees in a piece of text: tags, links, mentions, and addresses that it would make into links.

use super::html::{Act, Html};

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
enum Part<'a> {
    Text(&'a str),
    Act(Act, &'a str),
}

const SCHEMES: [&str; 12] = [
    "http:",
    "https:",
    "ftp:",
    "ws:",
    "wss:",
    "file:",
    "mailto:",
    "tel:",
    "sms:",
    "javascript:",
    "data:",
    "lark:",
];

/// Draws text. Nobody knows how often a client decodes entities: if something shows only after another time, it is shown.
pub(super) fn draw(html: &mut Html, text: &str) {
    let decoded = decode(text);
    let text = if acts(text) == 0 && acts(&decoded) > 0 { &decoded } else { text };
    for part in parts(text) {
        match part {
            Part::Text(text) => html.text(text),
            Part::Act(act, text) => {
                html.act(act, text);
                html.text(text);
                html.end(act);
            }
        }
    }
}

fn acts(text: &str) -> usize {
    parts(text).iter().filter(|part| matches!(part, Part::Act(..))).count()
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, tag, after)) = next_tag(rest) {
        words(before, &mut parts);
        parts.push(Part::Act(act_of(tag), tag));
        rest = after;
    }
    words(rest, &mut parts);
    parts
}

/// `<name …>`, `</name>`, `<!…>`: what stands before, the tag, and the rest.
fn next_tag(text: &str) -> Option<(&str, &str, &str)> {
    for (start, open) in text.match_indices(['<', '＜']) {
        let inside = &text[start + open.len()..];
        if !inside.starts_with(|c: char| c.is_alphabetic() || matches!(c, '/' | '!' | '?')) {
            continue;
        }
        // Behind the last bracket that closes there is no tag, and no need to look for one at each that opens.
        let end = start + open.len() + inside.find(['>', '＞'])?;
        let end = end + text[end..].chars().next().map_or(0, char::len_utf8);
        return Some((&text[..start], &text[start..end], &text[end..]));
    }
    None
}

fn act_of(tag: &str) -> Act {
    let name: String = tag
        .chars()
        .skip(1)
        .skip_while(|c| *c == '/')
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .flat_map(char::to_lowercase)
        .collect();
    match name.as_str() {
        "at" | "person" => Act::Mention,
        "a" | "link" => Act::Link,
        "img" => Act::Image,
        _ => Act::Tag,
    }
}

/// Splits text at what cannot be in an address, and looks at each piece.
fn words<'a>(text: &'a str, parts: &mut Vec<Part<'a>>) {
    let is_outside = |c: char| {
        c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\'' | '(' | ')' | '[' | ']' | '{' | '}')
    };
    let mut shown = 0;
    let mut word = |start: usize, end: usize| {
        let piece = &text[start..end];
        let act = if is_mention(piece) && !is_link(piece) { Act::Mention } else { Act::Link };
        if is_link(piece) || is_mention(piece) {
            if shown < start {
                parts.push(Part::Text(&text[shown..start]));
            }
            parts.push(Part::Act(act, piece));
            shown = end;
        }
    };
    let mut start = None;
    for (at, c) in text.char_indices() {
        match (start, is_outside(c)) {
            (None, false) => start = Some(at),
            (Some(begin), true) => {
                word(begin, at);
                start = None;
            }
            _ => {}
        }
    }
    if let Some(begin) = start {
        word(begin, text.len());
    }
    if shown < text.len() {
        parts.push(Part::Text(&text[shown..]));
    }
}

/// Whether a client might make a link of it: `scheme:…`, `…://…`, `name.tld`, `a@b.tld`.
fn is_link(word: &str) -> bool {
    let word = word.replace('：', ":").to_lowercase();
    let has_scheme = SCHEMES.iter().any(|scheme| {
        word.match_indices(scheme).any(|(at, _)| {
            let before = word[..at].chars().next_back();
            let after = word[at + scheme.len()..].chars().next();
            before.is_none_or(|c| !c.is_alphanumeric())
                && after.is_some_and(|c| c.is_alphanumeric() || c == '/')
        })
    });
    has_scheme || word.contains("://") || has_domain(&word)
}

/// `name.tld`, with any of the dots that browsers take for one.
fn has_domain(word: &str) -> bool {
    word.char_indices().any(|(at, c)| {
        let name = word[..at].trim_end_matches(is_unseen_in_a_name);
        let Some(last) = name.chars().next_back() else { return false };
        let mut tld = word[at + c.len_utf8()..].chars();
        let (Some(first), Some(second)) = (tld.next(), tld.next()) else { return false };
        let is_tld = first.is_alphabetic() && second.is_alphanumeric();
        match c {
            '.' | '．' | '｡' => is_in_a_name(last) && is_tld,
            // Between Chinese sentences it is no dot.
            '。' => {
                let ends_a_sentence = last.is_alphanumeric() && !last.is_ascii();
                is_in_a_name(last) && !ends_a_sentence && is_tld && first.is_ascii() && second.is_ascii()
            }
            _ => false,
        }
    })
}

/// What may stand in the name of a domain: letters, their accents, emoji and all that may be one, but no punctuation.
fn is_in_a_name(c: char) -> bool {
    match c {
        // Combining marks for anything, and for symbols.
        '\u{300}'..='\u{36f}'
        | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' => true,
        // From the arrows to the dingbats, and all planes of emoji.
        '\u{2100}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' => true,
        c => c.is_alphanumeric(),
    }
}

/// Between the parts of an emoji, or behind it: which colour it has, and that it goes on.
fn is_unseen_in_a_name(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{200d}')
}

/// `@name`.
fn is_mention(word: &str) -> bool {
    let follows = |at: char| {
        word.match_indices(at).any(|(start, _)| {
            word[start + at.len_utf8()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
        })
    };
    follows('@') || follows('＠')
}

/// The entities that HTML, XML and Markdown share, once.
fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        // No entity is longer.
        let end = after.bytes().take(12).position(|byte| byte == b';');
        match end.and_then(|end| Some((entity(&after[..end])?, &after[end + 1..]))) {
            Some((c, behind)) => {
                out.push(c);
                rest = behind;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "colon" => Some(':'),
        "period" => Some('.'),
        "commat" => Some('@'),
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(number)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str) -> String {
        let mut html = Html::default();
        draw(&mut html, text);
        html.finish()
    }

    #[test]
    fn whatever_a_client_might_act_on_acts() {
        for (text, word) in [
            ("<at id=all></at>", "mention"),
            ("x <at user_id=\"all\">y", "mention"),
            ("@all", "mention"),
            ("see http://evil.example/x now", "link"),
            ("evil.example", "link"),
            ("a@evil.example", "link"),
            ("mailto:a", "link"),
            ("x:lark:abc", "link"),
            ("（evil．example）", "link"),
            ("evil。com", "link"),
            ("😀.ws", "link"),
            ("i❤.ws", "link"),
            ("i❤\u{fe0f}.ws", "link"),
            ("cafe\u{301}.com", "link"),
            ("1\u{20e3}.ws", "link"),
            ("👩\u{200d}💻｡ws", "link"),
            ("😀。ws", "link"),
            ("<a href=x>", "link"),
            ("<font color='red'>", "tag"),
            ("＜at id=all＞", "mention"),
            ("&lt;at id=all&gt;", "mention"),
            ("http&#58;//e.example", "link"),
        ] {
            assert!(drawn(text).contains(&format!("data-acts=\"{word}\"")), "{text}: {}", drawn(text));
        }
    }

    #[test]
    fn plain_words_do_not() {
        for text in [
            "12:30:45",
            "10.0.0.1:8080",
            "1 < 2",
            "a. b",
            "a && b",
            "失败。重试",
            "失败。Retry",
            "😀\u{2060}.ws",
            "😀.\u{2060}ws",
            "😀. ws",
            "“x”.then",
            "v1.2.3",
            "x <3",
            "e.g. this",
        ] {
            assert!(!drawn(text).contains("data-acts"), "{text}: {}", drawn(text));
        }
    }

    #[test]
    fn nothing_but_our_own_tags_is_html() {
        assert_eq!(drawn("1 < 2 & \"3\""), "1 &lt; 2 &amp; &quot;3&quot;");
        assert!(!drawn("<script>alert(1)</script>").contains("<script"));
    }
}
