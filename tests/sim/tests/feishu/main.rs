//! The Feishu stand-in over HTTP, with the client and without.
#![cfg(test)]

mod injection;
mod page;
mod rules;
mod script;
mod server;
