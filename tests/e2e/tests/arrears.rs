//! An account that has not paid.

use e2e::{FILLED_WITHIN, SOON, World};
use serde_json::json;

#[tokio::test]
async fn machines_that_wait_for_somebody_to_pay_are_kept_and_people_are_told() {
    let world = World::begin("arrears").await.unwrap();
    world.filled("arrears", 2, 2).await.unwrap();
    let ids = async || -> Vec<String> {
        world.ours().await.unwrap().into_iter().map(|machine| machine.id).collect()
    };
    let (before, asked) = (ids().await, world.cloud.calls("RunInstances").await.unwrap());

    world.cloud.post("arrears", &json!({"in_arrears": true, "isolate": true})).await.unwrap();
    let words = ["has not paid", "IsolatedSource ARREAR", "arrears-1, arrears-2", "Pay, and they come back"];
    let stalled = world.people.told("arrears", ("Stalled", "True"), &words, SOON).await.unwrap();
    assert_eq!(stalled.reason, "AccountProblem");
    world.people.condition("arrears", "Ready", "False", SOON).await.unwrap();
    world.sweeps_later(5).await.unwrap();
    assert_eq!(ids().await, before, "nothing was terminated");
    assert_eq!(world.cloud.calls("RunInstances").await.unwrap(), asked, "and nothing asked for");
    let described = world.people.kubectl(&["describe", "sp", "arrears"]).unwrap();
    assert!(described.contains("Stalled=True: the account has not paid"), "{described}");

    world.cloud.post("arrears", &json!({"in_arrears": false})).await.unwrap();
    world.people.condition("arrears", "Ready", "True", FILLED_WITHIN).await.unwrap();
    assert_eq!(ids().await, before);
}
