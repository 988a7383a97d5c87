//! What is counted per pool. All series of a pool are one value here, so that they go when the pool does.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Unit;
use tokio::time::Instant;

use super::{family, gauge};
use crate::crd::{AttemptOutcome, Phase};
use crate::plan::{Observed, Plan, Tally};
use crate::ports::PoolKey;

/// From what a fast machine takes to what a huge model does.
const BOOT_BUCKETS: [f64; 10] = [10.0, 20.0, 40.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1200.0];
/// A cloud that makes up codes does not make up series without end.
const CODES: usize = 64;
const FURTHER_CODES: &str = "Other";
/// Nobody waits for so many replacements in one pool; older losses are forgotten.
const LOSSES: usize = 5000;
const PHASES: [Phase; 6] =
    [Phase::Launching, Phase::Booting, Phase::Ready, Phase::NotReady, Phase::Draining, Phase::Terminating];

/// The pools that are counted.
#[derive(Debug, Default)]
pub(super) struct Pools(Mutex<BTreeMap<PoolKey, Series>>);

impl Pools {
    pub(super) fn follow(&self, pool: &PoolKey) {
        let mut pools = self.lock();
        if !pools.contains_key(pool) {
            pools.insert(pool.clone(), Series::default());
        }
    }

    pub(super) fn forget(&self, pool: &PoolKey) {
        self.lock().remove(pool);
    }

