//! What ties a key to its value: a sign, a flag's blank, the words of a sentence, the next field of a structure.

use memchr::memchr;

use crate::alphabet::Alphabet;

use super::{
    LONGEST_KEY, LONGEST_VALUE, MOST_BLANKS, Tie, after_blanks, after_quote, byte_at, insert, looks_drawn,
    markup, prose, quote_at,
};

/// What ties the key to a value, and where it ends.
pub(super) fn after(text: &[u8], (key_start, key_end): (usize, usize)) -> Option<(Tie, usize)> {
    if text[key_end..].starts_with("「".as_bytes()) {
        return Some((Tie::Structure, key_end));
    }
    let closed = after_quote(text, key_end);
    let quoted = closed > key_end;
    let bracketed = if byte_at(text, closed) == Some(b']') { closed + 1 } else { closed };
    let at = after_blanks(text, bracketed);
    let rest = text.get(at..)?;
    let tie = |tie, length| Some((tie, at + length));
    match rest {
        [b':', b':', ..] | [b'=', b'~', ..] => None,
        [b':', b'/', b'/', ..] => None,
        [b'=', b'>', ..] | [b':', b'=', ..] | [b'=', b'=', ..] | [b'!', b'=', ..] => tie(Tie::Equals, 2),
        [b'-', b'>', ..] => tie(Tie::Equals, 2),
        [b'=', ..] => tie(Tie::Equals, 1),
        [b':', ..] => tie(Tie::Colon, 1),
        // "Is" in Chinese, and a colon after it.
        [0xe6, 0x98, 0xaf, 0xef, 0xbc, 0x9a, ..] | [0xe4, 0xb8, 0xba, 0xef, 0xbc, 0x9a, ..] => {
            tie(Tie::Colon, 6)
        }
        [0xe6, 0x98, 0xaf, b':', ..] | [0xe4, 0xb8, 0xba, b':', ..] => tie(Tie::Colon, 4),
        // Full-width colon and equals sign, and "is" without one.
        [0xef, 0xbc, 0x9a | 0x9d, ..] | [0xe6, 0x98, 0xaf, ..] | [0xe4, 0xb8, 0xba, ..] => tie(Tie::Colon, 3),
        [b'(', b'\'', ..] if !quoted && is_of_sql(&text[key_start..key_end]) => tie(Tie::Structure, 1),
        [b'>' | b'<', ..] if at == closed => {
            markup::value(text, (key_start, key_end), closed).map(|at| (Tie::Structure, at))
        }
        [b'(', b'"' | b'\'', ..] if !quoted && is_call(&text[key_start..key_end]) => tie(Tie::Structure, 1),
        [b'{', ..] if quoted => markup::block_value(text, at).map(|at| (Tie::Structure, at)),
        [b'\r' | b'\n', ..] if quoted && let Some(at) = markup::form_value(text, key_start, at) => {
            Some((Tie::Structure, at))
        }
        _ if at > key_end && !quoted && is_flag(&text[key_start..key_end]) => {
            is_argument(&text[key_start..key_end], rest).then_some((Tie::Structure, at))
        }
        _ => (if at > key_end && !quoted { after_blank(text, (key_start, key_end), at) } else { None })
            .or_else(|| named_value(text, key_start, closed, quoted).map(|at| (Tie::Structure, at)))
            .or_else(|| next_argument(text, key_start, closed).map(|at| (Tie::Structure, at)))
            .or_else(|| insert::value(text, key_start, closed).map(|at| (Tie::Structure, at)))
            .or_else(|| markup::value(text, (key_start, key_end), closed).map(|at| (Tie::Structure, at))),
    }
}

