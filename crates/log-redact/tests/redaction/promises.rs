//! What holds for any bytes at all. The fuzzer (`fuzz/`) checks the same.

use log_redact::{Key, Redactor};

/// All classes, with a key that is always the same.
pub(crate) fn everything() -> Redactor {
    let key = Key::from_bytes(b"of no use outside of tests").expect("long enough");
    Redactor::builder().key(key).enable("all").build().expect("no extra patterns")
}

/// Panics if one of the promises is broken for these bytes.
pub(crate) fn hold(redactor: &Redactor, bytes: &[u8]) {
    let clean = redactor.redact_bytes(bytes);
    let breaks = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(breaks(bytes), breaks(&clean), "the number of lines changed");

    let finds = redactor.find(bytes);
    assert_eq!(finds.is_empty(), *clean == *bytes, "what is found is replaced, and nothing else");
    let mut end = 0;
    for find in &finds {
        assert!(find.range.start >= end && find.range.start < find.range.end, "finds overlap or are empty");
        end = find.range.end;
    }
    assert!(end <= bytes.len(), "a find is outside of the text");

    if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(std::str::from_utf8(&clean).is_ok(), "UTF-8 became something else");
        assert_eq!(redactor.redact(text).as_bytes(), &*clean, "text and bytes differ");
    }

    // The first byte says how the stream is cut, so that the fuzzer chooses.
    let size = bytes.first().map_or(1, |byte| usize::from(*byte).max(1));
    let mut stream = redactor.stream();
    stream.keep_finds();
    let mut streamed = Vec::new();
    bytes.chunks(size).for_each(|chunk| stream.push(chunk, &mut streamed));
    stream.finish(&mut streamed);
    assert_eq!(streamed, *clean, "cut into chunks of {size} bytes it becomes something else");
    assert_eq!(stream.take_finds(), finds, "cut into chunks of {size} bytes other things are found");
    assert_eq!(
        stream.counts().values().sum::<u64>(),
        finds.len() as u64,
        "the counts are not of what was found"
    );
}
