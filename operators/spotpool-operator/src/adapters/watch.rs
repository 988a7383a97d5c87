//! Hints that a pool may want looking at: its own object or one of its SpotInstances has moved.
//!
//! Nothing is decided on what comes here (every decision reads live), so only the metadata travels, and a
//! lost, late or doubled hint does no harm. Secrets are not watched: that would need the right to list
//! every Secret of the cluster.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use crate::crd::{POOL_LABEL, SpotInstance, SpotPool};
use crate::ports::PoolKey;

/// After an error, the next try waits from this long to 16 times as long.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const DOUBLINGS: u32 = 5;

/// The pools, of one namespace or of all, about which something has changed. On every new listing each of
/// them comes once more, so that whatever happened while nobody watched is made up for. Never ends; errors
/// are logged and the watch is taken up again.
pub fn hints(client: &Client, namespace: Option<&str>) -> impl Stream<Item = PoolKey> + Send + Unpin + use<> {
    let pools = keys::<SpotPool>(client, namespace, |pool| Some(pool.name_any()));
    let instances =
        keys::<SpotInstance>(client, namespace, |instance| pool_of(instance.labels(), &instance.name_any()));
    stream::select(pools.boxed(), instances.boxed())
}

/// What becomes of a watch that has failed.
fn what_now(error: &watcher::Error) -> &'static str {
    use watcher::Error::{InitialListFailed, WatchStartFailed};
    let unknown = |error: &kube::Error| matches!(error, kube::Error::Api(status) if status.code == 404);
    match error {
        InitialListFailed(error) | WatchStartFailed(error) if unknown(error) => {
            "the API server does not know this kind: apply deploy/crds; the watch is taken up again"
        }
        _ => "the watch is taken up again",
    }
}

/// The pool of a SpotInstance by its label, or, when that was taken away, by its name: the pool's, a dash, a number.
fn pool_of(labels: &BTreeMap<String, String>, name: &str) -> Option<String> {
    labels.get(POOL_LABEL).cloned().or_else(|| name.rsplit_once('-').map(|(pool, _)| pool.to_owned()))
}

fn keys<K>(
    client: &Client,
    namespace: Option<&str>,
    pool_of: fn(&PartialObjectMeta<K>) -> Option<String>,
) -> impl Stream<Item = PoolKey> + Send + use<K>
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    let api: Api<PartialObjectMeta<K>> = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let mut failures = 0;
    watcher(api, watcher::Config::default())
        .then(move |event| {
            let (pause, hint) = match event {
                Ok(event) => {
                    // The first event comes before the list that it announces.
                    if !matches!(event, watcher::Event::Init) {
                        failures = 0;
                    }
                    (None, moved(event))
                }
                Err(error) => {
                    tracing::warn!(%error, kind = %K::kind(&()), "{}", what_now(&error));
                    failures += 1;
                    (Some(SHORTEST_PAUSE * 2u32.pow((failures - 1).min(DOUBLINGS))), None)
                }
            };
            async move {
                if let Some(pause) = pause {
                    tokio::time::sleep(pause).await;
                }
                hint
            }
        })
        .filter_map(move |object| {
            let key = object.and_then(|object| Some(PoolKey::new(object.namespace()?, pool_of(&object)?)));
            async move { key }
        })
}

fn moved<K>(event: Event<K>) -> Option<K> {
    match event {
        Event::Apply(object) | Event::Delete(object) | Event::InitApply(object) => Some(object),
        Event::Init | Event::InitDone => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spotinstance_whose_label_was_taken_away_still_wakes_its_pool() {
        let label = |pool: &str| BTreeMap::from([(POOL_LABEL.to_owned(), pool.to_owned())]);
        assert_eq!(pool_of(&label("chat"), "restored-4").as_deref(), Some("chat"));
        assert_eq!(pool_of(&BTreeMap::new(), "chat-large-12").as_deref(), Some("chat-large"));
        assert_eq!(pool_of(&BTreeMap::new(), "chat"), None);
    }
}
