#![doc = include_str!("../README.md")]

pub mod cvm;
pub mod face;
pub mod feishu;
pub mod http;
pub mod llm;
pub mod shared;
pub mod transport;
