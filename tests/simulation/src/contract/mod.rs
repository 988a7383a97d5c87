//! What the operator relies on in any [`Store`], as cases that run here on the one in memory and in
//! `tests/e2e` on a real API server.
//!
//! Each case makes objects of its own names and says in a sentence what went otherwise.

mod cases;
mod leaving;
mod samples;

use async_trait::async_trait;
use std::collections::BTreeMap;
use std::pin::Pin;

use spotpool_operator::crd::SpotPool;
use spotpool_operator::ports::{PoolKey, Store, StoreError};

use crate::store::{MemStore, ObjectKey, Port};

pub use samples::{sample_instance, sample_pool};

/// A store together with the people around it.
#[async_trait]
pub trait StoreUnderTest: Send + Sync {
    /// The operator's way in.
    fn store(&self) -> &dyn Store;
    /// A namespace in which the cases may do as they please.
    fn namespace(&self) -> &str;
    /// `kubectl create`.
    async fn create_pool(&self, pool: &SpotPool) -> Result<SpotPool, StoreError>;
    /// `kubectl edit sp`: another minimum and maximum.
    async fn edit_pool(&self, key: &PoolKey, minimum: i32, maximum: i32) -> Result<SpotPool, StoreError>;
    /// `kubectl delete sp`, without waiting.
    async fn delete_pool(&self, key: &PoolKey) -> Result<(), StoreError>;
    /// `kubectl label si NAME LABEL-` for each of its labels.
    async fn unlabel_instance(&self, name: &str) -> Result<(), StoreError>;
    /// `kubectl delete si`, without waiting.
    async fn delete_instance(&self, name: &str) -> Result<(), StoreError>;
    /// `kubectl delete secret`, without waiting.
    async fn delete_secret(&self, name: &str) -> Result<(), StoreError>;
    /// `kubectl create secret generic`.
    async fn create_secret(&self, name: &str, data: BTreeMap<String, String>) -> Result<(), StoreError>;
}

/// How one case went.
#[derive(Debug)]
pub struct Case {
    /// A sentence: what must hold.
    pub name: &'static str,
    /// Or what happened instead.
    pub result: Result<(), String>,
}

type Run<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// One case, not run yet.
type Named<'a> = (&'static str, Run<'a>);

/// Runs every case, one after the other. A case that fails does not keep the others.
pub async fn contract(world: &dyn StoreUnderTest) -> Vec<Case> {
    let mut done = Vec::new();
    for (name, run) in cases::all(world).into_iter().chain(leaving::all(world)) {
        done.push(Case { name, result: run.await });
    }
    done
}

/// The store in memory with its own people.
#[derive(Clone)]
pub struct InMemory {
    people: MemStore,
    port: Port<MemStore>,
}

impl InMemory {
    /// Around this store.
    pub fn new(store: MemStore) -> Self {
        Self { people: store.clone(), port: Port(store) }
    }
}

#[async_trait]
impl StoreUnderTest for InMemory {
    fn store(&self) -> &dyn Store {
        &self.port
    }

    fn namespace(&self) -> &str {
        "default"
    }

    async fn create_pool(&self, pool: &SpotPool) -> Result<SpotPool, StoreError> {
        self.people.create_pool(pool)
    }

    async fn edit_pool(&self, key: &PoolKey, minimum: i32, maximum: i32) -> Result<SpotPool, StoreError> {
        self.people.edit_pool(key, |spec| {
            spec.minimum = minimum;
            spec.maximum = maximum;
        })
    }

    async fn delete_pool(&self, key: &PoolKey) -> Result<(), StoreError> {
        self.people.delete_pool(key)
    }

    async fn unlabel_instance(&self, name: &str) -> Result<(), StoreError> {
        self.people.unlabel_instance(&ObjectKey::new(self.namespace(), name))
    }

    async fn delete_instance(&self, name: &str) -> Result<(), StoreError> {
        self.people.delete_instance_by_hand(&ObjectKey::new(self.namespace(), name))
    }

    async fn delete_secret(&self, name: &str) -> Result<(), StoreError> {
        self.people.delete_secret(&ObjectKey::new(self.namespace(), name))
    }

    async fn create_secret(&self, name: &str, data: BTreeMap<String, String>) -> Result<(), StoreError> {
        self.people.put_secret(&ObjectKey::new(self.namespace(), name), &data)
    }
}
