//! What Rust prints of an error that `main` has returned: its message behind `Error: `, an empty line, its causes, and the
//! backtrace, as anyhow and eyre show them.
//!
//! Many programs begin a line with `Error: `, so that only what is below tells.

use super::head;

/// Where in it the last line was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// After the empty line below `Error: cannot start`.
    MessageGap,
    /// Below the title of a part.
    Listed,
    /// After the empty line below that.
    ListedGap,
}

impl Part {
    pub(super) fn is_open(self) -> bool {
        self == Self::MessageGap
    }

    pub(super) fn after(self, line: &[u8]) -> Option<Self> {
        let blank = line.trim_ascii().is_empty();
        let indented = line.starts_with(b"  ");
        match self {
            Self::Listed if blank => Some(Self::ListedGap),
            Self::Listed if indented => Some(Self::Listed),
            Self::MessageGap | Self::Listed | Self::ListedGap => is_title(line).then_some(Self::Listed),
        }
    }
}

/// What a tool puts before every line is shorter.
const LONGEST_HEAD: usize = 96;

/// How long the head is that `above`, which says `Error: `, and the empty line `below` it have.
pub(super) fn head_of(above: &[u8], below: &[u8]) -> Option<usize> {
    const ERROR: &[u8] = b"Error: ";
    let start = memchr::memmem::find(&above[..above.len().min(LONGEST_HEAD)], ERROR)?;
    let head = &above[..start];
    let is_empty = head::strip(below, head)?.trim_ascii().is_empty();
    (is_empty && (head.is_empty() || head::is_head(head))).then_some(start)
}

/// Whether this can be such an empty line: nothing at all, or what ends a head.
#[inline]
pub(super) fn may_be_empty(line: &[u8]) -> bool {
    line.len() < LONGEST_HEAD
        && matches!(line.trim_ascii_end().last(), None | Some(b':' | b']' | b'|' | b')'))
}

pub(super) fn is_causes(line: &[u8]) -> bool {
    line == b"Caused by:"
}

/// Of a part of what is printed.
pub(super) fn is_title(line: &[u8]) -> bool {
    is_causes(line) || matches!(line, b"Stack backtrace:" | b"Location:")
}

/// A cause without its number: `    1: permission denied`.
pub(super) fn cause(text: &[u8]) -> &[u8] {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text[digits..].strip_prefix(b": ").filter(|_| digits > 0).unwrap_or(text)
}
