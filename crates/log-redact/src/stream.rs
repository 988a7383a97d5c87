//! Redacts a stream in bounded memory.

use std::collections::BTreeMap;

use crate::find::{Find, Ruler};
use crate::redactor::{AHEAD, BEHIND, BLOCK, Redactor, write_redacted};

/// Redacts a stream that comes in chunks.
///
/// What comes out does not depend on how the stream was cut into chunks, and is what
/// [`Redactor::redact_bytes`] makes of the whole. At most 200 KiB are held back; [`flush`](Self::flush)
/// gives them out when the stream
/// pauses.
#[derive(Debug)]
pub struct Stream<'r> {
    redactor: &'r Redactor,
    /// What was given out already but may matter to what follows, then what is held back.
    held: Vec<u8>,
    /// Where in `held` that begins which is held back.
    start: usize,
    counts: BTreeMap<&'r str, u64>,
    ruler: Ruler,
    finds: Option<Vec<Find<'r>>>,
}

impl Redactor {
    /// Starts to redact a stream.
    pub fn stream(&self) -> Stream<'_> {
        Stream {
            redactor: self,
            held: Vec::new(),
            start: 0,
            counts: BTreeMap::new(),
            ruler: Ruler::new(),
            finds: None,
        }
    }
}

impl<'r> Stream<'r> {
    /// Takes the next chunk of the stream and appends to `out` what is ready.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        // In pieces, so that memory stays bounded whatever the chunk's size.
        for piece in chunk.chunks(BLOCK) {
            self.held.extend_from_slice(piece);
            while self.held.len() - self.start > BLOCK + AHEAD {
                self.advance(false, out);
            }
        }
    }

    /// Gives out everything up to the last line break, as if the stream ended there: for a stream that pauses.
    ///
    /// A secret that goes on in a later line is then found by its beginning only.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        let Some(line_break) = memchr::memrchr(b'\n', &self.held[self.start..]) else { return };
        let rest = self.held.split_off(self.start + line_break + 1);
        self.finish_held(out);
        self.held.extend_from_slice(&rest);
    }

    /// Gives out the rest: the stream has ended.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.finish_held(out);
        self.held.clear();
        self.start = 0;
    }

    /// Keeps what is found from now on, for [`take_finds`](Self::take_finds).
    pub fn keep_finds(&mut self) {
        self.finds.get_or_insert_default();
    }

    /// What was found in all that was given out since it was asked last, if it is [kept](Self::keep_finds).
    pub fn take_finds(&mut self) -> Vec<Find<'r>> {
        self.finds.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// How often each class was found so far.
    pub fn counts(&self) -> &BTreeMap<&'r str, u64> {
        &self.counts
    }

    fn finish_held(&mut self, out: &mut Vec<u8>) {
        while self.start < self.held.len() {
            self.advance(self.held.len() - self.start <= BLOCK + AHEAD, out);
        }
    }

    fn advance(&mut self, whole: bool, out: &mut Vec<u8>) {
        let mut block = self.redactor.block(&self.held, self.start, whole);
        let text = &self.held[self.start..block.end];
        write_redacted(out, text, &block.finds);
        self.ruler.measure(text, &mut block.finds);
        for find in &block.finds {
            *self.counts.entry(find.class).or_default() += 1;
        }
        if let Some(finds) = &mut self.finds {
            finds.append(&mut block.finds);
        }
        self.start = block.end;
        let forgotten = self.start.saturating_sub(BEHIND);
        self.held.drain(..forgotten);
        self.start -= forgotten;
    }
}
