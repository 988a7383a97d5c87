//! What `DescribeAccountQuota` gives.

use serde::Deserialize;

use super::present;
use super::untrusted::{Bounded, Number};

/// More than all zones of the largest region.
const MOST_ZONES: usize = 1000;

/// How much an account may have in a region, and how much of it is used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountQuota {
    /// The number of the account: two key pairs that give the same one see the same machines.
    pub app_id: Option<u64>,
    /// `SPOTPAID`, by zone, in vCPU. What [`crate::Class::ZoneQuota`] ran into.
    pub spot: Vec<ZoneQuota>,
    /// `POSTPAID_BY_HOUR`, by zone. The unit is undocumented.
    pub on_demand: Vec<ZoneQuota>,
}

impl AccountQuota {
    /// The quota of `SPOTPAID` in a zone.
    pub fn spot_in(&self, zone: &str) -> Option<&ZoneQuota> {
        self.spot.iter().find(|quota| quota.zone == zone)
    }
}

/// The quota of one zone. What the cloud did not say is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ZoneQuota {
    /// The zone.
    pub zone: String,
    /// What is used.
    pub used: Option<u32>,
    /// What is left.
    pub remaining: Option<u32>,
    /// Both together.
    pub total: Option<u32>,
}

/// The answer as sent.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WireAccountQuota {
    app_id: Option<u64>,
    account_quota_overview: Option<WireOverview>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireOverview {
    account_quota: Option<WireQuotas>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireQuotas {
    spot_paid_quota_set: Option<Zones>,
    post_paid_quota_set: Option<Zones>,
}

type Zones = Bounded<Option<WireZoneQuota>, MOST_ZONES>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireZoneQuota {
    zone: Option<String>,
    #[serde(default)]
    used_quota: Number,
    #[serde(default)]
    remaining_quota: Number,
    #[serde(default)]
    total_quota: Number,
}

impl WireAccountQuota {
    pub(crate) fn quota(self) -> Result<AccountQuota, String> {
        let quotas = self
            .account_quota_overview
            .and_then(|overview| overview.account_quota)
            .ok_or("the answer has no AccountQuota")?;
        Ok(AccountQuota {
            app_id: self.app_id.filter(|app_id| *app_id > 0),
            spot: zones(quotas.spot_paid_quota_set),
            on_demand: zones(quotas.post_paid_quota_set),
        })
    }
}

fn zones(sent: Option<Zones>) -> Vec<ZoneQuota> {
    let sent = sent.unwrap_or_default().into_inner();
    sent.into_iter().flatten().filter_map(WireZoneQuota::quota).collect()
}

impl WireZoneQuota {
    /// `None` for an entry that does not say which zone it is about.
    fn quota(self) -> Option<ZoneQuota> {
        Some(ZoneQuota {
            zone: present(self.zone)?,
            used: self.used_quota.whole(),
            remaining: self.remaining_quota.whole(),
            total: self.total_quota.whole(),
        })
    }
}
