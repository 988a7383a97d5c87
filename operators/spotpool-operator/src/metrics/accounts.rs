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
use crate::identity::account_fingerprint;
use crate::sweep::AccountKey;

/// The end of the latest complete look, by account and region.
#[derive(Debug, Default)]
pub(super) struct Accounts(Mutex<BTreeMap<(String, String), Timestamp>>);

impl Accounts {
    pub(super) fn looked(&self, account: &AccountKey, now: Timestamp) {
        self.lock().insert(labels(account), now);
    }

    pub(super) fn forget(&self, account: &AccountKey) {
        self.lock().remove(&labels(account));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, String), Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The account is named as in `status.account` of a SpotInstance.
fn labels(account: &AccountKey) -> (String, String) {
    (account_fingerprint(&account.secret_id), account.region.clone())
}

impl Collector for Accounts {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let what = (
            "last_sweep_timestamp",
            "When the latest complete look at an account (as in status.account of a SpotInstance) and region \
             ended, by the operator's clock.",
            Some(&Unit::Seconds),
        );
        family(&mut encoder, what, MetricType::Gauge, |metric| {
            for ((account, region), at) in self.lock().iter() {
                let labels = [("account", account.as_str()), ("region", region.as_str())];
                metric.encode_family(&labels)?.encode_gauge(&at.as_duration().as_secs_f64())?;
            }
            Ok(())
        })
    }
}
