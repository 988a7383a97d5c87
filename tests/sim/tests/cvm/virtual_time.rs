//! Face two: the shipped client over the stand-in, on tokio's paused clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sim::cvm::{CloudConfig, Event, Fault, FaultRule, Latency, Loss, Span, Stranger};
use tencent_cvm::{Cvm, Error, Filter, InstanceId, SendOptions};
use tokio::time::Instant;

use crate::caller::quiet_config;
use crate::shipped::{order, world};

fn usual_config() -> CloudConfig {
    let mut config = quiet_config();
    config.settings.latency = Latency::Lognormal;
    config
}

#[tokio::test(start_paused = true)]
async fn the_shipped_client_launches_lists_and_terminates() {
    let (cloud, client) = world(usual_config(), 1);
    let ids = client.run_instances(&order("m"), SendOptions::default()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let listing = client.describe_instances(&[Filter::one("tag:team", "blue")]).await.unwrap();
    assert_eq!(listing.instances.iter().map(|instance| instance.id.clone()).collect::<Vec<_>>(), ids);
    let server_time = listing.server_time.unwrap().date;
    assert!(cloud.now().duration_since(server_time).as_secs() <= 1, "{server_time}");
    let terminated = client.terminate_instances(&ids).await;
    assert!(terminated.iter().all(|(_, outcome)| outcome.is_ok()), "{terminated:?}");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(client.describe_instances_by_id(&ids).await.unwrap().instances.is_empty());
    assert_eq!(cloud.with(|cloud| cloud.existing().count()), 0);
}

#[tokio::test(start_paused = true)]
async fn the_shipped_client_reads_every_page_of_a_large_account() {
    let (cloud, client) = world(usual_config(), 1);
    cloud.with(|cloud| {
        for _ in 0..237 {
            cloud.add_stranger(&Stranger::default()).unwrap();
        }
    });
    let listing = client.describe_instances(&[]).await.unwrap();
    assert_eq!((listing.instances.len(), listing.calls), (237, 3));
}

#[tokio::test(start_paused = true)]
async fn a_request_takes_effect_though_its_caller_gave_up_at_once() {
    let (cloud, client) = world(usual_config(), 1);
    let order = order("m");
    let call = client.run_instances(&order, SendOptions::default());
    assert!(tokio::time::timeout(Duration::from_millis(1), call).await.is_err(), "answered within 1 ms");
    drop(client);
    assert_eq!(cloud.with(|cloud| cloud.existing().count()), 0);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(cloud.with(|cloud| cloud.existing().count()), 1);
}

#[tokio::test(start_paused = true)]
async fn losses_reach_the_client_as_what_they_prove() {
    let (cloud, client) = world(usual_config(), 1);
    let cases = [
        (Fault::LostRequest { loss: Loss::Refused }, 0),
        (Fault::LostRequest { loss: Loss::Reset }, 0),
        (Fault::LostAnswer { loss: Loss::Reset }, 1),
        (Fault::LostAnswer { loss: Loss::Silence }, 2),
        (Fault::CutAnswer, 3),
    ];
    for (n, (fault, machines)) in cases.into_iter().enumerate() {
        let proves_nothing_left = matches!(fault, Fault::LostRequest { loss: Loss::Refused });
        cloud.with(|cloud| cloud.add_fault(FaultRule::new(fault.clone()).on("RunInstances").times(1)));
        let error = client.run_instances(&order(&format!("m{n}")), SendOptions::default()).await.unwrap_err();
        assert_eq!(matches!(error, Error::NotSent { .. }), proves_nothing_left, "{fault:?}: {error:?}");
        assert_eq!(matches!(error, Error::Unknown { .. }), !proves_nothing_left, "{fault:?}: {error:?}");
        assert_eq!(cloud.with(|cloud| cloud.existing().count()), machines, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_commit_lands_after_the_clients_deadline() {
    let (cloud, client) = world(usual_config(), 1);
    let late = Fault::LateCommit { delay: Span::secs(60) };
    cloud.with(|cloud| cloud.add_fault(FaultRule::new(late).on("RunInstances")));
    let begun = Instant::now();
    let error = client.run_instances(&order("m"), SendOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::Unknown { .. }), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert_eq!(cloud.with(|cloud| cloud.existing().count()), 0);
    tokio::time::sleep_until(begun + Duration::from_secs(62)).await;
    assert_eq!(cloud.with(|cloud| cloud.existing().count()), 1);
}

#[tokio::test(start_paused = true)]
async fn the_observer_sees_every_event_once_and_in_order() {
    let (cloud, client) = world(usual_config(), 1);
    let seen: Arc<Mutex<Vec<Event>>> = Arc::default();
    let sink = Arc::clone(&seen);
    cloud.observe(Box::new(move |cloud, event| {
        assert!(event.at <= cloud.now());
        sink.lock().unwrap().push(event.clone());
    }));
    let ids = client.run_instances(&order("m"), SendOptions::default()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    client.terminate_instances(&ids).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    cloud.with(|_| ());
    let seen = seen.lock().unwrap();
    assert_eq!(*seen, cloud.with(|cloud| cloud.ledger().events().to_vec()));
    assert!(seen.len() >= 6);
}

#[test]
fn one_seed_is_one_story_through_the_client_too() {
    let story = |seed: u64| {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut config = usual_config();
            config.settings.visibility_lag = "0s..60s".parse().unwrap();
            let (cloud, client) = world(config, seed);
            for fault in [
                Fault::LostAnswer { loss: Loss::Reset },
                Fault::LateCommit { delay: "1s..60s".parse().unwrap() },
            ] {
                cloud.with(|cloud| cloud.add_fault(FaultRule::new(fault).with_probability(0.2)));
            }
            let mut told = String::new();
            for n in 0..40 {
                let launched = client.run_instances(&order(&format!("m{n}")), SendOptions::default()).await;
                told.push_str(&format!("{:?}\n", launched.ok()));
                let known: Vec<InstanceId> = cloud
                    .with(|cloud| cloud.existing().map(|machine| InstanceId::new(&machine.id)).collect());
                let (all, by_id) =
                    tokio::join!(client.describe_instances(&[]), client.describe_instances_by_id(&known));
                told.push_str(&format!(
                    "{:?} {:?}\n",
                    all.ok().map(|l| l.instances),
                    by_id.ok().map(|l| l.calls)
                ));
            }
            told + &cloud.with(|cloud| serde_json::to_string(cloud.ledger().events()).unwrap())
        })
    };
    assert_eq!(story(3), story(3));
    assert_ne!(story(3), story(4));
}