    /// Counts something, unless the pool is not followed: what ends after a pool is gone brings nothing back.
    pub(super) fn with(&self, pool: &PoolKey, count: impl FnOnce(&mut Series)) {
        if let Some(series) = self.lock().get_mut(pool) {
            count(series);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<PoolKey, Series>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All that is counted of one pool.
#[derive(Debug)]
pub(super) struct Series {
    phases: [usize; PHASES.len()],
    sizes: [(&'static str, usize); 5],
    unclaimed: usize,
    disputed: usize,
    hold: Option<&'static str>,
    /// Type, status and reason.
    conditions: Vec<[String; 3]>,
    launches: BTreeMap<(&'static str, String), u64>,
    let_go: BTreeMap<&'static str, u64>,
    terminations: BTreeMap<&'static str, u64>,
    probes: BTreeMap<&'static str, u64>,
    boot: Histogram,
    replacement: Histogram,
    /// When the machines of these SpotInstances (by uid) were given, until they serve.
    given: BTreeMap<String, Instant>,
    /// When machines that are not made up for yet were let go.
    losses: VecDeque<Instant>,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            phases: [0; PHASES.len()],
            sizes: sizes(Tally::default(), 0, 0),
            unclaimed: 0,
            disputed: 0,
            hold: None,
            conditions: Vec::new(),
            launches: BTreeMap::new(),
            let_go: BTreeMap::new(),
            terminations: BTreeMap::new(),
            probes: BTreeMap::new(),
            boot: Histogram::new(BOOT_BUCKETS),
            replacement: Histogram::new(BOOT_BUCKETS),
            given: BTreeMap::new(),
            losses: VecDeque::new(),
        }
    }
}

fn sizes(tally: Tally, minimum: usize, maximum: usize) -> [(&'static str, usize); 5] {
    [
        ("wanted", tally.wanted),
        ("counted", tally.counted),
        ("ready", tally.ready),
        ("minimum", minimum),
        ("maximum", maximum),
    ]
}

impl Series {
    pub(super) fn stands(&mut self, seen: &Observed, plan: &Plan) {
        self.phases = [0; PHASES.len()];
        for entry in &plan.instances {
            let status = entry.latest();
            let phase = status.map_or(Phase::Launching, |status| status.phase);
            if let Some(at) = PHASES.iter().position(|one| *one == phase) {
                self.phases[at] += 1;
            }
        }
        let bounds = seen.pool.object().map(|pool| [pool.spec.minimum, pool.spec.maximum]);
        let [minimum, maximum] = bounds.unwrap_or_default().map(|bound| usize::try_from(bound).unwrap_or(0));
        self.sizes = sizes(plan.tally, minimum, maximum);
        self.unclaimed = plan.unclaimed.len();
        self.disputed = plan.disputed.len();
        self.held(plan.hold.as_ref().map(|hold| hold.reason));
        // A loss that is still open when all that is wanted serves was never to be made up for.
        let least = seen.pool.valid().map_or(0, |pool| pool.least);
        if plan.tally.ready >= plan.tally.wanted.max(least) {
            self.losses.clear();
        }
    }

    pub(super) fn held(&mut self, reason: Option<&'static str>) {
        self.hold = reason;
    }

    pub(super) fn conditions(&mut self, conditions: &[Condition]) {
        let same = self.conditions.len() == conditions.len()
            && self.conditions.iter().zip(conditions).all(|([kind, status, reason], now)| {
                *kind == now.type_ && *status == now.status && *reason == now.reason
            });
        if !same {
            self.conditions.clear();
            for now in conditions {
                self.condition(&now.type_, &now.status, &now.reason);
            }
        }
    }

    pub(super) fn condition(&mut self, kind: &str, status: &str, reason: &str) {
        self.conditions.push([kind, status, reason].map(str::to_owned));
    }

    pub(super) fn launched(&mut self, uid: &str, outcome: AttemptOutcome, code: Option<&str>, now: Instant) {
        let word = match outcome {
            AttemptOutcome::Unknown => "unanswered",
            AttemptOutcome::Made => "made",
            AttemptOutcome::Refused => "refused",
            AttemptOutcome::NotSent => "not_sent",
            AttemptOutcome::Errored => "errored",
            AttemptOutcome::Closed => "closed",
        };
        let mut key = (word, code.unwrap_or_default().to_owned());
        if !self.launches.contains_key(&key) && self.launches.len() >= CODES {
            key.1 = FURTHER_CODES.to_owned();
        }
        *self.launches.entry(key).or_default() += 1;
        if outcome == AttemptOutcome::Made {
            self.given.entry(uid.to_owned()).or_insert(now);
        }
    }

    pub(super) fn terminated(&mut self, result: &'static str) {
        *self.terminations.entry(result).or_default() += 1;
    }

    pub(super) fn let_go(&mut self, uid: &str, reason: &'static str, now: Instant) {
        *self.let_go.entry(reason).or_default() += 1;
        self.given.remove(uid);
        if self.losses.len() < LOSSES {
            self.losses.push_back(now);
        }
    }

    pub(super) fn turned(&mut self, uid: &str, was: Phase, is: Phase, now: Instant) {
        if is != Phase::Ready || was == Phase::Ready {
            return;
        }
        if let Some(given) = self.given.remove(uid) {
            self.boot.observe((now - given).as_secs_f64());
        }
        // One that only answers again makes up for nothing.
        if was != Phase::NotReady
            && let Some(lost) = self.losses.pop_front()
        {
            self.replacement.observe((now - lost).as_secs_f64());
        }
    }

    pub(super) fn probed(&mut self, result: &'static str) {
        *self.probes.entry(result).or_default() += 1;
    }
}

/// The labels of one series of a pool.
fn labels<'a>(pool: &'a PoolKey, more: &[(&'static str, &'a str)]) -> Vec<(&'static str, &'a str)> {
    let mut labels = vec![("namespace", pool.namespace.as_str()), ("pool", pool.name.as_str())];
    labels.extend(more);
    labels
}

/// A metric's name and help.
type What = (&'static str, &'static str);
/// Labels beyond the pool's, and the value.
type Samples<'a, V> = Vec<(Vec<(&'static str, &'a str)>, V)>;

impl Collector for Pools {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let pools = self.lock();
        let encoder = &mut encoder;
        gauges(encoder, &pools, ("machines", "SpotInstances of a pool, by phase."), |series| {
            let phases = ["Launching", "Booting", "Ready", "NotReady", "Draining", "Terminating"];
            phases
                .into_iter()
                .zip(series.phases)
                .map(|(phase, count)| (vec![("phase", phase)], count))
                .collect()
        })?;
        let help = "The size of a pool: wanted now, counted (there or on their way), ready, and the minimum and \
                    maximum of its spec.";
        gauges(encoder, &pools, ("pool_size", help), |series| {
            series.sizes.iter().map(|(size, count)| (vec![("size", *size)], *count)).collect()
        })?;
        let help =
            "Machines that carry a pool's tags and belong to no SpotInstance: they bill and are left alone.";
        gauges(encoder, &pools, ("unclaimed_machines", help), |series| vec![(vec![], series.unclaimed)])?;
        let help = "Machines that should go and are not terminated, because their name or tags were changed.";
        gauges(encoder, &pools, ("disputed_machines", help), |series| vec![(vec![], series.disputed)])?;
        let help = "1 while nothing is launched and nothing terminated for a pool, with the reason; no series \
                    otherwise.";
        gauges(encoder, &pools, ("pool_held", help), |series| {
            series.hold.iter().map(|reason| (vec![("reason", *reason)], 1)).collect()
        })?;
        let help = "1 for each condition of a pool, with its present status and reason.";
        gauges(encoder, &pools, ("pool_condition", help), |series| {
            let labels = ["condition", "status", "reason"];
            let words = series.conditions.iter().map(|words| words.iter().map(String::as_str));
            words.map(|words| (labels.into_iter().zip(words).collect(), 1)).collect()
        })?;
        let help = "RunInstances calls, by outcome (made, refused, unanswered, not_sent, errored) and the cloud's \
                    error code.";
        counters(encoder, &pools, ("launches", help), |series| {
            let labels = series.launches.iter().map(|((outcome, code), count)| {
                (vec![("outcome", *outcome), ("code", code.as_str())], *count)
            });
            labels.collect()
        })?;
        let help = "SpotInstances let go, by reason: losses (Vanished, Reclaimed, Stopped, LaunchFailed, NotOurs), \
                    machines that do not answer (Unhealthy, NeverServed), and those that were to go (Surplus, \
                    Outdated, PoolDeleted, LetGo, PoolGone).";
        counters(encoder, &pools, ("instances_let_go", help), |series| words("reason", &series.let_go))?;
        let help = "Machines told to terminate, by result: ok or error.";
        counters(encoder, &pools, ("terminations", help), |series| words("result", &series.terminations))?;
        let help = "Questions to model servers, by result: ok or error.";
        counters(encoder, &pools, ("probes", help), |series| words("result", &series.probes))?;
        let help = "From the cloud's word that a machine is made to the first answer of its model server.";
        histograms(encoder, &pools, ("boot_duration", help), |series| &series.boot)?;
        let help = "From letting a SpotInstance go to the next one of its pool that serves.";
        histograms(encoder, &pools, ("replacement_duration", help), |series| &series.replacement)
    }
}

fn words<'a>(label: &'static str, counts: &'a BTreeMap<&'static str, u64>) -> Samples<'a, u64> {
    counts.iter().map(|(word, count)| (vec![(label, *word)], *count)).collect()
}

fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    pools: &BTreeMap<PoolKey, Series>,
    (name, help): What,
    samples: impl for<'a> Fn(&'a Series) -> Samples<'a, usize>,
) -> fmt::Result {
    family(encoder, (name, help, None), MetricType::Gauge, |metric| {
        for (pool, series) in pools {
            for (more, value) in samples(series) {
                metric.encode_family(&labels(pool, &more))?.encode_gauge(&gauge(value))?;
            }
        }
        Ok(())
    })
}

fn counters(
    encoder: &mut DescriptorEncoder<'_>,
    pools: &BTreeMap<PoolKey, Series>,
    (name, help): What,
    samples: impl for<'a> Fn(&'a Series) -> Samples<'a, u64>,
) -> fmt::Result {
    family(encoder, (name, help, None), MetricType::Counter, |metric| {
        for (pool, series) in pools {
            for (more, value) in samples(series) {
                let labels = labels(pool, &more);
                metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
            }
        }
        Ok(())
    })
}

/// In seconds.
fn histograms(
    encoder: &mut DescriptorEncoder<'_>,
    pools: &BTreeMap<PoolKey, Series>,
    (name, help): What,
    histogram: impl Fn(&Series) -> &Histogram,
) -> fmt::Result {
    family(encoder, (name, help, Some(&Unit::Seconds)), MetricType::Histogram, |metric| {
        for (pool, series) in pools {
            histogram(series).encode(metric.encode_family(&labels(pool, &[]))?)?;
        }
        Ok(())
    })
}
