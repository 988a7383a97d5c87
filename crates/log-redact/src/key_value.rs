//! `key = value` in its many spellings: where a key's value begins and ends.
//!
//! Comes in: a text and the place of a word such as `password` in it. Goes out: the key around the word and
//! its value, if there is one. What a key's name means is not decided here.

mod harmless;
mod insert;
mod list;
mod markup;
mod prose;
mod tie;
mod yaml;

use memchr::memchr;

use crate::alphabet::Alphabet;
use crate::placeholder;
pub(crate) use harmless::{is_a_measure, is_harmless, is_whole, looks_drawn};
pub(crate) use list::more_values;
use tie::is_drawn_word;

const LONGEST_KEY: usize = 64;
/// A longer value is found up to here.
pub(crate) const LONGEST_VALUE: usize = 4096;
const MOST_BLANKS: usize = 16;
const MOST_BLOCK_LINES: usize = 64;

/// How the key is tied to its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tie {
    /// `=`, `=>`, `:=` and the like.
    Equals,
    /// `:`, with or without blanks after it.
    Colon,
    /// `--password value`, `<password>value</password>`, `("password", "value")`, `name: password, value: x`.
    Structure,
    /// `password is value`.
    Prose,
}

/// A key and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) key: (usize, usize),
    pub(crate) value: (usize, usize),
    pub(crate) tie: Tie,
    pub(crate) quoted: bool,
    /// The value may go on where the line ends.
    pub(crate) open: bool,
}

/// The key around the word at `at..after`, and its value.
pub(crate) fn pair_around(text: &[u8], at: usize, after: usize) -> Option<Pair> {
    let key_start = Alphabet::IDENTIFIER.start_of_run(text, at, LONGEST_KEY);
    // Of `sig=`, `pass:` and a `pass` that a colour ends the key is what is before the sign.
    let sign = ["=", ":", "\"", "：", "\u{1b}"].iter().find(|sign| text[..after].ends_with(sign.as_bytes()));
    let after = after - sign.map_or(0, |sign| sign.len());
    let key_end = Alphabet::IDENTIFIER.end_of_run(text, after, LONGEST_KEY);
    let key = (key_start, key_end);
    if key_start.checked_sub(1).is_some_and(|open| placeholder::end_at(text, open).is_some()) {
        return None;
    }
    // Chinese needs no blank and no sign between a word and its value.
    let told = (!text[after - 1].is_ascii()).then(|| prose::chinese_length(&text[after..])).flatten();
    let (key, (tie, at)) = match told {
        Some(length) => ((key_start, after), (Tie::Colon, after + length)),
        None => (key, tie::after(text, key)?),
    };
    // The user of an address: what follows the colon is looked at with the address.
    if tie == Tie::Colon && text[..key_start].ends_with(b"://") {
        return None;
    }
    let value = value_at(text, key, tie, at)?;
    (value.value.0 < value.value.1 && placeholder::end_at(text, value.value.0).is_none()).then_some(value)
}

/// The second value of a change, as Terraform shows it: `password = "old" -> "new"`.
pub(crate) fn changed_to(text: &[u8], pair: &Pair) -> Option<(usize, usize)> {
    let rest = text.get(pair.value.1..).filter(|_| pair.quoted)?;
    let is_change = rest.starts_with(b"\" -> \"") || rest.starts_with(b"\" => \"");
    let at = pair.value.1 + is_change.then_some(6)?;
    let (end, is_closed) = quoted_end(text, at, b"\"", 0);
    (is_closed && at < end && placeholder::end_at(text, at).is_none()).then_some((at, end))
}

