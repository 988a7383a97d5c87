#![doc = include_str!("../README.md")]

mod config;
mod header;
mod lex;
mod miner;
mod template;
mod time;

pub use config::Config;
pub use miner::{Merge, Miner, Observation};
pub use template::{Template, TemplateId};
