//! Lines that belong together: a log line and the stack trace below it are one event.
//!
//! In: lines, one at a time. Out: events, each when the line after it shows that it has ended. No byte is lost: the
//! lines of an event are its text.

mod frames;
mod head;
mod message;
mod node;
mod opening;
mod result;
mod trace;

use std::borrow::Cow;
use std::ops::Range;

use crate::header::{self, Stream};
use message::{Message, TraceHead};
use trace::{Trace, Verdict};

/// How much one event may hold before it is ended by force, and the rest becomes the next.
const MOST_LINES: usize = 2048;
const MOST_BYTES: usize = 1 << 20;
/// Lines of the other stream that may stand between the parts of a cut one.
const MOST_BETWEEN: usize = 64;

/// A log line with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    text: Vec<u8>,
    lines: usize,
    /// Where its last lines stood that no other stood between.
    place: Range<u64>,
    /// Where those before them did; mostly nothing.
    earlier: Vec<Range<u64>>,
    /// Whether a container runtime has cut one of its lines, or keeps them as JSON.
    is_wrapped: bool,
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

    /// Where its lines stood, counted from 0 over all that the [`Joiner`] took in. One range, unless lines of the other
    /// stream stood between the parts of a cut line.
    pub fn places(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.earlier.iter().cloned().chain(std::iter::once(self.place.clone()))
    }

    /// Whether it holds a stack trace.
    #[must_use]
    pub fn is_trace(&self) -> bool {
        self.is_trace
    }

    /// What to mine its template from: of a stack trace the first line, the exception and the innermost frame that is
    /// not of a runtime or library; of anything else the text. Lines that a container runtime has cut are whole again,
    /// and those that it keeps as JSON are as the program wrote them.
    #[must_use]
    pub fn headline(&self) -> Cow<'_, [u8]> {
        let text = if self.is_wrapped { Cow::Owned(mended(&self.text)) } else { Cow::Borrowed(&*self.text) };
        if self.is_trace { Cow::Owned(frames::headline(&text, &self.head)) } else { text }
    }

    fn begin(line: &[u8], number: u64, is_wrapped: bool) -> Self {
        let place = number..number + 1;
        let (text, head, earlier) = (line.to_vec(), Vec::new(), Vec::new());
        Self { text, lines: 1, place, earlier, is_wrapped, is_trace: false, head }
    }

    fn add(&mut self, line: &[u8], number: u64) {
        self.text.push(b'\n');
        self.text.extend_from_slice(line);
        self.lines += 1;
        if self.place.end == number {
            self.place.end += 1;
        } else {
            self.earlier.push(std::mem::replace(&mut self.place, number..number + 1));
        }
    }
}

/// `text` with the parts of cut lines put together, and what is escaped as the program wrote it.
fn mended(text: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(text.len());
    let mut is_cut = false;
    for line in text.split(|&byte| byte == b'\n') {
        let carried = header::carried(line);
        if !is_cut && !whole.is_empty() {
            whole.push(b'\n');
        }
        whole.extend_from_slice(if is_cut || carried.is_escaped { &carried.body } else { line });
        is_cut = carried.is_cut;
    }
    whole
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
    /// What the last line was written to.
    stream: Option<Stream>,
    /// The line that a container runtime has cut, and which goes on in the next of its stream.
    cut: Option<Cut>,
    /// How many lines were taken in.
    taken: u64,
}

#[derive(Debug, Clone)]
struct Cut {
    stream: Stream,
    /// How many lines of the other stream have followed.
    between: usize,
}

impl Joiner {
    /// Takes in one line, without its line end, and returns the event that it shows to have ended: the one before it, or,
    /// when it stands between the parts of a cut line of the other stream, itself.
    pub fn push(&mut self, line: &[u8]) -> Option<Event> {
        let number = self.taken;
        self.taken += 1;
        let carried = header::carried(line);
        if let Some(cut) = &mut self.cut
            && carried.stream.is_some_and(|stream| stream != cut.stream)
            && cut.between < MOST_BETWEEN
        {
            cut.between += 1;
            return Some(Event::begin(line, number, carried.is_cut || carried.is_escaped));
        }
        if std::mem::replace(&mut self.stream, carried.stream) != carried.stream {
            self.message.close();
        }
        let goes_on = self.cut.take().is_some_and(|cut| carried.stream == Some(cut.stream));
        let is_cut = carried.is_cut;
        let is_wrapped = is_cut || carried.is_escaped;
        self.cut = carried.stream.filter(|_| is_cut).map(|stream| Cut { stream, between: 0 });
        let body = &*carried.body;
        let verdict = if goes_on { Verdict::Continues } else { self.judge(body) };
        let ended = self.extend(line, number, verdict, body);
        if let Some(event) = &mut self.event {
            event.is_wrapped |= is_wrapped;
        }
        ended
    }

