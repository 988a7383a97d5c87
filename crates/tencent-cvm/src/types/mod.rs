//! Wire types. Every field of an answer may be null or absent, and unknown values must not fail.

mod account_quota;
pub(crate) mod filter;
mod instance;
mod offer;
mod run_instances;
mod untrusted;

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::envelope::capped;

pub(crate) use account_quota::WireAccountQuota;
pub use account_quota::{AccountQuota, AppId, ZoneQuota};
pub use filter::Filter;
pub(crate) use instance::{DescribeInstances, Page, WirePage};
pub use instance::{Instance, InstanceState, IsolatedSource};
pub(crate) use offer::{ByFilters, WireOffers};
pub use offer::{Offer, OfferStatus, StockLevel};
pub(crate) use run_instances::Launched;
pub use run_instances::RunInstances;

/// Long enough for every text of the cloud seen, short enough for a condition.
const MAX_TEXT: usize = 300;

/// An instance id, `ins-…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceId(String);

impl InstanceId {
    /// Takes the id as it stands.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as the cloud writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for InstanceId {
    fn from(id: &str) -> Self {
        Self::new(id)
    }
}

/// A tag of an instance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// At most 127 characters.
    #[serde(default)]
    pub key: String,
    /// At most 255 characters.
    #[serde(default)]
    pub value: String,
}

/// The cloud writes "" as well as null for what is not there.
fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// A word or sentence of the cloud that is only ever shown to people.
fn short(text: impl Into<String>) -> String {
    capped(text.into(), MAX_TEXT)
}
