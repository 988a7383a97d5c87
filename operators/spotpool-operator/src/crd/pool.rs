//! `SpotPool`: what people write.

// Several print columns are no duplicate, and what the derive makes inside a function needs no path.
#![allow(clippy::duplicated_attributes, unreachable_pub)]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

use super::instance::Candidate;
pub use super::memory::{Adoption, Boots, Care, LaunchBackOff, PaidRefusal, RefusalScope};

/// A pool of Tencent Cloud CVM spot machines, each serving a model with ollama, kept between a minimum and
/// a maximum whatever the cloud takes back.
#[derive(CustomResource, KubeSchema, Clone, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "demo.aiops.org",
    version = "v1",
    kind = "SpotPool",
    plural = "spotpools",
    singular = "spotpool",
    shortname = "sp",
    category = "aiops",
    namespaced,
    status = "SpotPoolStatus",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    derive = "PartialEq",
    doc = "A pool of Tencent Cloud CVM spot machines, each serving a model with ollama, kept between a minimum and a maximum whatever the cloud takes back.",
    validation = kube::core::Rule::new("self.metadata.name.size() <= 52").message("metadata.name must be at most 52 characters, since the names of its SpotInstances are made from it"),
    printcolumn(name = "READY", type_ = "string", json_path = ".status.ready", description = "Machines that serve / machines wanted"),
    printcolumn(name = "SIZE", type_ = "integer", json_path = ".status.size", description = "Machines that exist and count"),
    printcolumn(name = "MIN", type_ = "integer", json_path = ".spec.minimum"),
    printcolumn(name = "MAX", type_ = "integer", json_path = ".spec.maximum"),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "STATUS", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason", priority = 1, description = "Why it is Ready or not"),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = kube::core::Rule::new("self.minimum <= self.maximum").message("spec.minimum must not be greater than spec.maximum"),
    validation = kube::core::Rule::new("has(self.credentialsSecretRef) ? !has(self.secretId) && !has(self.secretKey) : has(self.secretId) && has(self.secretKey)").message("give exactly one kind of credentials: spec.credentialsSecretRef, or both spec.secretId and spec.secretKey"),
    validation = kube::core::Rule::new("(self.subnetId == 'DEFAULT') == (self.vpcId == 'DEFAULT')").message("spec.subnetId and spec.vpcId must both be DEFAULT (the zone's default network) or both name a network"),
    validation = kube::core::Rule::new("!has(self.candidates) || self.candidates.all(candidate, (candidate.subnetId == 'DEFAULT') == (self.vpcId == 'DEFAULT'))").message("the subnetId of each of spec.candidates must be DEFAULT if spec.vpcId is DEFAULT, and name a subnet of it otherwise"),
    validation = kube::core::Rule::new("!(has(self.network) && has(self.network.address) && self.network.address == 'Public' && has(self.instance) && has(self.instance.publicBandwidthMbps) && self.instance.publicBandwidthMbps == 0)").message("spec.network.address is Public, but with spec.instance.publicBandwidthMbps 0 a machine has no public address: raise the bandwidth, or leave the address out or make it Private"),
)]
pub struct SpotPoolSpec {
    /// SecretId of the API key, written inline. Works, but anybody who may read the pool can read it:
    /// prefer credentialsSecretRef.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub secret_id: Option<String>,
    /// SecretKey of the API key, written inline. Prefer credentialsSecretRef.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub secret_key: Option<String>,
    /// The Secret of this namespace that holds the API key: keys secretId, secretKey and, for temporary
    /// (STS) credentials, token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_secret_ref: Option<CredentialsSecretRef>,
    /// Region of the machines, such as ap-singapore. Cannot be changed: make another pool.
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(
        validation = kube::core::Rule::new("self == oldSelf").message("spec.region cannot be changed; make another pool in the other region"),
        validation = kube::core::Rule::new("self.matches('^[a-z0-9-]+$')").message("spec.region must be lower-case letters, digits and dashes, such as ap-singapore"),
    )]
    pub region: String,
    /// Zone of the machines, such as ap-singapore-2.
    #[schemars(length(min = 1, max = 64))]
    pub availability_zone: String,
    /// Machine type, such as GN7.2XLARGE32.
    #[schemars(length(min = 1, max = 64))]
    pub instance_type: String,
    /// The pool is never left with fewer machines than this, as long as the cloud has them.
    #[x_kube(validation = kube::core::Rule::new("self >= 0").message("spec.minimum must not be negative"))]
    #[schemars(schema_with = "size_schema")]
    pub minimum: i32,
    /// The pool never holds more machines than this, but for one that replaces another before that one goes. Any
    /// size between minimum and maximum is left alone, unless replicas names one.
    #[x_kube(
        validation = kube::core::Rule::new("self >= 0").message("spec.maximum must not be negative"),
        validation = kube::core::Rule::new("self <= 5000").message("spec.maximum must not be greater than 5000"),
    )]
    #[schemars(schema_with = "size_schema")]
    pub maximum: i32,
    /// What to ask for where, tried in this order when something is sold out. When given, it takes the place of
    /// instanceType, availabilityZone and subnetId.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = kube::core::Rule::new("self.size() > 0").message("spec.candidates must name at least one candidate, or be left out"))]
    #[schemars(length(max = 64))]
    pub candidates: Option<Vec<Candidate>>,
    /// How many machines the pool is held at, within minimum and maximum: what `kubectl scale` and autoscalers
    /// write. Unset: any size between the two is left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = kube::core::Rule::new("self >= 0").message("spec.replicas must not be negative"))]
    #[schemars(schema_with = "size_schema")]
    pub replicas: Option<i32>,
    /// While true, nothing is launched and nothing terminated; looks, probes and status go on. Deleting the pool
    /// overrides it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// Subnet of the machines (it must lie in the zone), or DEFAULT together with vpcId.
    #[schemars(length(min = 1, max = 64))]
    pub subnet_id: String,
    /// VPC of the machines, or DEFAULT together with subnetId for the zone's default network.
    #[schemars(length(min = 1, max = 64))]
    pub vpc_id: String,
    /// Security groups of the machines. The model server listens on a public port unless they say no.
    #[serde(default)]
    #[schemars(length(max = 10), inner(length(min = 1, max = 64)))]
    pub security_group_ids: Vec<String>,
    /// Image that the machines boot from; its model server must start by itself.
    #[schemars(length(min = 1, max = 64))]
    pub image_id: String,
    /// How the machines are paid for. SPOTPAID is cheap and may be taken back at two minutes' notice;
    /// POSTPAID_BY_HOUR is full price and stays. PREPAID is refused.
    #[x_kube(validation = kube::core::Rule::new("self in ['SPOTPAID', 'POSTPAID_BY_HOUR']").message("spec.instanceChargeType must be SPOTPAID or POSTPAID_BY_HOUR; PREPAID machines are bought by the month and cannot be given back"))]
    #[schemars(schema_with = "charge_type_schema")]
    pub instance_charge_type: ChargeType,
    /// Address of the Kong gateway in front of the pool; its Admin API is taken as http://IP:8001.
    /// Accepted now, acted on when the gateway support comes (condition GatewaySynced).
    #[serde(default, rename = "kongGatewayIP", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub kong_gateway_ip: Option<String>,
    /// Details of the machines.
    #[serde(default)]
    pub instance: InstanceSettings,
    /// How the machines are reached.
    #[serde(default)]
    pub network: NetworkSettings,
    /// How a machine's model server is asked whether it serves.
    #[serde(default)]
    pub health: HealthSettings,
}

