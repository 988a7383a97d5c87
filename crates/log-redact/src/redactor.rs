//! The redactor: a text in, the same text without secrets out.

use std::borrow::Cow;
use std::collections::HashSet;

use memchr::memchr_iter;

use crate::builder::RedactorBuilder;
use crate::error::BuildError;
use crate::find::{self, Find, Ruler};
use crate::placeholder::{self, Key};
use crate::rules::Rules;
use crate::scan;

/// A text is worked on in blocks of this many bytes.
pub(crate) const BLOCK: usize = 128 * 1024;
/// And this many bytes after a block are looked at with it: no secret is longer.
pub(crate) const AHEAD: usize = 64 * 1024;
/// And this many before it.
pub(crate) const BEHIND: usize = 4 * 1024;

/// Takes secrets and personal data out of texts.
///
/// Cheap to share (`&Redactor` is all that a thread needs) and made once: building it takes a few milliseconds.
#[derive(Debug)]
pub struct Redactor {
    pub(crate) rules: Rules,
    pub(crate) key: Key,
    pub(crate) allowed: HashSet<Vec<u8>>,
}

impl Redactor {
    /// The classes that are on by default, and a random key.
    ///
    /// # Errors
    /// [`BuildError::NoRandomness`].
    pub fn new() -> Result<Self, BuildError> {
        Self::builder().build()
    }

    /// To choose the key, the classes, extra patterns and allowed values.
    pub fn builder() -> RedactorBuilder {
        RedactorBuilder::default()
    }

    /// The text without its secrets; the text itself if it has none.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.redact_bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // Placeholders are ASCII and stand in place of whole characters.
            Cow::Owned(bytes) => Cow::Owned(
                String::from_utf8(bytes)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
            ),
        }
    }

    /// The same for a text that may not be UTF-8: bytes that are none are kept as they are.
    pub fn redact_bytes<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let finds = self.find(text);
        if finds.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut out = Vec::with_capacity(text.len());
        write_redacted(&mut out, text, &finds);
        Cow::Owned(out)
    }

    /// What is in a text, in order and without overlaps.
    pub fn find(&self, text: &[u8]) -> Vec<Find<'_>> {
        let mut finds = Vec::new();
        let mut ruler = Ruler::new();
        while ruler.at < text.len() {
            let at = ruler.at;
            let whole = text.len() - at <= BLOCK + AHEAD;
            let mut block = self.block(text, at, whole);
            ruler.measure(&text[at..block.end], &mut block.finds);
            finds.extend(block.finds);
        }
        finds
    }

    /// Works on the block of `text` that begins at `start`. `whole` says that the text ends where the block
    /// may end.
    pub(crate) fn block(&self, text: &[u8], start: usize, whole: bool) -> Block<'_> {
        let cut = if whole { text.len() } else { start + cut(&text[start..start + BLOCK]) };
        let from = start.saturating_sub(BEHIND);
        let to = text.len().min(cut + AHEAD);
        let window = &text[from..to];
        let mut candidates = scan::scan(&self.rules, window, start - from..cut - from);
        candidates.retain_mut(|candidate| {
            candidate.start = candidate.start.max(start - from);
            candidate.start < candidate.end && !self.is_allowed(window, candidate)
        });
        let mut finds = find::resolve(&self.rules, &self.key, window, candidates);
        for find in &mut finds {
            find.range = find.range.start + from - start..find.range.end + from - start;
        }
        let end = finds.last().map_or(cut, |last| (start + last.range.end).max(cut));
        Block { finds, end }
    }

    fn is_allowed(&self, text: &[u8], candidate: &scan::Candidate) -> bool {
        let secret = candidate.decoded.as_deref().unwrap_or(&text[candidate.start..candidate.end]);
        self.allowed.contains(secret)
    }
}

/// A part of a text that has been worked on.
pub(crate) struct Block<'r> {
    /// By their place in the block.
    pub(crate) finds: Vec<Find<'r>>,
    /// Where in the text the block ends.
    pub(crate) end: usize,
}

/// Where a block is cut: after its last line; if it is all one line after its last blank; if there is none, anywhere but
/// in the middle of a character.
fn cut(block: &[u8]) -> usize {
    let after = |place: usize| place + 1;
    let half = &block[block.len() / 2..];
    memchr::memrchr(b'\n', block)
        .map(after)
        .or_else(|| half.iter().rposition(u8::is_ascii_whitespace).map(|place| block.len() / 2 + place + 1))
        .unwrap_or_else(|| {
            let split = block.iter().rev().take(4).position(|byte| (*byte as i8) >= -0x40).unwrap_or(0);
            block.len() - split - 1
        })
}

/// Writes a text with placeholders in place of what was found. The line breaks inside a find stay.
pub(crate) fn write_redacted(out: &mut Vec<u8>, text: &[u8], finds: &[Find<'_>]) {
    let mut at = 0;
    for find in finds {
        out.extend_from_slice(&text[at..find.range.start]);
        let quote = find
            .quoted
            .map_or(Vec::new(), |backslashes| [b"\\".repeat(backslashes), b"\"".to_vec()].concat());
        out.extend_from_slice(&quote);
        placeholder::write(out, find.class, find.id);
        out.extend_from_slice(&quote);
        let secret = &text[find.range.clone()];
        for line_break in memchr_iter(b'\n', secret) {
            if line_break > 0 && secret[line_break - 1] == b'\r' {
                out.push(b'\r');
            }
            out.push(b'\n');
        }
        at = find.range.end;
    }
    out.extend_from_slice(&text[at..]);
}