fn value_at(text: &[u8], key: (usize, usize), tie: Tie, tied: usize) -> Option<Pair> {
    let mut at = after_blanks(text, yaml::past_dump(text, tied));
    let pair = |value, quoted, open| Some(Pair { key, value, tie, quoted, open });
    if matches!(byte_at(text, at), None | Some(b'\r' | b'\n')) && tie != Tie::Prose {
        return below(text, key, at).and_then(|value| pair(value, false, false)).or_else(|| {
            let is_list = text[key.0..key.1].to_ascii_lowercase().ends_with(b"passwords");
            let item = list::next_line(text, at).filter(|_| is_list)?;
            pair(item, matches!(text[item.0 - 1], b'"' | b'\''), false)
        });
    }
    if tie == Tie::Colon {
        at = yaml::past_tag(text, at)?;
    }
    if let Some(value) = yaml::document(text, at) {
        return pair(value, false, false);
    }
    if let [b'|' | b'>', rest @ ..] = &text[at..] {
        let rest = rest.strip_prefix(b"-").or_else(|| rest.strip_prefix(b"+")).unwrap_or(rest);
        if matches!(rest, [b'\n', ..] | [b'\r', b'\n', ..]) {
            let line_end = memchr(b'\n', &text[at..])? + at;
            return below(text, key, line_end).and_then(|value| pair(value, false, false));
        }
    }
    at = past_wrapper(text, at);
    // b'..', u"..", L".."
    if let [b'b' | b'u' | b'L', b'"' | b'\'', ..] = text[at..] {
        at += 1;
    }
    // The only value of a list, as Go writes headers: `["x"]`, `[x]`.
    if byte_at(text, at) == Some(b'[') {
        if quote_at(text, at + 1).is_some() {
            at += 1;
        } else if let Some(length) = drawn_in_brackets(&text[at + 1..]) {
            return pair((at + 1, at + 1 + length), false, false);
        }
    }
    if let Some((open, escapes)) = quote_at(text, at) {
        let begin = at + escapes + open.len();
        let (end, closed) = quoted_end(text, begin, open, escapes);
        return pair((begin, end), true, !closed);
    }
    let end = bare_end(text, at, tie);
    pair((at, end), false, matches!(byte_at(text, end), None | Some(b'\r' | b'\n' | b'\\')))
}

/// Past what programs put around a value: `Some("x")`, `SecretStr('x')`, XML's `<![CDATA[x]]>`, and OTLP's
/// `{"stringValue":"x"}`.
fn past_wrapper(text: &[u8], at: usize) -> usize {
    const NAMES: [&[u8]; 8] =
        [b"Some", b"Just", b"Secret", b"SecretStr", b"SecretString", b"String", b"Password", b"str"];
    const OPEN: [&[u8]; 7] = [
        b"<![CDATA[",
        b"{\"value\":",
        b"{ \"value\":",
        b"{\"Value\":",
        b"{\"stringValue\":",
        b"{\"string_value\":",
        b"{string_value:",
    ];
    let rest = text.get(at..).unwrap_or_default();
    if let Some(open) = OPEN.iter().find(|open| rest.starts_with(open)) {
        return after_blanks(text, at + open.len());
    }
    let name = Alphabet::ALNUM.end_of_run(rest, 0, MOST_BLANKS);
    let is_one = NAMES.contains(&&rest[..name]) && rest.get(name) == Some(&b'(');
    if is_one && quote_at(text, at + name + 1).is_some() { at + name + 1 } else { at }
}

/// The length of a word that a bracket ends and that looks drawn.
fn drawn_in_brackets(text: &[u8]) -> Option<usize> {
    let length = Alphabet::IDENTIFIER.end_of_run(text, 0, LONGEST_VALUE);
    (text.get(length) == Some(&b']') && looks_drawn(&text[..length])).then_some(length)
}

/// The quote at `at`, and the backslashes before it.
fn quote_at(text: &[u8], at: usize) -> Option<(&'static [u8], usize)> {
    let rest = text.get(at..)?;
    let escapes = rest.iter().take(MOST_BLANKS).take_while(|byte| **byte == b'\\').count();
    const QUOTES: [&[u8]; 7] =
        [b"\"", b"'", b"`", b"&quot;", b"&#34;", "\u{201c}".as_bytes(), "\u{300c}".as_bytes()];
    QUOTES.into_iter().find(|quote| rest[escapes..].starts_with(quote)).map(|quote| (quote, escapes))
}

