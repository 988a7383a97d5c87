//! Values between the tags of XML.

use memchr::{memchr, memmem};

use super::{LONGEST_VALUE, quote_at};

/// So long may a tag be, and the blanks between two of them.
const LONGEST_TAG: usize = 256;
const MOST_BLANKS: usize = 64;

/// The place of the value of a key at `key_start..closed`, which names a tag or is named by one: `<password>value</`,
/// `<w:Password type="x">value</`, `<property name="password">value</`, `<name>password</name><value>value</`.
pub(super) fn value(text: &[u8], (key_start, key_end): (usize, usize), closed: usize) -> Option<usize> {
    let rest = text.get(closed..)?;
    if rest.starts_with(b">") {
        if let Some(at) = inner_value(text, closed + 1) {
            return Some(at);
        }
        let is_attribute = closed > key_end;
        let is_one = if is_attribute { is_closed(text, closed + 1) } else { is_tag(text, key_start) };
        return is_one.then_some(closed + 1);
    }
    if [&b"</name>"[..], b"</key>", b"</Name>", b"</Key>"].iter().any(|end| rest.starts_with(end)) {
        return inner_value(text, closed + memchr(b'>', rest)? + 1);
    }
    if closed == key_end && rest.starts_with(b" ") && is_tag(text, key_start) {
        let tag = &rest[..rest.len().min(LONGEST_TAG)];
        let end =
            memchr(b'>', tag).filter(|end| !tag[..*end].ends_with(b"/") && !tag[..*end].contains(&b'\n'))?;
        return is_closed(text, closed + end + 1).then_some(closed + end + 1);
    }
    None
}

/// The text of `<value>` or `<string>`, if such a tag comes next.
fn inner_value(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let blanks = rest.iter().take(MOST_BLANKS).take_while(|byte| byte.is_ascii_whitespace()).count();
    let tags = [&b"<value>"[..], b"<Value>", b"<string>"];
    let tag = tags.iter().find(|tag| rest[blanks..].starts_with(tag))?;
    Some(at + blanks + tag.len())
}

/// Whether a tag opens before its name at `start`, which may have a prefix: `<wsse:`.
fn is_tag(text: &[u8], start: usize) -> bool {
    let before = &text[start.saturating_sub(MOST_BLANKS)..start];
    let Some(open) = before.iter().rposition(|byte| *byte == b'<') else { return false };
    match &before[open + 1..] {
        [] => true,
        [prefix @ .., b':'] => prefix.iter().all(u8::is_ascii_alphanumeric),
        _ => false,
    }
}

/// Whether a text that begins here is not empty and another tag closes it.
fn is_closed(text: &[u8], at: usize) -> bool {
    let value = &text[at..text.len().min(at + LONGEST_VALUE)];
    memchr(b'<', value).is_some_and(|length| length > 0 && value[length..].starts_with(b"</"))
}

/// The part of a form with the name of a key in quotes: its value comes after an empty line.
pub(super) fn form_value(text: &[u8], key_start: usize, closed: usize) -> Option<usize> {
    let breaks = [&b"\r\n\r\n"[..], b"\n\n"];
    let end = breaks.iter().find(|end| text[closed..].starts_with(end))?;
    let is_form = text[..key_start].ends_with(b"name=\"");
    is_form.then_some(closed + end.len())
}

/// The default or the value in a block of Terraform: `variable "db_password" {\n default = "value" }`.
pub(super) fn block_value(text: &[u8], at: usize) -> Option<usize> {
    let block = text.get(at..)?.strip_prefix(b"{")?;
    let block = &block[..block.len().min(LONGEST_TAG)];
    let block = &block[..memchr(b'}', block).unwrap_or(block.len())];
    [&b"default"[..], b"value"].iter().find_map(|name| {
        let found = memmem::find(block, name)?;
        let begins = found == 0 || block[found - 1].is_ascii_whitespace();
        let rest = &block[found + name.len()..];
        let sign = rest.iter().position(|byte| *byte != b' ').filter(|sign| rest[*sign] == b'=')?;
        let value = rest[sign + 1..].iter().position(|byte| *byte != b' ')?;
        let value = at + 1 + found + name.len() + sign + 1 + value;
        (begins && quote_at(text, value).is_some()).then_some(value)
    })
}
