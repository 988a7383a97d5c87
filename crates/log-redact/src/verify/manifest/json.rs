//! Secrets of Kubernetes in JSON, on one line or on many.

use memchr::memchr3;

use crate::key_value;
use crate::placeholder;
use crate::scan::Scan;

use super::LONGEST;

/// Looks at `"kind":"Secret`, behind which a quote stands, or the rest of `SecretList`, whose items have no kind.
pub(super) fn look(scan: &mut Scan<'_>, at: usize, after: usize) {
    let Some(class) = scan.rules.secret.filter(|_| at >= scan.done.objects) else { return };
    let text = scan.text;
    let is_list = text[after..].starts_with(b"List\"");
    if !is_list && !text[after..].starts_with(b"\"") {
        return;
    }
    let from = at.saturating_sub(LONGEST).max(scan.done.objects);
    let Some(begin) = object_start(&text[from..at]) else {
        scan.done.objects = after;
        return;
    };
    let text = &text[..text.len().min(at + LONGEST)];
    let mut object = Object { text, at: from + begin + 1, depth: 1, data: None, is_list };
    while let Some(value) = object.next_value() {
        scan.find(class, value);
    }
    scan.done.objects = object.at.max(after);
}

/// Where the innermost object begins that does not end. Braces in strings of it are pairs themselves, or escape notice.
fn object_start(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    text.iter().rposition(|byte| {
        match byte {
            b'}' => depth += 1,
            b'{' if depth == 0 => return true,
            b'{' => depth -= 1,
            _ => {}
        }
        false
    })
}

/// An object that is read from its beginning.
struct Object<'t> {
    text: &'t [u8],
    at: usize,
    /// How many objects are open.
    depth: usize,
    /// How many are, inside of the data.
    data: Option<usize>,
    /// The data may be anywhere, and not only in the outermost object.
    is_list: bool,
}

impl Object<'_> {
    /// The next value that is data and tells something.
    fn next_value(&mut self) -> Option<(usize, usize)> {
        let mut names_data = false;
        while self.depth > 0 {
            match self.text.get(self.at)? {
                b'"' => {
                    let string = self.string()?;
                    let value = &self.text[string.0..string.1];
                    let is_key = self.text[self.at..].trim_ascii_start().starts_with(b":");
                    let is_outside = self.data.is_none() && (self.is_list || self.depth == 1);
                    names_data = is_key && is_outside && matches!(value, b"data" | b"stringData");
                    let is_known =
                        key_value::is_harmless(value, true) || placeholder::end_at(value, 0).is_some();
                    if !is_key && self.data == Some(self.depth) && !is_known {
                        return Some(string);
                    }
                    continue;
                }
                b'{' => {
                    self.depth += 1;
                    if std::mem::take(&mut names_data) {
                        self.data = Some(self.depth);
                    }
                }
                b'}' => {
                    self.data = self.data.filter(|depth| *depth != self.depth);
                    self.depth -= 1;
                }
                b',' => names_data = false,
                _ => {}
            }
            self.at += 1;
        }
        None
    }

    /// The string at the quote here, as far as its line goes.
    fn string(&mut self) -> Option<(usize, usize)> {
        let begin = self.at + 1;
        self.at = begin;
        while let Some(length) = memchr3(b'"', b'\\', b'\n', self.text.get(self.at..)?) {
            let end = self.at + length;
            self.at = end + 1;
            match self.text[end] {
                b'\\' => self.at += 1,
                _ => return Some((begin, end)),
            }
        }
        self.at = self.text.len();
        Some((begin, self.at))
    }
}
