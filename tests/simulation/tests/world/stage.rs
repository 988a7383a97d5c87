//! A calm world: one operator over the store and the cloud, and nothing that goes wrong by itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use sim::cvm::{Account, Cloud, CloudConfig, Credential, Latency, Settings, Span};
use sim::shared::SimCloud;
use simulation::feed::Feed;
use simulation::judge::Judge;
use simulation::nature::{ACCOUNT, KEYS, NAMESPACE};
use simulation::process::{Process, Surroundings, wait_for};
use simulation::store::{MemStore, ObjectKey};
use simulation::trace::Trace;
use simulation::truth::Truth;
use simulation::weather::Weather;
use spotpool_operator::Guards;
use spotpool_operator::crd::{Phase, SpotInstance, SpotPool};
use spotpool_operator::ports::{Event, PoolKey};

const CLUSTER: &str = "the-cluster";

/// See the module.
pub(crate) struct Stage {
    pub(crate) cloud: SimCloud,
    pub(crate) store: MemStore,
    /// The operator; it goes when the stage does.
    pub(crate) process: Process,
    around: Surroundings,
}

impl Stage {
    /// Begins with these pools, each of which has a Secret of its own, named after it.
    pub(crate) fn set(pools: &[SpotPool]) -> Self {
        let epoch = Timestamp::from_second(1_781_000_000).unwrap();
        let truth = Truth::starting(epoch);
        let trace = Arc::new(Trace::new(truth, false));
        let account = Account::new(ACCOUNT, Credential::new(KEYS[0].0, KEYS[0].1));
        let instant = Span::default();
        let settings = Settings {
            boot: instant,
            load: instant,
            terminate: instant,
            linger: instant,
            latency: Latency::Off,
            ..Settings::default()
        };
        let config = CloudConfig { settings, ..CloudConfig::new(vec![account]) };
        let cloud = SimCloud::new(Cloud::new(config, 1), epoch);
        let store = MemStore::new(CLUSTER, Arc::new(truth));
        let feed = Arc::new(Feed::new(1, 0.0, 0.0));
        let hints = Arc::clone(&feed);
        store.observe(Arc::new(move |commit| hints.on_commit(commit)));
        let around = Surroundings {
            store: store.clone(),
            cloud: cloud.clone(),
            weather: Arc::new(Weather::new(1)),
            trace: Arc::clone(&trace),
            judge: Arc::new(Judge::new(truth, trace)),
            feed,
            truth,
            guards: Guards::ALL,
            endpoint: "http://cvm.sim.invalid/".parse().unwrap(),
            cluster_uid: CLUSTER.to_owned(),
        };
        let process = Process::start(1, 1, 0, &around);
        let stage = Self { cloud, store, process, around };
        for pool in pools {
            stage.put_key(pool.metadata.name.as_deref().unwrap());
            stage.store.create_pool(pool).unwrap();
        }
        stage
    }

    /// Another process that believes to lead.
    pub(crate) fn rival(&self) -> Process {
        let rival = Process::start(2, 2, 0, &self.around);
        let keys: Vec<PoolKey> =
            self.store.all_pools().iter().map(|pool| Self::key(&pool.name_any())).collect();
        self.around.feed.relist(&keys, Some(2));
        rival
    }

    /// A pool that is held at so many machines.
    pub(crate) fn pool(name: &str, size: i32) -> SpotPool {
        let mut pool = simulation::contract::sample_pool(NAMESPACE, name);
        (pool.spec.minimum, pool.spec.maximum, pool.spec.replicas) = (size, size, None);
        pool.spec.credentials_secret_ref.as_mut().unwrap().name = name.to_owned();
        pool
    }

    pub(crate) fn key(name: &str) -> PoolKey {
        PoolKey::new(NAMESPACE, name)
    }

    pub(crate) fn put_key(&self, secret: &str) {
        self.write_key(secret, &[("secretId", KEYS[0].0), ("secretKey", KEYS[0].1)]);
    }

    pub(crate) fn write_key(&self, secret: &str, data: &[(&str, &str)]) {
        let data: BTreeMap<String, String> =
            data.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.store.put_secret(&ObjectKey::new(NAMESPACE, secret), &data).unwrap();
    }

    pub(crate) fn instances(&self, pool: &str) -> Vec<SpotInstance> {
        let all = self.store.all_instances().into_iter();
        all.filter(|instance| instance.spec.pool.name == pool).collect()
    }

    /// Waits until every one of so many SpotInstances of the pool serves.
    pub(crate) async fn filled(&self, pool: &str, size: usize) {
        let serves = |instance: &SpotInstance| {
            instance.status.as_ref().is_some_and(|status| status.phase == Phase::Ready)
        };
        let full = || {
            let all = self.instances(pool);
            all.len() == size && all.iter().all(serves)
        };
        self.until("the pool to be full", Duration::from_secs(300), full).await;
    }

    pub(crate) async fn until(&self, what: &str, limit: Duration, done: impl FnMut() -> bool) {
        assert!(wait_for(limit, done).await, "waited {limit:?} for {what}");
    }

    /// Every Event of this reason so far.
    pub(crate) fn said(&self, reason: &str) -> Vec<Event> {
        self.store.events().into_iter().filter(|event| event.reason == reason).collect()
    }

    /// (status, reason, message) of a pool's condition.
    pub(crate) fn condition(&self, pool: &str, kind: &str) -> (String, String, String) {
        let status = self.store.peek_pool(&Self::key(pool)).unwrap().status.clone().unwrap_or_default();
        let found = status.conditions.into_iter().find(|condition| condition.type_ == kind).unwrap();
        (found.status, found.reason, found.message)
    }

    /// How often the cloud was asked this.
    pub(crate) fn calls(&self, action: &str) -> u64 {
        self.cloud.with(|cloud| cloud.ledger().count(action))
    }
}
