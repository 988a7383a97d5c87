//! What a pool's status remembers for the operator, so that a restart forgets nothing.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::instance::AdoptedMachine;

/// A machine that is being taken over.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Adoption {
    /// The number of its SpotInstance.
    pub n: i64,
    /// The machine.
    pub machine: AdoptedMachine,
}

/// What must survive a restart about machines whose model server does not answer.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Care {
    /// Number of the SpotInstance that was started beside machines that do not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replacement: Option<i64>,
    /// When a machine was last sent away for not answering, by the cloud's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sent_away: Option<Time>,
    /// Since when neither the machines nor a replacement answer: whoever asks is to blame until one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blind_since: Option<Time>,
    /// When that last ended: boot deadlines count from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seeing_since: Option<Time>,
    /// How machines of the present template come up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boots: Option<Boots>,
    /// Failed boots are paid from a budget, which is whole again at this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_budget_whole_at: Option<Time>,
}

impl Care {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How machines of one template come up.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Boots {
    /// The template.
    pub template_hash: String,
    /// Whether any machine of it ever answered.
    pub answered: bool,
    /// Machines of it that were sent away because they never answered.
    pub failed: u32,
}

/// A refused request that counts against the hour's refusals already.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaidRefusal {
    /// Number of the SpotInstance.
    pub n: i64,
    /// Number of its attempt.
    pub attempt: i64,
}

/// Memory of launches that the cloud refused or that failed, for one thing that they were refused for.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaunchBackOff {
    /// What it is about.
    #[serde(default)]
    pub about: RefusalScope,
    /// Refused or failed launches in a row; 0 when a machine has come up since.
    pub failures: u32,
    /// When the last of them was sent.
    pub last_failure: Time,
    /// When the cloud had last been asked before that what it has in stock, if it had been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock_asked_at: Option<Time>,
    /// No launch before this time, unless the cloud advertises stock anew.
    pub until: Time,
    /// The last of them was sent before the back-off from the one before was over: what the cloud advertises counts
    /// no more until this one is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub early: bool,
    /// The template that was refused, when the request itself was wrong: another template is tried at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_hash: Option<String>,
    /// The cloud's error code.
    pub code: String,
    /// What the cloud's support asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What the cloud said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What a refusal is about. A field that is not given stands for any.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RefusalScope {
    /// Machine type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<String>,
    /// Zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability_zone: Option<String>,
    /// Subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet_id: Option<String>,
    /// SPOTPAID or POSTPAID_BY_HOUR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge_type: Option<String>,
    /// System disk type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_type: Option<String>,
}
