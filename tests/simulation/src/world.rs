//! One seed's world: a cloud, one or two clusters, the processes in them, and handles for the script.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::ResourceExt;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sim::cvm::{Account, Cloud, CloudConfig, Credential, ZoneInformation};
use sim::shared::SimCloud;
use spotpool_operator::Guards;
use spotpool_operator::conditions::kind;
use spotpool_operator::crd::SpotPool;
use spotpool_operator::identity::{CLUSTER_TAG, POOL_TAG};
use spotpool_operator::ports::{Clock, PoolKey};

use crate::feed::Feed;
use crate::judge::{Expected, Judge};
use crate::kind::Kind;
use crate::nature::{ACCOUNT, KEYS, NAMESPACE, Nature, OTHER_ACCOUNT, OTHER_KEY};
use crate::process::{Process, Surroundings};
use crate::site::pool_key;
use crate::store::{Actor, Commit, MemStore, ObjectKey};
use crate::trace::Trace;
use crate::truth::Truth;
use crate::weather::Weather;

/// See the module.
pub struct World {
    /// What was drawn for the seed.
    pub nature: Nature,
    /// The time.
    pub truth: Truth,
    /// The trace.
    pub trace: Arc<Trace>,
    /// The judge.
    pub judge: Arc<Judge>,
    /// What goes wrong.
    pub weather: Arc<Weather>,
    /// The cloud.
    pub cloud: SimCloud,
    /// The clusters; the first is the one that things happen to.
    pub clusters: Vec<Cluster>,
    /// Held by whoever plays with the leaders.
    pub helm: Arc<tokio::sync::Mutex<()>>,
    next_process: AtomicU32,
    skews: Mutex<ChaCha8Rng>,
    last_write: Arc<Mutex<(Duration, String)>>,
}

/// One cluster.
pub struct Cluster {
    /// What its processes share.
    pub around: Surroundings,
    processes: Mutex<Vec<Arc<Process>>>,
}

