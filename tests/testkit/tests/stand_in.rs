//! The stand-in answers what tests ask it behind its back.

#![cfg(test)]

use serde_json::json;
use testkit::SimCvm;

#[tokio::test]
async fn the_stand_in_tells_what_exists_and_what_happened() {
    let directory = tempfile::tempdir().unwrap();
    let sim = SimCvm::start(directory.path(), ("AKIDFAKEtestkit", "fakeSecretKey"), &[]).await.unwrap();

    let stranger = sim.add_stranger("somebody-elses-database").await.unwrap();
    let machines = sim.machines(false).await.unwrap();
    assert_eq!(machines.len(), 1);
    assert!(machines[0].id == stranger && machines[0].foreign && machines[0].state == "RUNNING");

    sim.vanish(&stranger).await.unwrap();
    assert_eq!(sim.machines(false).await.unwrap(), []);
    let past = sim.machines(true).await.unwrap();
    assert_eq!(past[0].why_gone.as_deref(), Some("vanished"));

    let events = sim.ledger(0).await.unwrap();
    let gone = events.last().unwrap();
    assert!(gone.event == "gone" && gone.instance_id.as_deref() == Some(stranger.as_str()), "{gone:?}");
    assert!(sim.ledger(gone.seq).await.unwrap().is_empty());
    assert_eq!(sim.calls("RunInstances").await.unwrap(), 0);

    sim.add_fault(&json!({"fault": {"kind": "cut_answer"}, "count": 1})).await.unwrap();
    let refused = sim.add_fault(&json!({"fault": {"kind": "no_such_fault"}})).await.unwrap_err();
    assert!(format!("{refused:#}").contains("no_such_fault"), "{refused:#}");
}
