//! Where in its work a process is: every port call is one step of a known kind.

use std::fmt;

use bytes::Bytes;
use kube::ResourceExt;
use serde::Deserialize;
use spotpool_operator::crd::{AttemptOutcome, SpotInstance, SpotInstanceStatus, SpotPool};
use spotpool_operator::ports::PoolKey;

use crate::store::{MemStore, ObjectKey, Request};

/// A kind of port call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The pool is read.
    ReadPool,
    /// The pool's SpotInstances are listed.
    List,
    /// One SpotInstance is read.
    ReadInstance,
    /// The Secret is read.
    ReadSecret,
    /// The namespace is read.
    ReadNamespace,
    /// The Secret's finalizers are written.
    HoldSecret,
    /// The cluster's uid is read.
    ReadCluster,
    /// The pool's finalizer comes or goes.
    PoolFinalizer,
    /// `status.launched` is raised.
    Raise,
    /// The rest of the pool's status is written.
    PoolStatus,
    /// A SpotInstance is created.
    Create,
    /// An attempt is written.
    Attempt,
    /// The outcome of an attempt is written.
    Outcome,
    /// The id of a machine is written.
    Record,
    /// The rest of a SpotInstance's status is written.
    InstanceStatus,
    /// A SpotInstance's finalizer goes.
    Release,
    /// A SpotInstance is deleted.
    Delete,
    /// An Event is published.
    Publish,
    /// Machines are listed by tag.
    Sweep,
    /// The whole account is listed.
    WideLook,
    /// Machines are asked for by name.
    LookByName,
    /// Machines are asked for by id.
    LookById,
    /// The account's number is asked for.
    AskAccount,
    /// What is in stock is asked for.
    AskStock,
    /// RunInstances.
    Run,
    /// TerminateInstances.
    Terminate,
}

impl Step {
    /// Whether it changes something: crashes are counted in these.
    pub fn is_effect(self) -> bool {
        match self {
            Self::PoolFinalizer
            | Self::HoldSecret
            | Self::Raise
            | Self::PoolStatus
            | Self::Create
            | Self::Attempt
            | Self::Outcome
            | Self::Record
            | Self::InstanceStatus
            | Self::Release
            | Self::Delete
            | Self::Run
            | Self::Terminate => true,
            Self::ReadPool
            | Self::List
            | Self::ReadInstance
            | Self::ReadSecret
            | Self::ReadNamespace
            | Self::ReadCluster
            | Self::Publish
            | Self::Sweep
            | Self::WideLook
            | Self::LookByName
            | Self::LookById
            | Self::AskAccount
            | Self::AskStock => false,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadPool => "reading the pool",
            Self::List => "listing SpotInstances",
            Self::ReadInstance => "reading a SpotInstance",
            Self::ReadSecret => "reading the Secret",
            Self::ReadNamespace => "reading the namespace",
            Self::HoldSecret => "writing the Secret's finalizers",
            Self::ReadCluster => "reading the cluster's uid",
            Self::PoolFinalizer => "writing the pool's finalizer",
            Self::Raise => "raising status.launched",
            Self::PoolStatus => "writing the pool's status",
            Self::Create => "creating a SpotInstance",
            Self::Attempt => "writing an attempt",
            Self::Outcome => "writing an attempt's outcome",
            Self::Record => "recording a machine",
            Self::InstanceStatus => "writing a SpotInstance's status",
            Self::Release => "removing a SpotInstance's finalizer",
            Self::Delete => "deleting a SpotInstance",
            Self::Publish => "publishing an Event",
            Self::Sweep => "the sweep",
            Self::WideLook => "the look through the account",
            Self::LookByName => "a look by name",
            Self::LookById => "a look by id",
            Self::AskAccount => "asking whose account it is",
            Self::AskStock => "asking what is in stock",
            Self::Run => "RunInstances",
            Self::Terminate => "TerminateInstances",
        })
    }
}

/// One port call: what kind, and about what.
#[derive(Debug, Clone)]
pub struct Site {
    /// The kind.
    pub step: Step,
    /// The pool that it is about, when it is about one.
    pub pool: Option<PoolKey>,
    /// The object, machine or name that it is about.
    pub object: String,
}

