//! What sentences put between a password and its value.

use memchr::memmem;

use super::{LONGEST_KEY, is_drawn_word};

/// So far away from the word a sentence tells the value.
const LONGEST_SENTENCE: usize = 120;

/// The length of what a sentence puts between a password and its value.
pub(super) fn length(rest: &[u8]) -> Option<usize> {
    const PHRASES: [&[u8]; 14] = [
        b"is set to ",
        b"was set to ",
        b"has been set to ",
        b"has been changed to ",
        b"has been reset to ",
        b"set to ",
        b"changed to ",
        b"reset to ",
        b"is: ",
        b"is : ",
        b"was: ",
        b"is ",
        b"was ",
        b"to proceed to installation:",
    ];
    // As MySQL writes it at its first start: `is generated for root@localhost: value`.
    if let Some(account) = rest.strip_prefix(b"is generated for ") {
        let end = account.iter().take(LONGEST_KEY).position(|byte| *byte <= b' ')?;
        return account[..end].ends_with(b":").then_some(rest.len() - account.len() + end + 1);
    }
    let phrase = PHRASES.iter().find(|phrase| rest.starts_with(phrase)).map(|phrase| phrase.len());
    phrase.or_else(|| of_somebody(rest)).map(|length| past_lines(rest, length))
}

/// `for the elastic user (reset with x): value`, `for the elastic superuser is : value`, `elastic = value`.
fn of_somebody(rest: &[u8]) -> Option<usize> {
    let line = &rest[..rest.len().min(LONGEST_SENTENCE)];
    let line = &line[..memchr::memchr(b'\n', line).unwrap_or(line.len())];
    let name = line.iter().position(|byte| *byte == b' ')?;
    if line[name..].starts_with(b" = ") {
        return is_drawn_word(&rest[name + 3..]).then_some(name + 3);
    }
    line.strip_prefix(b"for ")?;
    let ends = [&b" is : "[..], b" is: ", b" is "];
    let told = ends.iter().find_map(|end| memmem::find(line, end).map(|at| at + end.len()));
    let below = line.trim_ascii_end().ends_with(b":").then_some(line.trim_ascii_end().len());
    told.or(below).filter(|length| {
        let value = &rest[past_lines(rest, *length)..];
        is_drawn_word(value) && !is_a_prompt(value)
    })
}

/// `root@web1:~#`, which a shell says once it has the password.
fn is_a_prompt(value: &[u8]) -> bool {
    let word = &value[..value.iter().take(LONGEST_KEY).take_while(|byte| byte.is_ascii_graphic()).count()];
    word.contains(&b'@') && word.contains(&b':') && matches!(word.last(), Some(b'#' | b'$'))
}

/// Past the line breaks and blanks behind a colon at the end of a line.
fn past_lines(rest: &[u8], length: usize) -> usize {
    const MOST: usize = 8;
    if !rest[..length].ends_with(b":") {
        return length;
    }
    length + rest[length..].iter().take(MOST).take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// The length of what Chinese puts there: nothing at all, if what follows is a code or looks drawn, or "was reset to".
pub(super) fn chinese_length(rest: &[u8]) -> Option<usize> {
    const PHRASES: [&str; 10] = [
        "已重置为",
        "已修改为",
        "已更改为",
        "已设置为",
        "已更新为",
        "被重置为",
        "重置为",
        "修改为",
        "设置为",
        "已设为",
    ];
    if let Some(phrase) = PHRASES.iter().find(|phrase| rest.starts_with(phrase.as_bytes())) {
        return Some(phrase.len());
    }
    let word = &rest[..rest.iter().take(LONGEST_KEY).take_while(|byte| byte.is_ascii_graphic()).count()];
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let letters = word.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    // `SHA256` is the name of something.
    let is_name = word[letters..].iter().all(u8::is_ascii_digit);
    let is_code = digits == word.len() && (4..=8).contains(&digits);
    (is_code || word.len() >= 8 && digits < word.len() && !is_name && super::looks_drawn(word)).then_some(0)
}
