//! Where the message of a line begins: what a logging framework, a collector or a container runtime put before it is
//! told by its structure, whatever program it came from.
//!
//! In: one line. Out: the place of the message in it. A line without a header is all message.

mod docker;
mod fields;
mod json;
mod logfmt;

use std::borrow::Cow;
use std::ops::Range;

use fields::Prefix;
pub(crate) use fields::is_level;

/// Headers within headers: a container runtime's around a framework's around JSON.
const MOST_LAYERS: usize = 4;

/// Where the message of `line` stands in it.
pub(crate) fn message(line: &[u8]) -> Range<usize> {
    let mut range = trimmed(line, 0..line.len());
    for depth in 0..MOST_LAYERS {
        let Some(inner) = layer(line, range.clone(), depth) else { break };
        let inner = trimmed(line, inner);
        if inner.is_empty() || inner == range {
            break;
        }
        range = inner;
    }
    range
}

/// A line, and what a container runtime says of it.
pub(crate) struct Carried<'l> {
    /// The line as the program wrote it.
    pub(crate) body: Cow<'l, [u8]>,
    /// Where the program wrote it to, if a runtime says so.
    pub(crate) stream: Option<Stream>,
    /// Whether it goes on in the next of its stream.
    pub(crate) is_cut: bool,
    /// Whether the runtime keeps lines as JSON, so that only the body can be read.
    pub(crate) is_escaped: bool,
}

/// What a program writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Output,
    Error,
}

/// Takes off what a container runtime put around a line, and nothing else.
pub(crate) fn carried(line: &[u8]) -> Carried<'_> {
    if let Some(Prefix { end, stream, is_cut }) = fields::container_runtime(line) {
        let body = Cow::Borrowed(&line[end..]);
        Carried { body, stream: Some(stream), is_cut, is_escaped: false }
    } else if let Some(docker::Entry { log, stream, is_cut }) = docker::entry(line) {
        let body = docker::unescaped(&line[log]);
        Carried { body, stream: Some(stream), is_cut, is_escaped: true }
    } else {
        Carried { body: Cow::Borrowed(line), stream: None, is_cut: false, is_escaped: false }
    }
}

/// `line` without the prefix of a container runtime.
pub(crate) fn bare(line: &[u8]) -> &[u8] {
    fields::container_runtime(line).map_or(line, |prefix| &line[prefix.end..])
}

/// What one header leaves of `range`, below `depth` others.
fn layer(line: &[u8], range: Range<usize>, depth: usize) -> Option<Range<usize>> {
    let text = &line[range.clone()];
    let inner = match text.first()? {
        b'{' => json::message(text),
        _ => fields::message_start(text, depth > 0)
            .map(|start| start..text.len())
            .or_else(|| logfmt::message(text)),
    }?;
    Some(range.start + inner.start..range.start + inner.end)
}

fn trimmed(line: &[u8], mut range: Range<usize>) -> Range<usize> {
    let blank = |byte: u8| byte <= b' ';
    while !range.is_empty() && blank(line[range.start]) && line[range.start] != 0x1b {
        range.start += 1;
    }
    while !range.is_empty() && blank(line[range.end - 1]) {
        range.end -= 1;
    }
    range
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_a_message_is_taken_off_whoever_wrote_it() {
        let table = include_str!("header/formats.txt");
        for pair in table.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().chunks(2) {
            let [line, expected] = pair else { panic!("a line without its message: {pair:?}") };
            let found = String::from_utf8_lossy(&line.as_bytes()[message(line.as_bytes())]);
            assert_eq!(found, *expected, "{line}");
        }
    }
}
