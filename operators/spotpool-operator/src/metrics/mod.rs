//! What the operator counts, for dashboards and alerts; `docs/metrics.md` is generated from here.
//!
//! Labels are bounded: pools by name (people make them, and what is about a pool goes with it), accounts by the
//! keys in use, everything else by a handful of words.

mod accounts;
mod cloud_calls;
mod pools;
mod sample;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tencent_cvm::Error;
use tokio::time::Instant;

use crate::crd::{AttemptOutcome, Phase};
use crate::identity::AccountId;
use crate::plan::{Observed, Plan};
use crate::ports::PoolKey;
use crate::sweep::AccountKey;

use accounts::Accounts;
use pools::Pools;

pub use cloud_calls::register_cloud_calls;
pub use sample::exposition;

/// What all names begin with.
pub const PREFIX: &str = "spotpool";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

/// All metrics of the operator but those of its calls to the cloud.
pub struct Metrics {
    sweeps: Family<ResultLabel, Counter>,
    sweep_seconds: Histogram,
    passes: Family<ResultLabel, Counter>,
    pass_seconds: Histogram,
    orphans: Gauge,
    in_flight: Gauge,
    accounts: Arc<Accounts>,
    pools: Arc<Pools>,
}

impl Metrics {
    /// Makes and registers them.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            sweeps: Family::default(),
            sweep_seconds: Histogram::new(exponential_buckets(0.05, 2.0, 10)),
            passes: Family::default(),
            pass_seconds: Histogram::new(exponential_buckets(0.01, 2.0, 12)),
            orphans: Gauge::default(),
            in_flight: Gauge::default(),
            accounts: Arc::default(),
            pools: Arc::default(),
        };
        let registry = registry.sub_registry_with_prefix(PREFIX);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The operator that runs", build);
        registry.register("sweeps", "Looks at the cloud, by result: ok or error", metrics.sweeps.clone());
        registry.register_with_unit(
            "sweep_duration",
            "How long a look at the cloud took",
            Unit::Seconds,
            metrics.sweep_seconds.clone(),
        );
        registry.register("reconciles", "Passes over a pool, by result: ok or error", metrics.passes.clone());
        registry.register_with_unit(
            "reconcile_duration",
            "How long a pass over a pool took",
            Unit::Seconds,
            metrics.pass_seconds.clone(),
        );
        registry.register(
            "launches_in_flight",
            "RunInstances calls on their way: sent or about to be, and not recorded yet",
            metrics.in_flight.clone(),
        );
        registry.register(
            "orphaned_machines",
            "Machines with this cluster's tags whose pool is gone: they bill, and nobody acts on them",
            metrics.orphans.clone(),
        );
        registry.register_collector(Box::new(Arc::clone(&metrics.accounts)));
        registry.register_collector(Box::new(Arc::clone(&metrics.pools)));
        metrics
    }

    pub(crate) fn sweep(&self, ok: bool, took: Duration) {
        self.sweeps.get_or_create(&ResultLabel { result: word(ok) }).inc();
        self.sweep_seconds.observe(took.as_secs_f64());
    }

    /// Looks with this key begin now.
    pub(crate) fn sweeps_begin(&self, key: &AccountKey, now: Timestamp) {
        self.accounts.began(key, now);
    }

    /// A complete look with this key at this account ended now.
    pub(crate) fn looked(&self, key: &AccountKey, account: AccountId, now: Timestamp) {
        self.accounts.looked(key, account, now);
    }

    pub(crate) fn forget_account(&self, key: &AccountKey) {
        self.accounts.forget(key);
    }

    pub(crate) fn reconcile(&self, ok: bool, took: Duration) {
        self.passes.get_or_create(&ResultLabel { result: word(ok) }).inc();
        self.pass_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn orphans(&self, count: usize) {
        self.orphans.set(gauge(count));
    }

    pub(crate) fn in_flight(&self, count: usize) {
        self.in_flight.set(gauge(count));
    }

    /// A pool is there: what happens to it is counted from now on, until it is forgotten.
    pub(crate) fn follow(&self, pool: &PoolKey) {
        self.pools.follow(pool);
    }

    pub(crate) fn forget(&self, pool: &PoolKey) {
        self.pools.forget(pool);
    }

    /// How a pool stands at the end of a pass.
    pub(crate) fn pool(&self, pool: &PoolKey, seen: &Observed, plan: &Plan) {
        self.pools.with(pool, |series| series.stands(seen, plan));
    }

    pub(crate) fn conditions(&self, pool: &PoolKey, conditions: &[Condition]) {
        self.pools.with(pool, |series| series.conditions(conditions));
    }

    /// A RunInstances call for the SpotInstance of this uid has ended.
    pub(crate) fn launch(&self, pool: &PoolKey, uid: &str, outcome: AttemptOutcome, code: Option<&str>) {
        let now = Instant::now();
        self.pools.with(pool, |series| series.launched(uid, outcome, code, now));
    }

    pub(crate) fn termination(&self, pool: &PoolKey, error: Option<&Error>) {
        self.pools.with(pool, |series| series.terminated(word(error.is_none())));
    }

    /// A SpotInstance was let go.
    pub(crate) fn let_go(&self, pool: &PoolKey, uid: &str, reason: &'static str) {
        let now = Instant::now();
        self.pools.with(pool, |series| series.let_go(uid, reason, now));
    }

    /// A SpotInstance's phase was written.
    pub(crate) fn phase(&self, pool: &PoolKey, uid: &str, was: Phase, is: Phase) {
        let now = Instant::now();
        self.pools.with(pool, |series| series.turned(uid, was, is, now));
    }

    pub(crate) fn probe(&self, pool: &PoolKey, ok: bool) {
        self.pools.with(pool, |series| series.probed(word(ok)));
    }
}

