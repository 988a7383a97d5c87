//! Whose a machine is that carries this cluster's tags and is no pool's that is looked after here. Only the API
//! server knows: a pool may be there and not be looked after, because it is in another namespace than `--namespace`
//! names, because its spec makes no sense, or because its key is missing.

use std::collections::BTreeMap;

use kube::ResourceExt;
use tencent_cvm::Instance;

use crate::identity::{POOL_TAG, made_for};
use crate::ports::{PoolKey, Store};

/// What became of the pool that a machine's tags name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// It is there.
    There,
    /// It is not, or is another one of the same name by now; or the tags name none.
    Gone,
    /// It could not be read: nothing is to be said or done about the machine.
    Unknown,
}

/// Asks the API server, once for each pool.
pub(crate) struct Owners<'a> {
    store: &'a dyn Store,
    /// The uid that each pool has now, if it is there.
    read: BTreeMap<PoolKey, Result<Option<String>, ()>>,
}

impl<'a> Owners<'a> {
    pub(crate) fn new(store: &'a dyn Store) -> Self {
        Self { store, read: BTreeMap::new() }
    }

    /// What became of the pool that this machine was made for.
    pub(crate) async fn of(&mut self, machine: &Instance) -> Owner {
        let (Some(uid), Some(key)) = (machine.tag(POOL_TAG), made_for(machine)) else { return Owner::Gone };
        match self.uid_of(&key).await {
            Ok(Some(now)) if now == uid => Owner::There,
            Ok(_) => Owner::Gone,
            Err(()) => Owner::Unknown,
        }
    }

    async fn uid_of(&mut self, key: &PoolKey) -> Result<Option<String>, ()> {
        if let Some(read) = self.read.get(key) {
            return read.clone();
        }
        let read = match self.store.pool(key).await {
            Ok(pool) => Ok(pool.and_then(|pool| pool.uid())),
            Err(error) => {
                tracing::debug!(pool = %key, %error, "whether the pool of a machine is there is not known");
                Err(())
            }
        };
        self.read.insert(key.clone(), read.clone());
        read
    }
}
