//! What really happened, in order, for ever. Tests judge by it, never by what the API shows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::machine::Why;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// 1 for the first, without gaps.
    pub seq: u64,
    /// True time.
    pub at: Timestamp,
    /// What it was.
    #[serde(flatten)]
    pub what: What,
}

/// Who called, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Caller {
    /// `X-TC-Action`.
    pub action: String,
    /// The answer's `RequestId`, also when the answer never arrives.
    pub request_id: String,
    /// From the Authorization header, "" when there was none.
    pub secret_id: String,
    /// The `ClientToken` of a RunInstances.
    pub token: Option<String>,
}

/// A launch that was committed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Launch {
    /// `ins-…`.
    pub instance_id: String,
    /// The account that pays.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its zone.
    pub zone: String,
    /// Its type.
    pub instance_type: String,
    /// How it is paid.
    pub charge_type: String,
    /// Its display name.
    pub name: String,
    /// Its tags, shown or not.
    pub tags: Vec<(String, String)>,
    /// Who made it; `None` for one placed by hand.
    pub caller: Option<Caller>,
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// A call that may change something reached the cloud.
    Received(Caller),
    /// A call was refused.
    Refused {
        /// Who called.
        #[serde(flatten)]
        caller: Caller,
        /// The error code.
        code: String,
    },
    /// A machine was made.
    Launched(Box<Launch>),
    /// A `ClientToken` was answered from memory.
    Replayed {
        /// Who called.
        #[serde(flatten)]
        caller: Caller,
        /// The machines that the first call made.
        instance_ids: Vec<String>,
    },
    /// A machine is up.
    Running {
        /// Which.
        instance_id: String,
    },
    /// A machine will not come up.
    LaunchFailed {
        /// Which.
        instance_id: String,
    },
    /// The destruction of a machine was asked for and accepted.
    TerminationAccepted {
        /// Which.
        instance_id: String,
        /// Who asked.
        #[serde(flatten)]
        caller: Caller,
    },
    /// The cloud said that it will take a machine back.
    ReclaimNotice {
        /// Which.
        instance_id: String,
        /// When.
        reclaim_at: Timestamp,
    },
    /// A machine changed state without anybody's call.
    StateChanged {
        /// Which.
        instance_id: String,
        /// To what.
        state: &'static str,
    },
    /// A machine is kept from working, or not any more (`NOTISOLATED`).
    Isolated {
        /// Which.
        instance_id: String,
        /// By what, as `IsolatedSource` says it.
        source: &'static str,
    },
    /// A machine is not there any more.
    Gone {
        /// Which.
        instance_id: String,
        /// Why.
        why: Why,
    },
    /// A fault took hold of a call.
    Fault {
        /// Who called.
        #[serde(flatten)]
        caller: Caller,
        /// The number of the rule; 0 for a fault that was given with the call.
        rule: u64,
        /// Its kind.
        kind: &'static str,
    },
}

impl What {
    /// The machine it is about, when it is about one.
    pub fn instance_id(&self) -> Option<&str> {
        match self {
            Self::Launched(launch) => Some(&launch.instance_id),
            Self::Running { instance_id }
            | Self::LaunchFailed { instance_id }
            | Self::TerminationAccepted { instance_id, .. }
            | Self::ReclaimNotice { instance_id, .. }
            | Self::StateChanged { instance_id, .. }
            | Self::Isolated { instance_id, .. }
            | Self::Gone { instance_id, .. } => Some(instance_id),
            Self::Received(_) | Self::Refused { .. } | Self::Replayed { .. } | Self::Fault { .. } => None,
        }
    }
}

/// The events, and how often each action was answered with each code.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    events: Vec<Event>,
    calls: BTreeMap<String, BTreeMap<String, u64>>,
    looks: BTreeMap<String, u64>,
}

impl Ledger {
    /// Every event so far.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The events after number `seq` (0: all).
    pub fn since(&self, seq: u64) -> &[Event] {
        let start = usize::try_from(seq).unwrap_or(usize::MAX).min(self.events.len());
        &self.events[start..]
    }

    /// The number of the last event, 0 when nothing happened yet.
    pub fn last_seq(&self) -> u64 {
        self.events.len() as u64
    }

    /// Answers by action, then by code; `OK` for a success. An answer counts also when it got lost.
    pub fn calls(&self) -> &BTreeMap<String, BTreeMap<String, u64>> {
        &self.calls
    }

    /// How often an action was answered, whatever the answer.
    pub fn count(&self, action: &str) -> u64 {
        self.calls.get(action).map_or(0, |codes| codes.values().sum())
    }

    /// Pages of DescribeInstances by what was asked: `ids`, `all` for no filter, or the names of the filters
    /// as sent, joined by `+`.
    pub fn looks(&self) -> &BTreeMap<String, u64> {
        &self.looks
    }

    pub(crate) fn looked(&mut self, asked: String) {
        *self.looks.entry(asked).or_default() += 1;
    }

    pub(crate) fn record(&mut self, at: Timestamp, what: What) {
        let seq = self.last_seq() + 1;
        self.events.push(Event { seq, at, what });
    }

    pub(crate) fn answered(&mut self, action: &str, code: &str) {
        // Looked up before it is inserted: a count of a known code allocates nothing.
        if let Some(count) = self.calls.get_mut(action).and_then(|codes| codes.get_mut(code)) {
            *count += 1;
        } else {
            *self.calls.entry(action.to_owned()).or_default().entry(code.to_owned()).or_default() += 1;
        }
    }
}
