//! `SpotInstance`: one machine, as Karpenter's `NodeClaim` or Cluster API's Machine is. It exists before the
//! machine is asked for and outlives it: the durable intent.

// Several print columns are no duplicate, and what the derive makes inside a function needs no path.
#![allow(clippy::duplicated_attributes, unreachable_pub)]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ChargeType;

/// One spot machine of a SpotPool. Made by the operator; deleting it replaces that machine.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "demo.aiops.org",
    version = "v1",
    kind = "SpotInstance",
    plural = "spotinstances",
    singular = "spotinstance",
    shortname = "si",
    category = "aiops",
    namespaced,
    status = "SpotInstanceStatus",
    derive = "PartialEq",
    selectable = ".spec.pool.name",
    doc = "One spot machine of a SpotPool. Made by the operator, never by hand; deleting it terminates that machine, and the pool makes up for it.",
    printcolumn(name = "POOL", type_ = "string", json_path = ".spec.pool.name"),
    printcolumn(name = "PHASE", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "TYPE", type_ = "string", json_path = ".status.instanceType"),
    printcolumn(name = "ZONE", type_ = "string", json_path = ".status.zone"),
    printcolumn(name = "IP", type_ = "string", json_path = ".status.address"),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "ID", type_ = "string", json_path = ".status.instanceId", priority = 1),
    printcolumn(name = "REASON", type_ = "string", json_path = ".status.reason", priority = 1)
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = kube::core::Rule::new("self == oldSelf").message("spec of a SpotInstance cannot be changed; delete it to replace its machine"))]
pub struct SpotInstanceSpec {
    /// The pool that it belongs to.
    pub pool: PoolReference,
    /// The cluster whose operator made it. Another cluster's operator never acts on it.
    pub cluster_id: String,
    /// Its number in the pool; its name is the pool's, a dash and this.
    pub n: i64,
    /// How the machine is paid for.
    pub charge_type: ChargeType,
    /// Region of the machine.
    pub region: String,
    /// Hash of the pool's template when this was made.
    pub template_hash: String,
    /// Version of the way the hash is computed.
    pub template_hash_version: i32,
    /// The machine that it was made for, when that was taken over and not asked for: nothing is ever launched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted: Option<AdoptedMachine>,
}

/// A machine as it was when somebody asked for it to be taken over. Only as long as its name and tags are these
/// is it terminated.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdoptedMachine {
    /// Its id in the cloud.
    pub instance_id: String,
    /// Its name in the cloud.
    pub instance_name: String,
    /// The pool's uid in its tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_tag: Option<String>,
    /// The SpotInstance's uid in its tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_tag: Option<String>,
}

/// A pool by name and uid.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolReference {
    /// Name of the SpotPool.
    pub name: String,
    /// Its uid: a pool of the same name made later is another pool.
    pub uid: String,
}

/// What is known of the machine.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SpotInstanceStatus {
    /// Where the machine is in its life.
    pub phase: Phase,
    /// Since when it is in this phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Why, in one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The cloud's id of the machine. Written once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// The name of the machine in the cloud, unique to this SpotInstance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_name: Option<String>,
    /// The account in which the machine was asked for: its AppId, as soon as the cloud tells that, and a shortened hash
    /// of the key's SecretId. Another account proves nothing about the machine's absence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// When the id was written, by the cloud's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<Time>,
    /// When a look first showed the machine, by the cloud's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Time>,
    /// Further machines that turned up under this name; they are terminated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<ExtraMachine>,
    /// Requests sent for this machine: every one without an answer, and the last ten.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// Number of attempts ever written.
    pub attempted: i64,
    /// The address that is asked for its health: as spec.network.address of the pool says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Public address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<String>,
    /// Address in the VPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_ip: Option<String>,
    /// Zone of the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Type of the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<String>,
    /// The machine's state as the cloud last told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_state: Option<String>,
    /// What the model server last answered: ok, or why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_probe: Option<String>,
}

/// Where a machine is in its life.
#[derive(
    JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Phase {
    /// To be asked for, or asked for.
    #[default]
    Launching,
    /// The machine exists; its model server has not answered yet.
    Booting,
    /// The model server answers.
    Ready,
    /// The model server answered once and does not any more.
    NotReady,
    /// Taken out of service, not yet terminated.
    Draining,
    /// Gone, going, or to be sent away.
    Terminating,
}

/// A machine under this SpotInstance's name that is not its own.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtraMachine {
    /// The cloud's id.
    pub instance_id: String,
    /// When it was recorded, by the cloud's clock.
    pub recorded_at: Time,
}

/// What is asked for where.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// Machine type.
    #[schemars(length(min = 1, max = 64))]
    pub instance_type: String,
    /// Zone.
    #[schemars(length(min = 1, max = 64))]
    pub availability_zone: String,
    /// Subnet, which must lie in the zone.
    #[schemars(length(min = 1, max = 64))]
    pub subnet_id: String,
}

/// One RunInstances request, written before it is sent.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Its number, counted from 1 over the life of the SpotInstance.
    pub number: i64,
    /// What was asked for where.
    pub candidate: Candidate,
    /// ClientToken of the request.
    pub token: String,
    /// Hash of the request's body.
    pub body_hash: String,
    /// The time it is signed with, by the cloud's clock: it cannot take effect 300 s after that.
    pub sent_at: Time,
    /// When the cloud had last been asked what it has in stock, if it had been: what it advertised up to then, a
    /// refusal disproves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock_asked_at: Option<Time>,
    /// What came of it.
    #[serde(default)]
    pub outcome: AttemptOutcome,
    /// The cloud's error code, when it answered with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the cloud said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What the cloud's support asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// What came of an attempt.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttemptOutcome {
    /// No answer recorded: it may have made a machine, or may still.
    #[default]
    Unknown,
    /// It made this SpotInstance's machine.
    Made,
    /// The cloud's answer proves that it made nothing.
    Refused,
    /// It never left: the sender says so.
    NotSent,
    /// Answered with an error that does not prove that nothing was made; its token is never sent again.
    Errored,
    /// No answer was ever recorded, and a complete look later found nothing.
    Closed,
}

impl AttemptOutcome {
    /// Whether the cloud's answer (or the sender's own word) is on record.
    pub fn is_answered(self) -> bool {
        match self {
            Self::Made | Self::Refused | Self::NotSent => true,
            Self::Unknown | Self::Errored | Self::Closed => false,
        }
    }
}
