//! The operator's `Store` port, over anything that takes a [`Request`].

use std::sync::Arc;

use async_trait::async_trait;
use spotpool_operator::crd::{SpotInstance, SpotPool};
use spotpool_operator::ports::{Event, KeySecret, PoolKey, Store, StoreError};

use super::{Actor, MemStore, ObjectKey, Reply, Request};

/// A way to the store.
#[async_trait]
pub trait Door: Send + Sync {
    /// Takes one call there, and its answer back.
    async fn call(&self, request: Request) -> Result<Reply, StoreError>;
}

#[async_trait]
impl Door for MemStore {
    async fn call(&self, request: Request) -> Result<Reply, StoreError> {
        self.handle(Actor::People, &request)
    }
}

/// A door with the port's face.
#[derive(Debug, Clone)]
pub struct Port<D>(pub D);

#[async_trait]
impl<D: Door> Store for Port<D> {
    async fn pool(&self, key: &PoolKey) -> Result<Option<SpotPool>, StoreError> {
        match self.0.call(Request::GetPool(key.clone())).await? {
            Reply::Pool(pool) => Ok(pool.map(Arc::unwrap_or_clone)),
            other => Err(mismatch(&other)),
        }
    }

    async fn instances(&self, key: &PoolKey) -> Result<Vec<SpotInstance>, StoreError> {
        match self.0.call(Request::ListInstances(key.clone())).await? {
            Reply::Instances(instances) => Ok(instances.into_iter().map(Arc::unwrap_or_clone).collect()),
            other => Err(mismatch(&other)),
        }
    }

    async fn instance(&self, namespace: &str, name: &str) -> Result<Option<SpotInstance>, StoreError> {
        match self.0.call(Request::GetInstance(ObjectKey::new(namespace, name))).await? {
            Reply::Instance(instance) => Ok(instance.map(Arc::unwrap_or_clone)),
            other => Err(mismatch(&other)),
        }
    }

    async fn replace_pool(&self, pool: &SpotPool) -> Result<SpotPool, StoreError> {
        written_pool(self.0.call(Request::ReplacePool(Box::new(pool.clone()))).await?)
    }

    async fn replace_pool_status(&self, pool: &SpotPool) -> Result<SpotPool, StoreError> {
        written_pool(self.0.call(Request::ReplacePoolStatus(Box::new(pool.clone()))).await?)
    }

    async fn create_instance(&self, instance: &SpotInstance) -> Result<SpotInstance, StoreError> {
        written_instance(self.0.call(Request::CreateInstance(Box::new(instance.clone()))).await?)
    }

    async fn replace_instance(&self, instance: &SpotInstance) -> Result<SpotInstance, StoreError> {
        written_instance(self.0.call(Request::ReplaceInstance(Box::new(instance.clone()))).await?)
    }

    async fn replace_instance_status(&self, instance: &SpotInstance) -> Result<SpotInstance, StoreError> {
        written_instance(self.0.call(Request::ReplaceInstanceStatus(Box::new(instance.clone()))).await?)
    }

    async fn delete_instance(&self, instance: &SpotInstance) -> Result<(), StoreError> {
        self.0.call(Request::DeleteInstance(Box::new(instance.clone()))).await.map(|_| ())
    }

    async fn secret(&self, namespace: &str, name: &str) -> Result<Option<KeySecret>, StoreError> {
        match self.0.call(Request::GetSecret(ObjectKey::new(namespace, name))).await? {
            Reply::Secret(secret) => Ok(secret.map(|secret| *secret)),
            other => Err(mismatch(&other)),
        }
    }

    async fn replace_secret(&self, secret: &KeySecret) -> Result<(), StoreError> {
        self.0.call(Request::ReplaceSecret(Box::new(secret.clone()))).await.map(|_| ())
    }

    async fn namespace_is_leaving(&self, namespace: &str) -> Result<bool, StoreError> {
        match self.0.call(Request::NamespaceIsLeaving(namespace.to_owned())).await? {
            Reply::Truth(leaving) => Ok(leaving),
            other => Err(mismatch(&other)),
        }
    }

    async fn publish(&self, event: &Event) -> Result<(), StoreError> {
        self.0.call(Request::Publish(Box::new(event.clone()))).await.map(|_| ())
    }

    async fn cluster_uid(&self) -> Result<String, StoreError> {
        match self.0.call(Request::ClusterUid).await? {
            Reply::ClusterUid(uid) => Ok(uid),
            other => Err(mismatch(&other)),
        }
    }
}

fn written_pool(reply: Reply) -> Result<SpotPool, StoreError> {
    match reply {
        Reply::Pool(Some(pool)) => Ok(Arc::unwrap_or_clone(pool)),
        other => Err(mismatch(&other)),
    }
}

fn written_instance(reply: Reply) -> Result<SpotInstance, StoreError> {
    match reply {
        Reply::Instance(Some(instance)) => Ok(Arc::unwrap_or_clone(instance)),
        other => Err(mismatch(&other)),
    }
}

fn mismatch(reply: &Reply) -> StoreError {
    StoreError::Refused(format!("an answer of another kind: {reply:?}"))
}
