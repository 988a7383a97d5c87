//! Lines that belong together: a log line and the stack trace below it are one event.
//!
//! In: lines, one at a time. Out: events, each when the line after it shows that it has ended. No byte is lost: the
//! lines of an event are its text.

mod frames;
mod trace;

use std::borrow::Cow;

use crate::header;
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
        if self.is_trace { frames::headline(&self.text) } else { Cow::Borrowed(&self.text) }
    }
}

/// Joins the lines of stack traces (Java, Python, Go, Rust, Node), and lines that a container runtime has cut.
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
    /// Whether the container runtime cut the last line, and the next goes on where it ended.
    is_cut: bool,
}

impl Joiner {
    /// Takes in one line, without its line end, and returns the event that it shows to have ended.
    pub fn push(&mut self, line: &[u8]) -> Option<Event> {
        let carried = header::carried(line);
        let goes_on = std::mem::replace(&mut self.is_cut, carried.is_cut);
        let body = &line[carried.body];
        let verdict = if goes_on { Verdict::Continues } else { self.trace.next(body) };
        if let Some(event) = self.event.as_mut().filter(|event| {
            verdict != Verdict::Begins
                && event.lines < MOST_LINES
                && event.text.len() + line.len() < MOST_BYTES
        }) {
            event.text.push(b'\n');
            event.text.extend_from_slice(line);
            event.lines += 1;
            event.is_trace |= self.trace.is_inside();
            return None;
        }
        if verdict != Verdict::Begins {
            self.trace.restart(body);
        }
        let is_trace = self.trace.is_inside();
        self.event.replace(Event { text: line.to_vec(), lines: 1, is_trace })
    }

    /// The event that was still open, when no more lines come, or none came for a while.
    pub fn finish(&mut self) -> Option<Event> {
        self.trace = Trace::default();
        self.is_cut = false;
        self.event.take()
    }
}
