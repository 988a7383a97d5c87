//! What the cloud advertises of its stock: the candidate that has some is asked for first, and stock that comes back
//! is bought before the back-off is over.

use std::time::Duration;

use e2e::{FILLED_WITHIN, World};
use jiff::Timestamp;
use serde_json::json;
use spotpool_operator::crd::SpotPool;

const TYPE: &str = "GN7.2XLARGE32";

#[tokio::test]
async fn the_candidate_that_is_advertised_is_asked_for_first() {
    let world = World::begin("advertised").await.unwrap();
    world
        .cloud
        .post("stock", &json!({"zone": "ap-singapore-2", "instance_type": "*", "count": 0}))
        .await
        .unwrap();
    let candidate = |zone: &str, subnet: &str| json!({"instanceType": TYPE, "availabilityZone": zone, "subnetId": subnet});
    let candidates = json!([
        candidate("ap-singapore-2", "subnet-gfrv79s2"),
        candidate("ap-singapore-3", "subnet-h4kq21mz")
    ]);
    let manifest = world.manifest("advertised", 1, 1).unwrap().with("spec.candidates", candidates);
    world.people.create::<SpotPool>(&manifest).await.unwrap();
    world.ready("advertised").await.unwrap();
    assert_eq!(world.cloud.calls("RunInstances").await.unwrap(), 1, "nothing was asked for in vain");
    let status = world.people.instances().await.unwrap().remove(0).status.unwrap();
    assert_eq!(status.attempts[0].candidate.availability_zone, "ap-singapore-3");
    let asked = world.cloud.calls("DescribeZoneInstanceConfigInfos").await.unwrap();
    world.sweeps_later(5).await.unwrap();
    assert_eq!(
        world.cloud.calls("DescribeZoneInstanceConfigInfos").await.unwrap(),
        asked,
        "a pool that is as it should be asks nothing"
    );
}

#[tokio::test]
async fn stock_that_comes_back_is_bought_before_the_back_off_is_over() {
    let world = World::begin("returns").await.unwrap();
    let stock = |count: u32| json!({"zone": "ap-singapore-2", "instance_type": TYPE, "count": count});
    world.cloud.post("stock", &stock(0)).await.unwrap();
    world.people.create::<SpotPool>(&world.manifest("returns", 1, 1).unwrap()).await.unwrap();
    // After the sixth refusal the pause is 24 to 32 s.
    let until: Timestamp = world
        .until("a long back-off", FILLED_WITHIN * 2, async || {
            let status = world.people.pool("returns").await?.status.unwrap_or_default();
            let long = status.launch_back_off.into_iter().find(|entry| entry.failures >= 6);
            Ok(long.map(|entry| entry.until.0))
        })
        .await
        .unwrap();
    world.cloud.post("stock", &stock(5)).await.unwrap();
    let launched = world
        .until("a machine", FILLED_WITHIN, async || {
            let ledger = world.cloud.ledger(0).await?;
            Ok(ledger.into_iter().find(|event| event.event == "launched"))
        })
        .await
        .unwrap();
    let at: Timestamp = launched.at.parse().unwrap();
    let early = Duration::try_from(until.duration_since(at)).unwrap_or_default();
    let told = || format!("bought at {at}, and the back-off was over at {until}\n{}", world.last_words());
    assert!(early > Duration::from_secs(5), "{}", told());
}
