//! Which lines begin a record of a log, whatever stands above them: those that begin as records do.

use crate::header;

/// What loggers of Node and .NET write before a message in small letters.
const SMALL_LEVELS: [&[u8]; 10] =
    [b"info", b"warn", b"warning", b"error", b"debug", b"trace", b"fail", b"dbug", b"crit", b"trce"];

/// Whether `line` begins with a time, a level, or what else a logger or a container runtime puts before a message, or is
/// an object of JSON.
pub(super) fn opens(line: &[u8]) -> bool {
    let text = line.trim_ascii();
    match text {
        [b'{', rest @ ..] => rest.trim_ascii_start().starts_with(b"\""),
        _ => opens_with_level(text) || header::message(text).start > 0,
    }
}

/// `INFO: `, `INFO `, `[INFO] `, `[main] INFO `, `info: `. `Error: ` begins messages, and so does what databases write below
/// an error: `DETAIL: `.
fn opens_with_level(text: &[u8]) -> bool {
    let in_brackets = |text: &[u8]| text.first() == Some(&b'[');
    let mut words = text.split(|&byte| byte <= b' ').filter(|word| !word.is_empty());
    let Some(first) = words.next() else { return false };
    is_level(first) || in_brackets(first) && words.next().is_some_and(is_level)
}

fn is_level(word: &[u8]) -> bool {
    let bare = word.strip_prefix(b"[").and_then(|word| word.strip_suffix(b"]"));
    let name = bare.or_else(|| word.strip_suffix(b":"));
    if name.is_some_and(|name| SMALL_LEVELS.contains(&name)) {
        return true;
    }
    let name = name.unwrap_or(word);
    let is_capital = name.iter().all(u8::is_ascii_uppercase);
    is_capital && header::is_level(name) && !matches!(name, b"DETAIL" | b"STATEMENT")
}
