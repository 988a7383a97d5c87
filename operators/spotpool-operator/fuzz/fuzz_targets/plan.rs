//! Whatever a pass may read.

#![no_main]

#[path = "../../tests/plan/given.rs"]
mod given;
#[path = "../../tests/plan/observed.rs"]
mod observed;

libfuzzer_sys::fuzz_target!(|input: &[u8]| observed::check(input));
