//! What people do with kubectl, and what the world may look at.

use std::collections::BTreeMap;
use std::sync::Arc;

use spotpool_operator::crd::{SpotInstance, SpotInstanceStatus, SpotPool, SpotPoolSpec};
use spotpool_operator::ports::{Event, PoolKey, StoreError};

use k8s_openapi::api::core::v1::Secret;

use super::object::{self, ObjectKey, Stored};
use super::{Actor, MemStore, Server};

impl MemStore {
    /// `kubectl create`.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`], or [`StoreError::Refused`] when a rule of the schema is broken.
    pub fn create_pool(&self, pool: &SpotPool) -> Result<SpotPool, StoreError> {
        self.by_hand(|server| {
            server.takes_new_objects(pool.metadata.namespace.as_deref())?;
            if pool.spec.minimum > pool.spec.maximum {
                let why = "spec.minimum must not be greater than spec.maximum";
                return Err(StoreError::Refused(why.to_owned()));
            }
            let made = server.state.pools.create(pool, &mut server.state.revision, server.now)?;
            server.pool_changed(None, Some(made.clone()));
            Ok(Arc::unwrap_or_clone(made))
        })
    }

    /// `kubectl edit sp`: the newest object, changed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or [`StoreError::Refused`] when a rule of the schema is broken.
    pub fn edit_pool(
        &self,
        key: &PoolKey,
        edit: impl FnOnce(&mut SpotPoolSpec),
    ) -> Result<SpotPool, StoreError> {
        self.by_hand(|server| {
            let mut pool = server.pool(key)?;
            edit(&mut pool.spec);
            server.replace_pool(&pool).map(Arc::unwrap_or_clone)
        })
    }