impl World {
    /// Builds the world of a seed and starts its operators.
    pub fn build(seed: u64, guards: Guards, echo: bool) -> Arc<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let nature = Nature::draw(&mut rng);
        let truth = Truth::starting(nature.epoch);
        let trace = Arc::new(Trace::new(truth, echo));
        let judge = Arc::new(Judge::new(truth, Arc::clone(&trace)));
        let weather = Arc::new(Weather::new(rng.random()));
        let cloud = cloud(&nature, rng.random());
        let ear = Arc::clone(&judge);
        cloud.observe(Box::new(move |_, event| ear.on_cloud(event)));
        let last_write = Arc::new(Mutex::new((Duration::ZERO, String::new())));
        let uids = ["0f0e0d0c-first-cluster", "a9b8c7d6-second-cluster"];
        let clusters = uids[..1 + usize::from(nature.second_operator)]
            .iter()
            .map(|uid| {
                let feed = Arc::new(Feed::new(rng.random(), nature.wakes.0, nature.wakes.1));
                let around = Surroundings {
                    store: MemStore::new(*uid, Arc::new(truth)),
                    cloud: cloud.clone(),
                    weather: Arc::clone(&weather),
                    trace: Arc::clone(&trace),
                    judge: Arc::clone(&judge),
                    feed,
                    truth,
                    guards,
                    endpoint: endpoint(),
                    cluster_uid: (*uid).to_owned(),
                };
                Cluster::new(around, &last_write)
            })
            .collect();
        let world = Arc::new(Self {
            nature,
            truth,
            trace,
            judge,
            weather,
            cloud,
            clusters,
            helm: Arc::default(),
            next_process: AtomicU32::new(1),
            skews: Mutex::new(ChaCha8Rng::seed_from_u64(rng.random())),
            last_write,
        });
        if world.nature.settings.zone_information != ZoneInformation::default() {
            world.weather.count(Kind::FalseAdvert);
        }
        world.populate();
        world
    }

    fn populate(&self) {
        for (index, cluster) in self.clusters.iter().enumerate() {
            for (id, key, secret) in KEYS {
                cluster.put_key(secret, id, key);
            }
            // The second cluster's only pool has a namesake in the first.
            let pools = if index == 0 { &self.nature.pools[..] } else { &self.nature.pools[..1] };
            for pool in pools {
                // A new store has no pool of this name.
                let _ = cluster.around.store.create_pool(pool);
            }
            self.start(cluster);
        }
    }

    /// Starts a process in a cluster, with a clock of its own.
    pub fn start(&self, cluster: &Cluster) -> Arc<Process> {
        let number = self.next_process.fetch_add(1, Ordering::Relaxed);
        let (seed, ahead) = {
            let mut rng = lock(&self.skews);
            (rng.random(), rng.random_range(-300_000..=300_000))
        };
        self.weather.count(Kind::ClockSkew);
        self.trace.tell("", || {
            format!("process {number} starts; its clock is {:.1} s ahead", f64::from(ahead) / 1000.0)
        });
        let process = Arc::new(Process::start(number, seed, i64::from(ahead), &cluster.around));
        cluster.lock().push(Arc::clone(&process));
        cluster.around.feed.relist(&cluster.keys(), Some(number));
        process
    }

    /// The cluster that things happen to.
    pub fn home(&self) -> &Cluster {
        &self.clusters[0]
    }

    /// The ids of a pool's machines that exist, in order of creation.
    pub fn machines_of(&self, pool: &SpotPool) -> Vec<String> {
        let uid = pool.uid().unwrap_or_default();
        self.cloud.with(|cloud| {
            let made = |machine: &&sim::cvm::Machine| {
                machine.tag(POOL_TAG) == Some(uid.as_str()) && machine.made_by.is_some() && machine.is_live()
            };
            cloud.existing().filter(made).map(|machine| machine.id.clone()).collect()
        })
    }

    /// The ids of every machine that our operators made and that lives.
    pub fn all_machines(&self) -> Vec<String> {
        let uid = &self.home().around.cluster_uid;
        self.cloud.with(|cloud| {
            let made = |machine: &&sim::cvm::Machine| {
                machine.tag(CLUSTER_TAG) == Some(uid) && machine.made_by.is_some() && machine.is_live()
            };
            cloud.existing().filter(made).map(|machine| machine.id.clone()).collect()
        })
    }

    /// Tells the trace what `kubectl get` shows: a find at rest has no other story.
    pub fn describe(&self) {
        for cluster in &self.clusters {
            for pool in cluster.around.store.all_pools() {
                let status = pool.status.clone().unwrap_or_default();
                let conditions: Vec<String> = status
                    .conditions
                    .iter()
                    .map(|c| format!("{}={} {}", c.type_, c.status, c.reason))
                    .collect();
                self.trace.tell(&pool.name_any(), || {
                    let leaving = if pool.metadata.deletion_timestamp.is_some() { ", leaving" } else { "" };
                    let (minimum, maximum) = (pool.spec.minimum, pool.spec.maximum);
                    format!(
                        "pool {}{leaving}: {minimum} to {maximum}, size {}, ready {}; {}",
                        pool.name_any(),
                        status.size,
                        status.ready_size,
                        conditions.join(", ")
                    )
                });
            }
            for instance in cluster.around.store.all_instances() {
                let status = instance.status.clone().unwrap_or_default();
                self.trace.tell(&instance.spec.pool.name, || {
                    let leaving =
                        if instance.metadata.deletion_timestamp.is_some() { ", leaving" } else { "" };
                    let outcomes: Vec<String> = status
                        .attempts
                        .iter()
                        .map(|attempt| {
                            format!("{} {:?} {}", attempt.number, attempt.outcome, attempt.sent_at.0)
                        })
                        .collect();
                    format!(
                        "SpotInstance {}{leaving}: {:?}, {:?}, machine {:?}, extra {:?}, attempts [{}]",
                        instance.name_any(),
                        status.phase,
                        status.reason,
                        status.instance_id,
                        status.extra.iter().map(|extra| extra.instance_id.as_str()).collect::<Vec<_>>(),
                        outcomes.join(", ")
                    )
                });
            }
        }
    }

    /// What the people want at the end.
    pub fn expected(&self, quiet_for: Duration) -> Expected {
        let (at, what) = lock(&self.last_write).clone();
        let noisy = at + quiet_for > self.truth.elapsed();
        Expected {
            pools: self.clusters.iter().flat_map(|cluster| cluster.around.store.all_pools()).collect(),
            written_lately: noisy
                .then(|| format!("{what}, {} s before the end", (self.truth.elapsed() - at).as_secs())),
        }
    }
}

fn endpoint() -> url::Url {
    #[allow(clippy::expect_used)] // a constant
    url::Url::parse("http://cvm.sim.invalid/").expect("a valid URL")
}

fn cloud(nature: &Nature, seed: u64) -> SimCloud {
    let mut shared = Account::new(ACCOUNT, Credential::new(KEYS[0].0, KEYS[0].1));
    shared.credentials.push(Credential::new(KEYS[1].0, KEYS[1].1));
    let other = Account::new(OTHER_ACCOUNT, Credential::new(OTHER_KEY.0, OTHER_KEY.1));
    let config = CloudConfig { settings: nature.settings.clone(), ..CloudConfig::new(vec![shared, other]) };
    SimCloud::new(Cloud::new(config, seed), nature.epoch)
}

