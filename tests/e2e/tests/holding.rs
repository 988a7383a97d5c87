//! What is wrong is said in a condition and an Event (which field, what the cloud answered, what to do);
//! writes stop, nothing is terminated, and it goes on by itself once it is right.

use e2e::{FILLED_WITHIN, SECRET_ID, SECRET_KEY, SOON, World};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use serde_json::{Value, json};
use spotpool_operator::crd::{SpotInstance, SpotPool};
use testkit::{ControlPlane, SimEvent};

/// Both the condition and a Warning Event have every one of the words, and a RequestId.
async fn is_said(world: &World, pool: &str, condition: (&str, &str), words: &[&str]) {
    is_written(world, pool, condition, &[words, &["RequestId"]].concat()).await;
}

/// Both the condition and a Warning Event have every one of the words.
async fn is_written(world: &World, pool: &str, condition: (&str, &str), words: &[&str]) {
    world.people.told(pool, condition, words, SOON).await.unwrap();
    world.people.warned("SpotPool", pool, words, SOON).await.unwrap();
}

async fn asks(world: &World) -> u64 {
    world.cloud.calls("RunInstances").await.unwrap()
}

#[tokio::test]
async fn a_wrong_image_is_named_with_what_the_cloud_answered_and_what_runs_stays() {
    let world = World::begin("image").await.unwrap();
    world.filled("image", 1, 3).await.unwrap();
    let wrong = json!({"spec": {"imageId": "img-99999999", "minimum": 2}});
    world.people.edit::<SpotPool>("image", &wrong).await.unwrap();
    is_said(&world, "image", ("Stalled", "True"), &["spec.imageId", "InvalidImageId"]).await;
    let asked = asks(&world).await;
    world.sweeps_later(3).await.unwrap();
    assert!(asks(&world).await <= asked + 2, "{asked} requests have become {}", asks(&world).await);
    assert_eq!(world.ours().await.unwrap().len(), 1, "the machine that runs stays");

    let right = json!({"spec": {"imageId": "img-5gn3j31i"}});
    world.people.edit::<SpotPool>("image", &right).await.unwrap();
    world.ready("image").await.unwrap();
    world.settled(2).await.unwrap();
    world.people.condition("image", "Stalled", "False", SOON).await.unwrap();
}

#[tokio::test]
async fn a_wrong_subnet_is_named_with_what_the_cloud_answered() {
    let world = World::begin("subnet").await.unwrap();
    let wrong = world.manifest("subnet", 1, 1).unwrap().with("spec.subnetId", "subnet-00000000");
    world.people.create::<SpotPool>(&wrong).await.unwrap();
    is_said(&world, "subnet", ("Stalled", "True"), &["spec.subnetId"]).await;
    assert_eq!(world.ever_made().await.unwrap(), 0);
}

#[tokio::test]
async fn a_region_that_does_not_exist_is_named() {
    let world = World::begin("region").await.unwrap();
    let wrong = world.manifest("region", 1, 1).unwrap().with("spec.region", "ap-nowhere");
    world.people.create::<SpotPool>(&wrong).await.unwrap();
    is_said(&world, "region", ("Stalled", "True"), &["spec.region"]).await;
    assert_eq!(asks(&world).await, 0);
}

