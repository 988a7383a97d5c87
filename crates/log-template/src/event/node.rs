//! What Node prints of an exception that nobody caught: where it was thrown, the line of the source, a caret below it, an
//! empty line, the exception, and at last its own version.
//!
//! Only the caret tells that the first two lines are no others.

use super::opening;
use super::trace::Trace;

/// Above the exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// After `/app/cart.js:12`.
    File,
    /// After the line of the source.
    Source,
    /// After the caret.
    Caret,
}

impl Place {
    pub(super) fn is_open(self) -> bool {
        self != Self::Caret
    }

    pub(super) fn after(self, line: &[u8]) -> Option<Trace> {
        let blank = line.trim_ascii().is_empty();
        match self {
            Self::File if blank || opening::opens(line) || is_place(line) => None,
            Self::File => Some(Trace::Node(Self::Source)),
            Self::Source => is_caret(line).then_some(Trace::Node(Self::Caret)),
            Self::Caret if blank => Some(Trace::Node(Self::Caret)),
            // `[Error: ENOENT: no such file] {` has no frames.
            Self::Caret if line.ends_with(b" {") => Some(Trace::Properties),
            Self::Caret => Some(Trace::Exception),
        }
    }
}

/// Where the place begins that `line` ends with: its last word, or all of it.
pub(super) fn place_in(line: &[u8]) -> Option<usize> {
    // Of nearly every line the last letters tell.
    let number = line.iter().rev().take(8).take_while(|byte| byte.is_ascii_digit()).count();
    let file = line[..line.len() - number].strip_suffix(b":").filter(|_| number > 0)?;
    if !matches!(file.last(), Some(b's' | b'x')) && memchr::memmem::find(file, b"node:").is_none() {
        return None;
    }
    let word = memchr::memrchr(b' ', line).map_or(0, |blank| blank + 1);
    [0, word].into_iter().find(|&start| is_place(&line[start..]))
}

/// `/app/cart.js:12`, `file:///app/cart.mjs:1`, `C:\app\cart.js:3`, `node:internal/process/promises:389`.
pub(super) fn is_place(line: &[u8]) -> bool {
    const SOURCES: [&[u8]; 7] = [b".js", b".mjs", b".cjs", b".ts", b".mts", b".cts", b".jsx"];
    let number = line.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let Some(file) = line[..line.len() - number].strip_suffix(b":").filter(|_| number > 0) else {
        return false;
    };
    let is_windows = matches!(file, [drive, b':', b'\\', ..] if drive.is_ascii_alphabetic());
    let is_absolute = file.starts_with(b"/") || file.starts_with(b"file:///") || is_windows;
    let is_own = file.starts_with(b"node:") && !file.contains(&b' ');
    is_own || is_absolute && SOURCES.iter().any(|end| file.ends_with(end))
}

pub(super) fn is_caret(line: &[u8]) -> bool {
    let text = line.trim_ascii();
    !text.is_empty() && text.iter().all(|byte| matches!(byte, b'^' | b'~'))
}

/// `Node.js v20.11.0`, the last that it prints.
pub(super) fn is_version(line: &[u8]) -> bool {
    line.strip_prefix(b"Node.js v").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit))
}

/// What stands between the frames of an error and those of who emitted it.
pub(super) fn is_link(line: &[u8]) -> bool {
    line.starts_with(b"Emitted 'error' event ") && line.ends_with(b"at:")
}
