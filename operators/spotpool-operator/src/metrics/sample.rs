//! A text with one made-up series of every metric, from which the documentation is generated.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::registry::Registry;
use tencent_cvm::{Action, LimitTotals, SecretId};
use tokio::time::Instant;

use super::{Metrics, register_cloud_calls};
use crate::conditions::{kind, reason};
use crate::crd::{AttemptOutcome, Phase};
use crate::identity::AccountId;
use crate::ports::PoolKey;
use crate::sweep::AccountKey;

/// What `/metrics` of an operator shows to which everything has happened once.
///
/// # Errors
/// When the registry cannot be written as text.
pub fn exposition() -> Result<String, std::fmt::Error> {
    let mut registry = Registry::default();
    let metrics = Metrics::new(&mut registry);
    register_cloud_calls(&mut registry, || BTreeMap::from([(Action::RunInstances, LimitTotals::default())]));
    let account = AccountKey {
        secret_id: SecretId::new("AKIDEXAMPLE"),
        key_hash: String::new(),
        region: "ap-singapore".to_owned(),
    };
    metrics.sweep(true, Duration::from_millis(300));
    metrics.looked(&account, AccountId::new(&account.secret_id, None), Timestamp::UNIX_EPOCH);
    metrics.reconcile(true, Duration::from_millis(20));
    let pool = PoolKey::new("default", "llm");
    metrics.follow(&pool);
    metrics.pools.with(&pool, |series| {
        let now = Instant::now();
        series.held(Some(reason::CLOUD_UNREACHABLE));
        series.condition(kind::READY, "False", reason::CLOUD_UNREACHABLE);
        series.let_go("uid-1", "Vanished", now);
        series.launched(
            "uid-2",
            AttemptOutcome::Refused,
            Some("ResourceInsufficient.SpecifiedInstanceType"),
            now,
        );
        series.launched("uid-2", AttemptOutcome::Made, None, now);
        series.turned("uid-2", Phase::Booting, Phase::Ready, now);
        series.terminated("ok");
        series.probed("ok");
    });
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    Ok(text)
}