#[tokio::test]
async fn a_wrong_key_stops_all_writes_and_keeps_what_runs() {
    let world = World::begin("key").await.unwrap();
    world.filled("key", 2, 2).await.unwrap();
    let machines = world.ours().await.unwrap();
    // The one of the same SecretId is replaced.
    world.add_key("main", SECRET_ID, "fakeSecretKeyRotated", None).await.unwrap();
    is_said(&world, "key", ("CredentialsValid", "False"), &["AuthFailure", "spec.secret"]).await;

    // A machine is lost, the size is changed: nothing may be done about it with a key that does not work.
    let (asked, ended) = (asks(&world).await, world.cloud.calls("TerminateInstances").await.unwrap());
    world.cloud.vanish(&machines[0].id).await.unwrap();
    world.people.edit::<SpotPool>("key", &json!({"spec": {"minimum": 0, "maximum": 0}})).await.unwrap();
    world.observed("key").await.unwrap();
    assert_eq!(asks(&world).await, asked);
    assert_eq!(world.cloud.calls("TerminateInstances").await.unwrap(), ended);
    assert_eq!(world.ours().await.unwrap().len(), 1);
    assert_eq!(world.people.instances().await.unwrap().len(), 2, "never blind: no count is lowered");

    let right = json!({"spec": {"secretKey": "fakeSecretKeyRotated"}});
    world.people.edit::<SpotPool>("key", &right).await.unwrap();
    world.people.condition("key", "CredentialsValid", "True", SOON).await.unwrap();
    world.settled(0).await.unwrap();
}

#[tokio::test]
async fn a_key_that_never_worked_launches_nothing() {
    let world = World::begin("never").await.unwrap();
    let key = world.plant("fakeSecretKeyWrong");
    let wrong = world.manifest("never", 1, 1).unwrap().with("spec.secretKey", key);
    world.people.create::<SpotPool>(&wrong).await.unwrap();
    is_said(&world, "never", ("CredentialsValid", "False"), &["AuthFailure", "spec.secret"]).await;
    assert_eq!(asks(&world).await, 0);
    // Nothing was ever made, so that nothing is held back.
    world.people.kubectl(&["delete", "sp", "never", "--timeout=30s"]).unwrap();
}

#[tokio::test]
async fn inline_keys_work_and_warn() {
    let world = World::begin("inline").await.unwrap();
    world.filled("inline", 1, 1).await.unwrap();
    let valid = world.people.condition("inline", "CredentialsValid", "True", SOON).await.unwrap();
    assert_eq!(valid.reason, "InlineKeys");
    assert!(valid.message.contains("spec.credentialsSecretRef"), "{}", valid.message);
    let events = world.people.events_about("SpotPool", "inline").await.unwrap();
    let warned = events.iter().any(|event| {
        let advises = event.message.as_ref().is_some_and(|note| note.contains("credentialsSecretRef"));
        event.type_.as_deref() == Some("Warning") && advises
    });
    assert!(warned, "{events:#?}");
}

const KEY: [(&str, &str); 2] = [("secretId", SECRET_ID), ("secretKey", SECRET_KEY)];

/// A pool of two that is Ready, with its key in the Secret `cloud`.
async fn with_a_secret(name: &str) -> World {
    let world = World::begin(name).await.unwrap();
    world.people.create_secret("cloud", &KEY).await.unwrap();
    let manifest = world.manifest(name, 2, 2).unwrap().keyed_by("cloud");
    world.people.create::<SpotPool>(&manifest).await.unwrap();
    world.ready(name).await.unwrap();
    world
}

