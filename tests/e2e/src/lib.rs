//! What the end-to-end tests have in common: manifests, people, and the operator under its own role.
//!
//! The tests are in `tests/main.rs`, one binary, so that they share one API server.

mod manifest;
mod people;
mod world;

pub use manifest::Manifest;
pub use people::{ApiObject, People, refusal};
pub use world::{FILLED_WITHIN, SECRET_ID, SECRET_KEY, SOON, World, phase};
