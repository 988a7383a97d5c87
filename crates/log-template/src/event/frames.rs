//! What a stack trace is about: its exception, and the frame where somebody would begin to look.

use std::borrow::Cow;

use crate::header;

/// Frames of runtimes and of what is installed beside the program.
const FOREIGN: [&[u8]; 24] = [
    b"at java.",
    b"at javax.",
    b"at sun.",
    b"at jdk.",
    b"at com.sun.",
    b"at org.springframework.",
    b"at org.apache.",
    b"at kotlin.",
    b"at scala.",
    b"node_modules/",
    b"node:internal",
    b"(internal/",
    b"site-packages/",
    b"dist-packages/",
    b"lib/python",
    b"runtime.",
    b"runtime/",
    b"net/http",
    b"std::",
    b"core::",
    b"rust_begin_unwind",
    b"/rustc/",
    b"__rust",
    b"<frozen ",
];

/// The first line, the innermost exception's line and the innermost own frame, with blanks between them.
pub(super) fn headline(text: &[u8]) -> Cow<'_, [u8]> {
    let mut lines = text.split(|&b| b == b'\n');
    let first = lines.next().unwrap_or_default();
    let mut exception: Option<&[u8]> = None;
    let mut own: Option<&[u8]> = None;
    let mut any: Option<&[u8]> = None;
    let mut before: &[u8] = b"";
    // Python prints the innermost frame last, everybody else first.
    let mut last_counts = false;
    for line in lines {
        let line = &line[header::carried(line).body];
        let trimmed = line.trim_ascii_start();
        last_counts |= trimmed.starts_with(b"Traceback ");
        if is_frame(line, trimmed) {
            any = any.filter(|_| !last_counts).or(Some(trimmed));
            // Go and Rust print the name of a function above its place.
            let foreign = FOREIGN.iter().any(|part| {
                memchr::memmem::find(trimmed, part).is_some()
                    || trimmed.starts_with(b"/") && memchr::memmem::find(before, part).is_some()
            });
            if !foreign {
                own = own.filter(|_| !last_counts).or(Some(trimmed));
            }
        } else if trimmed.len() == line.len() && !trimmed.is_empty() && (exception.is_none() || last_counts) {
            let link = trimmed.starts_with(b"Traceback ") || trimmed.starts_with(b"goroutine ");
            exception = if link { exception } else { Some(trimmed) };
        }
        before = trimmed;
    }
    let mut head = first.to_vec();
    for part in [exception, own.or(any)].into_iter().flatten() {
        head.push(b' ');
        head.extend_from_slice(part);
    }
    Cow::Owned(head)
}

fn is_frame(line: &[u8], trimmed: &[u8]) -> bool {
    let place = trimmed.starts_with(b"/") && memchr::memmem::find(trimmed, b".go:").is_some();
    line.len() > trimmed.len() && (trimmed.starts_with(b"at ") || trimmed.starts_with(b"File \"") || place)
}
