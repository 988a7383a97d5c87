//! Deleting a pool leaves nothing behind, whichever way it is deleted.

use e2e::{FILLED_WITHIN, World};
use spotpool_operator::crd::SpotPool;

async fn nothing_left(world: &World, pool: &str) {
    world
        .until("nothing to be left", FILLED_WITHIN, async || {
            let there = world.people.api::<SpotPool>().get_opt(pool).await?.is_some();
            let instances = world.people.instances().await?;
            let machines = world.ours().await?;
            Ok((!there && instances.is_empty() && machines.is_empty()).then_some(()))
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn deleting_a_pool_terminates_its_machines_and_nobody_elses() {
    let world = World::begin("leaving").await.unwrap();
    let stranger = world.cloud.add_stranger("somebody-elses").await.unwrap();
    world.filled("leaves", 2, 2).await.unwrap();
    world.people.kubectl(&["delete", "sp", "leaves", "--timeout=60s"]).unwrap();
    nothing_left(&world, "leaves").await;
    let left = world.cloud.machines(false).await.unwrap();
    assert_eq!(left.iter().map(|machine| machine.id.as_str()).collect::<Vec<_>>(), [stranger]);
}

#[tokio::test]
async fn an_orphaning_deletion_terminates_them_too() {
    let world = World::begin("orphaning").await.unwrap();
    world.filled("orphans", 2, 2).await.unwrap();
    world.people.kubectl(&["delete", "sp", "orphans", "--cascade=orphan", "--wait=false"]).unwrap();
    // The garbage collector's part, which runs nowhere here: it takes its own finalizer away. The operator's
    // must have gone by itself.
    world
        .until("only the garbage collector to be waited for", FILLED_WITHIN, async || {
            let finalizers = world.people.pool("orphans").await?.metadata.finalizers.unwrap_or_default();
            Ok((finalizers == ["orphan"]).then_some(()))
        })
        .await
        .unwrap();
    world.people.release::<SpotPool>("orphans").await.unwrap();
    nothing_left(&world, "orphans").await;
}

#[tokio::test]
async fn a_pool_deleted_while_its_machines_are_asked_for_leaves_nothing_either() {
    let world = World::begin("early").await.unwrap();
    world.people.create::<SpotPool>(&world.manifest("early", 2, 2).unwrap()).await.unwrap();
    world
        .until("a first request", FILLED_WITHIN, async || {
            Ok((world.cloud.calls("RunInstances").await? > 0).then_some(()))
        })
        .await
        .unwrap();
    world.people.delete::<SpotPool>("early").await.unwrap();
    nothing_left(&world, "early").await;
}
