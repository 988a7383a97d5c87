//! What seldom happens, as a person reads it: a cloud that cannot be reached, machines that are accepted and never made,
//! renamed at the console, or of another cluster.

use e2e::{FILLED_WITHIN, Manifest, SOON, World};
use jiff::Timestamp;
use kube::ResourceExt;
use serde_json::json;
use spotpool_operator::crd::{SpotInstance, SpotPool};
use testkit::Signal;

const MEANWHILE: &str = "Until that is over nothing is launched, replaced or terminated, and the machines that run are left \
                         as they are. The cloud is asked again every few seconds.";

/// That the pool was not reached on the way to the first look.
async fn is_unreachable(world: &World, pool: &str, (what, cause, then): (&str, &str, &str)) {
    let words = [what, cause, then];
    let told = world.people.told(pool, ("CredentialsValid", "Unknown"), &words, SOON * 2).await.unwrap();
    assert_eq!(told.reason, "CloudUnreachable");
    assert!(told.message.starts_with(what) && told.message.ends_with(then), "{}", told.message);
}

#[tokio::test]
async fn a_cloud_that_cannot_be_reached_is_told_at_once_before_the_first_look_and_after_half_a_minute_later()
{
    let mut world = World::begin("away").await.unwrap();
    world.filled("away", 1, 1).await.unwrap();

    // No answer comes to an operator that has just begun.
    let cut = json!({"fault": {"kind": "lost_request", "loss": "reset"}});
    let cut = world.cloud.add_fault(&cut).await.unwrap();
    world.start_operator(&[]).await.unwrap();
    let unknown = "DescribeInstances: sent, but the outcome is unknown: ";
    is_unreachable(&world, "away", (unknown, "error sending request", MEANWHILE)).await;
    world.cloud.delete(&format!("faults/{cut}")).await.unwrap();
    world.people.condition("away", "CredentialsValid", "True", SOON).await.unwrap();
    world.people.condition("away", "Ready", "True", SOON).await.unwrap();

    // Nothing listens any more where the cloud was.
    let since = Timestamp::now();
    world.cloud.process().signal(Signal::Kill).unwrap();
    let nothing = "DescribeInstances: nothing was sent: ";
    is_unreachable(
        &world,
        "away",
        (nothing, "Connection refused", "The machines that run are left as they are."),
    )
    .await;
    let told = world.people.condition("away", "CredentialsValid", "Unknown", SOON).await.unwrap();
    let after = told.last_transition_time.0.duration_since(since).as_secs();
    assert!(after >= 25, "a hiccup of {after} s is no outage");
    let words = ["CredentialsValid=Unknown: ", nothing, "Connection refused"];
    world.people.warned("SpotPool", "away", &words, SOON).await.unwrap();
    world.start_operator(&[]).await.unwrap();
    is_unreachable(&world, "away", (nothing, "Connection refused", MEANWHILE)).await;
}

#[tokio::test]
async fn a_machine_that_is_accepted_and_never_made_is_told_and_another_is_asked_for() {
    let world = World::begin("unmade").await.unwrap();
    let fails = json!({"fault": {"kind": "launch_fails"}, "action": "RunInstances"});
    let fails = world.cloud.add_fault(&fails).await.unwrap();
    world.people.create::<SpotPool>(&world.manifest("unmade", 1, 1).unwrap()).await.unwrap();
    let sentence = "the machine was accepted and then could not be made. Wait for stock, or allow other instance types or \
                    zones. Refused or failed ";
    let words = [sentence, " times since the last success; next try at 20"];
    let told =
        world.people.told("unmade", ("CapacityAvailable", "False"), &words, FILLED_WITHIN).await.unwrap();
    assert_eq!(told.reason, "LaunchFailed");
    let words = ["CapacityAvailable=False: ", sentence];
    world.people.warned("SpotPool", "unmade", &words, SOON).await.unwrap();
    let words = ["unmade-1: machine ins-", " was accepted and then could not be made; another is asked for"];
    world.people.warned("SpotPool", "unmade", &words, SOON).await.unwrap();

    world.cloud.delete(&format!("faults/{fails}")).await.unwrap();
    world.ready("unmade").await.unwrap();
    world.people.condition("unmade", "CapacityAvailable", "True", SOON).await.unwrap();
}

