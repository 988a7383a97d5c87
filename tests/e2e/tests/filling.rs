//! A pool is filled, kept full, and follows its minimum and maximum.

use e2e::{FILLED_WITHIN, Manifest, SECRET_ID, SECRET_KEY, SOON, World};
use kube::ResourceExt;
use serde_json::json;
use spotpool_operator::crd::{SpotInstance, SpotPool};

#[tokio::test]
async fn an_empty_pool_is_filled_and_people_can_see_it() {
    let world = World::begin("filling").await.unwrap();
    let pool = world.filled("sample", 2, 2).await.unwrap();
    let people = &world.people;
    world.settled(2).await.unwrap();

    let waited = people.kubectl(&["wait", "sp/sample", "--for=condition=Ready", "--timeout=5s"]).unwrap();
    assert!(waited.contains("condition met"), "{waited}");

    let shown = people.kubectl(&["get", "sp", "--no-headers"]).unwrap();
    let columns: Vec<_> = shown.split_whitespace().collect();
    assert_eq!(columns[..5], ["sample", "2/2", "2", "2", "2"], "{shown}");

    let shown = people.kubectl(&["get", "si", "--no-headers"]).unwrap();
    for (line, n) in shown.lines().zip(1..) {
        let columns: Vec<_> = line.split_whitespace().collect();
        let (name, machine_type) = (format!("sample-{n}"), "GN7.2XLARGE32");
        assert_eq!(columns[..5], [&name, "sample", "Ready", machine_type, "ap-singapore-2"], "{line}");
        assert!(columns[5].parse::<std::net::IpAddr>().is_ok(), "{line}");
    }

    let status = pool.status.unwrap();
    assert_eq!((status.size, status.ready_size, status.replicas, status.launched), (2, 2, 2, 2));
    let mut named: Vec<_> = status.instances.iter().map(|member| member.instance_id.clone()).collect();
    let mut real: Vec<_> = world.ours().await.unwrap().into_iter().map(|machine| machine.id).collect();
    named.sort();
    real.sort();
    assert_eq!(named, real);
    assert_eq!(status.selector.as_deref(), Some("demo.aiops.org/pool=sample"));

    let described = people.kubectl(&["describe", "sp", "sample"]).unwrap();
    let (_, events) = described.split_once("Events:").unwrap();
    for machine in &real {
        let launched = |line: &str| line.contains("Launched") && line.contains(machine);
        assert!(events.lines().any(launched), "{machine}: {events}");
    }
}

