#![doc = include_str!("../README.md")]

mod api;
mod class;
mod clock;
mod credentials;
mod error;
mod transport;
pub mod types;

#[cfg(feature = "mock")]
pub use api::MockCvm;
pub use api::{Cvm, Listing, SendOptions, ServerTime};
pub use class::{Action, Class};
pub use clock::{SystemClock, WallClock};
pub use credentials::{Credentials, SecretId};
pub use error::{BoxError, Error, Reach};
pub use transport::{Transport, TransportError};
pub use types::{Filter, Instance, InstanceId, InstanceState, RunInstances, Tag};
