//! What goes over the wire and what is made of the answers, one module per topic.
//!
//! A `Script` of answers is plugged in as the client's `Transport`, in paused time where time matters; real connections
//! are used where the transport itself is meant.

#![cfg(test)]

mod answers;
mod cost;
mod growth;
mod hostile;
mod http;
#[cfg(feature = "mock")]
mod mock;
mod recordings;
mod requests;
mod script;
mod secrets;
mod tail;
