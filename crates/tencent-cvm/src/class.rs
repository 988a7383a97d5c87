//! The one table: error code to handling class.

use std::fmt;

/// An API action of CVM, version 2017-03-12.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Lists instances; 40 calls a second.
    DescribeInstances,
    /// Tells the account's number and quotas; 20 calls a second.
    DescribeAccountQuota,
    /// Tells what is sold where, and at what price; 40 calls a second (213/33254).
    DescribeZoneInstanceConfigInfos,
    /// Launches instances; 10 calls a second.
    RunInstances,
    /// Returns instances; 10 calls a second.
    TerminateInstances,
}

impl Action {
    /// All of them, in the order in which they are declared.
    pub(crate) const ALL: [Self; 5] = [
        Self::DescribeInstances,
        Self::DescribeAccountQuota,
        Self::DescribeZoneInstanceConfigInfos,
        Self::RunInstances,
        Self::TerminateInstances,
    ];

    /// The value of `X-TC-Action`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DescribeInstances => "DescribeInstances",
            Self::DescribeAccountQuota => "DescribeAccountQuota",
            Self::DescribeZoneInstanceConfigInfos => "DescribeZoneInstanceConfigInfos",
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
            Self::DescribeInstances | Self::DescribeZoneInstanceConfigInfos => 40,
            Self::DescribeAccountQuota => 20,
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
    /// This (type, zone) is not offered at all; leave the candidate alone for an hour or more.
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

/// What an error code speaks about: how far a refusal reaches, and so under which key it is remembered.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// This one call, at this moment.
    Call,
    /// The offer: one instance type in one zone, paid in one way.
    Offer,
    /// One type of disk in one zone.
    Disk,
    /// One subnet.
    Subnet,
    /// Everything that is paid in this way in one zone.
    Zone,
    /// One candidate as it is written: its type, zone and subnet together.
    Candidate,
    /// The request as it stands, whatever the candidate.
    Request,
    /// The key pair.
    Credentials,
    /// The account in this region.
    Account,
    /// One instance.
    Instance,
}

impl Class {
    /// What the codes of this class speak about.
    ///
    /// ```
    /// use tencent_cvm::{Action, Scope, classify};
    ///
    /// let scope = |code| classify(Action::RunInstances, code).scope();
    /// assert_eq!(scope("ResourceInsufficient.SpecifiedInstanceType"), Scope::Offer);
    /// assert_eq!(scope("ResourceInsufficient.CloudDiskSoldOut"), Scope::Disk);
    /// assert_eq!(scope("FailedOperation.NoAvailableIpAddressCountInSubnet"), Scope::Subnet);
    /// assert_eq!(scope("LimitExceeded.UserSpotQuota"), Scope::Zone);
    /// ```
    pub fn scope(self) -> Scope {
        match self {
            Self::Retry | Self::Throttled | Self::Unknown | Self::Wait => Scope::Call,
            Self::SoldOut | Self::NotOffered | Self::Price => Scope::Offer,
            Self::DiskSoldOut => Scope::Disk,
            Self::SubnetFull => Scope::Subnet,
            Self::ZoneSoldOut | Self::ZoneQuota => Scope::Zone,
            Self::CandidateFatal => Scope::Candidate,
            Self::Fatal => Scope::Request,
            Self::Auth => Scope::Credentials,
            Self::AccountQuota | Self::Money => Scope::Account,
            Self::Gone | Self::Forbidden => Scope::Instance,
        }
    }

    /// The letter that the documentation of this project gives the class; the kinds of "sold out" share one.
    pub fn letter(self) -> char {
        match self {
            Self::Retry => 'R',
            Self::Throttled => 'T',
            Self::Unknown => 'U',
            Self::SoldOut | Self::DiskSoldOut | Self::SubnetFull | Self::NotOffered => 'S',
            Self::ZoneSoldOut => 'Z',
            Self::ZoneQuota | Self::AccountQuota => 'Q',
            Self::Price => 'P',
            Self::Fatal | Self::CandidateFatal => 'F',
            Self::Auth => 'A',
            Self::Money => 'M',
            Self::Gone => 'G',
            Self::Wait => 'W',
            Self::Forbidden => 'X',
        }
    }

    /// Whether this answer to a launch proves that it made nothing, also when it answers a repetition under the same
    /// token: the classes S, Z, Q and P.
    ///
    /// `NotOffered` is one of them: the cloud looked for the type, the zone or their offer, found none, and so
    /// cannot have sold one. F is not: a code of that class may as well complain about a token used before.
    pub fn is_definite_refusal(self) -> bool {
        matches!(self.letter(), 'S' | 'Z' | 'Q' | 'P')
    }

    /// What a person does about it, in one sentence.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Retry => "Nothing to do: the cloud had passing trouble and the call is repeated.",
            Self::Throttled => {
                "Nothing to do unless it lasts: then other tools use up this account's call rate."
            }
            Self::Unknown => {
                "Nothing to do: whether it took effect is found out by name before anything else."
            }
            Self::SoldOut => "Wait for stock, or allow other instance types or zones.",
            Self::DiskSoldOut => "Wait for stock, or choose another system disk type.",
            Self::SubnetFull => "Free addresses in the subnet, or use another subnet.",
            Self::ZoneSoldOut => "Wait for stock, or allow another zone.",
            Self::NotOffered => "Choose an instance type that this zone offers with this charge type.",
            Self::ZoneQuota => "Ask Tencent Cloud for more spot quota in this zone, or allow another zone.",
            Self::AccountQuota => "Ask Tencent Cloud for a higher instance quota, or release instances.",
            Self::Price => "Raise the highest price, or leave it out to bid the current one.",
            Self::Fatal => "Correct the request: the cloud will never accept it as it stands.",
            Self::CandidateFatal => {
                "Correct this candidate: its zone, subnet and network do not fit together."
            }
            Self::Auth => "Check that the key pair exists, is enabled, is not expired and may do this.",
            Self::Money => "Check the account's balance, unpaid orders and qualifications.",
            Self::Gone => "Nothing to do: the instance is gone already.",
            Self::Wait => "Nothing to do: something else is under way and the call is repeated later.",
            Self::Forbidden => "Look at this instance in the console: it cannot be returned by an API call.",
        }
    }
}

/// How `code`, as an answer to `action`, is to be handled. A code that is not known is judged by its family, with
/// care: for a launch it may mean that an order exists, and a termination is not repeated.
///
/// # Examples
/// ```
/// use tencent_cvm::{Action, Class, classify};
///
/// // Named like a quota; in truth there is no machine left.
/// assert_eq!(classify(Action::RunInstances, "LimitExceeded.SpotQuota"), Class::SoldOut);
/// assert_eq!(classify(Action::RunInstances, "InternalError"), Class::Unknown);
/// assert_eq!(classify(Action::DescribeInstances, "InternalError"), Class::Retry);
/// ```
pub fn classify(action: Action, code: &str) -> Class {
    crate::codes::lookup(action, code)
}

/// The codes that [`classify`] knows by their whole name, each with every action it may answer to and its class
/// there. Tests and stand-ins walk through them; codes that are not among them are judged by their family.
pub fn known_codes() -> impl Iterator<Item = (Action, &'static str, Class)> {
    crate::codes::known()
}
