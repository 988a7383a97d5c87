//! Which lines belong to a stack trace, by the runtimes' own formats.
//!
//! Each format is a small state: what a line means depends on the lines before it only through that. A state in which
//! only the lines that follow tell whether there is a trace at all is not [inside](Trace::is_inside) one.

use super::{node, opening, result};

/// Whether a line goes on with the event before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Begins,
    Continues,
}

/// Where in a stack trace the last line was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Trace {
    /// Not in one.
    #[default]
    Outside,
    /// In the message of a Java or JavaScript exception, above its frames.
    Exception,
    /// In its frames.
    Frames,
    /// After an empty line in or behind frames: Tomcat puts some into its traces.
    FramesGap,
    /// In what Node prints of an error's own properties, between braces, below its last frame.
    Properties,
    /// Below Python's `Traceback`, where frames are indented.
    Python,
    /// In a group of exceptions of Python, where every line has a bar or is a rule.
    PythonGroup,
    /// After an empty line behind one.
    PythonGroupGap,
    /// After the line with a Python exception, which another traceback may follow.
    PythonEnd,
    /// After an empty line behind a Python exception.
    PythonGap,
    /// After the sentence that links an exception with the next traceback.
    PythonLink,
    /// In a Go panic, up to and with its goroutines.
    Go,
    /// After the name of a function in what Go's loggers print below an error, whose place is on the next line.
    GoFunction,
    /// After that place.
    GoPlace,
    /// After `thread 'main' panicked at src/main.rs:2:5:`, whose next line is the message.
    RustMessage,
    /// Below a Rust panic.
    Rust,
    /// Above what Node prints of an exception that nobody caught: where it was thrown.
    Node(node::Place),
    /// After the version that Node prints before it ends.
    NodeEnd,
    /// After the place of an error of syntax in the file that Python was started with, of which there is no traceback.
    PythonPlace,
    /// After the line of the source below it.
    PythonSource,
    /// In the error that Rust's `main` has returned.
    Result(result::Part),
}

impl Trace {
    pub(super) fn is_inside(self) -> bool {
        self != Self::Outside && !self.is_open()
    }

    /// Whether only what follows tells that it is a trace.
    pub(super) fn is_open(self) -> bool {
        match self {
            Self::PythonPlace | Self::PythonSource => true,
            Self::Node(place) => place.is_open(),
            Self::Result(part) => part.is_open(),
            _ => false,
        }
    }

    /// Whether a line that is no part of the trace by its looks may be one of an exception's message.
    pub(super) fn is_message(self) -> bool {
        matches!(self, Self::Exception | Self::PythonEnd | Self::PythonGap)
    }

    pub(super) fn is_of_python(self) -> bool {
        matches!(self, Self::Python | Self::PythonGroup)
    }

    /// Begins anew with this line.
    pub(super) fn restart(&mut self, line: &[u8]) {
        *self = beginning(line).unwrap_or_default();
    }

    /// Whether a runtime, which knows nothing of the lines before it, prints a trace that begins so: a panic, and what no
    /// handler caught. Goroutines are also printed by who has caught a panic and says so: `http: panic serving`.
    pub(super) fn is_of_a_runtime(self, line: &[u8]) -> bool {
        let panic = matches!(self, Self::Go | Self::RustMessage | Self::Rust);
        panic && !is_goroutine(line) || is_uncaught(line)
    }

    /// The state after `line`, if it belongs to the trace.
    pub(super) fn after(self, line: &[u8]) -> Option<Self> {
        let indented = line.first().is_some_and(|b| matches!(b, b' ' | b'\t'));
        let blank = line.iter().all(|b| *b <= b' ');
        match self {
            Self::Outside => below_frame(line),
            Self::Frames if blank => Some(Self::FramesGap),
            Self::Exception | Self::Frames | Self::FramesGap if node::is_version(line) => Some(Self::NodeEnd),
            Self::Frames if node::is_link(line) => Some(Self::Frames),
            Self::Exception | Self::Frames | Self::FramesGap => {
                below_frame(line).or_else(|| is_cause(line).then_some(Self::Exception))
            }
            Self::Properties if line == b"}" => Some(Self::Frames),
            Self::Properties => indented.then_some(Self::Properties),
            // One blank stands before a level that is aligned to the right.
            Self::Python if line.starts_with(b"  ") || blank => Some(Self::Python),
            Self::Python => is_python_exception(line).then_some(Self::PythonEnd),
            Self::PythonGroup if is_in_group(line) => Some(Self::PythonGroup),
            Self::PythonGroup => blank.then_some(Self::PythonGroupGap),
            Self::PythonGroupGap if blank => Some(Self::PythonGroupGap),
            Self::PythonGroupGap => is_python_link(line).then_some(Self::PythonLink),
            Self::PythonEnd | Self::PythonGap | Self::PythonLink if is_python_link(line) => {
                Some(Self::PythonLink)
            }
            Self::PythonEnd | Self::PythonGap if blank => Some(Self::PythonGap),
            Self::PythonLink if blank => Some(Self::PythonLink),
            Self::PythonLink if is_traceback(line) => beginning(line),
            Self::PythonEnd | Self::PythonGap | Self::PythonLink => None,
            Self::Go => (blank || is_go(line)).then_some(Self::Go),
            Self::GoFunction => is_go_place(line).then_some(Self::GoPlace),
            Self::GoPlace => is_function(line).then_some(Self::GoFunction),
            Self::RustMessage => Some(Self::Rust),
            Self::Rust => is_rust(line).then_some(Self::Rust),
            Self::Node(place) => place.after(line),
            Self::NodeEnd => None,
            Self::PythonPlace if line.starts_with(b"    ") && !blank => Some(Self::PythonSource),
            Self::PythonPlace => is_exception(line).then_some(Self::PythonEnd),
            Self::PythonSource => node::is_caret(line).then_some(Self::Python),
            Self::Result(part) => part.after(line).map(Self::Result),
        }
    }
}

