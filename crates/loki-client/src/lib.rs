#![doc = include_str!("../README.md")]

mod api;
mod auth;
mod client;
mod cursor;
pub mod decode;
mod entry;
mod error;
mod html;
mod logql;
mod page;
mod push;
mod read;
mod refusal;
mod reqwest_transport;
mod send;
mod split;
mod tail;
mod time;
mod transport;
pub mod types;
mod wait;

pub use api::Loki;
#[cfg(feature = "mock")]
pub use api::MockLoki;
pub use auth::Auth;
pub use client::{HttpLoki, HttpLokiBuilder};
pub use cursor::{Answer, Cursor, CursorOptions, CursorState, Failure, Parked, Request};
pub use entry::{Entry, EntryKey, Labels};
pub use error::{BoxError, Error, Operation};
pub use page::{PageOptions, Pager};
pub use push::{PushEncoding, PushEntry, PushStream};
pub use read::{CountQuery, LokiExt};
pub use refusal::Refusal;
pub use reqwest_transport::ReqwestTransport;
pub use tail::Tail;
pub use time::{Nanos, Window};
pub use transport::{Connection, Transport, TransportError, Upgrade};
pub use types::{Direction, Dropped, LogQuery, RangeQuery, Sample, Series, TailFrame, TailQuery, Value};
