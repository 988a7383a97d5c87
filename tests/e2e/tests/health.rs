//! Machines that do not answer, and machines that are deleted by hand: replaced, and nobody is worse off.

use e2e::{FILLED_WITHIN, SOON, World};
use serde_json::json;
use spotpool_operator::conditions::{kind, reason};
use spotpool_operator::crd::{Phase, SpotInstance, SpotPool};

async fn silence(world: &World, name: &str) -> String {
    let instances = world.people.instances().await.unwrap();
    let of_name = |instance: &&SpotInstance| instance.metadata.name.as_deref() == Some(name);
    let status = instances.iter().find(of_name).and_then(|instance| instance.status.clone()).unwrap();
    let id = status.instance_id.unwrap();
    world.cloud.post(&format!("instances/{id}/model-server"), &json!({"behaviour": "die"})).await.unwrap();
    id
}

/// The SpotInstances that stay, by name, once there are these.
async fn come_to(world: &World, names: &[&str]) {
    world
        .until(&format!("{names:?}"), FILLED_WITHIN, async || {
            let instances = world.people.instances().await?;
            let serves = |instance: &SpotInstance| {
                instance.status.as_ref().is_some_and(|status| status.phase == Phase::Ready)
            };
            let all: Vec<&str> =
                instances.iter().filter_map(|instance| instance.metadata.name.as_deref()).collect();
            Ok((all == names && instances.iter().all(serves)).then_some(()))
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_machine_that_stops_answering_is_replaced_and_the_event_says_why() {
    let world = World::begin("sick").await.unwrap();
    let manifest = world.manifest("sick", 2, 2).unwrap().with("spec.health.interval", "1s");
    world.people.create::<SpotPool>(&manifest).await.unwrap();
    world.ready("sick").await.unwrap();
    silence(&world, "sick-1").await;
    come_to(&world, &["sick-2", "sick-3"]).await;
    let events = world.people.events_about("SpotPool", "sick").await.unwrap();
    let told = events.iter().find(|event| event.reason.as_deref() == Some("Unhealthy")).unwrap();
    let note = told.message.as_deref().unwrap_or_default();
    assert!(note.contains("sick-1") && note.contains("does not answer its health check"), "{note}");
}

#[tokio::test]
async fn the_only_machine_is_replaced_after_its_replacement_answers() {
    let world = World::begin("only").await.unwrap();
    let manifest = world.manifest("only", 1, 1).unwrap().with("spec.health.interval", "1s");
    world.people.create::<SpotPool>(&manifest).await.unwrap();
    world.ready("only").await.unwrap();
    let first = silence(&world, "only-1").await;
    let told = world
        .until("the question to be told", SOON, async || {
            let status = world.people.pool("only").await?.status.unwrap_or_default();
            let found =
                status.conditions.into_iter().find(|found| found.type_ == kind::HEALTH_CHECK_REACHABLE);
            Ok(found.filter(|found| found.reason == reason::ASKING_A_REPLACEMENT))
        })
        .await
        .unwrap();
    assert!(told.message.contains("only-1"), "{}", told.message);
    assert_eq!(world.cloud.calls("TerminateInstances").await.unwrap(), 0, "nobody goes before it answers");
    come_to(&world, &["only-2"]).await;
    let left = world.ours().await.unwrap();
    assert!(left.iter().all(|machine| machine.id != first), "{left:?}");
    world.people.condition("only", kind::HEALTH_CHECK_REACHABLE, "True", SOON).await.unwrap();
}

#[tokio::test]
async fn kubectl_delete_si_all_rolls_a_pool_and_never_fewer_serve_than_are_asked_for() {
    let world = World::begin("roll").await.unwrap();
    let manifest = world.manifest("roll", 2, 2).unwrap().with("spec.health.interval", "1s");
    world.people.create::<SpotPool>(&manifest).await.unwrap();
    world.ready("roll").await.unwrap();
    world.people.kubectl(&["delete", "si", "--all", "--wait=false"]).unwrap();
    let fewest = std::sync::atomic::AtomicI32::new(i32::MAX);
    let rolled = world
        .until("two others", FILLED_WITHIN, async || {
            let status = world.people.pool("roll").await?.status.unwrap_or_default();
            let told = i32::try_from(status.instances.len())?.min(status.size).min(status.ready_size);
            fewest.fetch_min(told, std::sync::atomic::Ordering::Relaxed);
            let instances = world.people.instances().await?;
            let names: Vec<String> =
                instances.into_iter().filter_map(|instance| instance.metadata.name).collect();
            Ok((names == ["roll-3", "roll-4"]).then_some(()))
        })
        .await;
    rolled.unwrap();
    assert!(fewest.into_inner() >= 2, "as many as are asked for serve all the time, and are told");
    assert_eq!(world.ever_made().await.unwrap(), 4);
}

#[tokio::test]
async fn when_neither_machines_nor_a_replacement_answer_the_way_to_them_is_suspected_and_nobody_goes() {
    let world = World::begin("cut").await.unwrap();
    let manifest = world.manifest("cut", 1, 1).unwrap().with("spec.health.startupTimeout", "10s");
    world.people.create::<SpotPool>(&manifest).await.unwrap();
    world.ready("cut").await.unwrap();
    // Nobody is at fault but who asks: nothing listens there.
    let port = async |port: u16| {
        let health = json!({"spec": {"health": {"port": port}}});
        world.people.edit::<SpotPool>("cut", &health).await.unwrap();
    };
    port(11435).await;
    let sentence = "neither the pool's machines nor a replacement answer the health check (cut-1, cut-2). Nothing is \
                    launched or terminated for that until one does: check the way from this operator to \
                    spec.health.port (network policy, security group, spec.network.address), and that the image serves \
                    spec.health.path";
    for condition in [("HealthCheckReachable", "False"), ("Stalled", "True")] {
        let told = world.people.told("cut", condition, &[sentence], FILLED_WITHIN).await.unwrap();
        assert_eq!((told.reason.as_str(), told.message.as_str()), ("NobodyAnswers", sentence));
    }
    world.people.warned("SpotPool", "cut", &["Stalled=True: ", sentence], SOON).await.unwrap();
    let unready = ["0 of 1 machines serve: see HealthCheckReachable"];
    let told = world.people.told("cut", ("Ready", "False"), &unready, SOON).await.unwrap();
    assert_eq!(told.reason, "NobodyAnswers");
    world.sweeps_later(3).await.unwrap();
    assert_eq!(world.ever_made().await.unwrap(), 2, "one replacement, and no other");
    assert_eq!(world.cloud.calls("TerminateInstances").await.unwrap(), 0);

    port(11434).await;
    world.people.condition("cut", "HealthCheckReachable", "True", SOON).await.unwrap();
    world.people.condition("cut", "Stalled", "False", SOON).await.unwrap();
    world.settled(1).await.unwrap();
}

#[tokio::test]
async fn a_spec_whose_machines_never_answer_is_given_up_after_two_and_what_serves_stays() {
    let world = World::begin("fails").await.unwrap();
    world.filled("fails", 1, 3).await.unwrap();
    // Whatever is made from now on never gets its model loaded.
    world.cloud.post("settings", &json!({"load": "10h"})).await.unwrap();
    let change = json!({"spec": {"minimum": 2, "instance": {"userData": "exit 1"}, "health": {"startupTimeout": "10s"}}});
    world.people.edit::<SpotPool>("fails", &change).await.unwrap();
    let sentence = "no machine made from the present spec ever answered (fails-4), and others do: no more of them are \
                    replaced. Check spec.imageId, spec.instance.userData, spec.securityGroupIds and spec.health; a \
                    changed spec is tried at once";
    let told = world.people.told("fails", ("Stalled", "True"), &[sentence], FILLED_WITHIN * 2).await.unwrap();
    assert_eq!((told.reason.as_str(), told.message.as_str()), ("BootsFail", sentence));
    world.people.warned("SpotPool", "fails", &["Stalled=True: ", sentence], SOON).await.unwrap();
    let words = [
        "fails-3: machine ",
        "did not answer its health check within spec.health.startupTimeout while others do",
    ];
    world.people.warned("SpotPool", "fails", &words, SOON).await.unwrap();
    world.sweeps_later(3).await.unwrap();
    assert_eq!(world.ever_made().await.unwrap(), 4, "no more of them");

    world.cloud.post("settings", &json!({"load": "1s"})).await.unwrap();
    let change = json!({"spec": {"instance": {"userData": "exit 0"}}});
    world.people.edit::<SpotPool>("fails", &change).await.unwrap();
    come_to(&world, &["fails-1", "fails-5"]).await;
    world.people.condition("fails", "Stalled", "False", SOON).await.unwrap();
}
