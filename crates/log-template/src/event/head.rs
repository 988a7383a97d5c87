//! Traces of which each line has a head: what a logging framework, syslog or a tool that follows several programs puts
//! before every line.
//!
//! In: a line. Out: how long its head is, told by what follows it, and what another line has behind the same head. Heads
//! are the same when they differ in numbers only.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::trace::{self, Trace};

/// No head is longer.
const LONGEST: usize = 256;

static PANIC: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("panic"));
static TRACEBACK: LazyLock<Finder<'static>> =
    LazyLock::new(|| Finder::new("Traceback (most recent call last):"));
static INDENTED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("    at "));

/// The length of the head before a trace that begins within `line`, and the trace.
pub(super) fn before_beginning(line: &[u8]) -> Option<(usize, Trace)> {
    let start = match line.trim_ascii_end().last()? {
        b':' => TRACEBACK.find(line).map(|at| group_start(line, at)).or_else(|| panic_in(line)),
        _ => panic_in(line),
    }?;
    is_head(&line[..start]).then_some((start, trace::beginning(&line[start..])?))
}

/// Where the mark of a group of exceptions begins, if there is one before the `Traceback` at `at`.
fn group_start(line: &[u8], at: usize) -> usize {
    line[..at].strip_suffix(b"  + Exception Group ").map_or(at, <[u8]>::len)
}

/// Where a panic of Go or Rust begins.
fn panic_in(line: &[u8]) -> Option<usize> {
    let panic = PANIC.find(line)?;
    let thread = || memchr::memmem::find(&line[..panic], b"thread '");
    if line[panic..].starts_with(b"panic: ") { Some(panic) } else { thread() }
}

/// The length of the head before a frame of Java or Node.
pub(super) fn before_frame(line: &[u8]) -> Option<usize> {
    let line = line.trim_ascii_end();
    let number = line.iter().rev().take(8).take_while(|byte| byte.is_ascii_digit()).count();
    let before = line.len().checked_sub(number + 1).map(|at| line[at])?;
    let may_be = if number > 0 { before == b':' } else { matches!(before, b')' | b']' | b'{') };
    if !may_be {
        return None;
    }
    // Few lines have a tab, or four blanks and these letters: both are looked for faster than the letters alone.
    let start = match memchr::memchr(b'\t', line) {
        Some(tab) if line[tab + 1..].starts_with(b"at ") => tab,
        _ => INDENTED.find(line)?,
    };
    (is_head(&line[..start]) && trace::is_frame(&line[start..])).then_some(start)
}

/// Whether this can stand before every line of a program.
pub(super) fn is_head(head: &[u8]) -> bool {
    head.len() <= LONGEST && matches!(head.last(), Some(b' ' | b'\t' | b':' | b']' | b'|' | b')'))
}

/// What `line` has behind `head`, whatever the numbers in that are.
pub(super) fn strip<'l>(line: &'l [u8], head: &[u8]) -> Option<&'l [u8]> {
    let (mut known, mut at) = (0, 0);
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    while known < head.len() {
        let (first, second) = (digits(&head[known..]), digits(&line[at..]));
        match line.get(at) {
            Some(_) if first > 0 && second > 0 => (known, at) = (known + first, at + second),
            Some(byte) if *byte == head[known] && first == 0 => (known, at) = (known + 1, at + 1),
            // An empty line, of whose head the last blanks were cut off.
            None if head[known..].iter().all(|byte| *byte <= b' ') => break,
            _ => return None,
        }
    }
    Some(&line[at..])
}

/// Whether a program that prints a trace below `line` says in it that something went wrong.
pub(super) fn introduces(line: &[u8]) -> bool {
    const WORDS: [&str; 19] = [
        "error",
        "exception",
        "fail",
        "fatal",
        "critical",
        "severe",
        "warn",
        "panic",
        "crash",
        "abort",
        "unhandled",
        "uncaught",
        "unexpected",
        "cannot",
        "could not",
        "unable",
        "异常",
        "错误",
        "失败",
    ];
    let lower = line.to_ascii_lowercase();
    let klog = matches!(lower.as_slice(), [b'e' | b'w' | b'f', rest @ ..] if rest.iter().take(4).all(u8::is_ascii_digit) && rest.len() > 4);
    klog || WORDS.iter().any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some())
}
