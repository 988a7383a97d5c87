//! [`Store`] on a real API server.
//!
//! Every read is live: no `resourceVersion` parameter, so that the API server answers with the latest
//! state and never from an old cache. Every call has a deadline, and nothing is repeated here: whether a
//! write may be repeated is for those to say who know what was read before it.

use std::borrow::Cow;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::{ByteString, NamespaceResourceScope};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::DeserializeGuard;
use kube::{Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tracing::{Instrument, Span};

use super::event_series::EventSeries;
use crate::crd::{SpotInstance, SpotPool};
use crate::ports::{Event, KeySecret, PoolKey, Regarding, Store, StoreError};
use crate::rbac::NAME;
use crate::traces::{failed, store_call};

/// How long one call may take. Kept under the send window, so that an attempt whose write is not answered
/// is over before it could be sent.
const CALL: Duration = Duration::from_secs(10);

/// The API server.
#[derive(Clone)]
pub struct KubeStore {
    client: Client,
    events: std::sync::Arc<EventSeries>,
}

impl KubeStore {
    /// The API server behind `client`, whose own retries must be off: a call that was given up here must
    /// not be sent again by a lower layer.
    #[must_use]
    pub fn new(client: Client) -> Self {
        let events = std::sync::Arc::new(EventSeries::new(client.clone()));
        Self { client, events }
    }

    fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    async fn read<K: Stored>(&self, namespace: &str, name: &str) -> Result<Option<K>, StoreError> {
        let api = self.api::<DeserializeGuard<K>>(namespace);
        let call = store_call("get", &K::kind(&()), namespace, name);
        answered(call, api.get_opt(name)).await?.map(intact).transpose()
    }

    /// Writes the finalizers and nothing else: a whole object written back would lose every field that a
    /// newer version of the resource has and this operator does not know.
    async fn replace_finalizers<K: Stored>(&self, object: &K) -> Result<K, StoreError> {
        let (namespace, name) = place(object)?;
        let patch = Patch::Merge(serde_json::json!({"metadata": {
            "resourceVersion": object.resource_version(),
            "finalizers": object.finalizers(),
        }}));
        let call = store_call("patch", &K::kind(&()), namespace, name);
        answered(call, self.api::<K>(namespace).patch(name, &patched(), &patch)).await
    }

    /// `kubectl describe` finds Events by the object's uid. Of the Lease, which the operator holds by its name, nobody else
    /// has read it; where there is none, the Event stands for itself.
    async fn with_uid<'a>(&self, event: &'a Event) -> Cow<'a, Event> {
        let about = &event.regarding;
        if about.uid.is_some() || about.kind != Lease::kind(&()) {
            return Cow::Borrowed(event);
        }
        let call = store_call("get", "Lease", &about.namespace, &about.name);
        let lease = answered(call, self.api::<Lease>(&about.namespace).get_opt(&about.name)).await;
        let uid = lease.ok().flatten().and_then(|lease| lease.uid());
        Cow::Owned(Event { regarding: Regarding { uid, ..about.clone() }, ..event.clone() })
    }

    async fn replace_status<K: Stored>(&self, object: &K) -> Result<K, StoreError> {
        let (namespace, name) = place(object)?;
        let call = store_call("replace status of", &K::kind(&()), namespace, name);
        answered(call, self.api::<K>(namespace).replace_status(name, &written(), object)).await
    }
}

/// Under this name `kubectl get --show-managed-fields` shows what the operator wrote.
fn written() -> PostParams {
    PostParams { field_manager: Some(NAME.to_owned()), ..PostParams::default() }
}

fn patched() -> PatchParams {
    PatchParams { field_manager: Some(NAME.to_owned()), ..PatchParams::default() }
}

/// Our two resources and the Secrets that hold keys, in the terms that the client needs.
trait Stored:
    Resource<Scope = NamespaceResourceScope, DynamicType = ()>
    + Clone
    + Debug
    + DeserializeOwned
    + Serialize
    + Send
    + Sync
{
}

impl Stored for SpotPool {}
impl Stored for SpotInstance {}
impl Stored for Secret {}

#[async_trait]
impl Store for KubeStore {
    async fn pool(&self, key: &PoolKey) -> Result<Option<SpotPool>, StoreError> {
        self.read(&key.namespace, &key.name).await
    }

