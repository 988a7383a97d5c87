//! The one table: error code to handling class.

use std::fmt;

/// An API action of CVM, version 2017-03-12.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Lists instances; 40 calls a second.
    DescribeInstances,
    /// Launches instances; 10 calls a second.
    RunInstances,
    /// Returns instances; 10 calls a second.
    TerminateInstances,
}

impl Action {
    /// The value of `X-TC-Action`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DescribeInstances => "DescribeInstances",
            Self::RunInstances => "RunInstances",
            Self::TerminateInstances => "TerminateInstances",
        }
    }

    /// Whether doing it twice is the same as doing it once.
    pub fn is_idempotent(self) -> bool {
        !matches!(self, Self::RunInstances)
    }

    /// The documented limit per account and region ("API Category", 213/568, and each action's page).
    pub(crate) fn calls_per_second(self) -> u32 {
        match self {
            Self::DescribeInstances => 40,
            Self::RunInstances | Self::TerminateInstances => 10,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How an error code is to be handled. One code has one class per action.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// R: passing trouble; repeat the same request.
    Retry,
    /// T: too many calls; slow down.
    Throttled,
    /// U: it may have taken effect; find out by name before anything else.
    Unknown,
    /// S: this type is sold out in this zone; try another candidate.
    SoldOut,
    /// S on (zone, disk type): this disk type is sold out; try another.
    DiskSoldOut,
    /// S on subnet: no address left; try another subnet.
    SubnetFull,
    /// Z: the whole zone is sold out for this charge type.
    ZoneSoldOut,
    /// This (type, zone) is not offered at all; drop the candidate for a day.
    NotOffered,
    /// Q: a quota of the zone.
    ZoneQuota,
    /// Q: a quota of the account.
    AccountQuota,
    /// P: the highest price allowed is below the market's.
    Price,
    /// F: the request is wrong as it stands; nothing helps but another request.
    Fatal,
    /// F for one candidate only (its subnet, its zone).
    CandidateFatal,
    /// A: the key pair, its token or its permissions.
    Auth,
    /// M: money: unpaid, no balance, not qualified.
    Money,
    /// G: already gone: success for a termination.
    Gone,
    /// W: busy; wait and repeat for the same id.
    Wait,
    /// X: not ours to touch, or cannot be touched; stop and tell somebody.
    Forbidden,
}

/// How `code`, as an answer to `action`, is to be handled.
pub fn classify(action: Action, code: &str) -> Class {
    crate::codes::lookup(action, code)
}
