//! One operator works, the others stand by: the Lease, and the order in which a process ends.
//!
//! The Lease has one name, so these tests have an API server of their own and run one after the other.

use std::time::Duration;

use e2e::{FILLED_WITHIN, People, SOON, World};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use runtime::Health;
use runtime::leader::Candidate;
use serde_json::json;
use spotpool_operator::crd::{AttemptOutcome, SpotInstance, SpotPool};
use testkit::{ControlPlane, OPERATOR_NAMESPACE, Operator, Signal, wait};
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use tokio::time::{Instant, sleep_until};

static SERVER: OnceCell<ControlPlane> = OnceCell::const_new();
static TURN: Mutex<()> = Mutex::const_new(());

async fn elections() -> (MutexGuard<'static, ()>, &'static ControlPlane) {
    let turn = TURN.lock().await;
    let server = SERVER
        .get_or_init(async || {
            let server = ControlPlane::start().await.unwrap();
            server.cluster().install_crds().unwrap();
            server
        })
        .await;
    (turn, server)
}

async fn holder(world: &World) -> anyhow::Result<Option<String>> {
    let leases = Api::<Lease>::namespaced(world.people.cluster.client().await?, OPERATOR_NAMESPACE);
    let lease = leases.get_opt("spotpool-operator").await?;
    Ok(lease.and_then(|lease| lease.spec?.holder_identity).filter(|holder| !holder.is_empty()))
}

/// Waits until this world's operator leads (the last test's may have died with the Lease in its hands), and
/// returns who holds the Lease then.
async fn leading(world: &World) -> String {
    let operator = world.operator.as_ref().unwrap();
    wait::until("the operator to lead", SOON, async || {
        Ok((readiness(operator).await.trim() == "leading").then_some(()))
    })
    .await
    .unwrap();
    holder(world).await.unwrap().unwrap()
}

async fn readiness(operator: &Operator) -> String {
    let url = format!("http://{}/readyz", operator.address());
    reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap()
}

/// The next RunInstances takes effect, and its answer takes its time.
async fn slow_answer(world: &World, delay: &str) {
    let fault =
        json!({"fault": {"kind": "slow_answer", "delay": delay}, "action": "RunInstances", "count": 1});
    world.cloud.add_fault(&fault).await.unwrap();
}

