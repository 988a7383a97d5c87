//! DescribeAccountQuota: whose account it is, and what it may still have. The sets of images, prepaid machines
//! and placement groups are not kept here.

use serde_json::{Value, json};

use super::answer::Refusal;
use super::cloud::Cloud;
use super::machine::{Machine, State};
use super::offers::{check_filters, no_filter};
use super::request::{ByFilters, Filter};

/// The number of the first account; the others count on from it.
/// The AppId of the first account; the others follow.
pub const FIRST_APP_ID: u64 = 1_250_000_001;

impl Cloud {
    pub(crate) fn account_quota(
        &self,
        account: usize,
        region: &str,
        call: &ByFilters,
    ) -> Result<String, Refusal> {
        let filters = call.filters.as_deref().unwrap_or_default();
        check_filters(filters)?;
        if let Some(unknown) = filters.iter().find(|filter| !matches!(&*filter.name, "zone" | "quota-type")) {
            return Err(no_filter(&unknown.name));
        }
        let wanted = |name: &str, value: &str| {
            let of_name = |filter: &&Filter| filter.name == name;
            filters.iter().filter(of_name).all(|filter| filter.values.iter().any(|wanted| wanted == value))
        };
        let set = |quota_type: &str, quota_of: &dyn Fn(&str, u32) -> Value| {
            let zones = self.world.regions.get(region).into_iter().flat_map(|place| &place.zones);
            let zones = zones.filter(|(name, _)| wanted("quota-type", quota_type) && wanted("zone", name));
            zones.map(|(name, zone)| quota_of(name, zone.spot_quota)).collect::<Vec<Value>>()
        };
        let app_id = FIRST_APP_ID + account as u64;
        let overview = json!({
            "Region": region,
            "AccountQuota": {
                "PostPaidQuotaSet": set("PostPaidQuotaSet", &|zone, _| {
                    let total = self.accounts.get(account).map_or(0, |account| account.instance_quota);
                    let used = self.owned(account, region, zone, "POSTPAID_BY_HOUR").count();
                    quota(zone, u32::try_from(used).unwrap_or(u32::MAX), total)
                }),
                "SpotPaidQuotaSet": set("SpotPaidQuotaSet", &|zone, total| {
                    quota(zone, self.spot_cpu(account, region, zone), total)
                }),
            },
        });
        Ok(format!(r#""AppId":{app_id},"AccountQuotaOverview":{overview}"#))
    }

    /// vCPU of the account's spot machines in a zone.
    pub(crate) fn spot_cpu(&self, account: usize, region: &str, zone: &str) -> u32 {
        self.owned(account, region, zone, "SPOTPAID").map(|machine| machine.cpu).sum()
    }

    fn owned<'a>(
        &'a self,
        account: usize,
        region: &'a str,
        zone: &'a str,
        charge_type: &'a str,
    ) -> impl Iterator<Item = &'a Machine> {
        let payer = self.accounts.get(account).map(|account| account.name.as_str());
        self.machines.values().filter(move |machine| {
            Some(machine.account.as_str()) == payer
                && machine.region == region
                && machine.zone == zone
                && machine.charge_type == charge_type
                && machine.state != State::Gone
        })
    }
}

fn quota(zone: &str, used: u32, total: u32) -> Value {
    json!({
        "Zone": zone,
        "UsedQuota": used,
        "RemainingQuota": total.saturating_sub(used),
        "TotalQuota": total,
    })
}
