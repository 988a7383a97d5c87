//! Any bytes as an answer, as a tail's message, and as a stored state: values or an error, and no panic.
//!
//! ```sh
//! mkdir -p crates/loki-client/fuzz/corpus && cd crates/loki-client/fuzz
//! RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir . --sanitizer none decode corpus ../tests/corpus -- -runs=1000000 -max_len=65536
//! ```

#![no_main]

use libfuzzer_sys::fuzz_target;
use loki_client::{Answer, Cursor, CursorOptions, CursorState, Nanos, Request, decode};

fuzz_target!(|bytes: &[u8]| {
    let _ = decode::value(bytes);
    let _ = decode::tail_frame(bytes);
    if let Ok(entries) = decode::entries(bytes) {
        for entry in &entries {
            entry.key();
        }
        if let Ok(mut cursor) = Cursor::new("{a=\"b\"}", Nanos::new(0), CursorOptions::default()) {
            cursor.tick(Nanos::MAX);
            cursor.next_request();
            let _ = cursor.answer(Answer::Page(entries));
        }
    }
    if let Ok(state) = serde_json::from_slice::<CursorState>(bytes) {
        resume(&state);
    }
});

/// A state that is taken goes on, and comes back as it was. (One that an earlier release stored says less.)
fn resume(state: &CursorState) {
    let Ok(mut cursor) = Cursor::resume(state, CursorOptions::default()) else { return };
    let taken = cursor.state();
    let again = Cursor::resume(&taken, CursorOptions::default()).expect("what was stored can be read");
    assert_eq!(again.state(), taken);
    for now in [Nanos::MIN, Nanos::new(0), Nanos::from_seconds(1_795_186_568), Nanos::MAX] {
        cursor.tick(now);
        cursor.sweep(now);
        for _ in 0..8 {
            let answer = match cursor.next_request() {
                Some(Request::Page(_)) => Answer::Page(Vec::new()),
                Some(Request::Counts(query)) => Answer::Counts([(query.first, 1)].into()),
                _ => break,
            };
            let _ = cursor.answer(answer);
        }
    }
    cursor.state();
}
