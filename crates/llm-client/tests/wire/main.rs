//! What goes over the wire and what is made of the answers, one module per topic.
//!
//! An `Endpoint` is a script of answers. It is served over TCP where bytes matter, and plugged in as the client's
//! `Transport` in paused time where time matters.

#![cfg(test)]
mod budget;
mod configuration;
mod cost;
mod deadlines;
mod decoders;
mod dialects;
mod endpoint;
mod faults;
mod growth;
mod hurry;
#[cfg(feature = "mock")]
mod mock;
mod providers;
mod requests;
mod secrets;
mod streaming;
mod structured;
mod tools;
