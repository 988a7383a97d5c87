//! The shipped operator on a real API server.
//!
//! One binary, so that all tests share one API server; each has a namespace and a cloud of its own. Only
//! `latency` is a binary for itself, since it measures time.

#![cfg(test)]

mod adoption;
mod arrears;
mod broken;
mod credentials;
mod filling;
mod health;
mod holding;
mod leading;
mod leaving;
mod manifests;
mod namespace;
mod outage;
mod process;
mod rare;
mod refusals;
mod role;
mod scaling;
mod stock;
mod store;
mod terminations;
mod thrift;
mod tracing;
mod watch;
