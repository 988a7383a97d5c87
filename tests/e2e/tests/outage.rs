//! The API server is away, its watches break, etcd comes back from its disk; the operator or its CRDs are taken away
//! before the pools. Nothing is launched or terminated by surprise, and it goes on by itself.
//!
//! Each test has an API server of its own.

use std::time::Duration;

use anyhow::Result;
use e2e::{FILLED_WITHIN, SOON, World};
use serde_json::json;
use spotpool_operator::crd::SpotPool;
use testkit::{ControlPlane, Signal};

async fn alone(name: &str) -> (ControlPlane, World) {
    let server = ControlPlane::start().await.unwrap();
    server.cluster().install_crds().unwrap();
    let mut world = World::prepare(server.cluster(), name, &[], false).await.unwrap();
    world.start_operator(&[]).await.unwrap();
    world.filled(name, 2, 2).await.unwrap();
    (server, world)
}

async fn ids(world: &World) -> Vec<String> {
    world.ours().await.unwrap().into_iter().map(|machine| machine.id).collect()
}

/// How often the cloud was asked to make or to end a machine.
async fn writes(world: &World) -> u64 {
    world.cloud.calls("RunInstances").await.unwrap() + world.cloud.calls("TerminateInstances").await.unwrap()
}

/// Two machines serve again and the lost one is not among them; nothing was doubled.
async fn made_whole(world: &World, name: &str, lost: &str) {
    world
        .until("the loss to be made up for", FILLED_WITHIN, async || {
            let status = world.people.pool(name).await?.status.unwrap_or_default();
            let there = world.ours().await?;
            let whole = there.len() == 2 && there.iter().all(|machine| machine.id != lost);
            Ok((whole && status.ready_size == 2).then_some(()))
        })
        .await
        .unwrap();
    assert_eq!(world.ever_made().await.unwrap(), 3, "two, and one for the one that was lost");
}

#[tokio::test]
async fn an_api_server_that_hangs_for_a_minute_costs_nothing_but_time() {
    let (server, world) = alone("hangs").await;
    server.api_server().signal(Signal::Stop).unwrap();
    let before = writes(&world).await;
    let lost = ids(&world).await.remove(0);
    world.cloud.vanish(&lost).await.unwrap();
    // Longer than any deadline of a call.
    world.sweeps_later(25).await.unwrap();
    assert_eq!(writes(&world).await, before, "without the API server nothing is launched or terminated");
    server.api_server().signal(Signal::Continue).unwrap();
    made_whole(&world, "hangs", &lost).await;
}

#[tokio::test]
async fn broken_watches_and_a_restarted_etcd_lose_nothing() {
    let (mut server, world) = alone("breaks").await;
    server.restart_api_server(Duration::from_secs(5)).await.unwrap();
    let lost = ids(&world).await.remove(0);
    world.cloud.vanish(&lost).await.unwrap();
    made_whole(&world, "breaks", &lost).await;

    let before = writes(&world).await;
    server.restart_etcd().await.unwrap();
    world.sweeps_later(5).await.unwrap();
    assert_eq!(writes(&world).await, before);
    let one = json!({"spec": {"minimum": 1, "maximum": 1}});
    world.people.edit::<SpotPool>("breaks", &one).await.unwrap();
    world.settled(1).await.unwrap();
}

#[tokio::test]
async fn crds_taken_away_without_an_operator_end_nothing_and_keep_machines_lets_all_live() {
    let (_server, mut world) = alone("removed").await;
    let before = ids(&world).await;
    world.operator = None;
    let kubectl = |arguments: &[&str]| world.people.kubectl(arguments).unwrap();
    kubectl(&["delete", "crd", "spotpools.demo.aiops.org", "spotinstances.demo.aiops.org", "--wait=false"]);
    let marked = async || -> Result<Option<()>> {
        let pool = world.people.pool("removed").await?;
        let all = world.people.instances().await?;
        let leaving = all.iter().all(|instance| instance.metadata.deletion_timestamp.is_some());
        Ok((pool.metadata.deletion_timestamp.is_some() && leaving && all.len() == 2).then_some(()))
    };
    world.until("pool and SpotInstances to be marked", SOON, marked).await.unwrap();
    assert_eq!(ids(&world).await, before, "nobody is there who would terminate anything");

    // As the runbook says: mark the pools before the operator comes back.
    kubectl(&["annotate", "sp", "--all", "demo.aiops.org/keep-machines=true"]);
    world.start_operator(&[]).await.unwrap();
    world
        .until("all objects to be gone", FILLED_WITHIN, async || {
            let left = world.people.cluster.kubectl_stdout(["get", "crd", "--output=name"])?;
            Ok((!left.contains("demo.aiops.org")).then_some(()))
        })
        .await
        .unwrap();
    assert_eq!(ids(&world).await, before, "and every machine lives");
}
