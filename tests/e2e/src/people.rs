//! What people do to a cluster, and what they see: one namespace of one test.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{Event, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{Api, DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use spotpool_operator::crd::{SpotInstance, SpotPool};
use testkit::{Cluster, wait};

use crate::Manifest;

/// An object of one namespace.
pub trait ApiObject:
    Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize
{
}

impl<K> ApiObject for K where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + Debug
        + DeserializeOwned
        + Serialize
{
}

/// Somebody with all rights in a namespace of their own.
pub struct People {
    /// The cluster, for kubectl.
    pub cluster: Cluster,
    /// The namespace.
    pub namespace: String,
    client: Client,
}

impl People {
    /// A new namespace for one test.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn arrive(cluster: &Cluster, prefix: &str) -> Result<Self> {
        let namespace = cluster.namespace(prefix).await?;
        Ok(Self { cluster: cluster.clone(), namespace, client: cluster.client().await? })
    }

    /// The API of one kind in this namespace.
    pub fn api<K: ApiObject>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// `kubectl create`.
    ///
    /// # Errors
    /// When the API server refuses; [`refusal`] reads it.
    pub async fn create<K: ApiObject>(&self, manifest: &Manifest) -> Result<K> {
        Ok(self.api::<K>().create(&PostParams::default(), &manifest.parse()?).await?)
    }

    /// `kubectl create secret generic`.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn create_secret(&self, name: &str, data: &[(&str, &str)]) -> Result<()> {
        let data: BTreeMap<_, _> =
            data.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        let secret = Secret {
            metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
            string_data: Some(data),
            ..Secret::default()
        };
        self.api().create(&PostParams::default(), &secret).await.context("creating a Secret")?;
        Ok(())
    }

    /// `kubectl patch --type=merge`.
    ///
    /// # Errors
    /// When the API server refuses; [`refusal`] reads it.
    pub async fn edit<K: ApiObject>(&self, name: &str, change: &Value) -> Result<K> {
        Ok(self.api::<K>().patch(name, &PatchParams::default(), &Patch::Merge(change)).await?)
    }

    /// `kubectl delete --wait=false`.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn delete<K: ApiObject>(&self, name: &str) -> Result<()> {
        self.api::<K>().delete(name, &DeleteParams::default()).await?;
        Ok(())
    }

    /// Takes every finalizer away.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn release<K: ApiObject>(&self, name: &str) -> Result<()> {
        self.edit::<K>(name, &json!({"metadata": {"finalizers": null}})).await.map(|_| ())
    }

    /// The pool, which must be there.
    ///
    /// # Errors
    /// When it is not.
    pub async fn pool(&self, name: &str) -> Result<SpotPool> {
        self.api().get(name).await.with_context(|| format!("reading SpotPool {name}"))
    }

    /// Every SpotInstance of the namespace, by name.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn instances(&self) -> Result<Vec<SpotInstance>> {
        Ok(self.api().list(&ListParams::default()).await.context("listing SpotInstances")?.items)
    }

    /// The Events about one object that is there, as `kubectl describe` finds them: by its uid too.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn events_about(&self, kind: &str, name: &str) -> Result<Vec<Event>> {
        let uid = self.uid(kind, name).await?;
        self.events_of(kind, name, &uid).await
    }

    /// The same of one that may be gone.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn events_of(&self, kind: &str, name: &str, uid: &str) -> Result<Vec<Event>> {
        let about = format!("involvedObject.kind={kind},involvedObject.name={name},involvedObject.uid={uid}");
        let list = self.api::<Event>().list(&ListParams::default().fields(&about)).await;
        Ok(list.context("listing Events")?.items)
    }

    /// Of its metadata alone: the rest of it may be beyond our types.
    async fn uid(&self, kind: &str, name: &str) -> Result<String> {
        let metadata = match kind {
            "SpotPool" => self.api::<SpotPool>().get_metadata(name).await.map(|object| object.metadata),
            "SpotInstance" => {
                self.api::<SpotInstance>().get_metadata(name).await.map(|object| object.metadata)
            }
            _ => bail!("nothing is told about a {kind}"),
        };
        metadata.with_context(|| format!("reading {kind} {name}"))?.uid.context("an object without a uid")
    }

    /// Waits until the pool's condition `kind` has `status`, and returns it.
    ///
    /// # Errors
    /// After `within`; the message has the condition as it was last.
    pub async fn condition(
        &self,
        pool: &str,
        kind: &str,
        status: &str,
        within: Duration,
    ) -> Result<Condition> {
        self.told(pool, (kind, status), &[], within).await
    }

    /// Waits until the pool's condition has this status and all of these words, and returns it.
    ///
    /// # Errors
    /// After `within`; the message has the condition as it was last.
    pub async fn told(
        &self,
        pool: &str,
        (kind, status): (&str, &str),
        words: &[&str],
        within: Duration,
    ) -> Result<Condition> {
        let mut last = None;
        let what = format!("condition {kind}={status} of {pool} with {words:?}");
        let waited = wait::until(&what, within, async || {
            let conditions = self.pool(pool).await?.status.unwrap_or_default().conditions;
            last = conditions.into_iter().find(|condition| condition.type_ == kind);
            let says = |condition: &Condition| words.iter().all(|word| condition.message.contains(word));
            Ok(last.clone().filter(|condition| condition.status == status && says(condition)))
        })
        .await;
        waited.with_context(|| format!("it was {last:?}"))
    }

    /// Waits for a Warning Event about one object that has all of these words, and returns what it says.
    ///
    /// # Errors
    /// After `within`; the message has all that was said about the object.
    pub async fn warned(&self, kind: &str, name: &str, words: &[&str], within: Duration) -> Result<String> {
        let mut said = Vec::new();
        let what = format!("a Warning Event about {kind} {name} with {words:?}");
        let waited = wait::until(&what, within, async || {
            let events = self.events_about(kind, name).await?;
            let warnings = events.into_iter().filter(|event| event.type_.as_deref() == Some("Warning"));
            said = warnings.filter_map(|event| event.message).collect();
            Ok(said.iter().find(|note| words.iter().all(|word| note.contains(word))).cloned())
        })
        .await;
        waited.with_context(|| format!("said was {said:#?}"))
    }

    /// `kubectl ARGUMENTS --namespace`, and what it printed.
    ///
    /// # Errors
    /// When it fails.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let of_namespace = ["--namespace", &self.namespace];
        self.cluster.kubectl_stdout(of_namespace.iter().chain(arguments))
    }
}

/// The API server's own words when it refused.
///
/// # Errors
/// When it did not, or there was no answer.
pub fn refusal<T: Debug>(outcome: Result<T>) -> Result<String> {
    match outcome {
        Ok(accepted) => bail!("it was accepted: {accepted:?}"),
        Err(error) => match error.downcast::<kube::Error>() {
            Ok(kube::Error::Api(status)) => Ok(status.message),
            Ok(other) => Err(other.into()),
            Err(other) => Err(other),
        },
    }
}
