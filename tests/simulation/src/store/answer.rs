//! The calls of the port as data, so that one door serves them all.

use std::sync::Arc;

use spotpool_operator::crd::{SpotInstance, SpotPool};
use spotpool_operator::ports::{Event, KeySecret, PoolKey};

use super::object::ObjectKey;

/// One call of the [`Store`](spotpool_operator::ports::Store) port.
#[derive(Debug, Clone)]
pub enum Request {
    /// Reads a pool.
    GetPool(PoolKey),
    /// Lists by `spec.pool.name`.
    ListInstances(PoolKey),
    /// Reads a SpotInstance.
    GetInstance(ObjectKey),
    /// Writes a pool's metadata and spec.
    ReplacePool(Box<SpotPool>),
    /// Writes a pool's status.
    ReplacePoolStatus(Box<SpotPool>),
    /// Creates a SpotInstance.
    CreateInstance(Box<SpotInstance>),
    /// Writes a SpotInstance's metadata.
    ReplaceInstance(Box<SpotInstance>),
    /// Writes a SpotInstance's status.
    ReplaceInstanceStatus(Box<SpotInstance>),
    /// Deletes a SpotInstance as it was read.
    DeleteInstance(Box<SpotInstance>),
    /// Reads a Secret.
    GetSecret(ObjectKey),
    /// Writes a Secret's metadata.
    ReplaceSecret(Box<KeySecret>),
    /// Asks whether a namespace is being deleted.
    NamespaceIsLeaving(String),
    /// Publishes an Event.
    Publish(Box<Event>),
    /// Reads the uid of kube-system.
    ClusterUid,
}

impl Request {
    /// Whether it asks for a change that matters (an Event does not).
    pub fn is_write(&self) -> bool {
        match self {
            Self::ReplacePool(_)
            | Self::ReplacePoolStatus(_)
            | Self::CreateInstance(_)
            | Self::ReplaceInstance(_)
            | Self::ReplaceInstanceStatus(_)
            | Self::DeleteInstance(_)
            | Self::ReplaceSecret(_) => true,
            Self::GetPool(_)
            | Self::ListInstances(_)
            | Self::GetInstance(_)
            | Self::GetSecret(_)
            | Self::NamespaceIsLeaving(_)
            | Self::Publish(_)
            | Self::ClusterUid => false,
        }
    }
}

/// What the store answers.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A pool, or none of this name.
    Pool(Option<Arc<SpotPool>>),
    /// A list.
    Instances(Vec<Arc<SpotInstance>>),
    /// A SpotInstance, or none of this name.
    Instance(Option<Arc<SpotInstance>>),
    /// A Secret, or none of this name.
    Secret(Option<Box<KeySecret>>),
    /// Whether it is so.
    Truth(bool),
    /// The uid of kube-system.
    ClusterUid(String),
    /// Done, nothing to tell.
    Done,
}