/// What ties a key without quotes to a value at `at`, when there are only blanks between them.
fn after_blank(text: &[u8], (key_start, key_end): (usize, usize), at: usize) -> Option<(Tie, usize)> {
    let (key, rest) = (&text[key_start..key_end], &text[at..]);
    if let Some(at) = of_an_account(text, key_start, at) {
        return Some((Tie::Structure, at));
    }
    let is_spelled = rest.first().is_some_and(u8::is_ascii_graphic);
    // In Chinese text, and in the columns of a listing.
    let is_named =
        !key.is_empty() && !text[key_end - 1].is_ascii() || at > key_end + 1 && is_of_an_environment(key);
    match rest {
        [b'\'' | b'"', ..] if is_of_sql(key) || key.eq_ignore_ascii_case(b"passphrase") => {
            Some((Tie::Structure, at))
        }
        // MySQL's `IDENTIFIED WITH caching_sha2_password BY 'x'`
        [b'b' | b'B', b'y' | b'Y', b' ', b'\'', ..] => Some((Tie::Structure, at + 3)),
        // Configurations of Redis and of LDAP's clients.
        _ if is_spelled && is_of_a_configuration(text, (key_start, key_end), rest) => {
            Some((Tie::Structure, at))
        }
        _ if is_named && is_drawn_word(rest) => Some((Tie::Prose, at)),
        _ => prose::length(rest).map(|length| (Tie::Prose, at + length)),
    }
}

/// MySQL's `SET PASSWORD FOR 'me'@'%' = 'value'`.
fn of_an_account(text: &[u8], key_start: usize, at: usize) -> Option<usize> {
    let head = &text[key_start.saturating_sub(4)..key_start];
    let line = &text[at..text.len().min(at + LONGEST_HEAD)];
    if !head.eq_ignore_ascii_case(b"set ") || !line.get(..4)?.eq_ignore_ascii_case(b"for ") {
        return None;
    }
    let sign =
        line.iter().position(|byte| matches!(byte, b'=' | b'\n')).filter(|sign| line[*sign] == b'=')?;
    let value = after_blanks(text, at + sign + 1);
    quote_at(text, value).map(|_| value)
}

/// Whether a function of this name takes a value to keep: `setPassword`, `builder.password`.
fn is_call(name: &[u8]) -> bool {
    let begin = name.iter().rposition(|byte| *byte == b'.').map_or(0, |dot| dot + 1);
    begin > 0 || [&b"set"[..], b"with"].iter().any(|verb| name.starts_with(verb))
}

/// `--password`, and `-Password` of PowerShell.
fn is_flag(key: &[u8]) -> bool {
    key.starts_with(b"--") || key.first() == Some(&b'-') && key.get(1).is_some_and(u8::is_ascii_uppercase)
}

/// Whether this can be the value of a flag that stands before it.
fn is_argument(flag: &[u8], value: &[u8]) -> bool {
    let is_long = flag.starts_with(b"--");
    let is_usage = is_long && is_usage(flag, value);
    !matches!(value.first(), None | Some(b'-' | b'\n')) && !is_usage && (is_long || !value.starts_with(b"$"))
}

/// `--password PASSWORD`, as programs explain themselves.
fn is_usage(flag: &[u8], value: &[u8]) -> bool {
    let end = Alphabet::WORD.end_of_run(value, 0, LONGEST_KEY);
    let name = flag[2..].rsplit(|byte| *byte == b'-').next().unwrap_or_default();
    let last = value[..end].rsplit(|byte| *byte == b'_').next().unwrap_or_default();
    last.eq_ignore_ascii_case(name) && !last.iter().any(u8::is_ascii_lowercase)
}

/// `DB_PASSWORD`
fn is_of_an_environment(key: &[u8]) -> bool {
    key.contains(&b'_') && key.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'))
}

/// Whether the first word looks drawn and is not short.
pub(super) fn is_drawn_word(rest: &[u8]) -> bool {
    let length = rest.iter().take(LONGEST_KEY).take_while(|byte| matches!(byte, b'!'..=b'~')).count();
    length >= 8 && looks_drawn(&rest[..length])
}

