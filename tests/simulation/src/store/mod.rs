//! An API server in memory, as far as the operator's [`Store`](spotpool_operator::ports::Store) port goes.
//!
//! What comes in is a [`Request`], what goes out a [`Reply`]: one door, so that the faulty access
//! ([`crate::access`]) and the trace see every call. It keeps to what a real API server does with
//! resourceVersion, uid, generation, finalizers, deletionTimestamp and the status subresource; the contract
//! ([`crate::contract`]) is run on both. It never waits and draws no chance.

mod answer;
mod object;
mod people;
mod port;
mod shelf;

pub use answer::{Reply, Request};
pub use object::{ObjectKey, Stored};
pub use port::{Door, Port};

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use spotpool_operator::crd::{SpotInstance, SpotPool};
use spotpool_operator::ports::{Clock, Event, Regarding, StoreError};

use shelf::Shelf;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// A person with kubectl.
    People,
    /// The operator process of this number.
    Process(u32),
}

/// One change that took effect, told to the observer right after it did.
#[derive(Debug, Clone)]
pub enum Commit {
    /// A SpotPool before and after; `None` where it did not or does not exist.
    Pool {
        /// Who did it.
        by: Actor,
        /// What was there.
        before: Option<Arc<SpotPool>>,
        /// What is there now.
        after: Option<Arc<SpotPool>>,
    },
    /// A SpotInstance before and after.
    Instance {
        /// Who did it.
        by: Actor,
        /// What was there.
        before: Option<Arc<SpotInstance>>,
        /// What is there now.
        after: Option<Arc<SpotInstance>>,
    },
    /// A Secret before and after.
    Secret {
        /// Who did it.
        by: Actor,
        /// What was there.
        before: Option<Arc<Secret>>,
        /// What is there now.
        after: Option<Arc<Secret>>,
    },
}

/// Told of every change, in order.
pub type Observer = Arc<dyn Fn(&Commit) + Send + Sync>;

/// The whole store. Clones share it.
#[derive(Clone)]
pub struct MemStore {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    cluster_uid: String,
    state: Mutex<State>,
    observer: Mutex<Option<Observer>>,
}

struct State {
    revision: u64,
    pools: Shelf<SpotPool>,
    instances: Shelf<SpotInstance>,
    secrets: Shelf<Secret>,
    /// Pools that cannot be read as what they should be.
    broken: BTreeSet<ObjectKey>,
    terminating: BTreeSet<String>,
    events: Vec<Event>,
}

impl MemStore {
    /// An empty store of the cluster with this kube-system uid. `clock` is the API server's own.
    pub fn new(cluster_uid: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        let cluster_uid = cluster_uid.into();
        let state = State {
            revision: 0,
            pools: Shelf::new(&cluster_uid),
            instances: Shelf::new(&cluster_uid),
            secrets: Shelf::new(&cluster_uid),
            broken: BTreeSet::new(),
            terminating: BTreeSet::new(),
            events: Vec::new(),
        };
        Self {
            shared: Arc::new(Shared {
                clock,
                cluster_uid,
                state: Mutex::new(state),
                observer: Mutex::new(None),
            }),
        }
    }

    /// From now on `observer` is told of every change, after it took effect and outside any lock.
    pub fn observe(&self, observer: Observer) {
        *lock(&self.shared.observer) = Some(observer);
    }

    /// Does what is asked, at once.
    ///
    /// # Errors
    /// As the API server answers; never [`StoreError::Unanswered`].
    pub fn handle(&self, by: Actor, request: &Request) -> Result<Reply, StoreError> {
        let (answer, commits) = {
            let mut state = self.state();
            let mut commits = Vec::new();
            let now = self.shared.clock.now();
            let mut server = Server { state: &mut state, commits: &mut commits, by, now };
            let answer = server.handle(request, &self.shared.cluster_uid);
            (answer, commits)
        };
        self.tell(&commits);
        answer
    }

