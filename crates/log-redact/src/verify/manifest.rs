//! Secrets of Kubernetes in YAML and JSON, and as `kubectl` is told to make them: whatever their data has, for its keys
//! are any names.

mod json;

use memchr::{memchr, memrchr};

use crate::alphabet::Alphabet;
use crate::key_value::{self, Tie};
use crate::placeholder;
use crate::scan::Scan;

/// A Secret is no longer than this on either side of its kind.
const LONGEST: usize = 16 * 1024;
const MOST_LINES: usize = 512;
const LONGEST_NAME: usize = 253;

/// Looks at `kind: Secret`, `"kind":"Secret` or `--from-literal` at `at`.
pub(crate) fn look(scan: &mut Scan<'_>, at: usize, after: usize) {
    match scan.text[at] {
        b'"' => json::look(scan, at, after),
        b'-' => literal(scan, after),
        _ => yaml(scan, at, after),
    }
}

/// What follows `--from-literal`: `=key=value`, ` key=value`, `='key=value'`.
fn literal(scan: &mut Scan<'_>, after: usize) {
    let Some(class) = scan.rules.secret else { return };
    let text = scan.text;
    let is_quote = |at: usize| text.get(at).is_some_and(|byte| matches!(byte, b'"' | b'\''));
    if !matches!(text.get(after), Some(b'=' | b' ')) {
        return;
    }
    let name = after + 1 + usize::from(is_quote(after + 1));
    let sign = Alphabet::IDENTIFIER.end_of_run(text, name, LONGEST_NAME);
    if sign == name || text.get(sign) != Some(&b'=') {
        return;
    }
    let open = [name - 1, sign + 1].into_iter().find(|at| is_quote(*at));
    let start = sign + 1 + usize::from(is_quote(sign + 1));
    let end = match open {
        Some(open) => key_value::quoted_end(text, start, &text[open..=open], 0).0,
        None => key_value::bare_end(text, start, Tie::Equals),
    };
    let value = &text[start..end];
    if !value.is_empty() && !key_value::is_harmless(value, false) && placeholder::end_at(value, 0).is_none() {
        scan.find(class, (start, end));
    }
}

fn yaml(scan: &mut Scan<'_>, at: usize, after: usize) {
    let Some(class) = scan.rules.secret.filter(|_| at >= scan.done.manifests) else { return };
    let text = scan.text;
    let line = memrchr(b'\n', &text[..at]).map_or(0, |place| place + 1);
    let ends = matches!(text.get(after), None | Some(b'\n' | b'\r'));
    if !ends || text[line..at].iter().any(|byte| *byte != b' ') {
        return;
    }
    let indent = at - line;
    let from = line.saturating_sub(LONGEST).max(scan.done.manifests);
    let begin = document_start(&text[from..line]).map_or(from, |place| from + place);
    let mut in_data = false;
    let mut place = begin;
    for _ in 0..MOST_LINES {
        let Some(rest) = text.get(place..).filter(|rest| !rest.is_empty() && place < at + LONGEST) else {
            break;
        };
        let length = memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..length];
        let depth = line.iter().take_while(|byte| **byte == b' ').count();
        let content = line.trim_ascii();
        if content == b"---" || place > at && depth <= indent && content.starts_with(b"kind:") {
            break;
        }
        if depth <= indent && !content.is_empty() {
            in_data = depth == indent && matches!(content, b"data:" | b"stringData:");
        } else if in_data && let Some((start, end)) = value(line) {
            scan.find(class, (place + start, place + end));
        }
        place += length + 1;
    }
    scan.done.manifests = place;
}

/// Where the last document begins.
fn document_start(text: &[u8]) -> Option<usize> {
    memchr::memmem::rfind(text, b"---\n").map(|place| place + 4)
}

/// The value of a line `key: value`.
fn value(line: &[u8]) -> Option<(usize, usize)> {
    let colon = memchr::memmem::find(line, b": ")?;
    let start = colon + 2 + line[colon + 2..].iter().take_while(|byte| **byte == b' ').count();
    let end = line.trim_ascii_end().len();
    let value = line.get(start..end).filter(|value| !value.is_empty())?;
    let is_block = matches!(value.first(), Some(b'|' | b'>'));
    let is_known =
        is_block || key_value::is_harmless(value, false) || placeholder::end_at(value, 0).is_some();
    (!is_known).then_some((start, end))
}
