//! What `DescribeInstances` takes and gives.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::untrusted::Bounded;
use super::{Filter, InstanceId, Tag, present, short};

/// Entries of one page: ten times the largest `Limit`.
const MOST_INSTANCES: usize = 1000;
/// Addresses or tags of one instance: the cloud allows far fewer.
const MOST_PARTS: usize = 1000;

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
    /// Why it is kept from working, when it is.
    pub isolated_source: Option<IsolatedSource>,
    /// Whether it costs money while stopped: `KEEP_CHARGING`, `STOP_CHARGING`, `NOT_APPLICABLE`.
    pub stop_charging_mode: Option<String>,
    /// The last operation on it, `RunInstances`, `StopInstances`, …
    pub latest_operation: Option<String>,
    /// How that went: `SUCCESS`, `OPERATING`, `FAILED`.
    pub latest_operation_state: Option<String>,
    /// Why the last operation failed, when it did: for people, never to decide on. Capped.
    pub latest_operation_error: Option<String>,
}

/// Why an instance is kept from working.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IsolatedSource {
    /// `NOTISOLATED`: it is not.
    NotIsolated,
    /// `ARREAR`: the account has not paid.
    Arrear,
    /// `EXPIRE`: its term is over.
    Expire,
    /// `MANMADE`: somebody gave it back.
    ManMade,
    /// Any other word, as it was sent.
    Other(String),
}

impl From<String> for IsolatedSource {
    fn from(word: String) -> Self {
        match word.as_str() {
            "NOTISOLATED" => Self::NotIsolated,
            "ARREAR" => Self::Arrear,
            "EXPIRE" => Self::Expire,
            "MANMADE" => Self::ManMade,
            _ => Self::Other(word),
        }
    }
}

impl Instance {
    /// Whether the cloud keeps it from working, for whatever reason: it exists, and comes back or goes by itself.
    pub fn is_isolated(&self) -> bool {
        self.isolated_source.as_ref().is_some_and(|source| *source != IsolatedSource::NotIsolated)
            || self.restrict_state.as_deref().is_some_and(|state| state != "NORMAL")
    }

    /// Whether it is kept from working because the account has not paid.
    pub fn is_in_arrears(&self) -> bool {
        self.isolated_source == Some(IsolatedSource::Arrear)
    }

    /// The value of the tag with this key.
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|tag| tag.key == key).map(|tag| tag.value.as_str())
    }
}

impl InstanceState {
    /// The word of the API.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "PENDING",
            Self::LaunchFailed => "LAUNCH_FAILED",
            Self::Running => "RUNNING",
            Self::Starting => "STARTING",
            Self::Rebooting => "REBOOTING",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
            Self::Shutdown => "SHUTDOWN",
            Self::Terminating => "TERMINATING",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for InstanceState {
    fn from(word: String) -> Self {
        match word.as_str() {
            "PENDING" => Self::Pending,
            "LAUNCH_FAILED" => Self::LaunchFailed,
            "RUNNING" => Self::Running,
            "STARTING" => Self::Starting,
            "REBOOTING" => Self::Rebooting,
            "STOPPING" => Self::Stopping,
            "STOPPED" => Self::Stopped,
            "SHUTDOWN" => Self::Shutdown,
            "TERMINATING" => Self::Terminating,
            _ => Self::Other(word),
        }
    }
}

impl fmt::Display for InstanceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The body of `DescribeInstances`: ids or filters, never both.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DescribeInstances<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) instance_ids: &'a [InstanceId],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) filters: &'a [Filter],
    pub(crate) offset: u64,
    pub(crate) limit: u64,
}

impl DescribeInstances<'_> {
    pub(crate) fn body(&self) -> Result<Bytes, serde_json::Error> {
        serde_json::to_vec(self).map(Bytes::from)
    }
}

/// One page as sent.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WirePage {
    #[serde(default)]
    total_count: Option<u64>,
    #[serde(default)]
    instance_set: Option<Bounded<WireInstance, MOST_INSTANCES>>,
}

/// One page, understood.
#[derive(Debug)]
pub(crate) struct Page {
    /// How many instances match in all, at the moment of this answer.
    pub(crate) total: u64,
    pub(crate) instances: Vec<Instance>,
}

/// An instance as sent: any field may be null or absent.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireInstance {
    instance_id: Option<String>,
    instance_name: Option<String>,
    instance_state: Option<String>,
    placement: Option<WirePlacement>,
    instance_type: Option<String>,
    instance_charge_type: Option<String>,
    private_ip_addresses: Option<Texts>,
    public_ip_addresses: Option<Texts>,
    tags: Option<Bounded<Option<WireTag>, MOST_PARTS>>,
    created_time: Option<String>,
    restrict_state: Option<String>,
    isolated_source: Option<String>,
    stop_charging_mode: Option<String>,
    latest_operation: Option<String>,
    latest_operation_state: Option<String>,
    latest_operation_error_msg: Option<String>,
}

type Texts = Bounded<Option<String>, MOST_PARTS>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WirePlacement {
    zone: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireTag {
    key: Option<String>,
    value: Option<String>,
}

impl TryFrom<WirePage> for Page {
    type Error = String;

    /// A page is understood whole or not at all: an instance without an id, or a list without its total, could
    /// make a machine look gone that is not.
    fn try_from(page: WirePage) -> Result<Self, String> {
        let total = page.total_count.ok_or("the listing has no TotalCount")?;
        let instances = page
            .instance_set
            .unwrap_or_default()
            .into_inner()
            .into_iter()
            .map(Instance::try_from)
            .collect::<Result<_, _>>()?;
        Ok(Self { total, instances })
    }
}

impl TryFrom<WireInstance> for Instance {
    type Error = String;

    fn try_from(wire: WireInstance) -> Result<Self, String> {
        let id = present(wire.instance_id).ok_or("an instance in the listing has no InstanceId")?;
        Ok(Self {
            id: InstanceId::new(id),
            name: wire.instance_name.unwrap_or_default(),
            state: word(wire.instance_state).map(InstanceState::from),
            zone: wire.placement.and_then(|placement| present(placement.zone)),
            instance_type: present(wire.instance_type),
            charge_type: present(wire.instance_charge_type),
            private_ips: addresses(wire.private_ip_addresses),
            public_ips: addresses(wire.public_ip_addresses),
            tags: wire
                .tags
                .unwrap_or_default()
                .into_inner()
                .into_iter()
                .flatten()
                .filter_map(|tag| Some(Tag { key: present(tag.key)?, value: tag.value.unwrap_or_default() }))
                .collect(),
            created_time: present(wire.created_time),
            restrict_state: word(wire.restrict_state),
            isolated_source: word(wire.isolated_source).map(IsolatedSource::from),
            stop_charging_mode: word(wire.stop_charging_mode),
            latest_operation: word(wire.latest_operation),
            latest_operation_state: word(wire.latest_operation_state),
            latest_operation_error: word(wire.latest_operation_error_msg),
        })
    }
}

fn word(sent: Option<String>) -> Option<String> {
    present(sent).map(short)
}

fn addresses(sent: Option<Texts>) -> Vec<String> {
    sent.unwrap_or_default().into_inner().into_iter().filter_map(present).collect()
}
