//! The store in memory, on which the simulation rests, behaves as the real API server does: one contract.

use std::collections::BTreeMap;

use async_trait::async_trait;
use e2e::{Manifest, People};
use futures::StreamExt;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event as KubeEvent;
use kube::ResourceExt;
use kube::api::{Api, ListParams, ObjectMeta};
use serde_json::json;
use simulation::contract::{StoreUnderTest, contract};
use spotpool_operator::adapters::KubeStore;
use spotpool_operator::crd::{SpotInstance, SpotPool};
use spotpool_operator::ports::{Event, PoolKey, Regarding, Store, StoreError};
use testkit::ControlPlane;

struct RealServer {
    people: People,
    store: KubeStore,
}

impl RealServer {
    async fn arrive(prefix: &str) -> Self {
        let cluster = ControlPlane::shared().await.unwrap().cluster();
        let people = People::arrive(cluster, prefix).await.unwrap();
        let store = KubeStore::new(cluster.client().await.unwrap());
        Self { people, store }
    }
}

fn said(error: &anyhow::Error) -> StoreError {
    StoreError::Refused(format!("{error:#}"))
}

#[async_trait]
impl StoreUnderTest for RealServer {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn namespace(&self) -> &str {
        &self.people.namespace
    }

    async fn create_pool(&self, pool: &SpotPool) -> Result<SpotPool, StoreError> {
        let api = self.people.api::<SpotPool>();
        api.create(&kube::api::PostParams::default(), pool).await.map_err(|error| said(&error.into()))
    }

    async fn edit_pool(&self, key: &PoolKey, minimum: i32, maximum: i32) -> Result<SpotPool, StoreError> {
        let change = json!({"spec": {"minimum": minimum, "maximum": maximum}});
        self.people.edit(&key.name, &change).await.map_err(|error| said(&error))
    }

    async fn delete_pool(&self, key: &PoolKey) -> Result<(), StoreError> {
        self.people.delete::<SpotPool>(&key.name).await.map_err(|error| said(&error))
    }

    async fn unlabel_instance(&self, name: &str) -> Result<(), StoreError> {
        let change = json!({"metadata": {"labels": null}});
        self.people.edit::<SpotInstance>(name, &change).await.map(|_| ()).map_err(|error| said(&error))
    }

    async fn delete_instance(&self, name: &str) -> Result<(), StoreError> {
        self.people.delete::<SpotInstance>(name).await.map_err(|error| said(&error))
    }

    async fn delete_secret(&self, name: &str) -> Result<(), StoreError> {
        self.people.delete::<Secret>(name).await.map_err(|error| said(&error))
    }

    async fn create_secret(&self, name: &str, data: BTreeMap<String, String>) -> Result<(), StoreError> {
        let data: Vec<_> = data.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        self.people.create_secret(name, &data).await.map_err(|error| said(&error))
    }
}

#[tokio::test]
async fn the_real_api_server_keeps_the_contract_that_the_simulation_rests_on() {
    let world = RealServer::arrive("contract").await;
    let cases = contract(&world).await;
    assert!(cases.len() > 20, "only {} cases", cases.len());
    let broken: Vec<_> = cases.iter().filter(|case| case.result.is_err()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

fn event(people: &People, uid: Option<String>, note: &str) -> Event {
    Event {
        regarding: Regarding {
            api_version: "demo.aiops.org/v1".to_owned(),
            kind: "SpotPool".to_owned(),
            namespace: people.namespace.clone(),
            name: "eventful".to_owned(),
            uid,
        },
        warning: true,
        reason: "MachineLost",
        action: "Replace",
        note: note.to_owned(),
        topic: None,
    }
}

#[tokio::test]
async fn events_are_counted_up_by_what_they_say_and_described() {
    let RealServer { people, store } = RealServer::arrive("events").await;
    let pool = people.create::<SpotPool>(&Manifest::pool("eventful").unwrap()).await.unwrap();
    for note in ["eventful-1 has vanished", "eventful-1 has vanished", "eventful-2 has vanished"] {
        store.publish(&event(&people, pool.uid(), note)).await.unwrap();
    }

    let described = people.kubectl(&["describe", "sp", "eventful"]).unwrap();
    let lines: Vec<_> = described.lines().filter(|line| line.contains("MachineLost")).collect();
    assert_eq!(lines.len(), 2, "{described}");
    assert!(
        lines.iter().any(|line| line.contains("x2") && line.contains("eventful-1 has vanished")),
        "{lines:#?}"
    );
    assert!(lines.iter().any(|line| line.contains("eventful-2 has vanished")), "{lines:#?}");
    assert!(lines.iter().all(|line| line.contains("spotpool-operator")), "{lines:#?}");
}

#[tokio::test]
async fn an_event_about_a_lease_is_described_with_it() {
    let RealServer { people, store } = RealServer::arrive("lease").await;
    let lease = people.api::<Lease>();
    let blank: Lease = serde_json::from_value(json!({"metadata": {"name": "spotpool-operator"}})).unwrap();
    lease.create(&kube::api::PostParams::default(), &blank).await.unwrap();
    let metadata = ObjectMeta {
        name: blank.metadata.name,
        namespace: Some(people.namespace.clone()),
        ..ObjectMeta::default()
    };
    let regarding = Regarding::object::<Lease>(&metadata);
    assert_eq!(regarding.uid, None);
    let note = "machine ins-1 was made for models/bert-1, whose pool is gone";
    store.publish(&Event::warning(regarding, "UnclaimedMachines", "Look", note)).await.unwrap();
    let described = people.kubectl(&["describe", "lease", "spotpool-operator"]).unwrap();
    assert!(described.contains(note), "{described}");
}

#[tokio::test]
async fn an_event_is_said_anew_when_somebody_has_cleared_it() {
    let RealServer { people, store } = RealServer::arrive("cleared").await;
    store.publish(&event(&people, None, "gone")).await.unwrap();
    let events: Api<KubeEvent> = people.api();
    for old in events.list(&ListParams::default()).await.unwrap() {
        people.delete::<KubeEvent>(&old.name_any()).await.unwrap();
    }
    store.publish(&event(&people, None, "gone")).await.unwrap();
    assert_eq!(events.list(&ListParams::default()).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn an_event_with_a_note_of_any_length_is_accepted() {
    let RealServer { people, store } = RealServer::arrive("long").await;
    store.publish(&event(&people, None, &"已售罄 ".repeat(500))).await.unwrap();
}

#[tokio::test]
async fn parallel_reads_do_not_hinder_each_other() {
    let RealServer { people, store } = RealServer::arrive("parallel").await;
    people.create::<SpotPool>(&Manifest::pool("parallel").unwrap()).await.unwrap();
    let key = PoolKey::new(&people.namespace, "parallel");
    let reads = futures::stream::iter(0..50).map(|_| store.pool(&key)).buffer_unordered(50);
    let all: Vec<_> = reads.collect().await;
    assert!(all.iter().all(|read| matches!(read, Ok(Some(_)))));
}
