//! What YAML and the shell put between a key and its value: tags, anchors, documents to a mark.

use memchr::memmem;

use super::{LONGEST_VALUE, after_blanks};
use crate::alphabet::Alphabet;

const LONGEST_WORD: usize = 32;

/// Past a tag or an anchor: `!vault value`, `!!str value`, `&name value`. Nothing, if the tag says that a name follows.
pub(super) fn past_tag(text: &[u8], at: usize) -> Option<usize> {
    const NAMES: [&[u8]; 6] = [b"!Ref", b"!Sub", b"!GetAtt", b"!ImportValue", b"!secret", b"!env"];
    let rest = text.get(at..)?;
    let signs = rest.iter().take(2).take_while(|byte| matches!(byte, b'!' | b'&')).count();
    let end = Alphabet::LETTERS.end_of_run(rest, signs, LONGEST_WORD);
    if signs == 0 || !matches!(rest.get(end), Some(b' ' | b'\n' | b'\r')) {
        return Some(at);
    }
    if NAMES.contains(&&rest[..end]) {
        return None;
    }
    let is_small = end > signs && rest[signs..end].iter().all(u8::is_ascii_lowercase);
    Some(if is_small { after_blanks(text, at + end) } else { at })
}

/// A document to a mark, as shells and Terraform write it: `<<EOT`, its lines, `EOT`.
pub(super) fn document(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let rest = text.get(at..)?.strip_prefix(b"<<")?;
    let rest = rest.strip_prefix(b"-").or_else(|| rest.strip_prefix(b"~")).unwrap_or(rest);
    let name = Alphabet::WORD.end_of_run(rest, 0, LONGEST_WORD);
    let body = rest.get(name..)?.strip_prefix(b"\n").filter(|_| name > 0)?;
    let body = &body[..body.len().min(LONGEST_VALUE)];
    let end = memmem::find(body, &rest[..name])?;
    let length = memchr::memrchr(b'\n', &body[..end])?;
    let begin = text.len() - rest.len() + name + 1;
    let indent = body.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    (indent < length).then_some((begin + indent, begin + length))
}

/// Past what PHP's `var_dump` writes before a string: a line break and `string(9) "`.
pub(super) fn past_dump(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let blanks = rest.iter().take(LONGEST_WORD).take_while(|byte| byte.is_ascii_whitespace()).count();
    let Some(length) = rest[blanks..].strip_prefix(b"string(") else { return at };
    let digits = Alphabet::DIGITS.end_of_run(length, 0, LONGEST_WORD);
    if length[digits..].starts_with(b") \"") {
        at + blanks + b"string(".len() + digits + b") ".len()
    } else {
        at
    }
}