    async fn instances(&self, key: &PoolKey) -> Result<Vec<SpotInstance>, StoreError> {
        let api = self.api::<DeserializeGuard<SpotInstance>>(&key.namespace);
        // By what nobody can change; a label can be taken away, and a machine with it.
        let of_pool = ListParams::default().fields(&format!("spec.pool.name={}", key.name));
        // One that cannot be read makes the whole answer unusable: it may stand for a machine, and a
        // count without it would launch another.
        let call = store_call("list", "SpotInstance", &key.namespace, &key.name);
        answered(call, api.list(&of_pool)).await?.items.into_iter().map(intact).collect()
    }

    async fn instance(&self, namespace: &str, name: &str) -> Result<Option<SpotInstance>, StoreError> {
        self.read(namespace, name).await
    }

    async fn replace_pool(&self, pool: &SpotPool) -> Result<SpotPool, StoreError> {
        self.replace_finalizers(pool).await
    }

    async fn replace_pool_status(&self, pool: &SpotPool) -> Result<SpotPool, StoreError> {
        self.replace_status(pool).await
    }

    async fn create_instance(&self, instance: &SpotInstance) -> Result<SpotInstance, StoreError> {
        let namespace = instance.namespace().unwrap_or_default();
        let call = store_call("create", "SpotInstance", &namespace, &instance.name_any());
        answered(call, self.api(&namespace).create(&written(), instance)).await
    }

    async fn replace_instance(&self, instance: &SpotInstance) -> Result<SpotInstance, StoreError> {
        self.replace_finalizers(instance).await
    }

    async fn replace_instance_status(&self, instance: &SpotInstance) -> Result<SpotInstance, StoreError> {
        self.replace_status(instance).await
    }

    async fn delete_instance(&self, instance: &SpotInstance) -> Result<(), StoreError> {
        let (namespace, name) = place(instance)?;
        let this_very_one = DeleteParams::default().preconditions(Preconditions {
            uid: instance.uid(),
            resource_version: instance.resource_version(),
        });
        let call = store_call("delete", "SpotInstance", namespace, name);
        answered(call, self.api::<SpotInstance>(namespace).delete(name, &this_very_one)).await.map(|_| ())
    }

    async fn secret(&self, namespace: &str, name: &str) -> Result<Option<KeySecret>, StoreError> {
        let call = store_call("get", "Secret", namespace, name);
        let secret = answered(call, self.api::<Secret>(namespace).get_opt(name)).await?;
        Ok(secret.map(as_read))
    }

    async fn replace_secret(&self, secret: &KeySecret) -> Result<(), StoreError> {
        // Without data: what is not in a merge patch stays as it is.
        let bare = Secret { metadata: secret.metadata.clone(), ..Secret::default() };
        self.replace_finalizers(&bare).await.map(|_| ())
    }

    async fn namespace_is_leaving(&self, namespace: &str) -> Result<bool, StoreError> {
        let namespaces = Api::<Namespace>::all(self.client.clone());
        let call = store_call("get", "Namespace", "", namespace);
        let found = answered(call, namespaces.get_metadata_opt(namespace)).await?;
        Ok(found.is_none_or(|namespace| namespace.metadata.deletion_timestamp.is_some()))
    }

    async fn publish(&self, event: &Event) -> Result<(), StoreError> {
        let event = self.with_uid(event).await;
        let about = &event.regarding;
        let call = store_call("create", "Event", &about.namespace, &about.name);
        answered(call, self.events.publish(&event)).await
    }

    async fn cluster_uid(&self) -> Result<String, StoreError> {
        let name = "kube-system";
        let call = store_call("get", "Namespace", "", name);
        let namespace = answered(call, Api::<Namespace>::all(self.client.clone()).get(name)).await?;
        namespace.uid().ok_or_else(|| StoreError::Broken {
            object: Box::new(Regarding::object::<Namespace>(&namespace.metadata)),
            why: "it has no uid".to_owned(),
        })
    }
}

fn as_read(secret: Secret) -> KeySecret {
    let mut read = KeySecret { metadata: secret.metadata, ..KeySecret::default() };
    for (key, ByteString(value)) in secret.data.unwrap_or_default() {
        // UTF-16 without a mark at its begin is UTF-8 too, with a NUL in every other place.
        match String::from_utf8(value).ok().filter(|value| !value.contains('\0')) {
            Some(value) => drop(read.data.insert(key, value)),
            None => drop(read.not_text.insert(key)),
        }
    }
    read
}

