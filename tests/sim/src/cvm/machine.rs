//! One machine: its life, what the API shows of it, what it costs.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The life of a machine in the API's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
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
    /// A person is at work on it.
    RescueMode,
    /// Moving to another host; it serves on.
    ServiceLiveMigrate,
    /// Going down.
    Stopping,
    /// Down.
    Stopped,
    /// Stopped, to be destroyed.
    Shutdown,
    /// Being destroyed.
    Terminating,
    /// Not there any more. Never on the wire.
    Gone,
}

impl State {
    /// As `InstanceState` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::LaunchFailed => "LAUNCH_FAILED",
            Self::Running => "RUNNING",
            Self::Starting => "STARTING",
            Self::Rebooting => "REBOOTING",
            Self::RescueMode => "RESCUE_MODE",
            Self::ServiceLiveMigrate => "SERVICE_LIVE_MIGRATE",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
            Self::Shutdown => "SHUTDOWN",
            Self::Terminating => "TERMINATING",
            Self::Gone => "GONE",
        }
    }

    /// The code with which `TerminateInstances` refuses a machine in this state, if it does.
    pub(crate) fn refuses_termination(self) -> Option<&'static str> {
        match self {
            Self::Running | Self::Stopped => None,
            Self::Pending => Some("UnsupportedOperation.InstanceStatePending"),
            Self::LaunchFailed => Some("UnsupportedOperation.InstanceStateLaunchFailed"),
            Self::Starting => Some("UnsupportedOperation.InstanceStateStarting"),
            Self::Rebooting => Some("UnsupportedOperation.InstanceStateRebooting"),
            Self::RescueMode => Some("UnsupportedOperation.InstanceStateRescueMode"),
            Self::ServiceLiveMigrate => Some("UnsupportedOperation.InstanceStateServiceLiveMigrate"),
            Self::Stopping => Some("UnsupportedOperation.InstanceStateStopping"),
            Self::Shutdown => Some("UnsupportedOperation.InstanceStateShutdown"),
            Self::Terminating => Some("UnsupportedOperation.InstanceStateTerminating"),
            Self::Gone => Some("InvalidInstanceId.NotFound"),
        }
    }

    /// Whether its processes run.
    pub fn is_up(self) -> bool {
        matches!(self, Self::Running | Self::ServiceLiveMigrate)
    }

    /// Whether it is on its way out, or out.
    pub fn is_leaving(self) -> bool {
        matches!(
            self,
            Self::LaunchFailed
                | Self::Stopping
                | Self::Stopped
                | Self::Shutdown
                | Self::Terminating
                | Self::Gone
        )
    }
}

/// What a machine's model server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelServer {
    /// Answers once the model is loaded.
    #[default]
    Ok,
    /// Takes connections and never answers.
    Hang,
    /// Answers 500.
    Fail,
    /// Does not run: connections are refused.
    Die,
}

/// Why a machine is kept from working, `IsolatedSource` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Isolation {
    /// It is not.
    #[default]
    NotIsolated,
    /// The account has not paid.
    Arrear,
    /// Its term is over.
    Expire,
    /// Somebody gave it back.
    ManMade,
}

impl Isolation {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotIsolated => "NOTISOLATED",
            Self::Arrear => "ARREAR",
            Self::Expire => "EXPIRE",
            Self::ManMade => "MANMADE",
        }
    }

    /// `RestrictState` beside it. Only the end of a term is documented to show there.
    pub(crate) fn restrict_state(self) -> &'static str {
        if self == Self::Expire { "EXPIRED" } else { "NORMAL" }
    }
}

/// Why a machine is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Somebody asked for it.
    Terminated,
    /// The cloud took it back.
    Reclaimed,
    /// It was there, then it was not.
    Vanished,
    /// It never came up.
    LaunchFailed,
}

