//! A stream of events, or one body, to an answer.

use serde_json::Value;

use super::answer::{Answer, Assembly, Delta, Deltas};
use super::chunk::Chunk;
use super::sse::{SseEvent, SseParser, TooLong};
use crate::envelope::Envelope;

const END: &str = "[DONE]";

/// Puts an answer together from a stream of server-sent events, in whatever pieces the bytes come.
#[derive(Default)]
pub struct Decoder {
    sse: SseParser,
    assembly: Assembly,
    ended: bool,
    failed: bool,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The endpoint says that it failed.
    #[error("the endpoint answered with an error")]
    #[non_exhaustive]
    Failed {
        /// Its code or its number, if it has one.
        code: Option<String>,
        /// The kind of error, if it names one.
        kind: Option<String>,
        /// Its own words: not yet fit to be shown.
        message: String,
    },
    /// An event, or the body, is not JSON.
    #[error("what should be JSON is not, at line {line} column {column}")]
    #[non_exhaustive]
    NotJson {
        /// Where it stops being JSON, from 1.
        line: usize,
        /// Where in that line.
        column: usize,
        /// It is the start of something that would have been.
        cut: bool,
    },
    /// It is JSON, and no chat completion.
    #[error("this is no chat completion")]
    NotAnAnswer,
    /// It is a chat completion without an answer.
    #[error("the answer has no choices")]
    NoChoices,
    /// The stream ended, and nothing said that the answer did.
    #[error("the stream ended before the answer did")]
    Incomplete,
    /// An event is too long to be one.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

impl Decoder {
    /// Takes the next bytes; what they bring goes to `deltas`, also when there is an error behind it.
    ///
    /// # Errors
    /// [`DecodeError`], after which bytes are ignored.
    pub fn push(&mut self, bytes: &[u8], deltas: &mut Vec<Delta>) -> Result<(), DecodeError> {
        if self.ended || self.failed {
            return Ok(());
        }
        let mut events = Vec::new();
        let pushed = self.sse.push(bytes, &mut events);
        let taken = events.iter().try_for_each(|event| self.take(event, deltas));
        let outcome = taken.and(pushed.map_err(DecodeError::from));
        self.failed = outcome.is_err();
        outcome
    }

    /// Whether the endpoint said that this is all: nothing more needs to be read.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether the endpoint said why the answer ends: only its count can still come, and that it ends.
    pub(crate) fn is_finished(&self) -> bool {
        !self.failed && self.assembly.is_finished()
    }

    /// The whole answer, once the stream has ended; what was held back until now goes to `deltas`.
    ///
    /// # Errors
    /// [`DecodeError`], also when the stream ended too early.
    pub fn finish(mut self, deltas: &mut Vec<Delta>) -> Result<Answer, DecodeError> {
        if !self.ended
            && !self.failed
            && let Some(last) = std::mem::take(&mut self.sse).finish()
        {
            match self.take(&last, deltas) {
                // The connection broke in the middle of the count.
                Err(DecodeError::NotJson { cut: true, .. }) if self.assembly.is_finished() => {}
                taken => taken?,
            }
        }
        // Some servers end without `[DONE]`, and some say it without a `finish_reason`.
        match self.assembly.has_choice {
            _ if self.failed => Err(DecodeError::Incomplete),
            false if self.ended => Err(DecodeError::NoChoices),
            true if self.ended || self.assembly.is_finished() => {
                Ok(self.assembly.finish(&mut Deltas::To(deltas)))
            }
            _ => Err(DecodeError::Incomplete),
        }
    }

    /// A whole answer in one body of JSON.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn whole(body: &[u8]) -> Result<Answer, DecodeError> {
        let chunk = chunk(body)?;
        if chunk.choices.is_none() {
            return Err(DecodeError::NotAnAnswer);
        }
        let mut assembly = Assembly::default();
        let mut nobody = Deltas::Unheard;
        assembly.take(chunk, &mut nobody);
        if assembly.has_choice { Ok(assembly.finish(&mut nobody)) } else { Err(DecodeError::NoChoices) }
    }

    fn take(&mut self, event: &SseEvent, deltas: &mut Vec<Delta>) -> Result<(), DecodeError> {
        let data = event.data.trim();
        if self.ended || data.is_empty() {
            return Ok(());
        }
        if data == END {
            self.ended = true;
            return Ok(());
        }
        let chunk = chunk(data.as_bytes())?;
        self.assembly.take(chunk, &mut Deltas::To(deltas));
        Ok(())
    }
}

/// The JSON of a piece, unless it is an error.
fn chunk(json: &[u8]) -> Result<Chunk, DecodeError> {
    // Something else than an object has no choices, but can be an error.
    let (chunk, error) = if json.trim_ascii_start().first() == Some(&b'{') {
        let mut chunk: Chunk = serde_json::from_slice(json).map_err(|error| unread(&error))?;
        let error = Value::Object(chunk.take_error());
        (chunk, error)
    } else {
        (Chunk::default(), serde_json::from_slice(json).map_err(|error| unread(&error))?)
    };
    match Envelope::in_json(error) {
        Some(Envelope { code, kind, message }) => Err(DecodeError::Failed { code, kind, message }),
        None => Ok(chunk),
    }
}

fn unread(error: &serde_json::Error) -> DecodeError {
    if error.is_data() {
        // A field that stands there twice: everything else is taken for absent.
        return DecodeError::NotAnAnswer;
    }
    DecodeError::NotJson { line: error.line(), column: error.column(), cut: error.is_eof() }
}
