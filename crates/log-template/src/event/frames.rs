//! What a stack trace is about: its exception, and the frame where somebody would begin to look.

use super::{head, node, result, trace};
use crate::header;

/// Frames of runtimes and of what is installed beside the program.
const FOREIGN: [&[u8]; 31] = [
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
    b"(<anonymous>)",
    b"at async Promise.",
    b"site-packages/",
    b"dist-packages/",
    b"lib/python",
    b"runtime.",
    b"panic(",
    b"/pkg/mod/",
    b"runtime/",
    b"net/http",
    b"std::",
    b"core::",
    b"rust_begin_unwind",
    b"/rustc/",
    b"__rust",
    b"/.cargo/registry/",
    b"anyhow::",
    b"eyre::",
    b"<frozen ",
];

/// The first line, the innermost exception's line and the innermost own frame, with blanks between them.
pub(super) fn headline<'t>(text: &'t [u8], head: &[u8]) -> Vec<u8> {
    let mut lines = text.split(|&b| b == b'\n');
    let first = lines.next().unwrap_or_default();
    let bare = |line: &'t [u8]| {
        let line = header::bare(line);
        of_a_group(head::strip(line, head).unwrap_or(line))
    };
    let mut lines = lines.map(bare);
    // What stands above a caret is source code.
    if lines.clone().nth(1).is_some_and(node::is_caret) {
        lines.nth(1);
    }
    let mut lines = lines.peekable();
    // Whether the causes of an error of Rust are listed, of which the innermost comes last.
    let mut are_causes = false;
    let mut exception: Option<&[u8]> = None;
    let mut own: Option<&[u8]> = None;
    let mut any: Option<&[u8]> = None;
    let mut function: Option<&[u8]> = None;
    // Whether an exception was named, and the lines below it may be its message.
    let mut is_message = trace::is_exception(bare(first));
    // Python prints the innermost frame last, everybody else first.
    let mut last_counts = false;
    while let Some(line) = lines.next() {
        let trimmed = line.trim_ascii_start();
        last_counts |= trimmed.starts_with(b"Traceback ") || trimmed.starts_with(b"+ Exception Group ");
        is_message &= !ends_message(line, trimmed);
        are_causes = result::is_causes(line) || are_causes && line.len() > trimmed.len();
        if are_causes && line.len() > trimmed.len() {
            exception = Some(result::cause(trimmed));
            continue;
        }
        if is_frame(line, trimmed) {
            // Go and Rust print the name of a function above its place.
            let frame = function.take().unwrap_or(trimmed);
            // Node opens an error's own properties behind its last frame.
            let frame = frame.strip_suffix(b" {").unwrap_or(frame);
            any = any.filter(|_| !last_counts).or(Some(frame));
            if !is_foreign(trimmed) && !is_foreign(frame) {
                own = own.filter(|_| !last_counts).or(Some(frame));
            }
        } else {
            let is_above_place = lines.peek().is_some_and(|next| trace::is_go_place(next));
            function = Some(line).filter(|line| is_above_place && trace::is_function(line));
            function = function.or_else(|| named_function(line, trimmed));
            let names_failure = function.is_none() && trimmed.len() == line.len() && !is_link(trimmed);
            if names_failure && !is_message {
                is_message = true;
                let trimmed = trimmed.strip_suffix(b" {").unwrap_or(trimmed);
                exception = exception.filter(|_| !last_counts).or(Some(trimmed));
            }
        }
    }
    let mut all = first.to_vec();
    for part in [exception, own.or(any)].into_iter().flatten() {
        all.push(b' ');
        all.extend_from_slice(part);
    }
    all
}

/// What stands behind the bar before each line of one of Python's groups of exceptions: `    | ValueError: no`.
fn of_a_group(line: &[u8]) -> &[u8] {
    let inside = line.trim_ascii_start().strip_prefix(b"|").filter(|_| line.starts_with(b" "));
    inside.map_or(line, |inside| inside.strip_prefix(b" ").unwrap_or(inside))
}

/// Whether what comes now is no longer the message of the exception above: a frame, a cause, or the rule before the next
/// exception of a group.
fn ends_message(line: &[u8], trimmed: &[u8]) -> bool {
    is_frame(line, trimmed) || trace::is_cause(line) || trimmed.starts_with(b"+-")
}

fn is_frame(line: &[u8], trimmed: &[u8]) -> bool {
    let place = trimmed.starts_with(b"/") && memchr::memmem::find(trimmed, b".go:").is_some();
    line.len() > trimmed.len() && (trimmed.starts_with(b"at ") || trimmed.starts_with(b"File \"") || place)
}

fn is_foreign(frame: &[u8]) -> bool {
    FOREIGN.iter().any(|part| memchr::memmem::find(frame, part).is_some())
}

/// The function in a line of its own above the place of its frame: `main.(*Cart).total(...)` of Go,
/// `   2: shop::cart::total` of Rust.
fn named_function<'l>(line: &'l [u8], trimmed: &'l [u8]) -> Option<&'l [u8]> {
    if trace::is_go_call(line) {
        return Some(line);
    }
    let digits = trimmed.iter().take_while(|b| b.is_ascii_digit()).count();
    let name = trimmed[digits..].strip_prefix(b": ")?;
    (digits > 0 && trimmed.len() < line.len()).then_some(name)
}

/// Lines between the parts of a trace, which say nothing of what happened.
fn is_link(line: &[u8]) -> bool {
    let links: [&[u8]; 8] = [
        b"Traceback ",
        b"goroutine ",
        b"created by ",
        b"runtime stack:",
        b"stack backtrace:",
        b"note: ",
        b"exit status ",
        b"Node.js v",
    ];
    line.is_empty()
        || line == b"}"
        || result::is_title(line)
        || line.starts_with(b"...")
        || links.iter().any(|link| line.starts_with(link))
}