#[tokio::test]
async fn a_deleted_secret_is_held_as_long_as_machines_need_it() {
    let world = with_a_secret("held").await;
    let held = world.people.api::<Secret>().get("cloud").await.unwrap();
    assert_eq!(held.finalizers(), ["demo.aiops.org/spotpool-held"]);

    world.people.kubectl(&["delete", "secret", "cloud", "--wait=false"]).unwrap();
    // Nobody woke the pool: the Secret is looked after.
    let valid = ("CredentialsValid", "True");
    let told = world.people.told("held", valid, &["Secret cloud was deleted"], SOON).await.unwrap();
    assert_eq!(told.reason, "SecretDeleted");
    // The key works on: what is lost is made up for.
    let lost = &world.ours().await.unwrap()[0].id;
    world.cloud.vanish(lost).await.unwrap();
    world
        .until("the lost machine to be replaced", FILLED_WITHIN, async || {
            let there = world.ours().await?;
            Ok((there.len() == 2 && there.iter().all(|machine| machine.id != *lost)).then_some(()))
        })
        .await
        .unwrap();

    world.people.delete::<SpotPool>("held").await.unwrap();
    world
        .until("pool, machines and Secret to be gone", FILLED_WITHIN, async || {
            let pool = world.people.api::<SpotPool>().get_opt("held").await?;
            let secret = world.people.api::<Secret>().get_opt("cloud").await?;
            Ok((pool.is_none() && secret.is_none() && world.ours().await?.is_empty()).then_some(()))
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_rotated_an_emptied_and_a_restored_secret_are_noticed_without_a_hint() {
    let world = with_a_secret("rotated").await;
    let write = async |key: &str| {
        let data = json!({"stringData": {"secretKey": key}});
        world.people.edit::<Secret>("cloud", &data).await.unwrap();
    };
    write("").await;
    let (valid, no) = ("CredentialsValid", "False");
    is_written(&world, "rotated", (valid, no), &["Secret cloud", "secretId and secretKey, both not empty"])
        .await;
    write(world.plant("fakeSecretKeyMistyped")).await;
    is_said(&world, "rotated", (valid, no), &["AuthFailure.SignatureFailure", "spec.credentialsSecretRef"])
        .await;
    let before = world.ours().await.unwrap();
    write(SECRET_KEY).await;
    world.people.condition("rotated", valid, "True", SOON).await.unwrap();
    assert_eq!(
        world.ours().await.unwrap().len(),
        before.len(),
        "nothing was launched or terminated meanwhile"
    );
}

#[tokio::test]
async fn a_missing_secret_holds_everything_until_it_is_back() {
    let world = with_a_secret("secret").await;
    world.people.kubectl(&["delete", "secret", "cloud", "--wait=false"]).unwrap();
    world.people.release::<Secret>("cloud").await.unwrap();
    // Deleting the pool now would leave machines that bill: it holds and says which.
    world.people.delete::<SpotPool>("secret").await.unwrap();
    let instances = world.people.instances().await.unwrap();
    let id = |instance: &SpotInstance| instance.status.as_ref()?.instance_id.clone();
    let ids: Vec<String> = instances.iter().filter_map(id).collect();
    let sentence = format!(
        "Secret cloud of spec.credentialsSecretRef does not exist in namespace {}; create it with the keys secretId and \
         secretKey. Until that is over nothing is launched, replaced or terminated, and the machines that run are left \
         as they are. These machines wait to be terminated and are billed until then: {}.",
        world.people.namespace,
        ids.join(", ")
    );
    assert_eq!(ids.len(), 2, "{ids:?}");
    for condition in [("CredentialsValid", "False"), ("Stalled", "True")] {
        let told = world.people.told("secret", condition, &[&sentence], SOON).await.unwrap();
        assert_eq!((told.reason.as_str(), told.message), ("SecretNotFound", sentence.clone()));
    }
    assert_eq!(world.ours().await.unwrap().len(), 2);

    world.people.create_secret("cloud", &KEY).await.unwrap();
    world
        .until("the pool to be gone", FILLED_WITHIN, async || {
            let gone = world.people.api::<SpotPool>().get_opt("secret").await?.is_none();
            Ok((gone && world.ours().await?.is_empty()).then_some(()))
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_sold_out_zone_is_asked_ever_more_seldom_and_filled_when_there_is_stock_again() {
    let world = World::begin("stock").await.unwrap();
    let stock =
        |count: u32| json!({"zone": "ap-singapore-2", "instance_type": "GN7.2XLARGE32", "count": count});
    world.cloud.post("stock", &stock(0)).await.unwrap();
    world.people.create::<SpotPool>(&world.manifest("stock", 2, 2).unwrap()).await.unwrap();
    is_said(&world, "stock", ("CapacityAvailable", "False"), &["GN7.2XLARGE32", "ap-singapore-2"]).await;
    let asked = world
        .until("four refusals", FILLED_WITHIN, async || {
            let ledger = world.cloud.ledger(0).await?;
            let asks = |event: &&SimEvent| {
                event.event == "received" && event.action.as_deref() == Some("RunInstances")
            };
            let asked: Vec<Timestamp> =
                ledger.iter().filter(asks).map(|event| event.at.parse().unwrap()).collect();
            Ok((asked.len() >= 4).then_some(asked))
        })
        .await
        .unwrap();
    let first = asked[1].duration_since(asked[0]).as_secs_f64();
    let third = asked[3].duration_since(asked[2]).as_secs_f64();
    assert!(first >= 0.5 && third >= 1.5 * first, "{first} s apart, later {third} s");
    world.cloud.post("stock", &stock(10)).await.unwrap();
    world.ready("stock").await.unwrap();
    world.settled(2).await.unwrap();
}

#[tokio::test]
async fn no_log_line_event_or_status_shows_the_secret_key() {
    let control_plane = ControlPlane::shared().await.unwrap();
    let mut world = World::prepare(control_plane.cluster(), "quiet", &[], false).await.unwrap();
    world.log_filter = "trace";
    world.start_operator(&[]).await.unwrap();
    world.filled("quiet", 1, 1).await.unwrap();
    world.cloud.delete(&format!("credentials/{SECRET_ID}")).await.unwrap();
    world.people.condition("quiet", "CredentialsValid", "False", SOON).await.unwrap();
    let log = world.operator.as_ref().unwrap().process.log();
    assert!(!log.contains(SECRET_KEY), "the log shows the key");
    assert!(log.contains("hyper_util::") && log.contains("tower::"), "the libraries are not heard");
    let events = world.people.events_about("SpotPool", "quiet").await.unwrap();
    assert!(!format!("{events:?}").contains(SECRET_KEY), "an Event shows the key");
    for instance in world.people.instances().await.unwrap() {
        let text = serde_json::to_value(&instance).unwrap().to_string();
        assert!(!text.contains(SECRET_KEY), "{} shows the key", instance.name_any());
    }
    let pool = serde_json::to_value(world.people.pool("quiet").await.unwrap()).unwrap();
    assert!(!pool.get("status").unwrap_or(&Value::Null).to_string().contains(SECRET_KEY));
}

#[tokio::test]
async fn what_is_sold_out_in_one_zone_is_bought_in_the_next_and_the_status_names_both() {
    let world = World::begin("candidates").await.unwrap();
    let kind = "GN7.2XLARGE32";
    let stock = |zone: &str, count: u32| json!({"zone": zone, "instance_type": kind, "count": count});
    let candidate = |zone: &str, subnet: &str| json!({"instanceType": kind, "availabilityZone": zone, "subnetId": subnet});
    let both =
        [candidate("ap-singapore-2", "subnet-gfrv79s2"), candidate("ap-singapore-3", "subnet-h4kq21mz")];
    world.cloud.post("stock", &stock("ap-singapore-2", 0)).await.unwrap();
    world.cloud.post("stock", &stock("ap-singapore-3", 1)).await.unwrap();
    let manifest = world.manifest("choosy", 2, 2).unwrap().with("spec.candidates", json!(both));
    world.people.create::<SpotPool>(&manifest).await.unwrap();
    let capacity = async |status: &str| {
        let told = world.people.condition("choosy", "CapacityAvailable", status, FILLED_WITHIN).await;
        told.unwrap().message
    };
    let told = capacity("False").await;
    for zone in ["ap-singapore-2", "ap-singapore-3"] {
        assert!(told.contains(&format!("{kind} in {zone}: ")), "{told}");
    }
    assert_eq!(world.ours().await.unwrap().len(), 1, "the one machine of the second zone");
    world.cloud.post("stock", &stock("ap-singapore-2", 5)).await.unwrap();
    world.ready("choosy").await.unwrap();
    let zone = |instance: &SpotInstance| instance.status.as_ref().and_then(|status| status.zone.clone());
    let mut zones: Vec<_> = world.settled(2).await.unwrap().iter().filter_map(zone).collect();
    zones.sort();
    assert_eq!(zones, ["ap-singapore-2", "ap-singapore-3"]);
}
