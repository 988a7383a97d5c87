#![doc = include_str!("../README.md")]

mod config;
mod error;
mod event;
mod header;
mod lex;
mod miner;
mod template;
mod time;

pub use config::Config;
pub use error::LoadError;
pub use event::{Event, Joiner};
pub use miner::{Adopted, Forgotten, Merge, Miner, Observation};
pub use template::{Template, TemplateId};
