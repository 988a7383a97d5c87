//! What a person would read on a page of HTML: gateways and proxies answer with one instead of the service. (The same file
//! in `llm-client` and `loki-client`, which share no code.)

/// What is not shown of a page: elements up to their end.
const UNSEEN: [&str; 2] = ["style", "script"];
/// Of a character that is written by name or number, with its semicolon.
const LONGEST_NAME: usize = 10;

/// Whether the text is a page, or other XML, and no words.
pub(crate) fn is_page(text: &str) -> bool {
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    start.strip_prefix('<').is_some_and(begins_tag)
}

/// What stands between the tags, without styles, scripts and comments: of a head only the title is left, which often has
/// the only words. White space is left as it is: what is looked for in the text may have some.
pub(crate) fn text(page: &str) -> String {
    // As long as the page: a place in one is the same place in the other.
    let lower = page.to_ascii_lowercase();
    let mut text = String::new();
    let mut at = 0;
    while let Some(tag) = page[at..].find('<').map(|found| at + found) {
        text.push_str(&page[at..tag]);
        if begins_tag(&page[tag + 1..]) {
            text.push(' ');
            // Without an end it reaches to that of the page, which may have been cut.
            at = end(&lower, tag).unwrap_or(page.len());
        } else {
            text.push('<');
            at = tag + 1;
        }
    }
    text.push_str(&page[at..]);
    with_characters(&text)
}

/// A `<` before anything else is only a sign.
fn begins_tag(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'))
}

/// Where the tag ends that begins at a place, or, of what is not shown, the end tag.
fn end(lower: &str, tag: usize) -> Option<usize> {
    let inside = &lower[tag + 1..];
    if inside.starts_with("!--") {
        // `<!-->` is one, too.
        return behind(lower, tag + 2, "-->");
    }
    let is_name = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
    let unseen = UNSEEN.iter().find(|name| inside.strip_prefix(**name).is_some_and(is_name));
    let from = match unseen {
        Some(name) => behind(lower, tag, &format!("</{name}"))?,
        None => tag,
    };
    behind(lower, from, ">")
}

fn behind(lower: &str, from: usize, what: &str) -> Option<usize> {
    lower[from..].find(what).map(|found| from + found + what.len())
}

/// With what is written as `&lt;` or `&#60;`.
fn with_characters(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (c, left) = character(after).unwrap_or(('&', after));
        out.push(c);
        rest = left;
    }
    out.push_str(rest);
    out
}

/// The character of which the name or number stands here, and what comes behind it.
fn character(after: &str) -> Option<(char, &str)> {
    let end = after.bytes().take(LONGEST_NAME).position(|byte| byte == b';')?;
    let (name, left) = (&after[..end], &after[end + 1..]);
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some((c, left))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(page: &str) -> String {
        text(page).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_page_is_what_a_person_reads_on_it() {
        for (page, expected) in [
            (
                "<html><head><title>502 Bad Gateway</title></head>\n<body><hr>nginx</body></html>",
                "502 Bad Gateway nginx",
            ),
            ("<STYLE type=\"text/css\">a > b { color: red }</Style >seen", "seen"),
            ("<script>if (a < b) { alert('</p>') }</script><p>seen</p>", "seen"),
            ("<!-- <p>not this</p> --><!-->seen<!---->", "seen"),
            (
                "<!DOCTYPE html><?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>",
                "AccessDenied",
            ),
            ("<styled-text>seen</styled-text><scripts>too</scripts>", "seen too"),
            (
                "<p>1 < 2 &lt; 3 &amp; &quot;&#39;&#x4e2d;&nbsp;&unknown; & &#xd800; &;</p>",
                "1 < 2 < 3 & \"'中 &unknown; & &#xd800; &;",
            ),
            ("<p>&lt;b&gt;</p>", "<b>"),
            // Cut anywhere.
            ("seen<style>a { color", "seen"),
            ("seen<style>a</style", "seen"),
            ("seen<!-- and", "seen"),
            ("seen<p class=\"", "seen"),
            ("seen<", "seen<"),
            ("seen&l", "seen&l"),
        ] {
            assert_eq!(words(page), expected, "{page}");
        }
    }

    #[test]
    fn what_begins_with_a_tag_is_a_page() {
        for page in ["<html>", " \n<!DOCTYPE html>", "\u{feff}<?xml?>", "<p>"] {
            assert!(is_page(page), "{page}");
        }
        for words in ["", "<", "< 5", "<5 bytes", "parse error at <html>", "{}"] {
            assert!(!is_page(words), "{words}");
        }
    }

    #[test]
    fn a_page_of_nothing_but_beginnings_costs_no_time() {
        for beginning in ["<", "<style>", "<!--", "<a ", "&"] {
            assert!(text(&beginning.repeat(1 << 18)).len() <= beginning.len() << 18);
        }
    }
}
