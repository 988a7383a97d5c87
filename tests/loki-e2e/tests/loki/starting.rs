//! A real Loki is there in seconds, so that nobody has a reason to test without one.

use std::time::Duration;

use testkit::Loki;

const PROMISED: Duration = Duration::from_secs(10);
/// One that starts while the whole suite does may have to wait for a processor.
const STARTS: usize = 3;

#[tokio::test]
async fn a_loki_is_ready_within_ten_seconds() {
    let mut took = vec![Loki::shared().await.unwrap().ready_after()];
    while took.len() < STARTS && took.iter().all(|time| *time > PROMISED) {
        took.push(Loki::start().await.unwrap().ready_after());
    }
    println!("ready after {took:?}");
    assert!(took.iter().any(|time| *time <= PROMISED), "{took:?}");
}
