//! What goes over the wire and what is made of the answers, one module per topic.
//!
//! A `Cloud` is a script of answers. It is served over HTTP by wiremock where the bytes matter, and plugged in as the
//! client's `Transport` in paused time where time matters.

#![expect(
    clippy::expect_used,
    reason = "a failed expectation is how a test fails, also outside #[test] functions"
)]

mod answers;
mod by_id;
mod clock;
mod cloud;
mod describe;
mod errors;
mod hostile;
mod http;
mod limits;
mod offers;
mod quota;
mod run;
mod secrets;
mod signing;
mod terminate;