fn word(ok: bool) -> &'static str {
    if ok { "ok" } else { "error" }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Writes all series of one metric of a collector.
fn family(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help, unit): (&str, &str, Option<&Unit>),
    kind: MetricType,
    series: impl FnOnce(&mut MetricEncoder<'_>) -> std::fmt::Result,
) -> std::fmt::Result {
    series(&mut encoder.encode_descriptor(name, help, unit, kind)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use tencent_cvm::{AppId, SecretId};

    struct Shown {
        registry: Registry,
        metrics: Metrics,
        pool: PoolKey,
    }

    impl Shown {
        fn new() -> Self {
            let mut registry = Registry::default();
            let metrics = Metrics::new(&mut registry);
            Self { registry, metrics, pool: PoolKey::new("models", "llm") }
        }

        /// The samples whose name begins so.
        fn samples(&self, name: &str) -> Vec<String> {
            let mut text = String::new();
            prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
            text.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect()
        }

        fn launch(&self, outcome: AttemptOutcome, code: Option<&str>) {
            self.metrics.launch(&self.pool, "uid", outcome, code);
        }
    }

    #[test]
    fn what_is_about_a_pool_goes_with_it_and_does_not_come_back() {
        let shown = Shown::new();
        shown.launch(AttemptOutcome::Made, None);
        assert_eq!(shown.samples("spotpool_launches_total"), Vec::<String>::new(), "nobody follows it yet");
        shown.metrics.follow(&shown.pool);
        shown.launch(AttemptOutcome::Made, None);
        shown.metrics.probe(&shown.pool, true);
        let launches = shown.samples("spotpool_launches_total");
        let expected = r#"spotpool_launches_total{namespace="models",pool="llm",outcome="made",code=""} 1"#;
        assert_eq!(launches, [expected]);
        assert!(shown.samples("spotpool_").iter().any(|line| line.contains("pool=")));

        shown.metrics.forget(&shown.pool);
        // A launch that was still under way.
        shown.launch(AttemptOutcome::Refused, Some("InternalError"));
        assert!(shown.samples("spotpool_").iter().all(|line| !line.contains("pool=")));
    }

    #[test]
    fn a_cloud_that_makes_up_codes_makes_no_series_without_end() {
        let shown = Shown::new();
        shown.metrics.follow(&shown.pool);
        for number in 0..1000 {
            shown.launch(AttemptOutcome::Refused, Some(&format!("MadeUp.{number}")));
        }
        let launches = shown.samples("spotpool_launches_total");
        assert!(launches.len() <= 65, "{} series", launches.len());
        assert!(launches.iter().any(|line| line.contains(r#"code="Other""#)), "{launches:?}");
        let count = |line: &String| line.rsplit(' ').next().and_then(|count| count.parse::<u64>().ok());
        assert_eq!(launches.iter().filter_map(count).sum::<u64>(), 1000, "none is lost");
    }

    #[tokio::test(start_paused = true)]
    async fn a_loss_is_measured_to_the_next_machine_that_serves_and_a_boot_from_its_launch() {
        let shown = Shown::new();
        shown.metrics.follow(&shown.pool);
        shown.metrics.let_go(&shown.pool, "uid-1", "Vanished");
        tokio::time::advance(Duration::from_secs(3)).await;
        shown.metrics.launch(&shown.pool, "uid-2", AttemptOutcome::Made, None);
        tokio::time::advance(Duration::from_secs(40)).await;
        shown.metrics.phase(&shown.pool, "uid-2", Phase::Launching, Phase::Booting);
        shown.metrics.phase(&shown.pool, "uid-2", Phase::Booting, Phase::Ready);
        // One that only answers again neither booted nor makes up for anything.
        shown.metrics.phase(&shown.pool, "uid-3", Phase::NotReady, Phase::Ready);
        let sum = |name: &str| shown.samples(&format!("spotpool_{name}_duration_seconds_sum"))[0].clone();
        assert!(sum("boot").ends_with(" 40.0"), "{}", sum("boot"));
        assert!(sum("replacement").ends_with(" 43.0"), "{}", sum("replacement"));
        let count = |name: &str| shown.samples(&format!("spotpool_{name}_duration_seconds_count"))[0].clone();
        assert!(count("boot").ends_with(" 1") && count("replacement").ends_with(" 1"));
    }

    #[test]
    fn an_account_that_nobody_uses_any_more_is_not_shown() {
        let shown = Shown::new();
        let key = |secret_id: &str| AccountKey {
            secret_id: SecretId::new(secret_id),
            key_hash: "hash".to_owned(),
            region: "ap-singapore".to_owned(),
        };
        let at = |second: i64| Timestamp::from_second(1_781_000_000 + second).unwrap();
        let looked = |key: &AccountKey, app_id, second| {
            shown.metrics.looked(key, AccountId::new(&key.secret_id, app_id), at(second));
        };
        let shown_now = || shown.samples("spotpool_last_sweep_timestamp_seconds");
        let (one, other) = (key("AKIDFAKE1"), key("AKIDFAKE2"));
        looked(&one, None, 0);
        assert_eq!(shown_now().len(), 1);
        assert!(!shown_now()[0].contains("AKID"), "{:?}", shown_now());
        // Two keys of one account are one series, as old as the younger look.
        let app_id = Some(AppId::new(1_300_000_001));
        looked(&one, app_id, 9);
        looked(&other, app_id, 5);
        let of_account = "{account=\"1300000001\",region=\"ap-singapore\"} 1781000009.0";
        assert_eq!(shown_now(), [format!("spotpool_last_sweep_timestamp_seconds{of_account}")]);
        shown.metrics.forget_account(&one);
        shown.metrics.forget_account(&other);
        assert_eq!(shown.samples("spotpool_last_sweep"), Vec::<String>::new());
    }

    #[test]
    fn names_and_units_are_as_openmetrics_wants_them() {
        let text = exposition().unwrap();
        assert!(text.ends_with("# EOF\n"), "{text}");
        let described = |what: &str| {
            let lines = text.lines().filter_map(|line| line.strip_prefix(what)?.split_once(' '));
            lines.map(|(name, rest)| (name.to_owned(), rest.to_owned())).collect::<Vec<_>>()
        };
        let names: Vec<_> = described("# HELP ").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "each is described once");
        for (name, help) in described("# HELP ") {
            assert!(name.starts_with("spotpool_") && !name.ends_with("_total"), "{name}");
            assert!(help.ends_with('.') && !help.ends_with(".."), "{name}: {help}");
        }
        for (name, unit) in described("# UNIT ") {
            assert!(name.ends_with(&format!("_{unit}")), "{name} in {unit}");
        }
        for (name, kind) in described("# TYPE ") {
            let timed = name.contains("duration") || name.contains("timestamp") || name.contains("wait");
            assert_eq!(timed, name.ends_with("_seconds"), "{name}, a {kind}");
        }
    }
}