/// Where a quoted value ends, and whether its closing quote is there.
pub(crate) fn quoted_end(text: &[u8], begin: usize, open: &[u8], escapes: usize) -> (usize, bool) {
    let close = match open {
        [0xe2, ..] => "\u{201d}".as_bytes(),
        [0xe3, ..] => "\u{300d}".as_bytes(),
        _ => open,
    };
    let limit = text.len().min(begin + LONGEST_VALUE);
    let mut at = begin;
    let mut backslashes = 0;
    while at < limit {
        let byte = text[at];
        if byte == b'\n' {
            return (at - usize::from(at > begin && text[at - 1] == b'\r'), false);
        }
        // Deeper inside the same string, a quote has more backslashes before it.
        if text[at..].starts_with(close) && backslashes <= escapes {
            return (at - backslashes, true);
        }
        backslashes = if byte == b'\\' { backslashes + 1 } else { 0 };
        if backslashes > escapes && escapes == 0 {
            // `\"` and `\\` of a plain string are two bytes of its value.
            at += 1;
            backslashes = 0;
            if byte_at(text, at) == Some(b'\n') {
                continue;
            }
        }
        at += 1;
    }
    (limit, false)
}

/// Where a value without quotes ends.
pub(crate) fn bare_end(text: &[u8], begin: usize, tie: Tie) -> usize {
    let limit = text.len().min(begin + LONGEST_VALUE);
    let mut at = begin;
    while at < limit {
        match text[at] {
            0..=b' ' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | b'|' | 0x7f => break,
            // Letters of European languages are part of it; Chinese text goes on without a blank.
            0xcc.. => break,
            b'&' if begins_a_parameter(text, at + 1) => break,
            b',' | b';' if ends_a_list_item(text, at + 1) => break,
            b')' | b']' | b'}' if closes(text, at + 1) => break,
            _ => at += 1,
        }
    }
    // The full stop of a sentence.
    let stop = matches!(tie, Tie::Prose | Tie::Colon) && at > begin + 1 && text[at - 1] == b'.';
    at - usize::from(stop)
}

/// After an ampersand: whether another parameter of a query begins, an XML entity, or nothing more.
fn begins_a_parameter(text: &[u8], at: usize) -> bool {
    let end = Alphabet::IDENTIFIER.end_of_run(text, at, LONGEST_KEY);
    match byte_at(text, end) {
        Some(b'=' | b'[' | b'%' | b'&' | b';') => true,
        Some(b' ' | b'"' | b'\'' | b'\n' | b'\r' | b'#') | None => {
            end == at || text[at..end].iter().all(u8::is_ascii_alphabetic)
        }
        _ => false,
    }
}

/// After a comma or semicolon inside a bare value: whether another item of a list begins.
fn ends_a_list_item(text: &[u8], at: usize) -> bool {
    match byte_at(text, at) {
        None => true,
        Some(byte) if !Alphabet::IDENTIFIER.has(byte) => {
            !matches!(byte, b'!' | b'#'..=b'%' | b'*' | b'+' | b'/' | b'@' | b'^')
        }
        Some(_) => {
            let end = Alphabet::IDENTIFIER.end_of_run(text, at, LONGEST_KEY);
            let end = if byte_at(text, end) == Some(b' ') { after_blanks(text, end) } else { end };
            // `Password=x;User Id=y` and `{password=x,user=y}`
            matches!(byte_at(text, end), Some(b'=' | b':'))
                || text[at..].starts_with(b"User ")
                || text[at..].starts_with(b"Initial ")
        }
    }
}

fn closes(text: &[u8], at: usize) -> bool {
    !byte_at(text, at).is_some_and(|next| {
        Alphabet::ALNUM.has(next) || matches!(next, b'!' | b'#'..=b'%' | b'*' | b'+' | b'@' | b'^')
    })
}

/// A value on the lines below its key, further in than the key: YAML's block and folded scalars, or a
/// value that had no room on the line.
fn below(text: &[u8], (key_start, _): (usize, usize), line_end: usize) -> Option<(usize, usize)> {
    let line_start = memchr::memrchr(b'\n', &text[..key_start]).map_or(0, |at| at + 1);
    let lead = &text[line_start..key_start];
    if lead.iter().any(|byte| !matches!(byte, b' ' | b'\t' | b'-' | b'"' | b'\'')) {
        return None;
    }
    let indent = lead.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let mut at = line_end + memchr(b'\n', text.get(line_end..)?)? + 1;
    let begin = at;
    let mut end = None;
    for _ in 0..MOST_BLOCK_LINES {
        let line = text.get(at..).filter(|line| !line.is_empty() && at - begin < LONGEST_VALUE)?;
        let length = memchr(b'\n', line).unwrap_or(line.len()).min(LONGEST_VALUE);
        let from_content = line[..length].trim_ascii_start();
        let content = from_content.trim_ascii_end();
        let inner = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let is_pair = content.starts_with(b"- ")
            || memchr::memmem::find(content, b": ").is_some()
            || content.ends_with(b":");
        if inner <= indent || content.is_empty() || is_pair || placeholder::end_at(content, 0).is_some() {
            break;
        }
        // Other white space may stand before it than what indents it.
        end = Some(at + (length - from_content.len()) + content.len());
        at += length + 1;
        if at >= text.len() {
            break;
        }
    }
    let start = begin + text.get(begin..)?.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let end = end?;
    let quote = matches!(text[start], b'"' | b'\'');
    let comma = usize::from(quote && text[end - 1] == b',');
    let inside = quote && end - comma > start + 1 && text[end - comma - 1] == text[start];
    Some(if inside { (start + 1, end - comma - 1) } else { (start, end) })
}