impl Cluster {
    fn new(around: Surroundings, last_write: &Arc<Mutex<(Duration, String)>>) -> Self {
        around.judge.add_cluster(&around.cluster_uid);
        let (judge, feed, uid) =
            (Arc::clone(&around.judge), Arc::clone(&around.feed), around.cluster_uid.clone());
        let (truth, last_write) = (around.truth, Arc::clone(last_write));
        around.store.observe(Arc::new(move |commit| {
            if let Some(what) = written_by_process(commit) {
                *lock(&last_write) = (truth.elapsed(), what);
            }
            judge.on_store(&uid, commit);
            feed.on_commit(commit);
        }));
        Self { around, processes: Mutex::default() }
    }

    /// Puts a key pair into a Secret.
    pub fn put_key(&self, secret: &str, id: &str, key: &str) {
        self.put_secret(secret, &[("secretId", id), ("secretKey", key)]);
    }

    /// Puts a key pair that was issued for a while into a Secret.
    pub fn put_temporary_key(&self, secret: &str, (id, key, token): (&str, &str, &str)) {
        self.put_secret(secret, &[("secretId", id), ("secretKey", key), ("token", token)]);
    }

    fn put_secret(&self, secret: &str, data: &[(&str, &str)]) {
        let data: BTreeMap<String, String> =
            data.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        // Where the namespace is being deleted, none can be made; whoever makes the next one makes its Secrets.
        let _ = self.around.store.put_secret(&ObjectKey::new(NAMESPACE, secret), &data);
    }

    /// The process that leads: the newest that has not ended.
    pub fn leader(&self) -> Option<Arc<Process>> {
        self.lock().iter().rev().find(|process| !process.is_over()).cloned()
    }

    /// Every process that has not ended.
    pub fn running(&self) -> Vec<Arc<Process>> {
        self.lock().iter().filter(|process| !process.is_over()).cloned().collect()
    }

    /// Every pool and every label of a SpotInstance: what a watch's first lists give.
    pub fn keys(&self) -> Vec<PoolKey> {
        let store = &self.around.store;
        let mut keys: Vec<PoolKey> = store.all_pools().iter().filter_map(pool_key).collect();
        keys.extend(store.all_instances().iter().filter_map(crate::site::owner));
        keys.sort();
        keys.dedup();
        keys
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Process>>> {
        lock(&self.processes)
    }
}

fn written_by_process(commit: &Commit) -> Option<String> {
    let (by, what) = match commit {
        Commit::Pool { before: Some(before), after: Some(after), .. } if only_forgets(before, after) => {
            return None;
        }
        Commit::Pool { by, after, .. } => (by, format!("pool {}", after.as_ref()?.name_any())),
        Commit::Instance { by, before, after } => {
            (by, format!("SpotInstance {}", after.as_ref().or(before.as_ref())?.name_any()))
        }
        Commit::Secret { .. } => return None,
    };
    match by {
        Actor::Process(number) => Some(format!("process {number} wrote {what}")),
        Actor::People => None,
    }
}

/// What refusals have taught is dropped from a pool's status when it matters no more: up to an hour after the last of
/// them, and longer than any calm.
fn only_forgets(before: &SpotPool, after: &SpotPool) -> bool {
    let (Some(old), Some(new)) = (&before.status, &after.status) else { return false };
    let forgets = new.launch_back_off.iter().all(|entry| old.launch_back_off.contains(entry))
        && new.refusals_paid.iter().all(|paid| old.refusals_paid.contains(paid))
        && (new.refusal_budget_whole_at.is_none()
            || new.refusal_budget_whole_at == old.refusal_budget_whole_at);
    let mut rest = old.clone();
    rest.launch_back_off.clone_from(&new.launch_back_off);
    rest.refusals_paid.clone_from(&new.refusals_paid);
    rest.refusal_budget_whole_at.clone_from(&new.refusal_budget_whole_at);
    // What they say is what was refused meanwhile.
    let of_refusals = [kind::CAPACITY_AVAILABLE, kind::STALLED];
    for condition in
        rest.conditions.iter_mut().filter(|condition| of_refusals.contains(&condition.type_.as_str()))
    {
        if let Some(now) = new.conditions.iter().find(|other| other.type_ == condition.type_) {
            condition.clone_from(now);
        }
    }
    forgets && rest == *new && before.spec == after.spec && old != new
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Clock for World {
    fn now(&self) -> jiff::Timestamp {
        self.truth.now()
    }
}