#[tokio::test]
async fn the_default_network_and_a_secret_work_as_well() {
    let world = World::begin("default-network").await.unwrap();
    let key = [("secretId", SECRET_ID), ("secretKey", SECRET_KEY)];
    world.people.create_secret("cloud", &key).await.unwrap();
    let manifest = world
        .manifest("default", 1, 1)
        .unwrap()
        .keyed_by("cloud")
        .with("spec.subnetId", "DEFAULT")
        .with("spec.vpcId", "DEFAULT");
    world.people.create::<SpotPool>(&manifest).await.unwrap();
    world.ready("default").await.unwrap();
    let valid = world.people.condition("default", "CredentialsValid", "True", SOON).await.unwrap();
    assert_ne!(valid.reason, "InlineKeys");
    assert_eq!(world.ours().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_lost_machine_is_replaced_and_a_stranger_is_left_alone() {
    let world = World::begin("replacing").await.unwrap();
    let stranger = world.cloud.add_stranger("somebody-elses").await.unwrap();
    world.filled("lossy", 2, 2).await.unwrap();
    let before = world.settled(2).await.unwrap();
    let lost = before[0].status.as_ref().unwrap().instance_id.clone().unwrap();
    world.cloud.vanish(&lost).await.unwrap();

    world
        .until("a replacement", FILLED_WITHIN, async || {
            let instances = world.people.instances().await?;
            let same = instances.iter().any(|instance| instance.name_any() == before[0].name_any());
            Ok((!same && instances.len() == 2).then_some(()))
        })
        .await
        .unwrap();
    world.settled(2).await.unwrap();
    assert_eq!(world.ever_made().await.unwrap(), 3);
    let left: Vec<_> = world.cloud.machines(false).await.unwrap();
    assert!(left.iter().any(|machine| machine.id == stranger), "{left:#?}");
    let events = world.people.events_about("SpotPool", "lossy").await.unwrap();
    assert!(
        events.iter().any(|event| event.message.as_ref().is_some_and(|note| note.contains(&lost))),
        "{events:#?}"
    );
}

#[tokio::test]
async fn minimum_and_maximum_may_be_edited_at_any_time() {
    let world = World::begin("editing").await.unwrap();
    world.filled("elastic", 1, 3).await.unwrap();
    world.settled(1).await.unwrap();

    world.people.edit::<SpotPool>("elastic", &json!({"spec": {"minimum": 3}})).await.unwrap();
    world.settled(3).await.unwrap();

    // Any size between minimum and maximum is left alone; only a lower maximum takes machines away.
    world.people.edit::<SpotPool>("elastic", &json!({"spec": {"minimum": 1}})).await.unwrap();
    world.ready("elastic").await.unwrap();
    world.people.edit::<SpotPool>("elastic", &json!({"spec": {"maximum": 2}})).await.unwrap();
    world.settled(2).await.unwrap();
    world.ready("elastic").await.unwrap();
    assert_eq!(world.ever_made().await.unwrap(), 3);

    world.people.edit::<SpotPool>("elastic", &json!({"spec": {"minimum": 0, "maximum": 0}})).await.unwrap();
    world.settled(0).await.unwrap();
    let pool = world.ready("elastic").await.unwrap();
    assert_eq!(pool.status.unwrap().ready.as_deref(), Some("0/0"));
}

#[tokio::test]
async fn a_deleted_spot_instance_is_replaced_before_its_machine_goes() {
    let world = World::begin("deleting-si").await.unwrap();
    world.filled("steady", 2, 2).await.unwrap();
    let before = world.settled(2).await.unwrap();
    let leaving = before[0].name_any();
    let machine = before[0].status.as_ref().unwrap().instance_id.clone().unwrap();
    world.people.delete::<SpotInstance>(&leaving).await.unwrap();

    world
        .until("the deleted SpotInstance to be gone", FILLED_WITHIN, async || {
            let instances = world.people.instances().await?;
            Ok(instances.iter().all(|instance| instance.name_any() != leaving).then_some(()))
        })
        .await
        .unwrap();
    world.settled(2).await.unwrap();
    let gone = world.cloud.machines(true).await.unwrap();
    let gone = gone.iter().find(|other| other.id == machine).unwrap();
    assert_eq!(gone.why_gone.as_deref(), Some("terminated"));
    assert_eq!(world.ever_made().await.unwrap(), 3);
}

#[tokio::test]
async fn a_broken_object_never_stalls_the_others() {
    let world = World::begin("broken").await.unwrap();
    // Made by hand, for no pool, with a number that no pool ever gave.
    world
        .people
        .create::<SpotInstance>(
            &Manifest::spot_instance("by-hand-77")
                .with("metadata.labels", json!({"demo.aiops.org/pool": "healthy"}))
                .with("spec.n", 77),
        )
        .await
        .unwrap();
    // Nothing of this pool exists in the cloud.
    let wrong = world.manifest("wrong", 1, 1).unwrap().with("spec.imageId", "img-00000000");
    world.people.create::<SpotPool>(&wrong).await.unwrap();
    world.people.create::<SpotPool>(&world.manifest("healthy", 1, 1).unwrap()).await.unwrap();
    world.ready("healthy").await.unwrap();
    assert_eq!(world.ours().await.unwrap().len(), 1);
}
