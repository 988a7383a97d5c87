//! Any bytes through every decoder. A stream must mean the same whole and in pieces.
//!
//! ```sh
//! mkdir -p crates/llm-client/fuzz/corpus && cd crates/llm-client/fuzz
//! RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir . --sanitizer none decode corpus ../tests/corpus -- -runs=1000000 -max_len=65536
//! ```

#![no_main]

use libfuzzer_sys::fuzz_target;
use llm_client::decode::{Answer, DecodeError, Decoder, json_in};

fn in_pieces(bytes: &[u8], size: usize) -> Result<Answer, DecodeError> {
    let mut decoder = Decoder::default();
    let mut deltas = Vec::new();
    for piece in bytes.chunks(size) {
        decoder.push(piece, &mut deltas)?;
    }
    decoder.finish(&mut deltas)
}

fuzz_target!(|bytes: &[u8]| {
    let whole = in_pieces(bytes, usize::MAX);
    // The first byte says how it is cut, so that the fuzzer chooses.
    let size = bytes.first().map_or(1, |byte| usize::from(*byte).max(1));
    assert!(whole == in_pieces(bytes, size), "cut into {size} bytes it means something else");
    if let Ok(answer) = whole {
        json_in(&answer.content);
    }
    if let Ok(answer) = Decoder::whole(bytes) {
        json_in(&answer.content);
    }
    json_in(&String::from_utf8_lossy(bytes));
});