// i32 as a plain integer: schemars would add a minimum, and with it a second, worse message than the rule's.
fn size_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "integer", "format": "int32"})
}

// A plain string: the API server would refuse a word outside an enum before it looks at the rule, whose
// message says more.
fn charge_type_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "string", "maxLength": 64})
}

/// Names the Secret with the API key.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialsSecretRef {
    /// Name of a Secret in the pool's namespace.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// How machines are paid for.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChargeType {
    /// Spot: cheap, may be taken back at two minutes' notice.
    #[serde(rename = "SPOTPAID")]
    Spotpaid,
    /// Full price by the hour.
    #[serde(rename = "POSTPAID_BY_HOUR")]
    PostpaidByHour,
}

impl ChargeType {
    /// The cloud's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spotpaid => "SPOTPAID",
            Self::PostpaidByHour => "POSTPAID_BY_HOUR",
        }
    }
}

impl fmt::Display for ChargeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Details of the machines.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InstanceSettings {
    /// SSH keys (skey-…) put on the machines. A password is never set by the operator.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 64)))]
    pub key_ids: Vec<String>,
    /// The disk that the machines boot from.
    pub system_disk: SystemDisk,
    /// Bandwidth of the public address in Mbit/s; 0 means no public address.
    #[schemars(range(min = 0, max = 2000))]
    pub public_bandwidth_mbps: u32,
    /// Script or cloud-config run at the first boot, plain text of at most 12 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "user_data_schema")]
    pub user_data: Option<String>,
    /// Further tags of the machines. Keys that start with demo.aiops.org/ are the operator's own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "tags_schema")]
    pub tags: BTreeMap<String, String>,
}

