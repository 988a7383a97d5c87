//! `loki-client` on a real Loki: what a model of Loki, however unhelpful, cannot prove.
//!
//! One binary, so that all tests share one Loki; each has a tenant of its own.

#![cfg(test)]

mod calls;
mod following;
mod paging;
mod starting;
mod storm;
mod traffic;
