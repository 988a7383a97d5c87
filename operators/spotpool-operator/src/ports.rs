//! The world as the operator sees it: cloud, store, prober and clock, each behind a trait.
//!
//! Production and simulation differ only in what stands behind these. Waiting and deadlines are tokio's
//! (`tokio::time`), so that a paused clock is simulated time. The shipped adapters are in
//! [`crate::adapters`].

use async_trait::async_trait;
use kube::api::ObjectMeta;
use kube::{Resource, ResourceExt};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
pub use tencent_cvm::WallClock as Clock;
use tencent_cvm::{BoxError, Credentials, Cvm};

use crate::crd::{GROUP, SpotInstance, SpotPool};

/// A pool by namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolKey {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl PoolKey {
    /// The pool `name` in `namespace`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for PoolKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The API server, as far as the operator needs it. Every read is live (a quorum read, no cache); every
/// write carries the resourceVersion (or the preconditions) of the read that it was computed from.
#[async_trait]
pub trait Store: Send + Sync {
    /// The pool, or `None` when there is none of this name.
    async fn pool(&self, key: &PoolKey) -> Result<Option<SpotPool>, StoreError>;

    /// Every SpotInstance whose `spec.pool.name` is the pool's, whatever its pool's uid.
    async fn instances(&self, key: &PoolKey) -> Result<Vec<SpotInstance>, StoreError>;

    /// One SpotInstance.
    async fn instance(&self, namespace: &str, name: &str) -> Result<Option<SpotInstance>, StoreError>;

    /// Writes the pool's finalizers, nothing else; its resourceVersion must be current.
    async fn replace_pool(&self, pool: &SpotPool) -> Result<SpotPool, StoreError>;

    /// Writes the pool's status; its resourceVersion must be current.
    async fn replace_pool_status(&self, pool: &SpotPool) -> Result<SpotPool, StoreError>;

    /// Creates a SpotInstance.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`] when the name is taken.
    async fn create_instance(&self, instance: &SpotInstance) -> Result<SpotInstance, StoreError>;

    /// Writes a SpotInstance's finalizers, nothing else; its resourceVersion must be current.
    async fn replace_instance(&self, instance: &SpotInstance) -> Result<SpotInstance, StoreError>;

    /// Writes a SpotInstance's status; its resourceVersion must be current.
    async fn replace_instance_status(&self, instance: &SpotInstance) -> Result<SpotInstance, StoreError>;

    /// Deletes this very SpotInstance: uid and resourceVersion of what was read are preconditions.
    /// An object with a finalizer stays, marked.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is gone, [`StoreError::Conflict`] when it has changed.
    async fn delete_instance(&self, instance: &SpotInstance) -> Result<(), StoreError>;

    /// A Secret, or `None` when there is none of this name.
    async fn secret(&self, namespace: &str, name: &str) -> Result<Option<KeySecret>, StoreError>;

    /// Writes a Secret's finalizers, nothing else; its resourceVersion must be current.
    async fn replace_secret(&self, secret: &KeySecret) -> Result<(), StoreError>;

    /// Whether the namespace is being deleted. One that is not there is none that anything could be made in.
    async fn namespace_is_leaving(&self, namespace: &str) -> Result<bool, StoreError>;

    /// Publishes an Event. Losing one is no harm.
    async fn publish(&self, event: &Event) -> Result<(), StoreError>;

    /// The uid of the kube-system namespace: who this cluster is.
    async fn cluster_uid(&self) -> Result<String, StoreError>;
}

/// A Secret as far as a pool needs it: its data as text, and its metadata.
#[derive(Clone, Default, PartialEq)]
pub struct KeySecret {
    /// Name, namespace, finalizers, deletionTimestamp, resourceVersion.
    pub metadata: ObjectMeta,
    /// What it holds.
    pub data: BTreeMap<String, String>,
    /// The keys of what it holds that is no text.
    pub not_text: BTreeSet<String>,
}

impl fmt::Debug for KeySecret {
    /// Of the metadata too only what is known to be harmless: `kubectl apply` writes the data into an annotation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySecret")
            .field("namespace", &self.metadata.namespace)
            .field("name", &self.metadata.name)
            .field("resource_version", &self.metadata.resource_version)
            .field("finalizers", &self.metadata.finalizers)
            .field("deletion_timestamp", &self.metadata.deletion_timestamp)
            .finish_non_exhaustive()
    }
}

