#![doc = include_str!("../README.md")]

mod api;
mod body;
mod breaker;
mod budget;
mod class;
mod client;
mod completion;
pub mod decode;
mod envelope;
mod error;
mod message;
mod price;
mod profile;
mod prompt_size;
mod providers;
mod reader;
mod request;
mod reqwest_transport;
mod schema;
mod send;
mod stream;
mod structured;
mod tool;
mod transport;
mod words;

pub use api::Chat;
#[cfg(feature = "mock")]
pub use api::MockChat;
pub use breaker::BreakerState;
pub use budget::TokenBudget;
pub use class::Class;
pub use client::{HttpChat, HttpChatBuilder};
pub use completion::{Completion, Finish, PromptCut, Usage};
pub use error::{BoxError, Call, Deadline, Error};
pub use message::Message;
pub use price::{Cost, Prices};
pub use profile::{Profile, StructuredOutput, UnknownProfile};
pub use providers::Providers;
pub use request::{ChatRequest, Format};
pub use reqwest_transport::ReqwestTransport;
pub use rust_decimal::Decimal;
pub use schema::{InvalidSchema, Schema, Violation};
pub use stream::{ChatStream, Event};
pub use structured::{Extracted, Structured, extract};
pub use tool::{BadToolCall, Tool, ToolCall, ToolChoice};
pub use transport::{BodyStream, Transport, TransportError};
