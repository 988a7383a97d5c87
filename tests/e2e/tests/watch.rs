//! Hints: every change of a pool or of its SpotInstances names the pool.

use std::collections::BTreeSet;
use std::time::Duration;

use e2e::{Manifest, People};
use futures::{Stream, StreamExt};
use serde_json::json;
use spotpool_operator::adapters::hints;
use spotpool_operator::crd::{SpotInstance, SpotPool};
use spotpool_operator::ports::PoolKey;
use testkit::ControlPlane;

const SOON: Duration = Duration::from_secs(20);

async fn next(hints: &mut (impl Stream<Item = PoolKey> + Unpin)) -> PoolKey {
    tokio::time::timeout(SOON, hints.next()).await.expect("no hint came").unwrap()
}

#[tokio::test]
async fn every_change_of_a_pool_or_its_instances_is_a_hint_and_a_listing_names_all() {
    let cluster = ControlPlane::shared().await.unwrap().cluster();
    let people = People::arrive(cluster, "hints").await.unwrap();
    let pool = PoolKey::new(&people.namespace, "one");
    people.create::<SpotPool>(&Manifest::pool("one").unwrap()).await.unwrap();
    people.create::<SpotPool>(&Manifest::pool("two").unwrap()).await.unwrap();

    let mut stream = hints(&cluster.client().await.unwrap(), Some(&people.namespace));
    let listed: BTreeSet<_> = [next(&mut stream).await, next(&mut stream).await].into();
    assert_eq!(listed, [pool.clone(), PoolKey::new(&people.namespace, "two")].into());

    people.edit::<SpotPool>("one", &json!({"spec": {"maximum": 4}})).await.unwrap();
    assert_eq!(next(&mut stream).await, pool);

    // A SpotInstance names its pool by its label, also when there is no such pool any more.
    let instance =
        Manifest::spot_instance("orphan-1").with("metadata.labels", json!({"demo.aiops.org/pool": "orphan"}));
    people.create::<SpotInstance>(&instance).await.unwrap();
    let orphan = PoolKey::new(&people.namespace, "orphan");
    assert_eq!(next(&mut stream).await, orphan);
    people.delete::<SpotInstance>("orphan-1").await.unwrap();
    assert_eq!(next(&mut stream).await, orphan);

    people.delete::<SpotPool>("two").await.unwrap();
    assert_eq!(next(&mut stream).await, PoolKey::new(&people.namespace, "two"));
}

#[tokio::test]
async fn without_a_namespace_the_hints_are_of_all() {
    let cluster = ControlPlane::shared().await.unwrap().cluster();
    let people = People::arrive(cluster, "everywhere").await.unwrap();
    people.create::<SpotPool>(&Manifest::pool("somewhere").unwrap()).await.unwrap();
    let wanted = PoolKey::new(&people.namespace, "somewhere");
    let mut stream = hints(&cluster.client().await.unwrap(), None);
    while next(&mut stream).await != wanted {}
}