/// One machine as it really is, whatever the listings show.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// `ins-…`.
    pub id: String,
    /// The order of creation, 1 for the first.
    pub seq: u64,
    /// The account that pays for it.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its zone.
    pub zone: String,
    /// Its type.
    pub instance_type: String,
    /// `SPOTPAID`, `POSTPAID_BY_HOUR` or `PREPAID`.
    pub charge_type: String,
    /// Its image.
    pub image: String,
    /// Its network.
    pub vpc: String,
    /// Its subnet.
    pub subnet: String,
    /// Its security groups.
    pub security_groups: Vec<String>,
    /// Its keys.
    pub key_ids: Vec<String>,
    /// Its display name.
    pub name: String,
    /// Its project.
    pub project_id: u64,
    /// `CLOUD_BSSD`, …
    pub disk_type: String,
    /// GiB.
    pub disk_size: u32,
    /// Mbit/s outwards.
    pub bandwidth: u32,
    /// Key and value, in the order given. Shown from `tags_at` on.
    pub tags: Vec<(String, String)>,
    /// Its address in the network.
    pub private_ip: Ipv4Addr,
    /// Its public address, if it has one. Shown once it runs.
    pub public_ip: Option<Ipv4Addr>,
    /// What it is doing.
    pub state: State,
    /// What keeps it from working, if anything does.
    pub isolation: Isolation,
    /// What its model server does.
    pub model_server: ModelServer,
    /// When the launch was committed.
    pub created_at: Timestamp,
    /// From when on listings and look-ups by id show it.
    pub visible_at: Timestamp,
    /// From when on its tags show.
    pub tags_at: Timestamp,
    /// When it was up.
    pub running_at: Option<Timestamp>,
    /// When DescribeInstances first showed it as RUNNING to anybody.
    pub shown_running_at: Option<Timestamp>,
    /// From when on its model server answers, while the machine is up.
    pub ready_at: Option<Timestamp>,
    /// When the cloud will stop it, once it said so.
    pub reclaim_at: Option<Timestamp>,
    /// When it was gone.
    pub gone_at: Option<Timestamp>,
    /// Why it is gone.
    pub why_gone: Option<Why>,
    /// The `ClientToken` of the call that made it.
    pub token: Option<String>,
    /// The `RequestId` of the call that made it; `None` when no call did.
    pub made_by: Option<String>,
    /// The `SecretId` of the call that made it.
    pub made_with: Option<String>,
    /// The `RequestId` of the call that ended it.
    pub ended_by: Option<String>,
    /// Placed by hand: nobody's call made it.
    pub foreign: bool,
    /// An hour's price.
    pub hourly: f64,
    /// When its meter started.
    pub billed_from: Option<Timestamp>,
    /// When its meter stopped.
    pub billed_to: Option<Timestamp>,
    #[serde(skip)]
    pub(crate) cpu: u32,
    #[serde(skip)]
    pub(crate) memory: u32,
    #[serde(skip)]
    pub(crate) gpu: u32,
    #[serde(skip)]
    pub(crate) uuid: String,
    #[serde(skip)]
    pub(crate) tags_shown: bool,
    /// The state that listings go on showing after the machine is gone.
    #[serde(skip)]
    pub(crate) lingers_as: Option<State>,
    #[serde(skip)]
    pub(crate) operation: Operation,
    /// What the API last showed, kept until something changes: a listing of unchanged machines copies text.
    #[serde(skip)]
    pub(crate) shown: Option<String>,
}

/// The last thing that was done to a machine.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) state: &'static str,
    pub(crate) request_id: String,
    pub(crate) error: &'static str,
}

impl Machine {
    /// Whether it exists and is not on its way out.
    pub fn is_live(&self) -> bool {
        !self.state.is_leaving()
    }

    /// Whether its model server takes connections at `now`.
    pub fn listens(&self, now: Timestamp) -> bool {
        self.state.is_up()
            && self.model_server != ModelServer::Die
            && self.ready_at.is_some_and(|ready_at| ready_at <= now)
    }

    /// The value of a tag, shown or not.
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub(crate) fn shown_tags(&self) -> &[(String, String)] {
        if self.tags_shown { &self.tags } else { &[] }
    }

    pub(crate) fn shown_state(&self) -> State {
        self.lingers_as.unwrap_or(self.state)
    }

    pub(crate) fn shows_addresses(&self) -> bool {
        !matches!(self.shown_state(), State::Pending | State::LaunchFailed)
    }

    pub(crate) fn shown_private_ip(&self) -> Option<Ipv4Addr> {
        self.shows_addresses().then_some(self.private_ip)
    }

    pub(crate) fn shown_public_ip(&self) -> Option<Ipv4Addr> {
        self.public_ip.filter(|_| self.shows_addresses())
    }

    /// Seconds billed so far: by the second, a started second counts.
    pub fn billed_seconds(&self, now: Timestamp) -> u64 {
        let Some(from) = self.billed_from else { return 0 };
        let to = self.billed_to.unwrap_or(now);
        u64::try_from(to.duration_since(from).as_millis().max(0).unsigned_abs().div_ceil(1000)).unwrap_or(0)
    }
}
