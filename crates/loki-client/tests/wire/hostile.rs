//! Bytes that nobody promised: no panic.

use loki_client::{Cursor, CursorOptions, CursorState, decode};

#[test]
fn the_corpus_of_the_fuzzer_is_read_without_a_panic() {
    let corpus = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus")).unwrap();
    let (mut files, mut read) = (0, 0);
    for file in corpus {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let decoded = [
            decode::entries(&bytes).is_ok(),
            decode::value(&bytes).is_ok(),
            decode::tail_frame(&bytes).is_ok(),
            serde_json::from_slice::<CursorState>(&bytes)
                .is_ok_and(|state| Cursor::resume(&state, CursorOptions::default()).is_ok()),
        ];
        files += 1;
        read += usize::from(decoded.contains(&true));
    }
    assert!(files >= 20 && read >= 10, "{read} of {files} files are something");
}
