#![doc = include_str!("../README.md")]

pub mod answer;
mod api;
mod bot;
mod builder;
mod card;
mod channel;
mod class;
mod clock;
mod error;
mod escape;
mod flow;
mod limit;
mod message;
mod preview;
mod render;
mod reqwest_transport;
mod retry;
mod shrink;
pub mod sign;
mod transport;
mod webhook;

pub use api::{CustomBot, Delivery, FlowTrigger};
#[cfg(feature = "mock")]
pub use api::{MockCustomBot, MockFlowTrigger};
pub use bot::HttpCustomBot;
pub use builder::HttpBuilder;
pub use card::{Card, CollapsiblePanel, Column, ColumnSet, Flex, Markdown, TagColor, Template};
pub use class::Class;
pub use clock::{SystemClock, WallClock};
pub use error::{BoxError, Error, Operation};
pub use flow::HttpFlowTrigger;
pub use limit::{RateLimits, Rates};
pub use message::{ImageKey, Line, Mention, Message, OpenId, Post, Text};
pub use preview::Paint;
pub use render::Rendered;
pub use reqwest_transport::ReqwestTransport;
pub use transport::{Transport, TransportError};
pub use webhook::{BotWebhook, FlowWebhook, SecretUrl};
