//! From bytes to an answer, without any network: what the client uses, and what is fuzzed.
//!
//! Everything here takes time in proportion to its input, and none of it can panic on any input.

mod answer;
mod chunk;
mod decoder;
mod json;
mod lenient;
mod sse;
mod think;

pub use answer::{Answer, Delta};
pub use decoder::{DecodeError, Decoder};
pub use json::json_in;
pub use sse::{SseEvent, SseParser, TooLong};
