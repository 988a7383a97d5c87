//! Wire types. Every field of an answer may be null or absent, and unknown values must not fail.

use serde::{Deserialize, Serialize};
use std::fmt;

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

/// The life of an instance as the cloud names it.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstanceState {
    /// Being made; no address yet.
    Pending,
    /// Could not be made; disappears by itself.
    LaunchFailed,
    /// Up.
    Running,
    /// Coming up again.
    Starting,
    /// Being restarted.
    Rebooting,
    /// Going down.
    Stopping,
    /// Down, usually still billed.
    Stopped,
    /// Stopped, to be destroyed.
    Shutdown,
    /// Being destroyed.
    Terminating,
    /// Any other word (rescue modes, live migration, what comes tomorrow), as it was sent.
    Other(String),
}

/// One instance, the fields that a fleet needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// Its display name, "" when the cloud sent none.
    pub name: String,
    /// Its state; `None` when the cloud sent none.
    pub state: Option<InstanceState>,
    /// The zone it stands in.
    pub zone: Option<String>,
    /// Its type, such as `GN7.2XLARGE32`.
    pub instance_type: Option<String>,
    /// `SPOTPAID`, `POSTPAID_BY_HOUR`, `PREPAID`, …
    pub charge_type: Option<String>,
    /// Addresses in the VPC.
    pub private_ips: Vec<String>,
    /// Public addresses.
    pub public_ips: Vec<String>,
    /// Tags; they appear some time after the instance does.
    pub tags: Vec<Tag>,
    /// When it was made, UTC ISO 8601 as sent.
    pub created_time: Option<String>,
    /// `NORMAL`, `EXPIRED`, `PROTECTIVELY_ISOLATED`.
    pub restrict_state: Option<String>,
    /// Why the last operation failed, when it did.
    pub latest_operation_error: Option<String>,
}

impl Instance {
    /// The value of the tag with this key.
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|tag| tag.key == key).map(|tag| tag.value.as_str())
    }
}

/// The body of `RunInstances`. What is sent is exactly [`RunInstances::body`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunInstances {
    /// `SPOTPAID` or `POSTPAID_BY_HOUR`; always sent, since the cloud's default is the full price.
    pub instance_charge_type: String,
    /// The zone.
    pub zone: String,
    /// Such as `GN7.2XLARGE32`.
    pub instance_type: String,
    /// `img-…`.
    pub image_id: String,
    /// `vpc-…` or `DEFAULT`; with `DEFAULT` for both no network is sent.
    pub vpc_id: String,
    /// `subnet-…` or `DEFAULT`.
    pub subnet_id: String,
    /// `sg-…`.
    pub security_group_ids: Vec<String>,
    /// `CLOUD_BSSD`, `CLOUD_PREMIUM`, …
    pub system_disk_type: String,
    /// GiB.
    pub system_disk_gib: u32,
    /// Mbit/s; 0: no public address.
    pub public_bandwidth_mbps: u32,
    /// SSH keys, `skey-…`.
    pub key_ids: Vec<String>,
    /// Plain text of at most 16 KiB once encoded; sent as base64.
    pub user_data: Option<String>,
    /// At most 60 bytes.
    pub instance_name: String,
    /// At most 64 ASCII characters.
    pub client_token: String,
    /// Tags of the instance.
    pub tags: Vec<Tag>,
    /// How many; all or nothing.
    pub count: u32,
}
