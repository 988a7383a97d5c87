//! Whose a machine is that carries this cluster's tags and is no pool's that is looked after here. Only the API
//! server knows: a pool may be there and not be looked after, because it is in another namespace than `--namespace`
//! names, because its spec makes no sense, or because its key is missing.

use std::collections::{BTreeMap, BTreeSet};

use kube::ResourceExt;
use tencent_cvm::Instance;

use crate::identity::{INSTANCE_TAG, POOL_TAG, made_for};
use crate::ports::{PoolKey, Store, StoreError};

/// What became of the pool that a machine's tags name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// It is there.
    There,
    /// It is not, and the SpotInstance that the machine was made for still is: it lets the machine go when it can.
    LeftBehind,
    /// It is not, or is another one of the same name by now; or the tags name none.
    Gone,
    /// It could not be read: nothing is to be said or done about the machine.
    Unknown,
}

/// Asks the API server, once for each pool.
pub(crate) struct Owners<'a> {
    store: &'a dyn Store,
    /// What there is of each pool; nothing when it could not be read.
    read: BTreeMap<PoolKey, Option<There>>,
}

/// What there is of a pool.
#[derive(Clone, Default)]
struct There {
    /// The uid that it has now, if it is there.
    pool: Option<String>,
    /// Those of its SpotInstances.
    instances: BTreeSet<String>,
}

impl<'a> Owners<'a> {
    pub(crate) fn new(store: &'a dyn Store) -> Self {
        Self { store, read: BTreeMap::new() }
    }

    /// What became of the pool that this machine was made for.
    pub(crate) async fn of(&mut self, machine: &Instance) -> Owner {
        let (Some(uid), Some(key)) = (machine.tag(POOL_TAG), made_for(machine)) else { return Owner::Gone };
        let Some(there) = self.of_pool(&key).await else { return Owner::Unknown };
        if there.pool.as_deref() == Some(uid) {
            return Owner::There;
        }
        let left = machine.tag(INSTANCE_TAG).is_some_and(|uid| there.instances.contains(uid));
        if left { Owner::LeftBehind } else { Owner::Gone }
    }

    async fn of_pool(&mut self, key: &PoolKey) -> Option<There> {
        if let Some(read) = self.read.get(key) {
            return read.clone();
        }
        let read = match self.read(key).await {
            Ok(there) => Some(there),
            Err(error) => {
                tracing::debug!(pool = %key, %error, "whether the pool of a machine is there is not known");
                None
            }
        };
        self.read.insert(key.clone(), read.clone());
        read
    }

    async fn read(&self, key: &PoolKey) -> Result<There, StoreError> {
        let pool = self.store.pool(key).await?.and_then(|pool| pool.uid());
        let instances = self.store.instances(key).await?;
        Ok(There { pool, instances: instances.iter().filter_map(ResourceExt::uid).collect() })
    }
}
