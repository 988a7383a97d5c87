//! What goes over the wire and what is made of the answers, one module per topic.
//!
//! A `Group` is a bot's group with a script of answers. It is plugged in as the client's `Transport` in paused time; the
//! transport of production meets real sockets in `http`.
#![cfg(test)]

mod cards;
mod codes;
mod corpus;
mod cost;
mod flow;
mod gateway;
mod group;
mod growth;
mod http;
mod injection;
mod limits;
#[cfg(feature = "mock")]
mod mock;
mod repeats;
mod secrets;
mod shrinking;
mod signing;
mod storm;