/// The trace that begins with `line`.
pub(super) fn beginning(line: &[u8]) -> Option<Trace> {
    if is_traceback(line) {
        Some(if is_in_group(line) { Trace::PythonGroup } else { Trace::Python })
    } else if line.starts_with(b"panic: ") || line.starts_with(b"fatal error: ") || is_goroutine(line) {
        Some(Trace::Go)
    } else if is_rust_panic(line) {
        // Before Rust 1.73 the message stood in the same line: `panicked at 'message', src/main.rs:2:5`.
        Some(if line.ends_with(b":") { Trace::RustMessage } else { Trace::Rust })
    } else if is_function(line) && is_far(line) {
        Some(Trace::GoFunction)
    } else {
        is_exception(line).then_some(Trace::Exception)
    }
}

/// The trace that may begin within `line`, if those after it say so, and where.
#[inline]
pub(super) fn may_begin(line: &[u8]) -> Option<(usize, Trace)> {
    // Few lines end with a number.
    if line.last().is_some_and(u8::is_ascii_digit) { place_at_end(line) } else { None }
}

fn place_at_end(line: &[u8]) -> Option<(usize, Trace)> {
    let place = node::place_in(line).map(|start| (start, Trace::Node(node::Place::File)));
    place.or_else(|| Some((python_place_in(line)?, Trace::PythonPlace)))
}

/// `  File "/app/cart.py", line 1`, and nothing more: a frame says in which function.
fn python_place_in(line: &[u8]) -> Option<usize> {
    let digits = line.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let file = line[..line.len() - digits].strip_suffix(b"\", line ")?;
    memchr::memmem::find(file, b"  File \"")
}

/// The state after a frame; `    at f (file.js:1:2) {` opens the error's own properties.
fn below_frame(line: &[u8]) -> Option<Trace> {
    match line.strip_suffix(b" {") {
        Some(frame) => is_frame(frame).then_some(Trace::Properties),
        None => is_frame(line).then_some(Trace::Frames),
    }
}

/// `\tat a.B.c(B.java:1)`, `    at f (file.js:1:2)`, `\t... 3 more`.
pub(super) fn is_frame(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    if text.len() == line.len() {
        return false;
    }
    let more = text.strip_prefix(b"... ").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit));
    let at = text.strip_prefix(b"at ").is_some_and(|rest| {
        rest.contains(&b'(') && rest.ends_with(b")")
            || rest.contains(&b':') && rest.last().is_some_and(u8::is_ascii_digit)
            || rest.ends_with(b"]") && rest.contains(&b'(')
    });
    more || at
}

/// `Caused by: ...`, and what is suppressed, which is indented.
pub(super) fn is_cause(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    text.starts_with(b"Caused by: ") || text.starts_with(b"Suppressed: ")
}

/// `java.io.IOException: no`, `Exception in thread "main" java.lang.Error`, `TypeError: x is not a function`.
pub(super) fn is_exception(line: &[u8]) -> bool {
    if is_uncaught(line) {
        return true;
    }
    let name = line
        .split(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'$')))
        .next()
        .unwrap_or_default();
    let rest = &line[name.len()..];
    let kind = [&b"Exception"[..], b"Error", b"Throwable"].iter().any(|kind| name.ends_with(kind));
    let class = name.contains(&b'.') || name.first().is_some_and(u8::is_ascii_uppercase) && name.len() > 5;
    kind && class && (rest.is_empty() || rest.starts_with(b": "))
}

/// What Java prints of an exception that ends a thread.
pub(super) fn is_uncaught(line: &[u8]) -> bool {
    line.starts_with(b"Exception in thread \"")
}

