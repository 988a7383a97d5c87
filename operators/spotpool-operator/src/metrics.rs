//! What the operator counts. Labels are bounded: pools by name (people make them), codes by the cloud's own
//! list, everything else by a handful of words.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tencent_cvm::Error;

use crate::crd::AttemptOutcome;
use crate::plan::Tally;
use crate::ports::PoolKey;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LaunchLabels {
    outcome: &'static str,
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PoolLabels {
    namespace: String,
    pool: String,
    machines: &'static str,
}

/// All metrics of the operator.
pub struct Metrics {
    sweeps: Family<ResultLabel, Counter>,
    sweep_seconds: Histogram,
    reconciles: Family<ResultLabel, Counter>,
    launches: Family<LaunchLabels, Counter>,
    terminations: Family<ResultLabel, Counter>,
    losses: Family<ReasonLabel, Counter>,
    pool: Family<PoolLabels, Gauge>,
    orphans: Gauge,
}

impl Metrics {
    /// Makes and registers them.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            sweeps: Family::default(),
            sweep_seconds: Histogram::new(exponential_buckets(0.05, 2.0, 10)),
            reconciles: Family::default(),
            launches: Family::default(),
            terminations: Family::default(),
            losses: Family::default(),
            pool: Family::default(),
            orphans: Gauge::default(),
        };
        let registry = registry.sub_registry_with_prefix("spotpool");
        registry.register("sweeps", "Looks at the cloud, by result", metrics.sweeps.clone());
        registry.register_with_unit(
            "sweep_duration",
            "How long a look at the cloud took",
            Unit::Seconds,
            metrics.sweep_seconds.clone(),
        );
        registry.register("reconciles", "Passes over a pool, by result", metrics.reconciles.clone());
        registry.register(
            "launches",
            "RunInstances calls, by outcome and the cloud's error code",
            metrics.launches.clone(),
        );
        registry.register(
            "terminations",
            "Machines told to terminate, by result",
            metrics.terminations.clone(),
        );
        registry.register("replacements", "SpotInstances let go, by reason", metrics.losses.clone());
        registry.register(
            "machines",
            "Machines of a pool: ready, counted, wanted, leaving, unclaimed",
            metrics.pool.clone(),
        );
        registry.register(
            "orphaned_machines",
            "Machines with this cluster's tags whose pool is gone",
            metrics.orphans.clone(),
        );
        metrics
    }

    pub(crate) fn sweep(&self, ok: bool, took: Duration) {
        self.sweeps.get_or_create(&ResultLabel { result: word(ok) }).inc();
        self.sweep_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn reconcile(&self, ok: bool) {
        self.reconciles.get_or_create(&ResultLabel { result: word(ok) }).inc();
    }

    pub(crate) fn launch(&self, outcome: &AttemptOutcome, code: Option<&str>) {
        let outcome = match outcome {
            AttemptOutcome::Unknown => "unanswered",
            AttemptOutcome::Made => "made",
            AttemptOutcome::Refused => "refused",
            AttemptOutcome::NotSent => "not_sent",
            AttemptOutcome::Errored => "errored",
            AttemptOutcome::Closed => "closed",
        };
        self.launches
            .get_or_create(&LaunchLabels { outcome, code: code.unwrap_or_default().to_owned() })
            .inc();
    }

    pub(crate) fn termination(&self, error: Option<&Error>) {
        self.terminations.get_or_create(&ResultLabel { result: word(error.is_none()) }).inc();
    }

    pub(crate) fn lost(&self, reason: &'static str) {
        self.losses.get_or_create(&ReasonLabel { reason }).inc();
    }

    pub(crate) fn orphans(&self, count: usize) {
        self.orphans.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn pool(&self, pool: &PoolKey, tally: Tally, unclaimed: usize) {
        for (machines, count) in sizes(tally, unclaimed) {
            self.pool.get_or_create(&labels(pool, machines)).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    pub(crate) fn forget(&self, pool: &PoolKey) {
        for (machines, _) in sizes(Tally::default(), 0) {
            self.pool.remove(&labels(pool, machines));
        }
    }
}

fn word(ok: bool) -> &'static str {
    if ok { "ok" } else { "error" }
}

fn sizes(tally: Tally, unclaimed: usize) -> [(&'static str, usize); 5] {
    [
        ("ready", tally.ready),
        ("counted", tally.counted),
        ("wanted", tally.wanted),
        ("leaving", tally.leaving),
        ("unclaimed", unclaimed),
    ]
}

fn labels(pool: &PoolKey, machines: &'static str) -> PoolLabels {
    PoolLabels { namespace: pool.namespace.clone(), pool: pool.name.clone(), machines }
}
