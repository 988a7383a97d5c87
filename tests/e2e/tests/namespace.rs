//! A namespace that is being deleted. (No controller runs in these tests that would delete what is in it: the tests do.)

use e2e::{FILLED_WITHIN, SECRET_ID, SECRET_KEY, SOON, World};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, DeleteParams, ListParams};
use spotpool_operator::crd::{SpotInstance, SpotPool};

#[tokio::test]
async fn nothing_is_launched_in_a_namespace_that_goes_and_nothing_that_bills_is_left_in_it() {
    let world = World::begin("going").await.unwrap();
    let key = [("secretId", SECRET_ID), ("secretKey", SECRET_KEY)];
    world.people.create_secret("cloud", &key).await.unwrap();
    let manifest = world.manifest("going", 2, 2).unwrap().keyed_by("cloud");
    world.people.create::<SpotPool>(&manifest).await.unwrap();
    world.ready("going").await.unwrap();

    let client = world.people.cluster.client().await.unwrap();
    let namespaces = Api::<Namespace>::all(client);
    namespaces.delete(&world.people.namespace, &DeleteParams::default()).await.unwrap();
    let lost = world.ours().await.unwrap().remove(0).id;
    world.cloud.vanish(&lost).await.unwrap();
    let stalled = world.people.condition("going", "Stalled", "True", SOON).await.unwrap();
    assert_eq!(stalled.reason, "NamespaceBeingDeleted", "{}", stalled.message);
    world.sweeps_later(5).await.unwrap();
    assert_eq!(world.ever_made().await.unwrap(), 2, "nothing is bought for what is about to go");

    // What the namespace controller does, in the worst order: the key first.
    world.people.api::<Secret>().delete("cloud", &DeleteParams::default()).await.unwrap();
    let all = (DeleteParams::default(), ListParams::default());
    world.people.api::<SpotInstance>().delete_collection(&all.0, &all.1).await.unwrap();
    world.people.api::<SpotPool>().delete_collection(&all.0, &all.1).await.unwrap();
    world
        .until("pool, Secret and machines to be gone", FILLED_WITHIN, async || {
            let pool = world.people.api::<SpotPool>().get_opt("going").await?;
            let secret = world.people.api::<Secret>().get_opt("cloud").await?;
            Ok((pool.is_none() && secret.is_none() && world.ours().await?.is_empty()).then_some(()))
        })
        .await
        .unwrap();
}
