//! What one measurement happens on: a cloud with an account, an API server in memory, and whoever keeps the pools.
//!
//! The operator is the shipped one, over the same ports as in the simulation; nothing goes wrong here but what a row
//! asks for. Calls take the time that the stand-in and the API server take; computing takes none.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use kube::ResourceExt;
use prometheus_client::registry::Registry;
use sim::cvm::{Account, Cloud, CloudConfig, Credential, Event, ProbeAnswer, Settings, State, Stock, World};
use sim::shared::SimCloud;
use simulation::contract::sample_pool;
use simulation::feed::Feed;
use simulation::gate::{Gate, Held};
use simulation::store::{MemStore, ObjectKey, Port};
use simulation::truth::Truth;
use spotpool_operator::clouds::HttpClouds;
use spotpool_operator::crd::{Phase, SpotInstance, SpotPool, SpotPoolSpec};
use spotpool_operator::metrics::Metrics;
use spotpool_operator::ports::{Clock, PoolKey};
use spotpool_operator::{Guards, Operator, Ports, Settings as OperatorSettings};
use tokio::task::AbortHandle;
use url::Url;

use crate::line::{CallLog, Line, PacedStore, StageProber};

pub(crate) const NAMESPACE: &str = "models";
pub(crate) const ACCOUNT: &str = "shared";
pub(crate) const REGION: &str = "ap-singapore";
pub(crate) const SECRET_ID: &str = "AKIDFAKEFAKEFAKEFAKEBENCH";
pub(crate) const SECRET_KEY: &str = "fakeSecretKeyBench";
const SECRET: &str = "cloud";
const CLUSTER: &str = "0f0e0d0c-bench-cluster";
/// The looks of whoever waits are this far apart.
const TICK: Duration = Duration::from_millis(100);

/// See the module.
pub(crate) struct Stage {
    pub(crate) cloud: SimCloud,
    pub(crate) store: MemStore,
    pub(crate) truth: Truth,
    /// Every RunInstances of the operators.
    pub(crate) log: Arc<CallLog>,
    /// Whether nobody reaches a model server.
    pub(crate) cut: Arc<AtomicBool>,
    feed: Arc<Feed>,
    seed: u64,
    started: AtomicU32,
}

/// One operator process.
pub(crate) struct Process {
    pub(crate) gate: Arc<Gate>,
    task: AbortHandle,
    number: u32,
}

impl Stage {
    /// The sample's world with stock and quotas for every pool that is measured.
    pub(crate) fn spacious(seed: u64) -> Result<Self> {
        let mut world = World::sample();
        for zone in world.regions.values_mut().flat_map(|region| region.zones.values_mut()) {
            zone.spot_quota = 100_000;
        }
        let stage = Self::build(seed, Settings::default(), world)?;
        stage.cloud.with(|cloud| {
            cloud.set_instance_quota(ACCOUNT, 10_000)?;
            let (zone, instance_type) = ("ap-singapore-2".to_owned(), "GN7.2XLARGE32".to_owned());
            cloud.set_stock(&Stock { zone, instance_type, count: 10_000 })
        })?;
        Ok(stage)
    }

    /// A cloud that behaves like this, and an API server with a key in a Secret.
    pub(crate) fn build(seed: u64, settings: Settings, world: World) -> Result<Self> {
        let epoch: Timestamp = "2026-03-01T12:00:00Z".parse().context("a constant")?;
        let truth = Truth::starting(epoch);
        let account = Account::new(ACCOUNT, Credential::new(SECRET_ID, SECRET_KEY));
        let config = CloudConfig { settings, world, ..CloudConfig::new(vec![account]) };
        let cloud = SimCloud::new(Cloud::new(config, seed), epoch);
        let store = MemStore::new(CLUSTER, Arc::new(truth));
        let feed = Arc::new(Feed::new(seed, 0.0, 0.0));
        let hints = Arc::clone(&feed);
        store.observe(Arc::new(move |commit| hints.on_commit(commit)));
        let key = [("secretId", SECRET_ID), ("secretKey", SECRET_KEY)];
        let key: BTreeMap<String, String> =
            key.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        store.put_secret(&ObjectKey::new(NAMESPACE, SECRET), &key)?;
        Ok(Self {
            cloud,
            store,
            truth,
            log: Arc::default(),
            cut: Arc::default(),
            feed,
            seed,
            started: AtomicU32::new(0),
        })
    }

    /// Starts the shipped operator.
    pub(crate) fn start_operator(&self) -> Result<Process> {
        let number = self.started.fetch_add(1, Ordering::Relaxed) + 1;
        let seed = self.seed.wrapping_add(u64::from(number));
        let gate = Arc::new(Gate::default());
        let endpoint = Url::parse("http://cvm.sim.invalid/").context("a constant")?;
        let clock: Arc<dyn Clock> = Arc::new(self.truth);
        let line = Line::new(self.cloud.clone(), Arc::clone(&gate), Arc::clone(&self.log), self.truth);
        let prober = StageProber { cloud: self.cloud.clone(), cut: Arc::clone(&self.cut) };
        let ports = Ports {
            store: Arc::new(Port(PacedStore::new(self.store.clone(), number, Arc::clone(&gate), seed))),
            clouds: Arc::new(HttpClouds::new(Arc::new(line), Some(endpoint), Arc::clone(&clock), seed)),
            prober: Arc::new(prober),
            clock,
        };
        let settings = OperatorSettings {
            cluster_id: CLUSTER.to_owned(),
            sweep_interval: Duration::from_secs(2),
            visibility_window: Duration::from_secs(60),
            operator_namespace: "aiops-system".to_owned(),
        };
        let metrics = Arc::new(Metrics::new(&mut Registry::default()));
        let operator = Operator::new(ports, settings, Guards::ALL, seed, metrics);
        let wakes = self.feed.subscribe(number);
        let work = async move { operator.run(wakes, std::future::pending()).await };
        let task = tokio::spawn(Held::new(work, Arc::clone(&gate))).abort_handle();
        self.feed.relist(&self.pools(), Some(number));
        Ok(Process { gate, task, number })
    }