/// Why the store did not do what was asked.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The object is not there.
    #[error("the object is not there")]
    NotFound,
    /// The object has changed since it was read: read again.
    #[error("the object has changed since it was read")]
    Conflict,
    /// An object of this name exists.
    #[error("an object of this name exists")]
    AlreadyExists,
    /// The API server refused; repeating will not help until somebody changes something.
    #[error("the API server refused: {0}")]
    Refused(String),
    /// An object that cannot be read as what it should be; the others are not held up by it.
    #[error("{object} cannot be understood: {why}")]
    Broken {
        /// The object, as far as its metadata could be read.
        object: Box<Regarding>,
        /// What is wrong with it.
        why: String,
    },
    /// No answer: a write may have happened. Read again before anything else.
    #[error("no answer from the API server")]
    Unanswered(#[source] BoxError),
}

/// What an Event is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Regarding {
    /// apiVersion of the object.
    pub api_version: String,
    /// Kind of the object.
    pub kind: String,
    /// Its namespace, which is also the Event's.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid, when known.
    pub uid: Option<String>,
}

impl fmt::Display for Regarding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind)?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}

impl Regarding {
    /// About the object of this kind and metadata.
    pub fn object<K: Resource<DynamicType = ()>>(metadata: &ObjectMeta) -> Self {
        Self {
            api_version: K::api_version(&()).into_owned(),
            kind: K::kind(&()).into_owned(),
            namespace: metadata.namespace.clone().unwrap_or_default(),
            name: metadata.name.clone().unwrap_or_default(),
            uid: metadata.uid.clone(),
        }
    }

    /// About the pool that a SpotInstance was made for.
    pub fn pool_of(instance: &SpotInstance) -> Self {
        Self {
            api_version: format!("{GROUP}/v1"),
            kind: "SpotPool".to_owned(),
            namespace: instance.namespace().unwrap_or_default(),
            name: instance.spec.pool.name.clone(),
            uid: Some(instance.spec.pool.uid.clone()),
        }
    }

    /// About this pool.
    pub fn pool(pool: &SpotPool) -> Self {
        Self::object::<SpotPool>(&pool.metadata)
    }
}

/// One thing that people should be able to read with `kubectl describe`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The object.
    pub regarding: Regarding,
    /// Whether it asks for attention (a Warning) or not.
    pub warning: bool,
    /// One word, CamelCase.
    pub reason: &'static str,
    /// What the operator was doing, CamelCase.
    pub action: &'static str,
    /// A sentence.
    pub note: String,
    /// What makes it the same as one before, when the sentence has something that is new each time (a RequestId).
    /// `None`: the sentence itself.
    pub topic: Option<String>,
}

impl Event {
    /// Something that went as it should.
    pub fn normal(
        regarding: Regarding,
        reason: &'static str,
        action: &'static str,
        note: impl Into<String>,
    ) -> Self {
        Self { regarding, warning: false, reason, action, note: note.into(), topic: None }
    }

    /// Something that asks for attention.
    pub fn warning(
        regarding: Regarding,
        reason: &'static str,
        action: &'static str,
        note: impl Into<String>,
    ) -> Self {
        Self { warning: true, ..Self::normal(regarding, reason, action, note) }
    }

    /// The same as every other one of this topic.
    #[must_use]
    pub fn on(self, topic: impl Into<String>) -> Self {
        Self { topic: Some(topic.into()), ..self }
    }
}

/// Asks one machine's model server whether it serves.
#[async_trait]
pub trait Prober: Send + Sync {
    /// `Ok` when it answered 2xx within the timeout.
    async fn probe(&self, target: &ProbeTarget) -> Result<(), ProbeFailure>;
}

/// Where a machine's model server is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProbeTarget {
    /// An IP address.
    pub address: String,
    /// A TCP port.
    pub port: u16,
    /// A path that begins with a slash.
    pub path: String,
    /// How long to wait for the whole answer.
    pub timeout: std::time::Duration,
}

/// Why a probe failed, in a few words without numbers that change from one probe to the next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProbeFailure(pub String);

/// Makes the client for one (key pair, region). The same pair and region give the same client, so that
/// limits and clock offset are shared.
pub trait Clouds: Send + Sync {
    /// The cloud's client.
    ///
    /// # Errors
    /// When the region or the endpoint is no usable address.
    fn cloud(&self, credentials: &Credentials, region: &str) -> Result<Arc<dyn Cvm>, tencent_cvm::Error>;
}
