//! The kinds of fault, each counted: one that never happens proves nothing.

use std::collections::BTreeMap;
use std::fmt;

/// One kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // the names printed below say it
pub enum Kind {
    Edit,
    Vanish,
    Reclaim,
    SoldOut,
    ListingLag,
    TagLag,
    LostAnswer,
    LateCommit,
    Throttling,
    ClockSkew,
    CutPage,
    BadCredential,
    DeletedSecret,
    RecreatedPool,
    LookAlike,
    ExactCopy,
    ForeignStatus,
    SecondCluster,
    LostWrite,
    LateWrite,
    Crash,
    TwoLeaders,
    Stall,
    DeletedInstance,
    FailedLaunch,
    DoubledRequest,
    StoreOutage,
    BrokenPool,
    SickServer,
    Scaled,
    Paused,
    KeptMachines,
    BlindProber,
    /// The account does not pay for a while.
    Arrears,
    /// A pool is to take a machine over.
    Adoption,
    /// What is advertised is late or a lie.
    FalseAdvert,
    /// A SpotInstance loses the labels by which people find it.
    LostLabel,
    /// Machines come up and never serve.
    BrokenImage,
    /// A machine is rebooted, or is being rescued.
    NotRunning,
    /// A quota of the account is used up.
    Quota,
    /// A key pair that was issued for a while has expired.
    ExpiredToken,
    /// The namespace is deleted, with all that is in it.
    LeavingNamespace,
}

impl Kind {
    /// All of them, in the order in which they are summed up.
    pub const ALL: [Self; 42] = [
        Self::Edit,
        Self::Vanish,
        Self::Reclaim,
        Self::SoldOut,
        Self::ListingLag,
        Self::TagLag,
        Self::LostAnswer,
        Self::LateCommit,
        Self::Throttling,
        Self::ClockSkew,
        Self::CutPage,
        Self::BadCredential,
        Self::DeletedSecret,
        Self::RecreatedPool,
        Self::LookAlike,
        Self::ExactCopy,
        Self::ForeignStatus,
        Self::SecondCluster,
        Self::LostWrite,
        Self::LateWrite,
        Self::Crash,
        Self::TwoLeaders,
        Self::Stall,
        Self::DeletedInstance,
        Self::FailedLaunch,
        Self::DoubledRequest,
        Self::StoreOutage,
        Self::BrokenPool,
        Self::SickServer,
        Self::Scaled,
        Self::Paused,
        Self::KeptMachines,
        Self::BlindProber,
        Self::Arrears,
        Self::Adoption,
        Self::FalseAdvert,
        Self::LostLabel,
        Self::NotRunning,
        Self::BrokenImage,
        Self::Quota,
        Self::ExpiredToken,
        Self::LeavingNamespace,
    ];

    /// Its name in the summary.
    pub fn name(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Vanish => "vanish",
            Self::Reclaim => "reclaim",
            Self::SoldOut => "sold-out",
            Self::ListingLag => "listing-lag",
            Self::TagLag => "tag-lag",
            Self::LostAnswer => "lost-answer",
            Self::LateCommit => "late-commit",
            Self::Throttling => "throttling",
            Self::ClockSkew => "clock-skew",
            Self::CutPage => "cut-page",
            Self::BadCredential => "bad-credential",
            Self::DeletedSecret => "deleted-secret",
            Self::RecreatedPool => "recreated-pool",
            Self::LookAlike => "look-alike",
            Self::ExactCopy => "exact-copy",
            Self::ForeignStatus => "foreign-status",
            Self::SecondCluster => "second-cluster",
            Self::LostWrite => "lost-write",
            Self::LateWrite => "late-write",
            Self::Crash => "crash",
            Self::TwoLeaders => "two-leaders",
            Self::Stall => "stall",
            Self::DeletedInstance => "deleted-instance",
            Self::FailedLaunch => "failed-launch",
            Self::DoubledRequest => "doubled-request",
            Self::StoreOutage => "store-outage",
            Self::BrokenPool => "broken-pool",
            Self::SickServer => "sick-server",
            Self::Scaled => "scaled",
            Self::Paused => "paused",
            Self::KeptMachines => "kept-machines",
            Self::BlindProber => "blind-prober",
            Self::Arrears => "arrears",
            Self::Adoption => "adoption",
            Self::FalseAdvert => "false-advert",
            Self::LostLabel => "lost-label",
            Self::NotRunning => "not-running",
            Self::BrokenImage => "broken-image",
            Self::Quota => "quota",
            Self::ExpiredToken => "expired-token",
            Self::LeavingNamespace => "leaving-namespace",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How often each kind happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Kind, u64>);

impl Counts {
    /// It happened once more.
    pub fn add(&mut self, kind: Kind) {
        *self.0.entry(kind).or_default() += 1;
    }

    /// How often it happened.
    pub fn of(&self, kind: Kind) -> u64 {
        self.0.get(&kind).copied().unwrap_or(0)
    }

    /// All kinds together.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Adds what happened elsewhere.
    pub fn merge(&mut self, other: &Self) {
        for (kind, count) in &other.0 {
            *self.0.entry(*kind).or_default() += count;
        }
    }

    /// The kinds that never happened.
    pub fn missing(&self) -> Vec<Kind> {
        Kind::ALL.into_iter().filter(|kind| self.of(*kind) == 0).collect()
    }

    /// Sets a count, read from a file by its kind's name. Unknown names are left out.
    pub fn set(&mut self, name: &str, count: u64) {
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
        // What never happened has no entry, whoever counted.
        if let Some(kind) = kind.filter(|_| count > 0) {
            self.0.insert(kind, count);
        }
    }

    /// Name and count of every kind.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Kind::ALL.into_iter().map(|kind| (kind.name(), self.of(kind)))
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, count)) in self.named().enumerate() {
            write!(f, "{}{name} {count}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
