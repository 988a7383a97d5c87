//! Every condition of a SpotPool, and every reason that it can give.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::crd::whole_seconds;

/// The types.
pub mod kind {
    /// Enough machines serve.
    pub const READY: &str = "Ready";
    /// Something is being done about the pool.
    pub const RECONCILING: &str = "Reconciling";
    /// Nothing will get better until somebody changes something.
    pub const STALLED: &str = "Stalled";
    /// The key works.
    pub const CREDENTIALS_VALID: &str = "CredentialsValid";
    /// The cloud gave the last machine that was asked for.
    pub const CAPACITY_AVAILABLE: &str = "CapacityAvailable";
    /// Machines can be asked for their health.
    pub const HEALTH_CHECK_REACHABLE: &str = "HealthCheckReachable";
    /// Machines with the pool's tags belong to no SpotInstance.
    pub const UNCLAIMED_MACHINES: &str = "UnclaimedMachines";
    /// The gateway points at exactly the machines that serve.
    pub const GATEWAY_SYNCED: &str = "GatewaySynced";
}

/// Makes constants, and a list of all of them: each has its page in `docs/runbooks`, which the generator of
/// manifests checks.
macro_rules! listed {
    ($($(#[doc = $doc:literal])* pub const $name:ident: &str = $word:literal;)*) => {
        $($(#[doc = $doc])* pub const $name: &str = $word;)*

        /// Every one of them.
        pub const ALL: &[&str] = &[$($word),*];
    };
}

/// The reasons. Each has its page in `docs/runbooks`, named like it.
pub mod reason {
    listed! {
    /// At least `minimum` machines serve.
    pub const MINIMUM_SERVES: &str = "MinimumServes";
    /// Machines are on their way.
    pub const LAUNCHING: &str = "Launching";
    /// The pool is being deleted.
    pub const DELETING: &str = "Deleting";
    /// A person has paused the pool.
    pub const PAUSED: &str = "Paused";
    /// Size and machines are as wanted.
    pub const SETTLED: &str = "Settled";
    /// Nothing stands in the way.
    pub const NOTHING_STALLED: &str = "NothingStalled";
    /// The spec cannot be acted on.
    pub const INVALID_SPEC: &str = "InvalidSpec";
    /// The cloud says that the request is wrong as it stands.
    pub const REQUEST_REFUSED: &str = "RequestRefused";
    /// A machine that should go carries another name or other tags than it was given.
    pub const DISPUTED_MACHINE: &str = "DisputedMachine";
    /// SpotInstances that should go were made in another cluster.
    pub const OTHER_CLUSTER: &str = "OtherCluster";
    /// The cloud does not take a machine back that should go.
    pub const TERMINATION_REFUSED: &str = "TerminationRefused";
    /// The key stands in a Secret and works.
    pub const ACCEPTED: &str = "Accepted";
    /// The key stands in the spec, and works.
    pub const INLINE_KEYS: &str = "InlineKeys";
    /// Nobody asked the cloud yet.
    pub const NOT_LOOKED_YET: &str = "NotLookedYet";
    /// Somebody deleted the Secret that holds the key; it stays as long as machines need it.
    pub const SECRET_DELETED: &str = "SecretDeleted";
    /// The pool's namespace is being deleted.
    pub const NAMESPACE_LEAVING: &str = "NamespaceBeingDeleted";
    /// The cloud cannot be asked at the moment.
    pub const CLOUD_UNREACHABLE: &str = "CloudUnreachable";
    /// The last machine asked for was given.
    pub const LAUNCHES_SUCCEED: &str = "LaunchesSucceed";
    /// No machine was asked for yet.
    pub const NOTHING_ASKED: &str = "NothingAskedYet";
    /// Out of stock.
    pub const SOLD_OUT: &str = "SoldOut";
    /// This type is not offered in this zone.
    pub const NOT_OFFERED: &str = "NotOffered";
    /// A quota is used up.
    pub const QUOTA_EXCEEDED: &str = "QuotaExceeded";
    /// A machine was accepted and then could not be made.
    pub const LAUNCH_FAILED: &str = "LaunchFailed";
    /// The account cannot pay.
    pub const ACCOUNT_PROBLEM: &str = "AccountProblem";
    /// None of the pool's machines is visible under a changed key.
    pub const ANOTHER_ACCOUNT: &str = "AnotherAccount";
    /// Any other refusal.
    pub const REFUSED: &str = "Refused";
    /// A machine answered the health check when it was last asked.
    pub const ANSWERING: &str = "Answering";
    /// No machine was asked for its health, or none had to answer yet.
    pub const NOBODY_ASKED: &str = "NobodyAskedYet";
    /// No machine answers; a replacement is started beside them.
    pub const ASKING_A_REPLACEMENT: &str = "AskingAReplacement";
    /// Neither the machines nor a replacement answer.
    pub const NOBODY_ANSWERS: &str = "NobodyAnswers";
    /// Machines come up and never answer, while others do.
    pub const BOOTS_FAIL: &str = "BootsFail";
    /// No such machine.
    pub const NONE_FOUND: &str = "NoneFound";
    /// There are none, and what the annotation names cannot be taken over.
    pub const NOT_ADOPTED: &str = "NotTakenOver";
    /// There are some.
    pub const FOUND: &str = "Found";
    /// The gateway is not managed by this version.
    pub const NOT_MANAGED: &str = "NotManagedYet";
    /// There is no Secret of the name that the spec gives.
    pub const SECRET_NOT_FOUND: &str = "SecretNotFound";
    /// The Secret lacks a key, or holds an empty one.
    pub const SECRET_INCOMPLETE: &str = "SecretIncomplete";
    /// No client can be made of this key and region.
    pub const UNUSABLE_KEY_OR_REGION: &str = "UnusableKeyOrRegion";
    /// The pool is gone, and with it the key that could terminate what it left behind.
    pub const POOL_GONE: &str = "PoolGone";
    }
}

/// True, False or Unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It is so.
    True,
    /// It is not.
    False,
    /// It is not known.
    Unknown,
}

impl Truth {
    /// As Kubernetes writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

/// Sets a condition; the time changes only when the truth does, or the status would be written at every
/// pass and wake the next.
pub fn set(
    conditions: &mut Vec<Condition>,
    kind: &str,
    truth: Truth,
    reason: &str,
    message: String,
    generation: i64,
    now: Timestamp,
) {
    debug_assert!(reason::ALL.contains(&reason), "{reason} is not listed among the reasons");
    let status = truth.as_str();
    let old = conditions.iter().position(|condition| condition.type_ == kind);
    let since = old
        .map(|i| &conditions[i])
        .filter(|old| old.status == status)
        .map(|old| old.last_transition_time.clone());
    let condition = Condition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message,
        observed_generation: Some(generation),
        last_transition_time: since.unwrap_or_else(|| whole_seconds(now)),
    };
    match old {
        Some(i) => conditions[i] = condition,
        None => conditions.push(condition),
    }
}
