//! The shipped operator on a real API server.
//!
//! One binary, so that all tests share one API server; each has a namespace of its own.

#![cfg(test)]

mod manifests;
mod role;
mod store;
mod watch;