async fn asked(world: &World) {
    world
        .until("RunInstances to arrive", SOON, async || {
            let ledger = world.cloud.ledger(0).await?;
            let launched = ledger.iter().any(|event| event.event == "launched");
            Ok(launched.then_some(()))
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_standby_takes_over_within_15_seconds_of_a_kill_and_nothing_is_doubled() {
    let (_turn, server) = elections().await;
    let mut world = World::prepare(server.cluster(), "takeover", &[], true).await.unwrap();
    world.start_operator(&[]).await.unwrap();
    let first = leading(&world).await;
    let standby = world.further_operator("standby", &[]).await.unwrap();
    assert_eq!(readiness(&standby).await.trim(), "standing by");

    // Killed while the cloud is making a machine that nobody has been told of.
    slow_answer(&world, "20s").await;
    world.people.create::<SpotPool>(&world.manifest("doubled", 2, 2).unwrap()).await.unwrap();
    asked(&world).await;
    world.operator.as_ref().unwrap().process.signal(Signal::Kill).unwrap();
    let within = Duration::from_secs(15);
    let second = wait::until("the standby to lead", within, async || {
        Ok(holder(&world).await?.filter(|holder| *holder != first))
    })
    .await
    .unwrap();
    assert_ne!(first, second);
    world.operator = Some(standby);

    world.ready("doubled").await.unwrap();
    world.settled(2).await.unwrap();
    assert_eq!(world.ever_made().await.unwrap(), 2, "no machine is bought twice");
}

#[tokio::test]
async fn a_leader_told_to_end_records_the_clouds_answer_before_it_gives_the_lease_back() {
    let (_turn, server) = elections().await;
    let mut world = World::prepare(server.cluster(), "graceful", &[], true).await.unwrap();
    world.start_operator(&[]).await.unwrap();
    let leader = leading(&world).await;
    slow_answer(&world, "6s").await;
    world.people.create::<SpotPool>(&world.manifest("graceful", 1, 1).unwrap()).await.unwrap();
    asked(&world).await;

    let mut operator = world.operator.take().unwrap();
    operator.process.signal(Signal::Terminate).unwrap();
    // As soon as the Lease is free, the answer must be on record.
    wait::until("the Lease to be given back", FILLED_WITHIN, async || {
        let now = holder(&world).await?;
        assert!(now.as_ref().is_none_or(|holder| *holder == leader));
        Ok(now.is_none().then_some(()))
    })
    .await
    .unwrap();
    let instances = world.people.instances().await.unwrap();
    let machine = &world.ours().await.unwrap()[0].id;
    let status = instances[0].status.as_ref().unwrap();
    assert_eq!(status.instance_id.as_ref(), Some(machine));
    assert_eq!(status.attempts[0].outcome, AttemptOutcome::Made);
    let ended = operator.process.wait(SOON).await.unwrap();
    assert!(ended.success(), "{ended}: {}", operator.process.tail());
}

#[tokio::test]
async fn a_leader_that_was_held_still_ends_when_it_wakes_up() {
    let (_turn, server) = elections().await;
    let mut world = World::prepare(server.cluster(), "stalled", &[], true).await.unwrap();
    world.start_operator(&[]).await.unwrap();
    let first = leading(&world).await;
    let standby = world.further_operator("standby", &[]).await.unwrap();

    let mut stalled = world.operator.take().unwrap();
    stalled.process.signal(Signal::Stop).unwrap();
    wait::until("the standby to lead", SOON, async || {
        Ok(holder(&world).await?.filter(|holder| *holder != first))
    })
    .await
    .unwrap();
    stalled.process.signal(Signal::Continue).unwrap();
    let ended = stalled.process.wait(SOON).await.unwrap();
    assert!(!ended.success(), "a lost Lease is a failure");
    assert!(stalled.process.log().contains("leadership is lost"), "{}", stalled.process.tail());
    world.operator = Some(standby);
    world.filled("after", 1, 1).await.unwrap();
}

/// Longer than a Lease lives, several times over.
const AWAY: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_leader_that_loses_the_api_server_ends_and_says_why_and_whoever_finds_it_again_makes_up() {
    let server = ControlPlane::start().await.unwrap();
    server.cluster().install_crds().unwrap();
    let mut world = World::prepare(server.cluster(), "cut", &[], true).await.unwrap();
    world.start_operator(&[]).await.unwrap();
    leading(&world).await;
    world.filled("cut", 2, 2).await.unwrap();
    let standby = world.further_operator("standby", &[]).await.unwrap();
    server.api_server().signal(Signal::Stop).unwrap();
    let away = Instant::now();
    let mut operator = world.operator.take().unwrap();
    let ended = operator.process.wait(SOON).await.unwrap();
    assert!(!ended.success());
    assert!(operator.process.log().contains("could not be renewed"), "{}", operator.process.tail());

    let lost = world.ours().await.unwrap().remove(0).id;
    world.cloud.vanish(&lost).await.unwrap();
    sleep_until(away + AWAY).await;
    assert_eq!(world.ever_made().await.unwrap(), 2, "nobody leads, so nothing is launched");
    server.api_server().signal(Signal::Continue).unwrap();
    world.operator = Some(standby);
    leading(&world).await;
    wait::until("the loss to be made up for", FILLED_WITHIN, async || {
        let status = world.people.pool("cut").await?.status.unwrap_or_default();
        let there = world.ours().await?;
        Ok((status.ready_size == 2 && there.len() == 2 && there.iter().all(|it| it.id != lost)).then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(world.ever_made().await.unwrap(), 3, "two, and one for the one that was lost");
}

#[tokio::test]
async fn an_operator_under_another_cluster_id_leaves_our_spot_instances_alone() {
    let (_turn, server) = elections().await;
    let mut world = World::prepare(server.cluster(), "clone", &[], true).await.unwrap();
    world.start_operator(&[]).await.unwrap();
    world.filled("cloned", 1, 1).await.unwrap();
    let before = world.people.instances().await.unwrap();

    // A cloned cluster has the same objects, and its operator another id.
    world.start_operator(&["--cluster-id=another-cluster"]).await.unwrap();
    world.people.edit::<SpotPool>("cloned", &json!({"spec": {"minimum": 0, "maximum": 0}})).await.unwrap();
    world.people.delete::<SpotInstance>(before[0].metadata.name.as_ref().unwrap()).await.unwrap();
    world.sweeps_later(3).await.unwrap();
    assert_eq!(world.ours().await.unwrap().len(), 1, "somebody else's machine is never terminated");
    assert_eq!(world.cloud.calls("TerminateInstances").await.unwrap(), 0);
}

#[tokio::test]
async fn a_living_leader_whose_clock_is_an_hour_behind_keeps_its_lease() {
    let (_turn, server) = elections().await;
    let people = People::arrive(server.cluster(), "clocks").await.unwrap();
    let client = server.cluster().client().await.unwrap();
    let candidate = Candidate::new(client, &people.namespace, "clocks", Health::new());
    let leases = people.api::<Lease>();
    let mut behind = Timestamp::now() - SignedDuration::from_hours(1);
    let spec = LeaseSpec {
        holder_identity: Some("somebody".to_owned()),
        lease_duration_seconds: Some(4),
        renew_time: Some(MicroTime(behind)),
        ..LeaseSpec::default()
    };
    let metadata = ObjectMeta { name: Some("clocks".to_owned()), ..ObjectMeta::default() };
    let lease = Lease { metadata, spec: Some(spec) };
    leases.create(&PostParams::default(), &lease).await.unwrap();

    let taken = candidate.lead();
    tokio::pin!(taken);
    // Longer than any Lease runs without a renewal.
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    for _ in 0..12 {
        tokio::select! {
            _ = &mut taken => panic!("a living leader's Lease was taken"),
            _ = ticks.tick() => {}
        }
        behind += SignedDuration::from_secs(1);
        people.edit::<Lease>("clocks", &json!({"spec": {"renewTime": MicroTime(behind)}})).await.unwrap();
    }
    // It dies.
    let leadership =
        tokio::time::timeout(Duration::from_secs(15), taken).await.expect("it must be taken now");
    let held = leases.get("clocks").await.unwrap().spec.unwrap();
    assert_ne!(held.holder_identity.as_deref(), Some("somebody"));
    assert_eq!(held.lease_transitions, Some(1));
    leadership.release().await;
    assert_eq!(leases.get("clocks").await.unwrap().spec.unwrap().holder_identity, None);
}