/// The argument after a flag in a list: `["--password", "value"]`, and in YAML on the next line, `- --password`, `- value`.
fn next_argument(text: &[u8], key_start: usize, closed: usize) -> Option<usize> {
    if !text[key_start..].starts_with(b"--") {
        return None;
    }
    if byte_at(text, closed) == Some(b',') {
        let at = after_blanks(text, closed + 1);
        let (quote, escapes) = quote_at(text, at)?;
        return (byte_at(text, at + escapes + quote.len()) != Some(b'-')).then_some(at);
    }
    let line = &text[key_start.saturating_sub(LONGEST_KEY)..key_start];
    let item = line.iter().rposition(|byte| !matches!(byte, b'"' | b'\'')).map_or(0, |last| last + 1);
    let rest = text.get(closed..)?;
    let next = rest
        .strip_prefix(b"\r")
        .unwrap_or(rest)
        .strip_prefix(b"\n")
        .filter(|_| line[..item].ends_with(b"- "))?;
    let at = after_blanks(text, text.len() - next.len());
    let at = after_blanks(text, at + text.get(at..)?.strip_prefix(b"- ").map(|_| 2)?);
    let first = byte_at(text, after_quote(text, at))?;
    (first != b'-' && first > b' ').then_some(at)
}

/// A machine's name and a login before a password.
const LONGEST_HEAD: usize = 256;

/// What SQL ties to a password in quotes by a blank: `IDENTIFIED BY 'x'`, `WITH PASSWORD 'x'`.
fn is_of_sql(key: &[u8]) -> bool {
    [&b"identified by"[..], b"password"].iter().any(|word| key.eq_ignore_ascii_case(word))
}

/// What a blank ties to a password: `requirepass x`, `bindpw x` on a line of its own or behind `SET`, and in a sentence
/// what looks drawn; `machine host login me password x` of a netrc file.
fn is_of_a_configuration(text: &[u8], (key_start, key_end): (usize, usize), value: &[u8]) -> bool {
    const KEYS: [&[u8]; 4] = [b"requirepass", b"masterauth", b"bindpw", b"rootpw"];
    let key = &text[key_start..key_end];
    let head = &text[key_start.saturating_sub(LONGEST_HEAD)..key_start];
    if key == b"password" {
        let mut words = head.rsplit(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).skip(1);
        return words.next() == Some(b"login")
            && words.take(2).any(|word| matches!(word, b"machine" | b"default"));
    }
    let is_set = head.trim_ascii_end().to_ascii_lowercase().ends_with(b" set");
    let before = text[..key_start].iter().rev().take(MOST_BLANKS).find(|byte| !matches!(byte, b' ' | b'\t'));
    let length = value.iter().take(LONGEST_KEY).take_while(|byte| **byte > b' ').count();
    KEYS.iter().any(|word| key.eq_ignore_ascii_case(word))
        && (is_set || before.is_none_or(|byte| *byte == b'\n') || looks_drawn(&value[..length]))
}

/// `name: KEY, value: ...` of a pod's environment, `key="KEY" value="..."` of XML, `("KEY", "...")`.
fn named_value(text: &[u8], key_start: usize, closed: usize, quoted: bool) -> Option<usize> {
    let mut at = closed;
    let mut commas = 0;
    while let Some(byte) = byte_at(text, at).filter(|_| at - closed < LONGEST_KEY) {
        match byte {
            b',' if commas == 0 => commas = 1,
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => break,
        }
        at += 1;
    }
    let word = after_quote(text, at);
    let name = Alphabet::LETTERS.end_of_run(text, word, LONGEST_KEY);
    let is_value = |name: &[u8]| {
        [&b"value"[..], b"val", b"parametervalue"].iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    if at > closed && text.get(word..name).is_some_and(is_value) {
        let at = after_blanks(text, after_quote(text, name));
        return matches!(byte_at(text, at), Some(b':' | b'=')).then_some(at + 1);
    }
    // A pair in brackets: both quoted, and nothing after the second.
    let before_quote = key_start.checked_sub(2).and_then(|before| byte_at(text, before));
    if quoted && commas == 1 && word > at && matches!(before_quote, Some(b'(' | b'[')) {
        let quote = text[word - 1];
        let end = word + memchr(quote, text.get(word..)?.get(..LONGEST_VALUE.min(text.len() - word))?)?;
        return matches!(byte_at(text, end + 1), Some(b')' | b']')).then_some(at);
    }
    None
}