/// Past the backslashes and the quote at `at`, if there is one.
fn after_quote(text: &[u8], at: usize) -> usize {
    quote_at(text, at).map_or(at, |(quote, escapes)| at + escapes + quote.len())
}

/// Past blanks and a terminal's colour codes.
fn after_blanks(text: &[u8], at: usize) -> usize {
    let mut at = at;
    for _ in 0..MOST_BLANKS {
        let rest = text.get(at..).unwrap_or_default();
        at += match rest {
            [b' ' | b'\t', ..] => 1,
            [0x1b, b'[', rest @ ..] => {
                let numbers = rest
                    .iter()
                    .take(MOST_BLANKS)
                    .take_while(|byte| matches!(byte, b'0'..=b'9' | b';'))
                    .count();
                if rest.get(numbers) != Some(&b'm') {
                    break;
                }
                numbers + 3
            }
            _ => break,
        };
    }
    at
}

fn byte_at(text: &[u8], at: usize) -> Option<u8> {
    text.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<&str> {
        let (word, length) =
            text.find("password").map(|at| (at, 8)).or_else(|| text.find("密码").map(|at| (at, 6)))?;
        let pair = pair_around(text.as_bytes(), word, word + length)?;
        Some(&text[pair.value.0..pair.value.1])
    }

    #[test]
    fn the_usual_spellings() {
        for text in [
            "password=s3cr3t",
            "db_password : s3cr3t next",
            "{\"password\":\"s3cr3t\"}",
            "{'password': 's3cr3t', 'b': 1}",
            r#"{\"password\":\"s3cr3t\"}"#,
            r#"{\\\"password\\\":\\\"s3cr3t\\\"}"#,
            "?a=b&password=s3cr3t&c=d",
            "<password>s3cr3t</password>",
            "tool --password s3cr3t run",
            "tool --password=s3cr3t run",
            "{:password=>\"s3cr3t\"}",
            "Server=db;password=s3cr3t;User Id=me",
            "{password=s3cr3t, user=me}",
            "('password', 's3cr3t')",
            "{\"name\":\"X_password\",\"value\":\"s3cr3t\"}",
            "- name: X_password\n  value: s3cr3t\n",
            "<add key=\"password\" value=\"s3cr3t\"/>",
            "密码：s3cr3t，请",
            "密码是s3cr3t",
            "password: |\n  s3cr3t\nnext: 1\n",
            "password:\n  s3cr3t\n",
            "  password:\n    's3cr3t'\n",
            "the password is s3cr3t.",
            "$_GET['password'] = 's3cr3t'",
        ] {
            assert_eq!(value(text), Some("s3cr3t"), "{text}");
        }
    }

    #[test]
    fn values_with_separators_in_them() {
        assert_eq!(value("password=a,b!c"), Some("a,b!c"));
        assert_eq!(value(r#""password":"a\"b""#), Some(r#"a\"b"#));
        assert_eq!(value(r#"{\"password\":\"a\\\"b\"}"#), Some(r#"a\\\"b"#));
        assert_eq!(value("password=\"two words\""), Some("two words"));
    }

    #[test]
    fn no_value() {
        for text in
            ["Failed password for root", "password::Hash", "password", "password=", "password: \nnext: x"]
        {
            assert_eq!(value(text), None, "{text}");
        }
        assert_eq!(value("password=<password:ABCDEFGH>"), None);
    }
}