impl Site {
    /// What a call to the store does.
    pub fn of_store(request: &Request, store: &MemStore) -> Self {
        let (step, pool, object) = match request {
            Request::GetPool(key) => (Step::ReadPool, Some(key.clone()), key.name.clone()),
            Request::ListInstances(key) => (Step::List, Some(key.clone()), key.name.clone()),
            Request::GetInstance(key) => (Step::ReadInstance, None, key.name.clone()),
            Request::ReplacePool(pool) => (Step::PoolFinalizer, pool_key(pool), pool.name_any()),
            Request::ReplacePoolStatus(pool) => {
                (pool_status_step(pool, store), pool_key(pool), pool.name_any())
            }
            Request::CreateInstance(instance) => (Step::Create, owner(instance), instance.name_any()),
            Request::ReplaceInstance(instance) => (Step::Release, owner(instance), instance.name_any()),
            Request::ReplaceInstanceStatus(instance) => {
                (instance_status_step(instance, store), owner(instance), instance.name_any())
            }
            Request::DeleteInstance(instance) => (Step::Delete, owner(instance), instance.name_any()),
            Request::GetSecret(key) => (Step::ReadSecret, None, key.name.clone()),
            Request::ReplaceSecret(secret) => {
                (Step::HoldSecret, None, secret.metadata.name.clone().unwrap_or_default())
            }
            Request::NamespaceIsLeaving(name) => (Step::ReadNamespace, None, name.clone()),
            Request::Publish(event) => (Step::Publish, None, event.regarding.name.clone()),
            Request::ClusterUid => (Step::ReadCluster, None, String::new()),
        };
        Self { step, pool, object }
    }

    /// What a call to the cloud does.
    pub fn of_cloud(request: &http::Request<Bytes>) -> Self {
        let action = request.headers().get("x-tc-action").and_then(|value| value.to_str().ok());
        let step = match action {
            Some("RunInstances") => Step::Run,
            Some("TerminateInstances") => Step::Terminate,
            Some("DescribeAccountQuota") => {
                return Self { step: Step::AskAccount, pool: None, object: String::new() };
            }
            Some("DescribeZoneInstanceConfigInfos") => {
                return Self { step: Step::AskStock, pool: None, object: String::new() };
            }
            // The tag filter is what nearly all of them have: told apart without parsing.
            _ if contains(request.body(), br#""tag-key""#) || contains(request.body(), br#""tag:"#) => {
                return Self { step: Step::Sweep, pool: None, object: String::new() };
            }
            _ => return Self::of_listing(request.body()),
        };
        let body: CloudBody = serde_json::from_slice(request.body()).unwrap_or_default();
        let object = body.instance_name.unwrap_or_else(|| body.instance_ids.join(","));
        Self { step, pool: None, object }
    }

    fn of_listing(body: &[u8]) -> Self {
        let body: CloudBody = serde_json::from_slice(body).unwrap_or_default();
        let name = body.filters.iter().find(|filter| filter.name == "instance-name");
        let (step, object) = match name {
            _ if !body.instance_ids.is_empty() => (Step::LookById, body.instance_ids.join(",")),
            Some(filter) => (Step::LookByName, filter.values.join(",")),
            None if body.filters.is_empty() => (Step::WideLook, String::new()),
            None => (Step::Sweep, String::new()),
        };
        Self { step, pool: None, object }
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct CloudBody {
    instance_name: Option<String>,
    instance_ids: Vec<String>,
    filters: Vec<CloudFilter>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct CloudFilter {
    name: String,
    values: Vec<String>,
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The pool's own key.
pub fn pool_key(pool: &SpotPool) -> Option<PoolKey> {
    Some(PoolKey::new(pool.namespace()?, pool.name_any()))
}

/// The key of the pool that a SpotInstance is labelled for.
pub fn owner(instance: &SpotInstance) -> Option<PoolKey> {
    Some(PoolKey::new(instance.namespace()?, &instance.spec.pool.name))
}

fn pool_status_step(pool: &SpotPool, store: &MemStore) -> Step {
    let launched = |pool: &SpotPool| pool.status.as_ref().map_or(0, |status| status.launched);
    let stored = pool_key(pool).and_then(|key| store.peek_pool(&key));
    if stored.is_some_and(|stored| launched(pool) > launched(&stored)) {
        Step::Raise
    } else {
        Step::PoolStatus
    }
}

fn instance_status_step(instance: &SpotInstance, store: &MemStore) -> Step {
    let key = ObjectKey::new(instance.namespace().unwrap_or_default(), instance.name_any());
    let stored = store.peek_instance(&key);
    let none = SpotInstanceStatus::default();
    let old = stored.as_ref().and_then(|stored| stored.status.as_ref()).unwrap_or(&none);
    status_step(old, instance.status.as_ref().unwrap_or(&none))
}

fn status_step(old: &SpotInstanceStatus, new: &SpotInstanceStatus) -> Step {
    fn outcomes(status: &SpotInstanceStatus) -> impl Iterator<Item = (i64, AttemptOutcome)> {
        status.attempts.iter().map(|attempt| (attempt.number, attempt.outcome))
    }
    if new.attempted > old.attempted {
        Step::Attempt
    } else if new.instance_id != old.instance_id || new.extra.len() > old.extra.len() {
        Step::Record
    } else if outcomes(new).ne(outcomes(old)) {
        Step::Outcome
    } else {
        Step::InstanceStatus
    }
}
