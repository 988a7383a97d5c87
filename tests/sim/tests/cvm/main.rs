//! The CVM stand-in: the core in made-up time, then its two faces.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is how a test fails, also outside #[test] functions"
)]

mod caller;
mod codes;
mod determinism;
mod door;
mod faults;
mod http_face;
mod launching;
mod life;
mod listing;
mod offers;
mod quota;
mod shipped;
mod signatures;
mod tokens;
mod troubles;
mod virtual_time;
