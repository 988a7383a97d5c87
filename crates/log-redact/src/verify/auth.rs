//! `AUTH`, by which Redis (<https://redis.io/docs/latest/commands/auth/>) and SMTP (RFC 4954) log in.

use crate::key_value;
use crate::placeholder;
use crate::scan::Scan;

const NAME: &[u8] = b"AUTH";
const LONGEST: usize = 1024;
const LONGEST_HEAD: usize = 128;
/// A word of a sentence may be shorter.
const SHORTEST: usize = 6;
const MECHANISMS: [&[u8]; 4] = [b"PLAIN", b"LOGIN", b"XOAUTH2", b"OAUTHBEARER"];

/// Looks at `AUTH` at `at`, behind which a blank or a quote stands.
pub(crate) fn look(scan: &mut Scan<'_>, at: usize) {
    let Some(class) = scan.rules.password else { return };
    let text = scan.text;
    if text[at..].starts_with(b" ") {
        of_a_rule(text, at).into_iter().for_each(|secret| scan.find(class, secret));
        return;
    }
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    let begins = before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'_'));
    if !begins || !text[at..].starts_with(NAME) {
        return;
    }
    let start = at + NAME.len();
    let line = &text[start..text.len().min(start + LONGEST)];
    let line = &line[..line.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(line.len())];
    let secret = if line.starts_with(b"\"") { of_a_monitor(&line[1..]) } else { of_a_line(line) };
    if let Some((from, to)) = secret {
        scan.find(class, (start + from, start + to));
    }
}

/// `user me on >secret ~* +@all` and `ACL SETUSER me on >secret` of Redis: what follows ` on >` at `at`.
fn of_a_rule(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let start = at + b" on >".len();
    let mut words = text[at.saturating_sub(LONGEST_HEAD)..at].rsplit(u8::is_ascii_whitespace);
    let is_rule = words.nth(1)?.to_ascii_lowercase().ends_with(b"user");
    let length = text[start..].iter().take(LONGEST).take_while(|byte| byte.is_ascii_graphic()).count();
    (is_rule && length > 0 && placeholder::end_at(text, start).is_none()).then_some((start, start + length))
}

/// `"AUTH" "secret"` and `"AUTH" "user" "secret"`, as Redis shows what clients say.
fn of_a_monitor(after_quote: &[u8]) -> Option<(usize, usize)> {
    let mut secret = None;
    let mut at = 0;
    for _ in 0..2 {
        let Some(rest) = after_quote[at..].strip_prefix(b" \"") else { break };
        let begin = at + 2;
        let (end, is_closed) = key_value::quoted_end(after_quote, begin, b"\"", 0);
        if !is_closed || placeholder::end_at(rest, 0).is_some() {
            return None;
        }
        secret = Some((begin + 1, end + 1)).filter(|(start, end)| start < end);
        at = end + 1;
    }
    secret.filter(|(start, end)| !key_value::is_harmless(&after_quote[start - 1..end - 1], true))
}

/// `AUTH secret`, `AUTH user secret`, `AUTH PLAIN base64`: with nothing after it, and a secret that looks drawn.
fn of_a_line(line: &[u8]) -> Option<(usize, usize)> {
    let quote = line.iter().position(|byte| matches!(byte, b'"' | b'\'' | b'`')).unwrap_or(line.len());
    let line = line[..quote].trim_ascii_end();
    let words = || line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let last = words().next_back()?;
    let fits = match words().next()? {
        first if MECHANISMS.contains(&first) => is_mixed(last),
        _ => key_value::looks_drawn(last),
    };
    // Names of mechanisms have digits as well, and no small letters.
    let is_secret =
        fits && !last.contains(&b'<') && last.len() >= SHORTEST && last.iter().any(u8::is_ascii_lowercase);
    (is_secret && words().count() <= 2 && !key_value::is_harmless(last, false))
        .then_some((line.len() - last.len(), line.len()))
}

/// Base64 is drawn, or has small and large letters in it.
fn is_mixed(word: &[u8]) -> bool {
    let has = |is: fn(&u8) -> bool| word.iter().skip(1).any(is);
    key_value::looks_drawn(word) || has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
}
