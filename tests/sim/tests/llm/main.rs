//! The chat stand-in as its callers see it: by our own client, and by bare HTTP where that would hide something.

#![cfg(test)]

mod caller;
mod dialects;
mod limits;
mod model;
mod plays;
