//! Wire types. Every field of an answer may be null or absent, and unknown values must not fail.

mod account_quota;
mod instance;
mod run_instances;

use serde::{Deserialize, Serialize};
use std::fmt;

pub(crate) use account_quota::WireAccountQuota;
pub use account_quota::{AccountQuota, AppId, ZoneQuota};
pub(crate) use instance::{DescribeInstances, Page, WirePage};
pub use instance::{Instance, InstanceState};
pub(crate) use run_instances::Launched;
pub use run_instances::RunInstances;

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

/// One filter of a listing: instances whose `name` attribute has one of `values`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Filter {
    /// A filter name of the API: `zone`, `instance-name`, `tag-key`, `tag:<key>`, …
    pub name: String,
    /// At most 5.
    pub values: Vec<String>,
}

impl Filter {
    /// A filter on one value.
    pub fn one(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), values: vec![value.into()] }
    }
}