    /// `kubectl annotate sp`; `None` takes the annotation away.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn annotate_pool(
        &self,
        key: &PoolKey,
        name: &str,
        value: Option<&str>,
    ) -> Result<SpotPool, StoreError> {
        self.by_hand(|server| {
            let mut pool = server.pool(key)?;
            let annotations = pool.metadata.annotations.get_or_insert_default();
            match value {
                Some(value) => annotations.insert(name.to_owned(), value.to_owned()),
                None => annotations.remove(name),
            };
            server.replace_pool(&pool).map(Arc::unwrap_or_clone)
        })
    }

    /// `kubectl delete sp` (with any --cascade: nothing here belongs to a pool by an ownerReference).
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn delete_pool(&self, key: &PoolKey) -> Result<(), StoreError> {
        self.by_hand(|server| server.delete_pool(&key.into()))
    }

    /// What a restore leaves behind: the pool's object gone, whatever its finalizers say.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn drop_pool(&self, key: &PoolKey) -> Result<(), StoreError> {
        self.by_hand(|server| {
            let mut pool = server.pool(key)?;
            pool.metadata.finalizers = None;
            server.replace_pool(&pool)?;
            server.delete_pool(&key.into()).or(Ok(()))
        })
    }

    /// What a restore leaves behind: the SpotInstance's object gone, whatever its finalizers say.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn drop_instance(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.by_hand(|server| {
            let mut instance = server.instance(key)?;
            instance.metadata.finalizers = None;
            let (before, after) = server.state.instances.replace(&instance, &mut server.state.revision)?;
            server.instance_changed(Some(before), after);
            server.delete_instance(key, None).or(Ok(()))
        })
    }

    /// `kubectl create` of a SpotInstance, with a status: a restored or hand-made one.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`].
    pub fn restore_instance(&self, instance: &SpotInstance) -> Result<SpotInstance, StoreError> {
        self.by_hand(|server| {
            server.takes_new_objects(instance.metadata.namespace.as_deref())?;
            let made = server.state.instances.create(instance, &mut server.state.revision, server.now)?;
            server.instance_changed(None, Some(Arc::clone(&made)));
            let mut made = Arc::unwrap_or_clone(made);
            made.take_status(instance);
            let (before, after) = server.state.instances.replace_status(&made, &mut server.state.revision)?;
            server.instance_changed(Some(before), Some(after.clone()));
            Ok(Arc::unwrap_or_clone(after))
        })
    }

    /// `kubectl label si NAME LABEL-` for each of its labels.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn unlabel_instance(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.by_hand(|server| {
            let mut instance = server.instance(key)?;
            instance.metadata.labels = None;
            let (before, after) = server.state.instances.replace(&instance, &mut server.state.revision)?;
            server.instance_changed(Some(before), after);
            Ok(())
        })
    }

    /// `kubectl delete si`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn delete_instance_by_hand(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.by_hand(|server| server.delete_instance(key, None))
    }

    /// `kubectl edit si --subresource=status`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn edit_instance_status(
        &self,
        key: &ObjectKey,
        edit: impl FnOnce(&mut SpotInstanceStatus),
    ) -> Result<SpotInstance, StoreError> {
        self.by_hand(|server| {
            let mut instance = server.instance(key)?;
            edit(instance.status.get_or_insert_default());
            let (before, after) =
                server.state.instances.replace_status(&instance, &mut server.state.revision)?;
            server.instance_changed(Some(before), Some(after.clone()));
            Ok(Arc::unwrap_or_clone(after))
        })
    }

    /// `kubectl apply` of a Secret; one that was deleted and is held is taken away first, by force.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when it would be a new one and its namespace is being deleted.
    pub fn put_secret(&self, key: &ObjectKey, data: &BTreeMap<String, String>) -> Result<(), StoreError> {
        let left_over =
            self.state().secrets.get(key).is_some_and(|old| old.metadata.deletion_timestamp.is_some());
        if left_over {
            self.by_hand(|server| server.takes_new_objects(Some(&key.namespace)))?;
            self.drop_secret(key)?;
        }
        self.by_hand(|server| {
            if server.state.secrets.get(key).is_none() {
                server.takes_new_objects(Some(&key.namespace))?;
            }
            let revision = &mut server.state.revision;
            if let Some(old) = server.state.secrets.get(key) {
                let next = Secret { string_data: Some(data.clone()), ..Secret::clone(old) };
                let (before, after) = server.state.secrets.replace(&next, revision)?;
                server.secret_changed(Some(before), after);
            } else {
                let made = server.state.secrets.create(&object::secret(key, data), revision, server.now)?;
                server.secret_changed(None, Some(made));
            }
            Ok(())
        })
    }

    /// `kubectl delete secret`: one that is held stays, marked.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn delete_secret(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.by_hand(|server| {
            let (before, after) =
                server.state.secrets.delete(key, None, &mut server.state.revision, server.now)?;
            server.secret_changed(Some(before), after);
            Ok(())
        })
    }

    /// A Secret is deleted, whatever its finalizers say.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn drop_secret(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.by_hand(|server| {
            let found = server.state.secrets.get(key).ok_or(StoreError::NotFound)?;
            let mut secret = Secret::clone(found);
            secret.metadata.finalizers = None;
            let (before, after) = server.state.secrets.replace(&secret, &mut server.state.revision)?;
            server.secret_changed(Some(before), after);
            if server.state.secrets.get(key).is_some() {
                let (before, after) =
                    server.state.secrets.delete(key, None, &mut server.state.revision, server.now)?;
                server.secret_changed(Some(before), after);
            }
            Ok(())
        })
    }

    /// From now on this pool cannot be read as what it should be (or can again).
    pub fn set_broken(&self, key: &PoolKey, broken: bool) {
        let key = ObjectKey::from(key);
        let mut state = self.state();
        if broken {
            state.broken.insert(key);
        } else {
            state.broken.remove(&key);
        }
    }

    /// From now on the namespace takes no new objects.
    pub fn terminate_namespace(&self, namespace: &str) {
        self.state().terminating.insert(namespace.to_owned());
    }

    /// Whether the namespace is being deleted.
    pub fn is_terminating(&self, namespace: &str) -> bool {
        self.state().terminating.contains(namespace)
    }

    /// The namespace is gone, and there is a new one of its name.
    pub fn renew_namespace(&self, namespace: &str) {
        self.state().terminating.remove(namespace);
    }

    /// Every pool, in order.
    pub fn all_pools(&self) -> Vec<SpotPool> {
        self.state().pools.iter().map(|pool| SpotPool::clone(pool)).collect()
    }

    /// Every SpotInstance, in order.
    pub fn all_instances(&self) -> Vec<SpotInstance> {
        self.state().instances.iter().map(|instance| SpotInstance::clone(instance)).collect()
    }

    /// The pool of this key, broken or not.
    pub fn peek_pool(&self, key: &PoolKey) -> Option<Arc<SpotPool>> {
        self.state().pools.get(&key.into()).cloned()
    }

    /// The SpotInstance of this key.
    pub fn peek_instance(&self, key: &ObjectKey) -> Option<Arc<SpotInstance>> {
        self.state().instances.get(key).cloned()
    }

    /// Every Event so far, oldest first.
    pub fn events(&self) -> Vec<Event> {
        self.state().events.clone()
    }

    /// The number of changes so far.
    pub fn revision(&self) -> u64 {
        self.state().revision
    }

    fn by_hand<T>(
        &self,
        act: impl FnOnce(&mut Server<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (answer, commits) = {
            let mut state = self.state();
            let mut commits = Vec::new();
            let now = self.shared.clock.now();
            let mut server = Server { state: &mut state, commits: &mut commits, by: Actor::People, now };
            (act(&mut server), commits)
        };
        self.tell(&commits);
        answer
    }
}

impl Server<'_> {
    /// The pool as it is now, to be changed.
    fn pool(&self, key: &PoolKey) -> Result<SpotPool, StoreError> {
        self.state.pools.get(&key.into()).map(|pool| SpotPool::clone(pool)).ok_or(StoreError::NotFound)
    }

    /// The SpotInstance as it is now, to be changed.
    fn instance(&self, key: &ObjectKey) -> Result<SpotInstance, StoreError> {
        let instance = self.state.instances.get(key);
        instance.map(|instance| SpotInstance::clone(instance)).ok_or(StoreError::NotFound)
    }
}
