//! How fresh the looks at each account are.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::family;
use crate::identity::AccountId;
use crate::sweep::AccountKey;

/// Whose account each key opens, as far as that is known, and when the latest complete look with it ended.
#[derive(Debug, Default)]
pub(super) struct Accounts(Mutex<BTreeMap<AccountKey, (AccountId, Timestamp)>>);

impl Accounts {
    /// Sweeping begins: as long as no look has ended, this is what its age counts from.
    pub(super) fn began(&self, key: &AccountKey, now: Timestamp) {
        let account = AccountId::new(&key.secret_id, None);
        self.lock().entry(key.clone()).or_insert((account, now));
    }

    pub(super) fn looked(&self, key: &AccountKey, account: AccountId, now: Timestamp) {
        self.lock().insert(key.clone(), (account, now));
    }

    pub(super) fn forget(&self, key: &AccountKey) {
        self.lock().remove(key);
    }

    /// By account and region: what one of several keys to an account saw was seen.
    fn latest(&self) -> BTreeMap<(String, String), Timestamp> {
        let mut latest = BTreeMap::new();
        for (key, (account, at)) in self.lock().iter() {
            let of_place = latest.entry((account.name(), key.region.clone())).or_insert(*at);
            *of_place = (*at).max(*of_place);
        }
        latest
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<AccountKey, (AccountId, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for Accounts {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let what = (
            "last_sweep_timestamp",
            "When the latest complete look at an account (its AppId, or a hash of the key) and region \
             ended, by the operator's clock; before the first, when the operator began to look.",
            Some(&Unit::Seconds),
        );
        family(&mut encoder, what, MetricType::Gauge, |metric| {
            for ((account, region), at) in self.latest() {
                let labels = [("account", account.as_str()), ("region", region.as_str())];
                metric.encode_family(&labels)?.encode_gauge(&at.as_duration().as_secs_f64())?;
            }
            Ok(())
        })
    }
}
