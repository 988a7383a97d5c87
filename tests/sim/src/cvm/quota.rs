//! DescribeAccountQuota: how much an account may have in each zone, and how much of it is used.

use serde_json::{Value, json};

use super::answer::Refusal;
use super::cloud::Cloud;
use super::machine::{Machine, State};
use super::offers::{check_filters, no_filter};
use super::request::{ByFilters, Filter};
use super::world::Zone;

const MAX_FILTER_VALUES: usize = 100;
/// Accounts are numbered from here, in their order.
const FIRST_APP_ID: u64 = 1_250_000_000;
const KINDS: [&str; 5] = [
    "PostPaidQuotaSet",
    "PrePaidQuotaSet",
    "SpotPaidQuotaSet",
    "ImageQuotaSet",
    "DisasterRecoverGroupQuotaSet",
];

impl Cloud {
    /// The content of the answer: `"AppId":…,"AccountQuotaOverview":{…}`.
    pub(crate) fn quota(&self, account: usize, region: &str, call: &ByFilters) -> Result<String, Refusal> {
        let filters = call.filters.as_deref().unwrap_or(&[]);
        check_filters(filters, MAX_FILTER_VALUES)?;
        let (mut zones, mut kinds) = (None, None);
        for Filter { name, values } in filters {
            match name.as_str() {
                "zone" => zones = Some(values),
                "quota-type" => kinds = Some(values),
                _ => return Err(no_filter(name)),
            }
        }
        let wanted = |wanted: Option<&Vec<String>>, value: &str| {
            wanted.is_none_or(|wanted| wanted.iter().any(|wanted| wanted == value))
        };
        let here: Vec<(&String, &Zone)> = self
            .world
            .regions
            .get(region)
            .into_iter()
            .flat_map(|place| &place.zones)
            .filter(|(zone, _)| wanted(zones, zone))
            .collect();
        let mut quotas = serde_json::Map::new();
        for kind in KINDS {
            let set =
                if wanted(kinds, kind) { self.quota_set(account, region, kind, &here) } else { json!([]) };
            quotas.insert(kind.to_owned(), set);
        }
        let overview = json!({"Region": region, "AccountQuota": quotas});
        let app_id = FIRST_APP_ID + account as u64;
        Ok(format!(r#""AppId":{app_id},"AccountQuotaOverview":{overview}"#))
    }

    fn quota_set(&self, account: usize, region: &str, kind: &str, zones: &[(&String, &Zone)]) -> Value {
        let payer = &self.accounts[account];
        let used = |zone: &str, charge_type: &str, of: fn(&Machine) -> u32| -> u32 {
            let counts = |machine: &&Machine| {
                machine.account == payer.name
                    && machine.region == region
                    && machine.zone == zone
                    && machine.charge_type == charge_type
                    && machine.state != State::Gone
            };
            self.machines.values().filter(counts).map(of).sum()
        };
        let entry = |zone: &str, used: u32, total: u32| {
            json!({
                "Zone": zone,
                "UsedQuota": used,
                "RemainingQuota": total.saturating_sub(used),
                "TotalQuota": total,
            })
        };
        match kind {
            "SpotPaidQuotaSet" => zones
                .iter()
                .map(|(zone, here)| {
                    entry(zone, used(zone, "SPOTPAID", |machine| machine.cpu), here.spot_quota)
                })
                .collect(),
            "PostPaidQuotaSet" => zones
                .iter()
                .map(|(zone, _)| entry(zone, used(zone, "POSTPAID_BY_HOUR", |_| 1), payer.instance_quota))
                .collect(),
            "PrePaidQuotaSet" => zones
                .iter()
                .map(|(zone, _)| {
                    let mut entry = entry(zone, used(zone, "PREPAID", |_| 1), payer.instance_quota);
                    entry["OnceQuota"] = json!(100);
                    entry
                })
                .collect(),
            "ImageQuotaSet" => json!([{"UsedQuota": 0, "TotalQuota": 10}]),
            _ => json!([{
                "GroupQuota": 10,
                "CurrentNum": 0,
                "CvmInHostGroupQuota": 50,
                "CvmInSwitchGroupQuota": 20,
                "CvmInRackGroupQuota": 30,
            }]),
        }
    }
}