#[tokio::test]
async fn a_machine_that_was_renamed_by_hand_is_not_terminated_before_its_name_is_back() {
    let world = World::begin("renamed").await.unwrap();
    world.filled("renamed", 1, 1).await.unwrap();
    let none = json!({"spec": {"minimum": 0}});
    world.people.edit::<SpotPool>("renamed", &none).await.unwrap();
    world.observed("renamed").await.unwrap();
    let machine = world.ours().await.unwrap().remove(0);
    let (id, name) = (machine.id, machine.name);
    let rename = format!("instances/{id}/name");
    world.cloud.post(&rename, &json!({"name": "somebody-elses-by-now"})).await.unwrap();
    world.sweeps_later(2).await.unwrap();
    world.people.delete::<SpotInstance>("renamed-1").await.unwrap();

    let sentence = format!(
        "{id} should go, but name or tags were changed by hand, so they may be anybody's by now: give them back (see the \
         Events of the SpotInstances) or terminate the machines by hand"
    );
    let told = world.people.told("renamed", ("Stalled", "True"), &[&sentence], SOON).await.unwrap();
    assert_eq!((told.reason, &told.message), ("DisputedMachine".to_owned(), &sentence));
    world.people.warned("SpotPool", "renamed", &["Stalled=True: ", &sentence], SOON).await.unwrap();
    let advice = format!(
        "renamed-1: machine {id} has been renamed; give it its name {name} back, or terminate it by hand"
    );
    let said = world.people.warned("SpotInstance", "renamed-1", &[&advice], SOON).await.unwrap();
    assert_eq!(said, advice);
    world.sweeps_later(2).await.unwrap();
    assert_eq!(world.cloud.calls("TerminateInstances").await.unwrap(), 0);

    world.cloud.post(&rename, &json!({"name": name})).await.unwrap();
    world
        .until("the machine to be gone", FILLED_WITHIN, async || {
            let gone = world.people.instances().await?.is_empty();
            Ok((gone && world.ours().await?.is_empty()).then_some(()))
        })
        .await
        .unwrap();
    world.people.condition("renamed", "Stalled", "False", SOON).await.unwrap();
}

#[tokio::test]
async fn a_spot_instance_of_another_cluster_that_is_deleted_here_is_named_and_left_to_that_cluster() {
    let world = World::begin("copied").await.unwrap();
    let pool = world.people.create::<SpotPool>(&world.manifest("copied", 0, 1).unwrap()).await.unwrap();
    // As a restored backup of another cluster's objects has it.
    let instance = Manifest::spot_instance("copied-1")
        .with("metadata.labels", json!({"demo.aiops.org/pool": "copied"}))
        .with("metadata.finalizers", json!(["demo.aiops.org/machine"]))
        .with("spec.pool", json!({"name": "copied", "uid": pool.uid()}))
        .with("spec.clusterId", "another-cluster");
    world.people.create::<SpotInstance>(&instance).await.unwrap();
    world.people.delete::<SpotInstance>("copied-1").await.unwrap();
    let words = [
        "these SpotInstances are being deleted and were made in another cluster, whose operator alone may terminate",
        "their machines, so nothing happens to them here: copied-1.",
        "If that cluster is gone, or this one is a copy of it,",
        "remove their finalizers, and terminate the machines by hand or let the pool take them over",
    ];
    let told = world.people.told("copied", ("Stalled", "True"), &words, SOON).await.unwrap();
    assert_eq!(told.reason, "OtherCluster");
    let words = ["Stalled=True: ", words[0], words[1]];
    world.people.warned("SpotPool", "copied", &words, SOON).await.unwrap();
    world.sweeps_later(2).await.unwrap();
    assert_eq!(world.people.instances().await.unwrap().len(), 1);

    world.people.release::<SpotInstance>("copied-1").await.unwrap();
    world.people.condition("copied", "Stalled", "False", SOON).await.unwrap();
}
