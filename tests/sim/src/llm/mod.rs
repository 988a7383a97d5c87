//! A stand-in for endpoints of OpenAI-compatible chat, in six dialects.
//!
//! There is no model in it: it answers what a script tells it, and otherwise repeats what it was asked, calls the first
//! tool that it must, or makes up a value that fits the schema. What it is exact about is everything around the
//! model: the shapes on the wire, the limits, the keys, the counts of tokens, and all the ways in which endpoints fail.

mod admin;
mod answer;
mod body;
mod delivery;
mod dialect;
mod example;
mod limits;
mod play;
mod prompt;
mod refusal;
mod said;
mod settings;
mod stand_in;
mod tokens;

pub use dialect::Dialect;
pub use play::{Play, Shape};
pub use settings::Settings;
pub use stand_in::SimLlm;
