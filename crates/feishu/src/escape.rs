//! Makes text from outside stay text, whatever is in it.
//!
//! A log line may hold `<at id=all></at>`, a link, half a card, or characters that turn the line around. Nobody outside
//! knows in which order Feishu and its clients decode entities, read tags and look for links, so each layer here is
//! enough by itself: characters that cannot be seen are spelled out ([`visible`]); what begins a tag, a mention, a link
//! or an entity is broken by a word joiner, which survives any decoding ([`defuse`]); and all that is markup in the
//! card's Markdown becomes the entity that Feishu's page on rich text prescribes ([`markdown`]).

use std::fmt::Write as _;

/// U+2060 WORD JOINER: no width, no line break, part of no link, tag or mention. It only ever comes from here, because
/// [`visible`] spells out those of others.
pub(crate) const JOINER: char = '\u{2060}';

/// What gives a colon the power to begin a link without `//`.
const SCHEMES: [&str; 14] = [
    "mailto",
    "tel",
    "sms",
    "javascript",
    "vbscript",
    "data",
    "lark",
    "feishu",
    "file",
    "http",
    "https",
    "ftp",
    "ws",
    "wss",
];

/// Spells out control characters, bidirectional controls and everything else without a shape of its own, as
/// `\u{202e}`. Line feeds stay, carriage returns before them and emoji variation selectors go, a tab becomes a space.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\n' => out.push(c),
            '\t' => out.push(' '),
            '\r' if characters.peek() == Some(&'\n') => {}
            // They choose between two drawings of the character before; a text is as readable without.
            '\u{fe0e}' | '\u{fe0f}' => {}
            c if is_invisible(c) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Control characters, line and paragraph separators, and Unicode's `Default_Ignorable_Code_Point`.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// [`visible`], and nothing in it is a tag, a mention, an emoji's name, an entity or an address that a client would turn
/// into a link.
pub(crate) fn defuse(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len());
    let mut before: Option<char> = None;
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        out.push(c);
        let after = characters.peek().map(|(_, c)| *c);
        let rest = &text[at + c.len_utf8()..];
        if before_tag(c, after)
            || before_mention(c, after)
            || in_domain(before, c, after)
            || ends_scheme(&text, at, c)
            || begins_emoji(c, rest)
            || begins_entity(c, rest)
        {
            out.push(JOINER);
        }
        before = Some(c);
    }
    out
}

/// `<at`, `</a`, `<!--`.
fn before_tag(c: char, after: Option<char>) -> bool {
    matches!(c, '<' | '＜') && after.is_some_and(|c| c.is_alphabetic() || matches!(c, '/' | '!' | '?'))
}

/// `@all`, `@_user_1`, and the middle of an address of mail.
fn before_mention(c: char, after: Option<char>) -> bool {
    matches!(c, '@' | '＠') && after.is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// The dot of `evil.example`, also as the full stops that browsers take for one.
fn in_domain(before: Option<char>, c: char, after: Option<char>) -> bool {
    // Names are not only letters: there are domains of emoji (`i❤.ws`), and a letter may end in its accent.
    let is_foreign = |c: char| !c.is_ascii() && !c.is_whitespace();
    let begins_label = |c: char| c.is_ascii_alphabetic() || is_foreign(c);
    let ends_label = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ']') || is_foreign(c);
    before.is_some_and(ends_label)
        && match c {
            '.' | '．' | '｡' => after.is_some_and(begins_label),
            // In Chinese it is a full stop between any two sentences.
            '。' => after.is_some_and(|c| c.is_ascii_alphabetic()),
            _ => false,
        }
}

/// `://` after anything, and the colon of `mailto:` and its like.
fn ends_scheme(text: &str, at: usize, c: char) -> bool {
    if !matches!(c, ':' | '：') {
        return false;
    }
    if text[at + c.len_utf8()..].starts_with("//") {
        return true;
    }
    let word = text[..at].rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(word))
}

/// `:OK:`.
fn begins_emoji(c: char, rest: &str) -> bool {
    c == ':' && rest.starts_with(|c: char| c.is_ascii_alphabetic()) && name_before(rest, b':')
}