impl Default for InstanceSettings {
    fn default() -> Self {
        Self {
            key_ids: Vec::new(),
            system_disk: SystemDisk::default(),
            public_bandwidth_mbps: 1,
            user_data: None,
            tags: BTreeMap::new(),
        }
    }
}

// The cloud counts bytes, `maxLength` characters.
fn user_data_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": ["string", "null"],
        "maxLength": 12288,
        "x-kubernetes-validations": [{
            "rule": "size(bytes(self)) <= 12288",
            "message": "spec.instance.userData must be at most 12288 bytes",
        }],
    })
}

// Bounded, so that the API server can bound what the rule over the keys costs.
fn tags_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "maxProperties": 30,
        "additionalProperties": {"type": "string", "maxLength": 255},
        "x-kubernetes-validations": [{
            "rule": "self.all(key, !key.startsWith('demo.aiops.org/'))",
            "message": "spec.instance.tags must not use keys that start with demo.aiops.org/, which the operator owns",
        }],
    })
}

/// A system disk.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SystemDisk {
    /// The cloud's disk type: CLOUD_BSSD, CLOUD_PREMIUM, CLOUD_SSD, CLOUD_HSSD.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 64))]
    pub disk_type: String,
    /// Size in GiB.
    #[serde(rename = "sizeGiB")]
    #[schemars(range(min = 20, max = 2048))]
    pub size_gib: u32,
}

impl Default for SystemDisk {
    fn default() -> Self {
        Self { disk_type: "CLOUD_BSSD".to_owned(), size_gib: 100 }
    }
}

/// How the machines are reached.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NetworkSettings {
    /// Which address is asked for its health and put behind the gateway. Unset: the public one when the
    /// machine has one, else the private one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<AddressKind>,
}

/// An address of a machine.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AddressKind {
    /// The public address.
    Public,
    /// The address in the VPC.
    Private,
}

/// How a machine's model server is asked whether it serves. One answer makes the machine Ready.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthSettings {
    /// Port of the model server.
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// Path that answers 2xx to a GET when the model server serves.
    #[schemars(schema_with = "path_schema")]
    pub path: String,
    /// Time between two questions, from 100ms to 60m, such as 5s or 1m30s.
    #[schemars(schema_with = "interval_schema")]
    pub interval: String,
    /// So many failed answers in a row take a machine out of service.
    #[schemars(range(min = 1, max = 100))]
    pub failure_threshold: u32,
    /// How long a machine may take from its launch to its first answer, from 10s to 24h, such as 15m or 1h30m.
    #[schemars(schema_with = "startup_timeout_schema")]
    pub startup_timeout: String,
}

