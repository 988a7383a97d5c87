//! The objects of one kind, with the API server's rules for writing them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::ObjectMeta;
use serde::Serialize;
use serde::de::DeserializeOwned;
use spotpool_operator::ports::StoreError;

use super::object::{ObjectKey, Stored};
use crate::digest::Digest;

/// Every object of one kind.
pub(super) struct Shelf<T> {
    /// Makes the uids of one cluster differ from those of another.
    salt: String,
    /// Never changed in place: a write puts another object there, and who holds the old one keeps it.
    objects: BTreeMap<ObjectKey, Arc<T>>,
}

/// What a write found and what it left: `None` when the object is gone with it.
pub(super) type Written<T> = (Arc<T>, Option<Arc<T>>);

impl<T: Stored> Shelf<T> {
    pub(super) fn new(salt: &str) -> Self {
        Self { salt: salt.to_owned(), objects: BTreeMap::new() }
    }

    pub(super) fn get(&self, key: &ObjectKey) -> Option<&Arc<T>> {
        self.objects.get(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.objects.values()
    }

    /// Stores a new object; its status is not written.
    pub(super) fn create(
        &mut self,
        object: &T,
        revision: &mut u64,
        now: Timestamp,
    ) -> Result<Arc<T>, StoreError> {
        let key = ObjectKey::of(object)?;
        if self.objects.contains_key(&key) {
            return Err(StoreError::AlreadyExists);
        }
        if object.meta().resource_version.as_deref().is_some_and(|version| !version.is_empty()) {
            return Err(StoreError::Refused(
                "resourceVersion should not be set on objects to be created".to_owned(),
            ));
        }
        let mut made = as_stored(object)?;
        made.drop_status();
        let uid = uid(&self.salt, &key, next(revision));
        let meta = made.meta_mut();
        meta.uid = Some(uid);
        meta.generation = Some(1);
        meta.creation_timestamp = Some(whole(now));
        meta.deletion_timestamp = None;
        meta.resource_version = Some(revision.to_string());
        Ok(self.put(key, made))
    }

    /// Writes metadata and spec, never status. The last finalizer of a leaving object takes it away.
    pub(super) fn replace(&mut self, object: &T, revision: &mut u64) -> Result<Written<T>, StoreError> {
        let key = ObjectKey::of(object)?;
        let before = self.objects.get(&key).cloned().ok_or(StoreError::NotFound)?;
        check_version(before.meta(), object.meta())?;
        if let Some(why) = before.refuses_spec(object) {
            return Err(StoreError::Refused(why.to_owned()));
        }
        let mut after = as_stored(object)?;
        after.take_status(&before);
        keep_server_fields(after.meta_mut(), before.meta());
        check_finalizers(before.meta(), after.meta())?;
        if after == *before {
            return Ok((Arc::clone(&before), Some(before)));
        }
        if !after.same_spec(&before) {
            after.meta_mut().generation = before.meta().generation.map(|generation| generation + 1);
        }
        after.meta_mut().resource_version = Some(next(revision).to_string());
        if is_leaving(after.meta()) && has_no_finalizer(after.meta()) {
            self.objects.remove(&key);
            return Ok((before, None));
        }
        let after = self.put(key, after);
        Ok((before, Some(after)))
    }

    /// Writes the finalizers and nothing else.
    pub(super) fn replace_finalizers(
        &mut self,
        object: &T,
        revision: &mut u64,
    ) -> Result<Written<T>, StoreError> {
        let found = self.objects.get(&ObjectKey::of(object)?).ok_or(StoreError::NotFound)?;
        let mut next = T::clone(found);
        let (meta, given) = (next.meta_mut(), object.meta());
        meta.finalizers.clone_from(&given.finalizers);
        meta.resource_version.clone_from(&given.resource_version);
        meta.uid.clone_from(&given.uid);
        self.replace(&next, revision)
    }

    /// Writes status and nothing else.
    pub(super) fn replace_status(
        &mut self,
        object: &T,
        revision: &mut u64,
    ) -> Result<(Arc<T>, Arc<T>), StoreError> {
        let key = ObjectKey::of(object)?;
        let before = self.objects.get(&key).cloned().ok_or(StoreError::NotFound)?;
        check_version(before.meta(), object.meta())?;
        let mut after = T::clone(&before);
        after.take_stored_status(object)?;
        if after == *before {
            return Ok((Arc::clone(&before), before));
        }
        after.meta_mut().resource_version = Some(next(revision).to_string());
        let after = self.put(key, after);
        Ok((before, after))
    }

    /// Deletes, or marks an object that still has finalizers.
    pub(super) fn delete(
        &mut self,
        key: &ObjectKey,
        preconditions: Option<&ObjectMeta>,
        revision: &mut u64,
        now: Timestamp,
    ) -> Result<Written<T>, StoreError> {
        let before = self.objects.get(key).cloned().ok_or(StoreError::NotFound)?;
        if let Some(wanted) = preconditions {
            let have = before.meta();
            let differs = |ours: &Option<String>, theirs: &Option<String>| ours.is_some() && ours != theirs;
            if differs(&wanted.uid, &have.uid) || differs(&wanted.resource_version, &have.resource_version) {
                return Err(StoreError::Conflict);
            }
        }
        if has_no_finalizer(before.meta()) {
            next(revision);
            self.objects.remove(key);
            return Ok((before, None));
        }
        if is_leaving(before.meta()) {
            return Ok((Arc::clone(&before), Some(before)));
        }
        let mut after = T::clone(&before);
        let meta = after.meta_mut();
        meta.deletion_timestamp = Some(whole(now));
        meta.deletion_grace_period_seconds = Some(0);
        meta.generation = meta.generation.map(|generation| generation + 1);
        meta.resource_version = Some(next(revision).to_string());
        let after = self.put(key.clone(), after);
        Ok((before, Some(after)))
    }

    fn put(&mut self, key: ObjectKey, object: T) -> Arc<T> {
        let object = Arc::new(object);
        self.objects.insert(key, Arc::clone(&object));
        object
    }
}

/// Looks as random as a UUID does; the same history gives the same uids.
fn uid(salt: &str, key: &ObjectKey, revision: u64) -> String {
    let mut digest = Digest::default();
    digest.text(salt);
    digest.text(&key.namespace);
    digest.text(&key.name);
    digest.number(revision);
    let low = digest.value();
    digest.number(low);
    let high = digest.value();
    format!(
        "{:08x}-{:04x}-4{:03x}-9{:03x}-{:012x}",
        low >> 32,
        low >> 16 & 0xffff,
        low & 0xfff,
        high >> 52,
        high & 0xffff_ffff_ffff
    )
}

fn next(revision: &mut u64) -> u64 {
    *revision += 1;
    *revision
}

/// The object, or its status, as it comes out of JSON again: what does not survive that does not survive etcd either.
pub(super) fn as_stored<T: Serialize + DeserializeOwned>(part: &T) -> Result<T, StoreError> {
    let refused = |error: serde_json::Error| StoreError::Refused(error.to_string());
    serde_json::from_slice(&serde_json::to_vec(part).map_err(refused)?).map_err(refused)
}

fn check_version(have: &ObjectMeta, given: &ObjectMeta) -> Result<(), StoreError> {
    let Some(version) = &given.resource_version else {
        return Err(StoreError::Refused(
            "metadata.resourceVersion: must be specified for an update".to_owned(),
        ));
    };
    let same_uid = given.uid.is_none() || given.uid == have.uid;
    if have.resource_version.as_ref() == Some(version) && same_uid {
        Ok(())
    } else {
        Err(StoreError::Conflict)
    }
}

/// What a client cannot write.
fn keep_server_fields(after: &mut ObjectMeta, before: &ObjectMeta) {
    after.uid.clone_from(&before.uid);
    after.generation = before.generation;
    after.creation_timestamp.clone_from(&before.creation_timestamp);
    after.deletion_timestamp.clone_from(&before.deletion_timestamp);
    after.deletion_grace_period_seconds = before.deletion_grace_period_seconds;
    after.resource_version.clone_from(&before.resource_version);
}

fn check_finalizers(before: &ObjectMeta, after: &ObjectMeta) -> Result<(), StoreError> {
    let had = before.finalizers.as_deref().unwrap_or_default();
    let has = after.finalizers.as_deref().unwrap_or_default();
    if is_leaving(before) && has.iter().any(|finalizer| !had.contains(finalizer)) {
        let why = "metadata.finalizers: no new finalizers can be added if the object is being deleted";
        return Err(StoreError::Refused(why.to_owned()));
    }
    Ok(())
}

fn is_leaving(meta: &ObjectMeta) -> bool {
    meta.deletion_timestamp.is_some()
}

fn has_no_finalizer(meta: &ObjectMeta) -> bool {
    meta.finalizers.as_deref().unwrap_or_default().is_empty()
}

/// The API server writes times in whole seconds, rounded down.
fn whole(now: Timestamp) -> Time {
    Time(Timestamp::from_second(now.as_second()).unwrap_or(now))
}
