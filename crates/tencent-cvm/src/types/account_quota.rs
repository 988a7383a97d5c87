//! What `DescribeAccountQuota` answers.

use std::fmt;

use serde::Deserialize;

use super::untrusted::Bounded;

/// More than all zones of the largest region.
const MOST_ZONES: usize = 1000;

/// The number of an account, such as 1251783334. All its keys and sub-users have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct AppId(u64);

impl AppId {
    /// Takes the number as it stands.
    pub fn new(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whose account it is, and what it may have in the region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountQuota {
    /// Whose account it is; `None` when the cloud does not say.
    pub app_id: Option<AppId>,
    /// vCPU of spot instances, by zone.
    pub spot: Vec<ZoneQuota>,
    /// vCPU of instances paid by the hour, by zone.
    pub on_demand: Vec<ZoneQuota>,
}

/// One quota in one zone. Figures that the cloud leaves out are `None`, not 0.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ZoneQuota {
    /// The zone, such as `ap-singapore-2`.
    pub zone: Option<String>,
    /// In use.
    #[serde(rename = "UsedQuota")]
    pub used: Option<i64>,
    /// Still to be had.
    #[serde(rename = "RemainingQuota")]
    pub remaining: Option<i64>,
    /// Both together.
    #[serde(rename = "TotalQuota")]
    pub total: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WireAccountQuota {
    app_id: Option<AppId>,
    account_quota_overview: Option<Overview>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Overview {
    account_quota: Option<Sets>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sets {
    spot_paid_quota_set: Option<Zones>,
    post_paid_quota_set: Option<Zones>,
}

type Zones = Bounded<Option<ZoneQuota>, MOST_ZONES>;

impl From<WireAccountQuota> for AccountQuota {
    fn from(wire: WireAccountQuota) -> Self {
        let sets =
            wire.account_quota_overview.and_then(|overview| overview.account_quota).unwrap_or_default();
        Self {
            app_id: wire.app_id,
            spot: by_zone(sets.spot_paid_quota_set),
            on_demand: by_zone(sets.post_paid_quota_set),
        }
    }
}

fn by_zone(sent: Option<Zones>) -> Vec<ZoneQuota> {
    sent.unwrap_or_default().into_inner().into_iter().flatten().collect()
}
