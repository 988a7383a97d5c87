#![doc = include_str!("../README.md")]

mod api;
mod class;
mod client;
mod clock;
mod codes;
mod credentials;
mod describe;
mod envelope;
mod error;
mod launch;
mod limit;
mod offers;
mod opened;
mod quota;
mod reqwest_transport;
mod retry;
mod send;
pub mod sign;
mod terminate;
mod transport;
pub mod types;

#[cfg(feature = "mock")]
pub use api::MockCvm;
pub use api::{Cvm, Listing, SendOptions, ServerTime};
pub use class::{Action, Class, Scope, classify, known_codes};
pub use client::{HttpCvm, HttpCvmBuilder};
pub use clock::{SystemClock, WallClock};
pub use credentials::{Credentials, SecretId};
pub use error::{BoxError, Error, Reach};
pub use limit::{LimitTotals, RateLimits};
pub use reqwest_transport::ReqwestTransport;
pub use transport::{Transport, TransportError};
pub use types::{
    AccountQuota, AppId, Filter, Instance, InstanceId, InstanceState, IsolatedSource, Offer, OfferStatus,
    RunInstances, StockLevel, Tag, ZoneQuota,
};