    fn tell(&self, commits: &[Commit]) {
        let observer = lock(&self.shared.observer).clone();
        if let Some(observer) = observer {
            for commit in commits {
                observer(commit);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }
}

/// Nothing in here panics while it holds a lock half way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One request being served.
struct Server<'a> {
    state: &'a mut State,
    commits: &'a mut Vec<Commit>,
    by: Actor,
    now: Timestamp,
}

impl Server<'_> {
    fn handle(&mut self, request: &Request, cluster_uid: &str) -> Result<Reply, StoreError> {
        match request {
            Request::GetPool(key) => {
                let key = ObjectKey::from(key);
                if self.state.broken.contains(&key) {
                    let why = "spec.minimum: expected a number".to_owned();
                    let metadata = self.state.pools.get(&key).map(|pool| pool.metadata.clone());
                    let object = Regarding::object::<SpotPool>(&metadata.unwrap_or_default());
                    return Err(StoreError::Broken { object: Box::new(object), why });
                }
                Ok(Reply::Pool(self.state.pools.get(&key).cloned()))
            }
            Request::ListInstances(pool) => {
                let belongs = |instance: &&Arc<SpotInstance>| object::belongs_to(instance, pool);
                Ok(Reply::Instances(self.state.instances.iter().filter(belongs).cloned().collect()))
            }
            Request::GetInstance(key) => Ok(Reply::Instance(self.state.instances.get(key).cloned())),
            Request::ReplacePool(pool) => {
                let (before, after) = self.state.pools.replace_finalizers(pool, &mut self.state.revision)?;
                let answer = after.clone().unwrap_or_else(|| Arc::new((**pool).clone()));
                self.pool_changed(Some(before), after);
                Ok(Reply::Pool(Some(answer)))
            }
            Request::ReplacePoolStatus(pool) => {
                let (before, after) = self.state.pools.replace_status(pool, &mut self.state.revision)?;
                self.pool_changed(Some(before), Some(after.clone()));
                Ok(Reply::Pool(Some(after)))
            }
            Request::CreateInstance(instance) => self.create_instance(instance),
            Request::ReplaceInstance(instance) => {
                let (before, after) =
                    self.state.instances.replace_finalizers(instance, &mut self.state.revision)?;
                let answer = after.clone().unwrap_or_else(|| Arc::new((**instance).clone()));
                self.instance_changed(Some(before), after);
                Ok(Reply::Instance(Some(answer)))
            }
            Request::ReplaceInstanceStatus(instance) => {
                let (before, after) =
                    self.state.instances.replace_status(instance, &mut self.state.revision)?;
                self.instance_changed(Some(before), Some(after.clone()));
                Ok(Reply::Instance(Some(after)))
            }
            Request::DeleteInstance(instance) => {
                let key = ObjectKey::of(&**instance)?;
                let preconditions = Some(&instance.metadata);
                self.delete_instance(&key, preconditions).map(|()| Reply::Done)
            }
            Request::GetSecret(key) => {
                Ok(Reply::Secret(self.state.secrets.get(key).map(|secret| Box::new(object::as_read(secret)))))
            }
            Request::ReplaceSecret(secret) => {
                let bare = Secret { metadata: secret.metadata.clone(), ..Secret::default() };
                let (before, after) =
                    self.state.secrets.replace_finalizers(&bare, &mut self.state.revision)?;
                self.secret_changed(Some(before), after);
                Ok(Reply::Done)
            }
            Request::NamespaceIsLeaving(name) => Ok(Reply::Truth(self.state.terminating.contains(name))),
            Request::Publish(event) => {
                self.state.events.push((**event).clone());
                Ok(Reply::Done)
            }
            Request::ClusterUid => Ok(Reply::ClusterUid(cluster_uid.to_owned())),
        }
    }

    fn replace_pool(&mut self, pool: &SpotPool) -> Result<Arc<SpotPool>, StoreError> {
        let (before, after) = self.state.pools.replace(pool, &mut self.state.revision)?;
        let answer = after.clone().unwrap_or_else(|| Arc::new(pool.clone()));
        self.pool_changed(Some(before), after);
        Ok(answer)
    }

    fn create_instance(&mut self, instance: &SpotInstance) -> Result<Reply, StoreError> {
        let key = ObjectKey::of(instance)?;
        self.takes_new_objects(Some(&key.namespace))?;
        let made = self.state.instances.create(instance, &mut self.state.revision, self.now)?;
        self.instance_changed(None, Some(made.clone()));
        Ok(Reply::Instance(Some(made)))
    }

    fn takes_new_objects(&self, namespace: Option<&str>) -> Result<(), StoreError> {
        match namespace.filter(|name| self.state.terminating.contains(*name)) {
            Some(name) => Err(StoreError::Refused(format!("namespace {name} is being terminated"))),
            None => Ok(()),
        }
    }

    fn delete_instance(
        &mut self,
        key: &ObjectKey,
        preconditions: Option<&kube::api::ObjectMeta>,
    ) -> Result<(), StoreError> {
        let revision = &mut self.state.revision;
        let (before, after) = self.state.instances.delete(key, preconditions, revision, self.now)?;
        self.instance_changed(Some(before), after);
        Ok(())
    }

    fn delete_pool(&mut self, key: &ObjectKey) -> Result<(), StoreError> {
        let (before, after) = self.state.pools.delete(key, None, &mut self.state.revision, self.now)?;
        self.pool_changed(Some(before), after);
        Ok(())
    }

    fn pool_changed(&mut self, before: Option<Arc<SpotPool>>, after: Option<Arc<SpotPool>>) {
        if before != after {
            self.commits.push(Commit::Pool { by: self.by, before, after });
        }
    }

    fn secret_changed(&mut self, before: Option<Arc<Secret>>, after: Option<Arc<Secret>>) {
        if before != after {
            self.commits.push(Commit::Secret { by: self.by, before, after });
        }
    }

    fn instance_changed(&mut self, before: Option<Arc<SpotInstance>>, after: Option<Arc<SpotInstance>>) {
        if before != after {
            self.commits.push(Commit::Instance { by: self.by, before, after });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::contract;

    struct Frozen;

    impl Clock for Frozen {
        fn now(&self) -> Timestamp {
            Timestamp::from_second(1_750_000_000).expect("a time")
        }
    }

    #[tokio::test]
    async fn the_memory_store_keeps_the_contract() {
        let store = MemStore::new("cluster-uid", Arc::new(Frozen));
        let cases = contract::contract(&contract::InMemory::new(store)).await;
        let broken: Vec<String> = cases
            .iter()
            .filter_map(|case| case.result.as_ref().err().map(|why| format!("{}: {why}", case.name)))
            .collect();
        assert!(broken.is_empty(), "{}", broken.join("\n"));
        assert!(cases.len() >= 15);
        let names: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), cases.len(), "every case has a name of its own");
    }

    #[test]
    fn the_observer_hears_of_changes_and_of_nothing_else() {
        let store = MemStore::new("cluster-uid", Arc::new(Frozen));
        let heard: Arc<Mutex<Vec<Commit>>> = Arc::default();
        let ear = Arc::clone(&heard);
        store.observe(Arc::new(move |commit| ear.lock().unwrap().push(commit.clone())));
        let pool = contract::sample_pool("default", "heard");
        store.create_pool(&pool).expect("a pool is created");
        let key = spotpool_operator::ports::PoolKey::new("default", "heard");
        store.handle(Actor::Process(1), &Request::GetPool(key)).expect("a pool is read");
        assert_eq!(heard.lock().unwrap().len(), 1, "a read is no change");
    }
}
