//! What people ask of a whole pool with kubectl: a size, a pause, machines that outlive their pool.

use e2e::{FILLED_WITHIN, SOON, World};
use serde_json::json;
use spotpool_operator::conditions::{kind, reason};
use spotpool_operator::crd::{KEEP_MACHINES_ANNOTATION, SpotPool};

async fn living(world: &World, expected: usize) {
    world
        .until(&format!("{expected} machines"), FILLED_WITHIN, async || {
            Ok((world.ours().await?.len() == expected).then_some(()))
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn kubectl_scale_holds_a_pool_at_a_size_within_its_bounds() {
    let world = World::begin("scaling").await.unwrap();
    world.filled("scaled", 1, 3).await.unwrap();
    let scale = |replicas: &str| world.people.kubectl(&["scale", "sp/scaled", replicas]).unwrap();
    scale("--replicas=2");
    living(&world, 2).await;
    world.people.condition("scaled", kind::READY, "True", FILLED_WITHIN).await.unwrap();
    let shown =
        ["get", "sp", "scaled", "--subresource=scale", "-o", "jsonpath={.spec.replicas} {.status.replicas}"];
    assert_eq!(world.people.kubectl(&shown).unwrap().trim(), "2 2");
    scale("--replicas=9");
    living(&world, 3).await;
    scale("--replicas=0");
    living(&world, 1).await;
    let first = world.people.kubectl(&["get", "si", "scaled-1", "-o", "name"]).unwrap();
    assert_eq!(first.trim(), "spotinstance.demo.aiops.org/scaled-1", "the youngest go first");
}

#[tokio::test]
async fn a_paused_pool_replaces_nothing_until_it_goes_on() {
    let world = World::begin("pausing").await.unwrap();
    world.filled("rests", 1, 1).await.unwrap();
    world.people.edit::<SpotPool>("rests", &json!({"spec": {"paused": true}})).await.unwrap();
    let told = world
        .until("the pause to be told", SOON, async || {
            let status = world.people.pool("rests").await?.status.unwrap_or_default();
            let found = status.conditions.into_iter().find(|found| found.type_ == kind::RECONCILING);
            Ok(found.filter(|found| found.reason == reason::PAUSED))
        })
        .await
        .unwrap();
    assert!(told.message.contains("spec.paused"), "{}", told.message);
    let asked = world.cloud.calls("RunInstances").await.unwrap();
    let machine = world.ours().await.unwrap().remove(0);
    world.cloud.vanish(&machine.id).await.unwrap();
    world.people.condition("rests", kind::READY, "False", SOON).await.unwrap();
    assert_eq!(world.cloud.calls("RunInstances").await.unwrap(), asked);
    world.people.edit::<SpotPool>("rests", &json!({"spec": {"paused": false}})).await.unwrap();
    living(&world, 1).await;
    assert_eq!(world.cloud.calls("RunInstances").await.unwrap(), asked + 1);
}

#[tokio::test]
async fn a_pool_with_keep_machines_goes_and_its_machines_stay() {
    let world = World::begin("keeping").await.unwrap();
    let uid = world.filled("kept", 2, 2).await.unwrap().metadata.uid.unwrap();
    let annotation = format!("{KEEP_MACHINES_ANNOTATION}=true");
    world.people.kubectl(&["annotate", "sp", "kept", &annotation]).unwrap();
    world.people.kubectl(&["delete", "sp", "kept", "--timeout=30s"]).unwrap();
    assert!(world.people.instances().await.unwrap().is_empty());
    assert_eq!(world.ours().await.unwrap().len(), 2);
    assert_eq!(world.cloud.calls("TerminateInstances").await.unwrap(), 0);
    let events = world.people.events_of("SpotPool", "kept", &uid).await.unwrap();
    let told = events.iter().filter(|event| event.reason.as_deref() == Some("LetLive")).count();
    assert_eq!(told, 2, "{events:?}");
}
