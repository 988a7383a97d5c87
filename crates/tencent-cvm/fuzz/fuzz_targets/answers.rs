//! Whatever the cloud answers.

#![no_main]

#[path = "../../tests/wire/answers.rs"]
mod answers;

libfuzzer_sys::fuzz_target!(|input: &[u8]| answers::check(input));
