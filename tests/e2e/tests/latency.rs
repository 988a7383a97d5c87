//! How soon a lost machine is asked for again. A binary of its own, so that no other test takes the cores.

#![cfg(test)]

use std::time::Duration;

use e2e::World;
use jiff::Timestamp;
use serde_json::json;
use spotpool_operator::crd::SpotPool;
use testkit::{ControlPlane, SimEvent, wait};

const LOSSES: usize = 110;
const SIZE: i32 = 16;
const APART: Duration = Duration::from_millis(1150);
const P99: Duration = Duration::from_secs(3);
const ALL_WITHIN: Duration = Duration::from_secs(60);

fn at(event: &SimEvent) -> Timestamp {
    event.at.parse().unwrap()
}

/// Measured at the cloud: from the moment when a machine is gone to the arrival of RunInstances.
#[tokio::test]
async fn a_lost_machine_is_asked_for_again_within_three_seconds() {
    let control_plane = ControlPlane::shared().await.unwrap();
    let mut world = World::prepare(control_plane.cluster(), "latency", &[], false).await.unwrap();
    // As it runs in production: writing every line of every library takes time that is not the operator's.
    world.log_filter = "info";
    world.start_operator(&[]).await.unwrap();
    let manifest = world.manifest("prompt", SIZE, SIZE).unwrap().with("spec.health.interval", "5s");
    world.people.create::<SpotPool>(&manifest).await.unwrap();
    world.ready("prompt").await.unwrap();
    world.settled(usize::try_from(SIZE).unwrap()).await.unwrap();
    let begun = world.cloud.ledger(0).await.unwrap().last().unwrap().seq;

    // A sweep has seen a machine RUNNING when the operator shows that it serves.
    let mut next = tokio::time::Instant::now();
    for _ in 0..LOSSES {
        tokio::time::sleep_until(next).await;
        next = tokio::time::Instant::now() + APART;
        let victim = wait::until("a machine that serves", ALL_WITHIN, async || {
            let gone: Vec<_> =
                world.cloud.machines(false).await?.into_iter().map(|machine| machine.id).collect();
            let instances = world.people.instances().await?;
            Ok(instances.into_iter().find_map(|instance| {
                let status = instance.status?;
                let id = status.instance_id.filter(|id| gone.contains(id))?;
                (format!("{:?}", status.phase) == "Ready").then_some(id)
            }))
        })
        .await
        .unwrap();
        world.cloud.vanish(&victim).await.unwrap();
    }
    let (lost, asked) = world
        .until("every loss to be made up for", ALL_WITHIN, async || {
            let ledger = world.cloud.ledger(begun).await?;
            let lost: Vec<_> = ledger.iter().filter(|event| event.event == "gone").map(at).collect();
            let asks = |event: &&SimEvent| {
                event.event == "received" && event.action.as_deref() == Some("RunInstances")
            };
            let asked: Vec<_> = ledger.iter().filter(asks).map(at).collect();
            Ok((asked.len() >= LOSSES).then_some((lost, asked)))
        })
        .await
        .unwrap();
    assert_eq!((lost.len(), asked.len()), (LOSSES, LOSSES), "one request for each loss");

    // The first request answers the first loss, and so on: no pairing has a smaller worst case.
    let mut latencies: Vec<Duration> = lost
        .iter()
        .zip(&asked)
        .map(|(lost, asked)| Duration::try_from(asked.duration_since(*lost)).unwrap())
        .collect();
    latencies.sort();
    let p = |percent: usize| latencies[(LOSSES * percent).div_ceil(100) - 1];
    println!(
        "lost -> asked for again: p50 {:?}, p90 {:?}, p99 {:?}, worst {:?}",
        p(50),
        p(90),
        p(99),
        p(100)
    );
    assert!(p(99) <= P99, "p99 is {:?}: {latencies:?}", p(99));

    let all = json!({"spec": {"minimum": 0, "maximum": 0}});
    world.people.edit::<SpotPool>("prompt", &all).await.unwrap();
}
