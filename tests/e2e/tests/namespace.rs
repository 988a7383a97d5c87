//! A namespace that is being deleted. (No controller runs in these tests that would delete what is in it: the tests do.)

use e2e::{FILLED_WITHIN, SECRET_ID, SECRET_KEY, SOON, World};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, DeleteParams, ListParams};
use serde_json::json;
use spotpool_operator::crd::{KEEP_MACHINES_ANNOTATION, Phase, SpotInstance, SpotPool};

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

#[tokio::test]
async fn a_pool_that_keeps_its_machines_keeps_them_when_its_namespace_goes() {
    let world = World::begin("kept").await.unwrap();
    let manifest = world.manifest("kept", 2, 2).unwrap().with("spec.health.failureThreshold", 1);
    world.people.create::<SpotPool>(&manifest).await.unwrap();
    world.ready("kept").await.unwrap();
    let before: Vec<String> = world.ours().await.unwrap().into_iter().map(|machine| machine.id).collect();
    let kept = json!({"metadata": {"annotations": {KEEP_MACHINES_ANNOTATION: "true"}}});
    world.people.edit::<SpotPool>("kept", &kept).await.unwrap();

    // The SpotInstances first, one of which does not serve at that moment: it would have nothing to wait for. The other
    // one's answer is on its way, so that it does not speak against the first, which would be replaced at once.
    for (id, behaviour) in [(&before[1], "hang"), (&before[0], "die")] {
        let behaviour = json!({"behaviour": behaviour});
        world.cloud.post(&format!("instances/{id}/model-server"), &behaviour).await.unwrap();
    }
    world
        .until("one to be NotReady", SOON, async || {
            let all = world.people.instances().await?;
            let sick = |instance: &SpotInstance| {
                instance.status.as_ref().is_some_and(|status| status.phase == Phase::NotReady)
            };
            Ok(all.iter().any(sick).then_some(()))
        })
        .await
        .unwrap();
    let client = world.people.cluster.client().await.unwrap();
    Api::<Namespace>::all(client).delete(&world.people.namespace, &DeleteParams::default()).await.unwrap();
    let all = (DeleteParams::default(), ListParams::default());
    world.people.api::<SpotInstance>().delete_collection(&all.0, &all.1).await.unwrap();
    world
        .until("the SpotInstances to be gone", FILLED_WITHIN, async || {
            Ok(world.people.instances().await?.is_empty().then_some(()))
        })
        .await
        .unwrap();
    world.people.api::<SpotPool>().delete_collection(&all.0, &all.1).await.unwrap();
    world
        .until("the pool to be gone", FILLED_WITHIN, async || {
            Ok(world.people.api::<SpotPool>().get_opt("kept").await?.is_none().then_some(()))
        })
        .await
        .unwrap();
    let after: Vec<String> = world.ours().await.unwrap().into_iter().map(|machine| machine.id).collect();
    assert!(before.iter().all(|id| after.contains(id)), "every machine lives: {before:?}, {after:?}");
}