/// Also of a group of exceptions: `  + Exception Group Traceback (most recent call last):`.
fn is_traceback(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    let group = text.strip_prefix(b"+ Exception Group ").filter(|_| text.len() < line.len());
    group.unwrap_or(line).starts_with(b"Traceback (most recent call last):")
}

/// `    | ValueError: no`, and the rules before and behind the exceptions of a group.
fn is_in_group(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    text.len() < line.len() && matches!(text.first(), Some(b'|' | b'+'))
}

/// `ValueError: no`, `a.b.Custom`, `KeyboardInterrupt`. `INFO: ready` would be one as well, were it not a record of its own.
fn is_python_exception(line: &[u8]) -> bool {
    let name = line
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'<' | b'>'))
        .count();
    let may_be = name > 0 && !line[0].is_ascii_digit() && matches!(line.get(name), None | Some(b':'));
    may_be && !opening::opens(line)
}

fn is_python_link(line: &[u8]) -> bool {
    line.starts_with(b"During handling of the above exception")
        || line.starts_with(b"The above exception was the direct")
}

fn is_goroutine(line: &[u8]) -> bool {
    line.strip_prefix(b"goroutine ")
        .is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit) && rest.ends_with(b":"))
}

/// `main.(*Cart).total({0xc000010000, 0x3})`, `main.total(...)`, `panic({0x1a4d5e0?, 0x2c5d2a0?})`.
pub(super) fn is_go_call(line: &[u8]) -> bool {
    let name = line.split(|&b| b == b' ').next().unwrap_or_default();
    let is_qualified = name.contains(&b'.') && name.contains(&b'(') || name.starts_with(b"panic(");
    line.ends_with(b")") && is_qualified && !line.starts_with(b"\t")
}

/// `sigs.k8s.io/controller-runtime/pkg/internal/controller.(*Controller).reconcileHandler`, `main.main`: one word.
pub(super) fn is_function(line: &[u8]) -> bool {
    let sign = |b: &u8| matches!(b, b'.' | b'/' | b'_' | b'-' | b'(' | b')' | b'*' | b'[' | b']' | b'~');
    // Most lines have a blank early on.
    let word = line.first().is_some_and(u8::is_ascii_alphabetic)
        && line.iter().all(|b| b.is_ascii_alphanumeric() || sign(b));
    let name = || line.rsplit(|&b| b == b'/').next().unwrap_or_default();
    word && name().iter().position(|&b| b == b'.').is_some_and(|dot| {
        dot > 0 && name().get(dot + 1).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'(')
    })
}

/// Whether a function is of a package behind a host's name, or a method: no file is called so.
fn is_far(line: &[u8]) -> bool {
    let host = line.split(|&b| b == b'/').next().unwrap_or_default();
    host.len() < line.len() && host.contains(&b'.') || contains(line, b".(*")
}

pub(super) fn is_go_place(line: &[u8]) -> bool {
    line.starts_with(b"\t") && (contains(line, b".go:") || contains(line, b".s:"))
}

/// What a Go panic or fatal error consists of, but for its first line. The further lines of its message are indented.
fn is_go(line: &[u8]) -> bool {
    let link = line == b"runtime stack:"
        || line.starts_with(b"[signal ")
        || line.starts_with(b"exit status ")
        || line.starts_with(b"...") && line.ends_with(b" frames elided...");
    is_goroutine(line)
        || is_go_call(line)
        || line.starts_with(b"\t")
        || link
        || line.starts_with(b"created by ")
}

/// `thread 'main' panicked at src/main.rs:2:5:`; current compilers put the thread's number behind its name:
/// `thread 'main' (5590) panicked at src/main.rs:2:5:`.
fn is_rust_panic(line: &[u8]) -> bool {
    const PANICKED: &[u8] = b" panicked at ";
    let Some(rest) = line.strip_prefix(b"thread '") else { return false };
    let Some(thread) = memchr::memmem::find(rest, PANICKED).map(|at| &rest[..at]) else { return false };
    let numbered = thread.strip_suffix(b")").is_some_and(|open| {
        let digits = open.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        digits > 0 && open[..open.len() - digits].ends_with(b"' (")
    });
    thread.ends_with(b"'") || numbered
}

fn is_rust(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    let numbered =
        text.len() < line.len() && text.first().is_some_and(u8::is_ascii_digit) && contains(text, b": ");
    let place = text.len() < line.len() && text.starts_with(b"at ");
    line.starts_with(b"note: ")
        || line.starts_with(b"stack backtrace:")
        || numbered
        || place
        || line.starts_with(b"  left: ")
        || line.starts_with(b" right: ")
}

fn contains(line: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(line, part).is_some()
}
