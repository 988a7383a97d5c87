//! Any bytes as lines of a log.
#![no_main]

#[path = "../../tests/mining/property.rs"]
#[allow(dead_code, reason = "the other target's half")]
mod property;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| property::mine(bytes));
