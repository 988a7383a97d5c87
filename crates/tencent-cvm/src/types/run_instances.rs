//! What `RunInstances` takes and gives.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::untrusted::Bounded;
use super::{InstanceId, Tag};

/// The API page allows [1, 100] on the international site and more on the Chinese one.
const MAX_COUNT: u32 = 100;
const MAX_NAME_BYTES: usize = 60;
const MAX_TOKEN_CHARS: usize = 64;
const MAX_USER_DATA: usize = 16 * 1024;
/// Ids in an answer: ten times as many as can be asked for.
const MOST_IDS: usize = 1000;

/// The body of `RunInstances`. What is sent is exactly [`RunInstances::body`].
///
/// Empty fields are left out. No password is ever sent: without `key_ids` the cloud makes one up and mails it to
/// the account's owner. (`KeepImageLogin` instead would be refused for public images, and would let in whoever
/// knows the login that an image was made with.) No price is sent either: the bid is the current, discounted one.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct RunInstances {
    /// `SPOTPAID` or `POSTPAID_BY_HOUR`; always sent, since the cloud's default is the full price.
    pub instance_charge_type: String,
    /// The zone.
    pub zone: String,
    /// Such as `GN7.2XLARGE32`.
    pub instance_type: String,
    /// `img-…`.
    pub image_id: String,
    /// `vpc-…`; `DEFAULT` here and for the subnet is the zone's default network.
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
    /// How many, 1 to 100; all or nothing.
    pub count: u32,
}

impl RunInstances {
    /// The exact bytes of the request's body: the same value always gives the same bytes, so that a hash of them
    /// tells whether a body may be sent again under its token.
    pub fn body(&self) -> Bytes {
        // The only ways for serde_json to fail are a map with keys that are no strings and a failing
        // `Serialize`, and there is neither in `Wire`.
        serde_json::to_vec(&Wire::from(self)).map(Bytes::from).unwrap_or_default()
    }

    /// What the cloud would refuse, or worse, understand differently.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.instance_charge_type.is_empty() {
            return Err("an empty instance_charge_type would buy at the full price".into());
        }
        if !(1..=MAX_COUNT).contains(&self.count) {
            return Err(format!("count is {}, not 1 to {MAX_COUNT}", self.count));
        }
        if self.instance_name.len() > MAX_NAME_BYTES {
            return Err(format!("instance_name has {} bytes of {MAX_NAME_BYTES}", self.instance_name.len()));
        }
        if !self.client_token.is_ascii() || self.client_token.len() > MAX_TOKEN_CHARS {
            return Err(format!("client_token is not at most {MAX_TOKEN_CHARS} ASCII characters"));
        }
        let encoded = self.user_data.as_ref().map_or(0, |data| data.len().div_ceil(3) * 4);
        if encoded > MAX_USER_DATA {
            return Err(format!("user_data has {encoded} bytes of {MAX_USER_DATA} once encoded"));
        }
        Ok(())
    }
}

/// User data often carries secrets: only its length is shown.
impl fmt::Debug for RunInstances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user_data = self.user_data.as_ref().map(|data| format!("{} bytes", data.len()));
        f.debug_struct("RunInstances")
            .field("instance_charge_type", &self.instance_charge_type)
            .field("zone", &self.zone)
            .field("instance_type", &self.instance_type)
            .field("image_id", &self.image_id)
            .field("vpc_id", &self.vpc_id)
            .field("subnet_id", &self.subnet_id)
            .field("security_group_ids", &self.security_group_ids)
            .field("system_disk_type", &self.system_disk_type)
            .field("system_disk_gib", &self.system_disk_gib)
            .field("public_bandwidth_mbps", &self.public_bandwidth_mbps)
            .field("key_ids", &self.key_ids)
            .field("user_data", &user_data)
            .field("instance_name", &self.instance_name)
            .field("client_token", &self.client_token)
            .field("tags", &self.tags)
            .field("count", &self.count)
            .finish()
    }
}

/// The body, in this order of fields for ever: a recorded hash must stay true.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Wire<'a> {
    instance_charge_type: &'a str,
    placement: Placement<'a>,
    instance_type: &'a str,
    image_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_disk: Option<SystemDisk<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    virtual_private_cloud: Option<VirtualPrivateCloud<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    internet_accessible: Option<InternetAccessible>,
    instance_count: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    instance_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    login_settings: Option<LoginSettings<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    security_group_ids: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    client_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag_specification: Option<[TagSpecification<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_data: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Placement<'a> {
    zone: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SystemDisk<'a> {
    disk_type: &'a str,
    disk_size: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct VirtualPrivateCloud<'a> {
    vpc_id: &'a str,
    subnet_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InternetAccessible {
    internet_max_bandwidth_out: u32,
    public_ip_assigned: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LoginSettings<'a> {
    key_ids: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagSpecification<'a> {
    resource_type: &'static str,
    tags: &'a [Tag],
}

impl<'a> From<&'a RunInstances> for Wire<'a> {
    fn from(request: &'a RunInstances) -> Self {
        let network = !(request.vpc_id.is_empty() && request.subnet_id.is_empty());
        Self {
            instance_charge_type: &request.instance_charge_type,
            placement: Placement { zone: &request.zone },
            instance_type: &request.instance_type,
            image_id: &request.image_id,
            system_disk: (!request.system_disk_type.is_empty()).then_some(SystemDisk {
                disk_type: &request.system_disk_type,
                disk_size: request.system_disk_gib,
            }),
            virtual_private_cloud: network
                .then_some(VirtualPrivateCloud { vpc_id: &request.vpc_id, subnet_id: &request.subnet_id }),
            internet_accessible: (request.public_bandwidth_mbps > 0).then_some(InternetAccessible {
                internet_max_bandwidth_out: request.public_bandwidth_mbps,
                public_ip_assigned: true,
            }),
            instance_count: request.count,
            instance_name: &request.instance_name,
            login_settings: (!request.key_ids.is_empty())
                .then_some(LoginSettings { key_ids: &request.key_ids }),
            security_group_ids: &request.security_group_ids,
            client_token: &request.client_token,
            tag_specification: (!request.tags.is_empty())
                .then_some([TagSpecification { resource_type: "instance", tags: &request.tags }]),
            user_data: request.user_data.as_ref().map(|data| STANDARD.encode(data)),
        }
    }
}

/// The answer to `RunInstances`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Launched {
    instance_id_set: Option<Bounded<Option<String>, MOST_IDS>>,
}

impl Launched {
    /// The machines made; an answer that names none keeps no promise.
    pub(crate) fn ids(self) -> Result<Vec<InstanceId>, String> {
        let named = self.instance_id_set.unwrap_or_default().into_inner();
        let ids: Vec<InstanceId> =
            named.into_iter().flatten().filter(|id| !id.is_empty()).map(InstanceId::new).collect();
        if ids.is_empty() { Err("the answer to a launch names no instance".into()) } else { Ok(ids) }
    }
}