/// Namespace and name of an object that was read before: a write without a resourceVersion would not be a
/// compare-and-swap.
fn place<K: Resource<DynamicType = ()>>(object: &K) -> Result<(&str, &str), StoreError> {
    let meta = object.meta();
    match (&meta.namespace, &meta.name, &meta.resource_version) {
        (Some(namespace), Some(name), Some(_)) => Ok((namespace, name)),
        _ => Err(StoreError::Refused(format!("{} was never read, so it cannot be written", K::kind(&())))),
    }
}

fn intact<K: Resource<DynamicType = ()>>(object: DeserializeGuard<K>) -> Result<K, StoreError> {
    object.0.map_err(|invalid| StoreError::Broken {
        object: Box::new(Regarding::object::<K>(&invalid.metadata)),
        why: invalid.error,
    })
}

/// The answer, or what can be said without one. `call` is the span of it.
async fn answered<T>(
    call: Span,
    answer: impl Future<Output = Result<T, kube::Error>> + Send,
) -> Result<T, StoreError> {
    let answer = match timeout(CALL, answer).instrument(call.clone()).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(judge(error)),
        Err(late) => Err(StoreError::Unanswered(Box::new(late))),
    };
    answer.inspect_err(|error| failed(&call, error))
}

fn judge(error: kube::Error) -> StoreError {
    let kube::Error::Api(status) = error else {
        // Also an answer that cannot be read: a write may have happened.
        return StoreError::Unanswered(Box::new(error));
    };
    match status.code {
        404 => StoreError::NotFound,
        409 if status.reason == "AlreadyExists" => StoreError::AlreadyExists,
        409 => StoreError::Conflict,
        // Too busy, or too slow: like no answer at all, it passes by itself.
        408 | 429 => StoreError::Unanswered(Box::new(kube::Error::Api(status))),
        400..500 => StoreError::Refused(status.message.clone()),
        _ => StoreError::Unanswered(Box::new(kube::Error::Api(status))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::Status;

    fn answer(code: u16, reason: &str) -> StoreError {
        let status = Status::failure("the API server's own words", reason).with_code(code);
        judge(kube::Error::Api(status.boxed()))
    }

    #[test]
    fn only_an_answer_that_proves_that_nothing_happened_counts_as_a_refusal() {
        assert!(matches!(answer(404, "NotFound"), StoreError::NotFound));
        assert!(matches!(answer(409, "Conflict"), StoreError::Conflict));
        assert!(matches!(answer(409, "AlreadyExists"), StoreError::AlreadyExists));
        assert!(matches!(answer(403, "Forbidden"), StoreError::Refused(_)));
        assert!(matches!(answer(422, "Invalid"), StoreError::Refused(_)));
        for code in [408, 429, 500, 503, 504] {
            assert!(matches!(answer(code, "Whatever"), StoreError::Unanswered(_)), "{code}");
        }
    }

    #[test]
    fn a_refusal_carries_the_api_servers_own_words() {
        assert_eq!(
            answer(403, "Forbidden").to_string(),
            "the API server refused: the API server's own words"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_an_answer_ends_at_its_deadline() {
        let begun = tokio::time::Instant::now();
        let outcome = answered(Span::none(), std::future::pending::<Result<(), kube::Error>>()).await;
        assert!(matches!(outcome, Err(StoreError::Unanswered(_))));
        assert_eq!(begun.elapsed(), CALL);
    }

    #[test]
    fn of_what_is_no_text_in_a_secret_only_the_name_is_kept() {
        let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let value = |bytes: &[u8]| ByteString(bytes.to_vec());
        let data = [
            ("secretId", value(b"AKIDFAKEFAKEFAKE\n")),
            ("secretKey", value(&[&[0xff, 0xfe], utf_16("fakeSecretKey").as_slice()].concat())),
            ("token", value(&utf_16("fakeToken"))),
        ];
        let data = data.map(|(key, value)| (key.to_owned(), value)).into();
        let read = as_read(Secret { data: Some(data), ..Secret::default() });
        assert_eq!(read.data, [("secretId".to_owned(), "AKIDFAKEFAKEFAKE\n".to_owned())].into());
        assert_eq!(read.not_text, ["secretKey".to_owned(), "token".to_owned()].into());
    }

    #[test]
    fn an_object_that_was_never_read_is_never_written() {
        let mut secret = Secret::default();
        secret.metadata.name = Some("a".to_owned());
        secret.metadata.namespace = Some("b".to_owned());
        assert!(matches!(place(&secret), Err(StoreError::Refused(_))));
        secret.metadata.resource_version = Some("1".to_owned());
        assert_eq!(place(&secret).unwrap(), ("b", "a"));
    }
}