fn path_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "string",
        "maxLength": 256,
        "default": "/api/tags",
        "x-kubernetes-validations": [{
            "rule": "self.matches('^/[!-~]*$')",
            "message": "spec.health.path must begin with / and hold neither spaces nor other than ASCII characters",
        }],
    })
}

/// What the API server says of an interval that is none.
pub const INTERVAL_RULE: &str =
    "spec.health.interval must be a duration from 100ms to 60m, such as 5s, 500ms or 1m30s";

fn interval_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "string",
        "maxLength": 32,
        "default": "5s",
        "x-kubernetes-validations": [{
            "rule": "self.matches('^([0-9]{1,6}(ms|s|m))+$') && duration(self) >= duration('100ms') \
                     && duration(self) <= duration('60m')",
            "message": INTERVAL_RULE,
        }],
    })
}

/// What the API server says of a boot deadline that is none.
pub const STARTUP_TIMEOUT_RULE: &str =
    "spec.health.startupTimeout must be a duration from 10s to 24h, such as 90s, 15m or 1h30m";

fn startup_timeout_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "string",
        "maxLength": 32,
        "default": "15m",
        "x-kubernetes-validations": [{
            "rule": "self.matches('^([0-9]{1,6}(ms|s|m|h))+$') && duration(self) >= duration('10s') \
                     && duration(self) <= duration('24h')",
            "message": STARTUP_TIMEOUT_RULE,
        }],
    })
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self {
            port: 11434,
            path: "/api/tags".to_owned(),
            interval: "5s".to_owned(),
            failure_threshold: 3,
            startup_timeout: "15m".to_owned(),
        }
    }
}

/// What the operator last saw and did.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SpotPoolStatus {
    /// Machines that serve / machines wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<String>,
    /// Machines that serve.
    pub ready_size: i32,
    /// Machines that exist in the cloud and count.
    pub size: i32,
    /// The same as size, where the scale subresource looks for it.
    pub replicas: i32,
    /// Label selector of the pool's SpotInstances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// How many SpotInstances this pool ever numbered. Only grows.
    pub launched: i64,
    /// The machines that count, at most 100 of them; the SpotInstances tell more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<PoolMember>,
    /// What refused launches taught, kept over restarts: one entry for each thing that was refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub launch_back_off: Vec<LaunchBackOff>,
    /// At most 60 refused requests an hour: each is paid from a budget, which is whole again at this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal_budget_whole_at: Option<Time>,
    /// The refused requests of late that are paid for already.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refusals_paid: Vec<PaidRefusal>,
    /// What the care for machines that do not answer must remember.
    #[serde(skip_serializing_if = "Care::is_empty")]
    pub care: Care,
    /// Machines that are being taken over, each with the number of the SpotInstance that is to be made for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub adopting: Vec<Adoption>,
    /// Secrets that carry the pool's finalizer, so that the key is not lost before the machines are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_secrets: Vec<String>,
    /// The generation of the spec that this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, Reconciling, Stalled, CredentialsValid, CapacityAvailable, HealthCheckReachable, UnclaimedMachines,
    /// GatewaySynced.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// One machine in the pool's status.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PoolMember {
    /// The cloud's id of the machine.
    pub instance_id: String,
    /// Its public address, once it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<String>,
}

impl fmt::Debug for SpotPoolSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No secret, and no user data either: people put tokens there.
        f.debug_struct("SpotPoolSpec")
            .field("region", &self.region)
            .field("availability_zone", &self.availability_zone)
            .field("instance_type", &self.instance_type)
            .field("minimum", &self.minimum)
            .field("maximum", &self.maximum)
            .finish_non_exhaustive()
    }
}