/// `&lt;` and `&#60;`, for whoever decodes what need not be decoded.
fn begins_entity(c: char, rest: &str) -> bool {
    c == '&' && name_before(rest.strip_prefix('#').unwrap_or(rest), b';')
}

/// Whether a name stands at the start, and then this. No name is longer than 40 bytes.
fn name_before(text: &str, end: u8) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let length = text.bytes().take(40).take_while(is_name).count();
    length > 0 && text.as_bytes().get(length) == Some(&end)
}

/// [`defuse`], for the `content` of a card's Markdown.
pub(crate) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    for (number, line) in defuse(text).split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        markdown_line(line, &mut out);
    }
    out
}

fn markdown_line(line: &str, out: &mut String) {
    let rest = line.trim_start_matches(' ');
    // Four of them would begin a code block.
    out.extend(std::iter::repeat_n('\u{a0}', line.len() - rest.len()));
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    for (at, c) in rest.char_indices() {
        // Lists and underlined headings exist at the start of a line only.
        let begins_block = at == 0 && matches!(c, '-' | '+' | '=') || at == digits && matches!(c, '.' | ')');
        let is_markup = matches!(
            c,
            '&' | '<' | '>' | '*' | '_' | '~' | '`' | '#' | '[' | ']' | '!' | '|' | '\\' | '$' | ':'
        );
        if begins_block || is_markup {
            let _ = write!(out, "&#{};", u32::from(c));
        } else {
            out.push(c);
        }
    }
}

/// [`defuse`], for the inside of a fenced block, where nothing is decoded: no three backticks stand together, so that
/// no line can close it.
pub(crate) fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = 0;
    for c in defuse(text).chars() {
        run = if c == '`' { run + 1 } else { 0 };
        if run > 2 {
            out.push(JOINER);
            run = 1;
        }
        out.push(c);
    }
    out
}

/// The same on one line.
pub(crate) fn one_line(text: &str) -> String {
    text.split(['\n', '\r']).map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_spelled_out() {
        assert_eq!(visible("a\u{202e}b\u{200b}c\u{1b}[0m"), "a\\u{202e}b\\u{200b}c\\u{1b}[0m");
        assert_eq!(visible("a\r\nb\rc\td⚠\u{fe0f}"), "a\nb\\u{d}c d⚠");
        assert_eq!(visible("正常 text, עברית"), "正常 text, עברית");
    }

    #[test]
    fn links_tags_and_mentions_are_broken_and_read_as_before() {
        for (text, defused) in [
            ("http://evil.example/x", "http:|//evil.|example/x"),
            ("<at user_id=\"all\">", "<|at user_id=\"all\">"),
            ("</at>", "<|/at>"),
            ("@all @_all a@b", "@|all @|_all a@|b"),
            ("MAILTO:a", "MAILTO:|a"),
            ("evil。com 失败。重试", "evil。|com 失败。重试"),
            (
                "😀.ws i❤\u{fe0f}.ws cafe\u{301}.com 1\u{20e3}.ws",
                "😀.|ws i❤.|ws cafe\u{301}.|com 1\u{20e3}.|ws",
            ),
            ("a.😀.ws é．com 😀｡ws 😀。ws", "a.|😀.|ws é．|com 😀｡|ws 😀。|ws"),
            (":OK: a&lt;b &#60; a && b; c", ":|OK: a&|lt;b &|#60; a && b; c"),
            ("10.0.0.1:8080 12:30:45 1 < 2", "10.0.0.1:8080 12:30:45 1 < 2"),
        ] {
            assert_eq!(defuse(text).replace(JOINER, "|"), defused);
        }
    }

    #[test]
    fn markdown_becomes_entities_only_where_it_is_markup() {
        assert_eq!(markdown("**a** [x](y)"), "&#42;&#42;a&#42;&#42; &#91;x&#93;(y)");
        assert_eq!(
            markdown("- a\n1. b\n    c\na - b = 1.5"),
            "&#45; a\n1&#46; b\n\u{a0}\u{a0}\u{a0}\u{a0}c\na - b = 1.5"
        );
        assert_eq!(markdown("&lt;"), format!("&#38;{JOINER}lt;"));
    }

    #[test]
    fn no_fence_can_be_closed_from_inside() {
        assert!(!code("``` ````` \n```").contains("```"));
        assert_eq!(code("``"), "``");
    }
}