    /// Adds `line` to the event, or begins the next with it.
    fn extend(&mut self, line: &[u8], number: u64, verdict: Verdict, body: &[u8]) -> Option<Event> {
        if let Some(event) = self.event.as_mut().filter(|event| {
            verdict != Verdict::Begins
                && event.lines < MOST_LINES
                && event.text.len() + line.len() < MOST_BYTES
        }) {
            event.add(line, number);
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
        let mut next = Event::begin(line, number, false);
        next.is_trace = self.trace.is_inside();
        next.head.clone_from(&self.head.text);
        self.event.replace(next)
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
            self.message.begin_with(body);
            return if is_own { Verdict::Begins } else { Verdict::Continues };
        }
        self.begin_behind_a_head(body, was_inside)
    }

    fn goes_on_with_trace(&mut self, body: &[u8]) -> bool {
        let behind = if self.head.text.is_empty() { None } else { head::strip(body, &self.head.text) };
        let next = behind.and_then(|rest| Some((rest, self.trace.after(rest)?)));
        self.head.is_on_each |= next.is_some();
        // The head may stand before the first line only; but what follows behind none tells nothing of a line that had one.
        let is_told = self.head.text.is_empty() || !self.trace.is_open();
        let bare = if is_told { self.trace } else { Trace::Outside };
        let Some((line, next)) = next.or_else(|| Some((body, bare.after(body)?))) else {
            return self.trace.is_message() && self.message.takes(body, &self.head);
        };
        if !next.is_message() {
            self.message.end();
        } else if !self.trace.is_message() || trace::is_cause(line) {
            self.message.begin_with(line);
        }
        if matches!(self.trace, Trace::Node(_)) {
            self.message.expect_frames();
        }
        self.trace = next;
        true
    }

    /// The same for a line that neither goes on with a trace nor begins with one.
    fn begin_behind_a_head(&mut self, body: &[u8], was_inside: bool) -> Verdict {
        let has_same =
            |joiner: &Self, head: &[u8]| joiner.last().is_some_and(|last| head::strip(&last, head).is_some());
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
        if let Some(head) = self.head_of_result(body).filter(|_| !was_inside) {
            self.begin(Trace::Result(result::Part::MessageGap), &head);
            return Verdict::Continues;
        }
        match trace::may_begin(body) {
            Some((length, begun)) if length == 0 || head::is_head(&body[..length]) => {
                self.begin(begun, &body[..length]);
            }
            _ => {
                self.trace = Trace::Outside;
                self.head.text.clear();
            }
        }
        Verdict::Begins
    }

    /// The head of the last line, if `body` is the empty line below the message of an error that `main` has returned.
    fn head_of_result(&self, body: &[u8]) -> Option<Vec<u8>> {
        if !result::may_be_empty(body) {
            return None;
        }
        let last = self.last()?;
        let length = result::head_of(&last, body)?;
        Some(last[..length].to_vec())
    }

    /// A trace begins, with `head` before its first line.
    fn begin(&mut self, trace: Trace, head: &[u8]) {
        let was_inside = self.trace.is_inside();
        let above = last_of(self.event.as_ref()).filter(|_| !was_inside);
        self.message.begin_below(above.as_deref());
        self.trace = trace;
        self.head = TraceHead { text: head.to_vec(), is_on_each: false };
    }

    /// Whether the last line says that something went wrong, so that a trace below it is what it tells of.
    fn is_introduced(&self) -> bool {
        self.last().is_some_and(|last| head::introduces(&last))
    }

    /// The last line, as the program wrote it.
    fn last(&self) -> Option<Cow<'_, [u8]>> {
        last_of(self.event.as_ref())
    }

    /// The event that was still open, when no more lines come, or none came for a while.
    pub fn finish(&mut self) -> Option<Event> {
        self.trace = Trace::default();
        self.head = TraceHead::default();
        self.cut = None;
        self.event.take()
    }
}

fn last_of(event: Option<&Event>) -> Option<Cow<'_, [u8]>> {
    let text = &event?.text;
    let start = memchr::memrchr(b'\n', text).map_or(0, |at| at + 1);
    let line = &text[start..];
    Some(header::carried(line).body)
}
