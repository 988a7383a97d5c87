//! Any bytes as an answer of Feishu's: read without a panic, never taken for delivered unless they say so, and what is
//! repeated of them is short and visible.
//!
//! ```sh
//! mkdir -p crates/feishu/fuzz/corpus && cd crates/feishu/fuzz
//! RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir . --sanitizer none answer corpus ../tests/corpus -- -runs=1000000 -max_len=65536
//! ```

#![no_main]

use feishu::answer::{Answer, read};
use http::StatusCode;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match read(StatusCode::OK, bytes) {
        Ok(Answer::Done) => assert!(bytes.contains(&b'0'), "done, and nobody said so"),
        Ok(Answer::Refused(refusal)) => {
            assert_ne!(refusal.code, 0);
            // Each of 300 characters may be spelled out as `\u{10ffff}`.
            assert!(refusal.message.chars().count() <= 301 * 10);
            assert!(!refusal.message.chars().any(char::is_control));
            let _ = refusal.class().advice();
        }
        Err(error) => assert!(error.to_string().chars().count() < 200, "{error}"),
    }
    assert_ne!(read(StatusCode::BAD_REQUEST, bytes), Ok(Answer::Done), "a failure taken for done");
});
