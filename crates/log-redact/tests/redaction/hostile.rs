//! Bytes that are no log.

use std::path::PathBuf;

use crate::promises;

/// Inputs from which the fuzzer (`fuzz/`) starts, and what it found.
#[test]
fn the_promises_hold_for_the_corpus_of_the_fuzzer() {
    let redactor = promises::everything();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        promises::hold(&redactor, &bytes);
        count += 1;
    }
    assert!(count >= 50, "{count} inputs in {}", folder.display());
}

#[test]
fn every_byte_that_is_no_text_stays_as_it_is() {
    let redactor = promises::everything();
    let all: Vec<u8> = (0..=255).collect();
    assert_eq!(&*redactor.redact_bytes(&all), &all[..]);
    let broken = [&b"\xff\xfepassword="[..], &b"Tr0ub4dor"[..], &b"\x00\xc3\n\x80\xe5\xaf"[..]].concat();
    let clean = redactor.redact_bytes(&broken);
    assert!(clean.starts_with(b"\xff\xfepassword=<password:") && clean.ends_with(b">\x00\xc3\n\x80\xe5\xaf"));
}

#[test]
fn a_line_of_ten_megabytes_is_redacted_from_end_to_end() {
    let redactor = promises::everything();
    let mut text = String::new();
    for filler in ["word ", "x", "\u{5bc6}", "%41", "\\n", "a/", "1 ", "="] {
        text.push_str(&filler.repeat(10_000_000 / 8 / filler.len()));
        text.push_str(" password=Tr0ub4dor bob@example.com ");
    }
    let clean = redactor.redact(&text);
    assert!(!clean.contains("Tr0ub4dor") && !clean.contains("bob@"));
    assert!(clean.len() > 9_900_000 && !clean.contains('\n'));
}

#[test]
fn a_secret_is_found_wherever_blocks_are_cut() {
    let redactor = promises::everything();
    // The length of a block, and the bytes around it.
    for place in (131_072 - 60..131_072 + 8).step_by(11) {
        for filler in ["x", "ab cd\n"] {
            let mut text = filler.repeat(place / filler.len());
            text.push_str(" password=Tr0ub4dor-Tr0ub4dor and bob@example.com\n");
            text.push_str(&"y z\n".repeat(30_000));
            let clean = redactor.redact(&text);
            assert!(!clean.contains("Tr0ub") && !clean.contains("bob@"), "{place} of {filler:?}");
        }
    }
}

#[test]
fn a_large_stream_is_redacted_as_the_whole_however_it_is_cut() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let inputs: Vec<_> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let mut text = inputs.concat().repeat(250_000 / inputs.concat().len());
    for size in [255, 7, 1] {
        // The first byte is the size of the chunks.
        text[0] = size;
        promises::hold(&promises::everything(), &text);
    }
}