    fn pools(&self) -> Vec<PoolKey> {
        let pools = self.store.all_pools();
        pools.iter().map(|pool| PoolKey::new(NAMESPACE, pool.name_any())).collect()
    }

    /// The process is killed: what it had asked for goes its own way.
    pub(crate) fn kill(&self, process: &Process) {
        process.gate.kill();
        process.task.abort();
        self.feed.unsubscribe(process.number);
    }

    /// `kubectl create` of the sample pool with this size, edited.
    pub(crate) fn create_pool(
        &self,
        name: &str,
        size: (i32, i32),
        edit: impl FnOnce(&mut SpotPoolSpec),
    ) -> Result<PoolKey> {
        let mut pool = sample_pool(NAMESPACE, name);
        (pool.spec.minimum, pool.spec.maximum, pool.spec.replicas) = (size.0, size.1, None);
        edit(&mut pool.spec);
        self.store.create_pool(&pool)?;
        Ok(PoolKey::new(NAMESPACE, name))
    }

    /// The pool as the API server has it.
    pub(crate) fn pool(&self, key: &PoolKey) -> Option<SpotPool> {
        self.store.peek_pool(key).map(Arc::unwrap_or_clone)
    }

    /// Machines that serve, as the pool's status says.
    pub(crate) fn ready(&self, key: &PoolKey) -> i32 {
        self.pool(key).and_then(|pool| pool.status).map_or(0, |status| status.ready_size)
    }

    /// The pool's SpotInstances.
    pub(crate) fn instances(&self) -> Vec<SpotInstance> {
        self.store.all_instances()
    }

    /// The machines that serve as the SpotInstances say, by number, the first first.
    pub(crate) fn serving(&self) -> Vec<String> {
        let mut serving: Vec<(i64, String)> = self
            .instances()
            .into_iter()
            .filter(|instance| instance.metadata.deletion_timestamp.is_none())
            .filter_map(|instance| {
                let status = instance.status?;
                (status.phase == Phase::Ready).then_some((instance.spec.n, status.instance_id?))
            })
            .collect();
        serving.sort();
        serving.into_iter().map(|(_, id)| id).collect()
    }

    /// Waits until `done` says so; how long it took.
    pub(crate) async fn until(
        &self,
        what: &str,
        within: Duration,
        mut done: impl FnMut() -> bool,
    ) -> Result<Duration> {
        let begun = self.truth.elapsed();
        while !done() {
            let passed = self.truth.elapsed().saturating_sub(begun);
            if passed > within {
                bail!("{what} did not come within {} s", within.as_secs());
            }
            tokio::time::sleep(TICK).await;
        }
        Ok(self.truth.elapsed().saturating_sub(begun))
    }

    /// Lets time pass.
    pub(crate) async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// The number of the last event so far.
    pub(crate) fn last_event(&self) -> u64 {
        self.cloud.with(|cloud| cloud.ledger().last_seq())
    }

    /// What happened in the cloud since that event: when, and what.
    pub(crate) fn events_since(&self, seq: u64) -> Vec<Event> {
        self.cloud.with(|cloud| cloud.ledger().since(seq).to_vec())
    }

    /// Since the beginning, of a time that an event has.
    pub(crate) fn since_start(&self, at: Timestamp) -> Duration {
        Duration::try_from(at.duration_since(self.truth.date(Duration::ZERO))).unwrap_or_default()
    }

    /// How often an action was answered with this code (`None`: with any).
    pub(crate) fn answers(&self, action: &str, code: Option<&str>) -> u64 {
        self.cloud.with(|cloud| match code {
            None => cloud.ledger().count(action),
            Some(code) => {
                let codes = cloud.ledger().calls().get(action);
                codes.and_then(|codes| codes.get(code)).copied().unwrap_or(0)
            }
        })
    }

    /// All calls that were answered so far.
    pub(crate) fn calls(&self) -> u64 {
        self.cloud.with(|cloud| cloud.ledger().calls().values().flat_map(BTreeMap::values).sum())
    }

    /// Machines that calls made and that exist, in order of creation: id and state.
    pub(crate) fn machines(&self) -> Vec<(String, State)> {
        self.cloud.with(|cloud| {
            let made = cloud.existing().filter(|machine| machine.made_by.is_some());
            made.map(|machine| (machine.id.clone(), machine.state)).collect()
        })
    }

    /// Machines that calls made and that answer whoever asks them, whatever anybody believes.
    pub(crate) fn answering(&self) -> usize {
        self.cloud.with(|cloud| {
            let made = cloud.existing().filter(|machine| machine.made_by.is_some());
            let addresses: Vec<_> =
                made.map(|machine| machine.public_ip.unwrap_or(machine.private_ip)).collect();
            let now = cloud.now();
            let mut answers = |ip| {
                let answer = cloud.probe(now, ip, sim::cvm::MODEL_SERVER_PORT, "/api/tags");
                matches!(answer, ProbeAnswer::Answer { status: 200, .. })
            };
            addresses.into_iter().filter(|ip| answers(*ip)).count()
        })
    }
}

/// Runs a measurement in simulated time.
pub(crate) fn in_simulated_time<T>(measurement: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.context("a runtime")?.block_on(measurement)
}
