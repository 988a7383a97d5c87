//! Lines that belong together: a log line and the stack trace below it are one event.
//!
//! In: lines, one at a time. Out: events, each when the line after it shows that it has ended. No byte is lost: the
//! lines of an event are its text.

mod frames;
mod head;
mod message;
mod opening;
mod trace;

use std::borrow::Cow;

use crate::header;
use message::{Message, TraceHead};
use trace::{Trace, Verdict};

/// How much one event may hold before it is ended by force, and the rest becomes the next.
const MOST_LINES: usize = 2048;
const MOST_BYTES: usize = 1 << 20;

/// A log line with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    text: Vec<u8>,
    lines: usize,
    is_trace: bool,
    /// What stands before each line of its trace; mostly nothing.
    head: Vec<u8>,
}

impl Event {
    /// All lines, with `\n` between them.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// How many lines it has, at least 1.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// Whether it holds a stack trace.
    #[must_use]
    pub fn is_trace(&self) -> bool {
        self.is_trace
    }

    /// What to mine its template from: of a stack trace the first line, the exception and the innermost frame that is
    /// not of a runtime or library; of anything else the text.
    #[must_use]
    pub fn headline(&self) -> Cow<'_, [u8]> {
        if self.is_trace { frames::headline(&self.text, &self.head) } else { Cow::Borrowed(&self.text) }
    }
}

/// Joins the lines of stack traces (Java, Python, Go, Rust, Node), and lines that a container runtime has cut.
///
/// A trace may have a head before each of its lines, which is equal but for numbers: a container runtime's, syslog's, a
/// logging framework's that splits its records. It belongs to the line before it if that says that something went wrong
/// (a level or a word such as `failed`) and, with a head, has the same one: so loggers print the exceptions of their
/// records. What a runtime prints of its own (`Exception in thread`, `panic: `, an uncaught exception of Python below
/// a line that has nothing to do with it) is an event of its own.
///
/// ```
/// let mut joiner = log_template::Joiner::default();
/// let mut events = Vec::new();
/// for line in ["2026-01-02 03:04:05 ERROR failed", "java.io.IOException: no", "\tat a.B.c(B.java:1)", "next"] {
///     events.extend(joiner.push(line.as_bytes()));
/// }
/// events.extend(joiner.finish());
/// assert_eq!(events[0].lines(), 3);
/// assert_eq!(events[1].text(), b"next");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Joiner {
    event: Option<Event>,
    trace: Trace,
    message: Message,
    head: TraceHead,
    /// Whether the container runtime cut the last line, and the next goes on where it ended.
    is_cut: bool,
}

impl Joiner {
    /// Takes in one line, without its line end, and returns the event that it shows to have ended.
    pub fn push(&mut self, line: &[u8]) -> Option<Event> {
        let carried = header::carried(line);
        let goes_on = std::mem::replace(&mut self.is_cut, carried.is_cut);
        let body = &line[carried.body];
        let verdict = if goes_on { Verdict::Continues } else { self.judge(body) };
        if let Some(event) = self.event.as_mut().filter(|event| {
            verdict != Verdict::Begins
                && event.lines < MOST_LINES
                && event.text.len() + line.len() < MOST_BYTES
        }) {
            event.text.push(b'\n');
            event.text.extend_from_slice(line);
            event.lines += 1;
            event.is_trace |= self.trace.is_inside();
            if self.trace.is_inside() && event.head != self.head.text {
                event.head.clone_from(&self.head.text);
            }
            return None;
        }
        if verdict != Verdict::Begins {
            self.trace.restart(body);
            self.head = TraceHead::default();
        }
        let is_trace = self.trace.is_inside();
        self.event.replace(Event { text: line.to_vec(), lines: 1, is_trace, head: self.head.text.clone() })
    }

    /// Whether `body` goes on with the event; and what the trace is after it.
    fn judge(&mut self, body: &[u8]) -> Verdict {
        if self.goes_on_with_trace(body) {
            return Verdict::Continues;
        }
        let was_inside = self.trace.is_inside();
        if let Some(begun) = trace::beginning(body) {
            let is_own = was_inside || begun.is_of_a_runtime(body) || !self.is_introduced();
            self.begin(begun, &[]);
            return if is_own { Verdict::Begins } else { Verdict::Continues };
        }
        self.begin_behind_a_head(body, was_inside)
    }

    fn goes_on_with_trace(&mut self, body: &[u8]) -> bool {
        let behind = if self.head.text.is_empty() { None } else { head::strip(body, &self.head.text) };
        let next = behind.and_then(|rest| Some((rest, self.trace.after(rest)?)));
        self.head.is_on_each |= next.is_some();
        // The head may stand before the first line only.
        let Some((line, next)) = next.or_else(|| Some((body, self.trace.after(body)?))) else {
            return self.trace.is_message() && self.message.takes(body, &self.head);
        };
        if !next.is_message() {
            self.message.end();
        } else if !self.trace.is_message() {
            self.message.begin_with(line);
        }
        self.trace = next;
        true
    }

    /// The same for a line that neither goes on with a trace nor begins with one.
    fn begin_behind_a_head(&mut self, body: &[u8], was_inside: bool) -> Verdict {
        let has_same =
            |joiner: &Self, head: &[u8]| joiner.last().is_some_and(|last| head::strip(last, head).is_some());
        if let Some((length, begun)) = head::before_beginning(body) {
            let head = &body[..length];
            let is_own =
                was_inside || !begun.is_of_python() || !has_same(self, head) || !self.is_introduced();
            self.begin(begun, head);
            return if is_own { Verdict::Begins } else { Verdict::Continues };
        }
        if !was_inside
            && let Some(length) = head::before_frame(body)
            && has_same(self, &body[..length])
        {
            self.begin(Trace::Frames, &body[..length]);
            self.head.is_on_each = true;
            return Verdict::Continues;
        }
        self.trace = Trace::Outside;
        self.head.text.clear();
        Verdict::Begins
    }

    /// A trace begins, with `head` before its first line.
    fn begin(&mut self, trace: Trace, head: &[u8]) {
        let was_inside = self.trace.is_inside();
        let above = last_of(self.event.as_ref()).filter(|_| !was_inside);
        self.message.begin_below(above);
        self.trace = trace;
        self.head = TraceHead { text: head.to_vec(), is_on_each: false };
    }

    /// Whether the last line says that something went wrong, so that a trace below it is what it tells of.
    fn is_introduced(&self) -> bool {
        self.last().is_some_and(head::introduces)
    }

    /// The last line, as the program wrote it.
    fn last(&self) -> Option<&[u8]> {
        last_of(self.event.as_ref())
    }

    /// The event that was still open, when no more lines come, or none came for a while.
    pub fn finish(&mut self) -> Option<Event> {
        self.trace = Trace::default();
        self.head = TraceHead::default();
        self.is_cut = false;
        self.event.take()
    }
}

fn last_of(event: Option<&Event>) -> Option<&[u8]> {
    let text = &event?.text;
    let start = memchr::memrchr(b'\n', text).map_or(0, |at| at + 1);
    let line = &text[start..];
    Some(&line[header::carried(line).body])
}
