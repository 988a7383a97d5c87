//! The further lines of an exception's message: what a database, a validator or a driver has to say of it.
//!
//! They look like any text, so what stands around them decides. Where the lines of a log begin as records do, one that
//! does not belongs to the one above; where they do not, or nothing is known of them, only what is indented does, and as
//! many other lines as the message announces. A line that is taken by mistake is lost to its template, so that a message
//! ends after some lines, whatever they are.

use super::{head, opening, trace};

/// A message is not longer.
const MOST_LINES: usize = 32;

/// What tells the lines of a message from those of the log.
#[derive(Debug, Clone, Default)]
pub(super) struct Message {
    /// How many there were.
    lines: usize,
    /// How many more that are not indented its first line announces: `3 validation errors for Settings`.
    announced: usize,
    /// The line of the log above the trace; empty when there was none, and the trace is all that is known of the log.
    above: Vec<u8>,
}

impl Message {
    /// A trace begins below the line `above`.
    pub(super) fn begin_below(&mut self, above: Option<&[u8]>) {
        self.end();
        if let Some(above) = above.filter(|above| !above.trim_ascii().is_empty()) {
            above.clone_into(&mut self.above);
        }
    }

    /// The message has ended; the trace may come to another one.
    pub(super) fn end(&mut self) {
        (self.lines, self.announced) = (0, 0);
    }

    /// The next line comes from elsewhere: it is none of the message's.
    pub(super) fn close(&mut self) {
        self.lines = MOST_LINES;
    }

    /// `line` names the exception whose message it is.
    pub(super) fn begin_with(&mut self, line: &[u8]) {
        // Frames are sure to follow a cause, and all above them is of its message.
        let is_sure = trace::is_cause(line) || trace::is_uncaught(line);
        (self.lines, self.announced) = (0, if is_sure { MOST_LINES } else { announced(line) });
    }

    /// The frames of an exception are sure to follow.
    pub(super) fn expect_frames(&mut self) {
        self.announced = MOST_LINES;
    }

    /// Whether `line` belongs to it, and then counts it.
    pub(super) fn takes(&mut self, line: &[u8], head: &TraceHead) -> bool {
        if self.lines == MOST_LINES {
            return false;
        }
        let (mut line, mut above) = (line, self.above.as_slice());
        if head.is_on_each {
            // With the same time as well: one program's lines, and mostly one record's.
            let Some(behind) = line.strip_prefix(head.text.as_slice()) else { return false };
            (line, above) = (behind, head::strip(above, &head.text).unwrap_or(above));
        }
        let is_blank = line.trim_ascii().is_empty();
        if !is_blank && (opening::opens(line) || trace::beginning(line).is_some()) {
            return false;
        }
        let is_indented = is_blank || matches!(line.first(), Some(b' ' | b'\t'));
        let is_told = is_indented || opening::opens(above) || head.is_a_records();
        let takes = is_told || self.announced > 0;
        self.announced -= usize::from(takes && !is_told);
        self.lines += usize::from(takes);
        takes
    }
}

/// How many errors the exception in `line` is about to list: `2 errors occurred`, `3 validation errors for Settings`.
fn announced(line: &[u8]) -> usize {
    let said = memchr::memmem::find(line, b": ").map_or(&[][..], |colon| &line[colon + 2..]);
    let mut words = said.split(|&byte| byte == b' ');
    let count =
        words.next().filter(|word| word.len() < 3).and_then(|word| str::from_utf8(word).ok()?.parse().ok());
    let is_of_errors = words.take(2).any(|word| word.starts_with(b"error"));
    count.filter(|_| is_of_errors).unwrap_or(0)
}

/// What stands before the first line of a trace.
#[derive(Debug, Clone, Default)]
pub(super) struct TraceHead {
    pub(super) text: Vec<u8>,
    /// Whether it stands before the other lines as well.
    pub(super) is_on_each: bool,
}

impl TraceHead {
    /// Whether it is that of one record, which tells of a failure, and not that of every line of a program.
    fn is_a_records(&self) -> bool {
        !self.text.is_empty()
            && if self.is_on_each { head::introduces(&self.text) } else { opening::opens(&self.text) }
    }
}
