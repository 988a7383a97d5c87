//! What the two resources have in common, as the API server sees them.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::Secret;
use kube::api::ObjectMeta;
use serde::Serialize;
use serde::de::DeserializeOwned;
use spotpool_operator::crd::{SpotInstance, SpotPool};
use spotpool_operator::ports::{KeySecret, PoolKey, StoreError};

use super::shelf::as_stored;

/// An object of a kind by namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ObjectKey {
    /// The object `name` in `namespace`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// Where this object belongs.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when it has no name or no namespace.
    pub fn of<T: Stored>(object: &T) -> Result<Self, StoreError> {
        match (&object.meta().namespace, &object.meta().name) {
            (Some(namespace), Some(name)) => Ok(Self::new(namespace, name)),
            _ => Err(StoreError::Refused(format!("a {} needs a namespace and a name", T::KIND))),
        }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl From<&PoolKey> for ObjectKey {
    fn from(key: &PoolKey) -> Self {
        Self::new(&key.namespace, &key.name)
    }
}

/// A kind with a spec and a status subresource.
pub trait Stored: Clone + PartialEq + Serialize + DeserializeOwned {
    /// The kind's name.
    const KIND: &'static str;

    /// Its metadata.
    fn meta(&self) -> &ObjectMeta;
    /// Its metadata, to change.
    fn meta_mut(&mut self) -> &mut ObjectMeta;
    /// Whether the other has the same spec.
    fn same_spec(&self, other: &Self) -> bool;
    /// Why the API server refuses to change the spec to the other's.
    fn refuses_spec(&self, other: &Self) -> Option<&'static str>;
    /// Takes the other's status.
    fn take_status(&mut self, other: &Self);
    /// Takes the other's status as it is stored.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when it cannot be.
    fn take_stored_status(&mut self, other: &Self) -> Result<(), StoreError>;
    /// Forgets the status: a create does not write it.
    fn drop_status(&mut self);
}

impl Stored for SpotPool {
    const KIND: &'static str = "SpotPool";

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }

    fn same_spec(&self, other: &Self) -> bool {
        self.spec == other.spec
    }

    fn refuses_spec(&self, other: &Self) -> Option<&'static str> {
        if other.spec.minimum > other.spec.maximum {
            return Some("spec.minimum must not be greater than spec.maximum");
        }
        (self.spec.region != other.spec.region)
            .then_some("spec.region cannot be changed; make another pool in the other region")
    }

    fn take_status(&mut self, other: &Self) {
        self.status.clone_from(&other.status);
    }

    fn take_stored_status(&mut self, other: &Self) -> Result<(), StoreError> {
        self.status = as_stored(&other.status)?;
        Ok(())
    }

    fn drop_status(&mut self) {
        self.status = None;
    }
}

impl Stored for SpotInstance {
    const KIND: &'static str = "SpotInstance";

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }

    fn same_spec(&self, other: &Self) -> bool {
        self.spec == other.spec
    }

    fn refuses_spec(&self, other: &Self) -> Option<&'static str> {
        (!self.same_spec(other))
            .then_some("spec of a SpotInstance cannot be changed; delete it to replace its machine")
    }

    fn take_status(&mut self, other: &Self) {
        self.status.clone_from(&other.status);
    }

    fn take_stored_status(&mut self, other: &Self) -> Result<(), StoreError> {
        self.status = as_stored(&other.status)?;
        Ok(())
    }

    fn drop_status(&mut self) {
        self.status = None;
    }
}

/// A Secret has no status and no rules. What people write as text is kept as text.
impl Stored for Secret {
    const KIND: &'static str = "Secret";

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }

    fn same_spec(&self, other: &Self) -> bool {
        self.string_data == other.string_data
    }

    fn refuses_spec(&self, _: &Self) -> Option<&'static str> {
        None
    }

    fn take_status(&mut self, _: &Self) {}

    fn take_stored_status(&mut self, _: &Self) -> Result<(), StoreError> {
        Ok(())
    }

    fn drop_status(&mut self) {}
}

/// A Secret to be made.
pub(super) fn secret(key: &ObjectKey, data: &BTreeMap<String, String>) -> Secret {
    let metadata = ObjectMeta {
        namespace: Some(key.namespace.clone()),
        name: Some(key.name.clone()),
        ..ObjectMeta::default()
    };
    Secret { metadata, string_data: Some(data.clone()), ..Secret::default() }
}

/// A Secret as the port gives it.
pub(super) fn as_read(secret: &Secret) -> KeySecret {
    KeySecret {
        metadata: secret.metadata.clone(),
        data: secret.string_data.clone().unwrap_or_default(),
        ..KeySecret::default()
    }
}

/// Whether a list by `spec.pool.name` shows this SpotInstance.
pub(super) fn belongs_to(instance: &SpotInstance, pool: &PoolKey) -> bool {
    instance.metadata.namespace.as_deref() == Some(&pool.namespace) && instance.spec.pool.name == pool.name
}
