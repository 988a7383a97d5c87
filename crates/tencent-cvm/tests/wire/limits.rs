//! The documented rates, as the cloud sees them.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tencent_cvm::{Action, Cvm, RateLimits, SendOptions};
use tokio::time::Instant;

use crate::cloud::{Cloud, Reply, ids, ok, page_of, refused};

const SECOND: Duration = Duration::from_secs(1);

fn busiest_second(cloud: &Cloud, action: &str) -> usize {
    let mut at: Vec<Instant> =
        cloud.calls().iter().filter(|seen| seen.action == action).map(|seen| seen.at).collect();
    at.sort();
    (0..at.len())
        .map(|first| at[first..].iter().take_while(|&&later| later <= at[first] + SECOND).count())
        .max()
        .unwrap_or_default()
}

fn obliging() -> Cloud {
    Cloud::new(|seen| match seen.action.as_str() {
        "RunInstances" => ok(json!({ "InstanceIdSet": ["ins-1"] })),
        "TerminateInstances" => ok(json!({})),
        _ => page_of(0, seen),
    })
}

#[tokio::test(start_paused = true)]
async fn each_action_has_its_own_documented_rate() {
    let cloud = obliging();
    let cvm = cloud.simulated().deadline(60 * SECOND).build().expect("client");
    let request = crate::run::request();
    let ids = ids(0..1);
    let start = Instant::now();
    let reads = join_all((0..200).map(|_| cvm.describe_instances(&[])));
    let launches = join_all((0..35).map(|_| cvm.run_instances(&request, SendOptions::default())));
    let terminations = join_all((0..35).map(|_| cvm.terminate_instances(&ids)));
    let (reads, launches, _) = tokio::join!(reads, launches, terminations);
    assert!(reads.iter().all(Result::is_ok) && launches.iter().all(Result::is_ok));

    assert_eq!(busiest_second(&cloud, "DescribeInstances"), 40);
    assert_eq!(busiest_second(&cloud, "RunInstances"), 10);
    assert_eq!(busiest_second(&cloud, "TerminateInstances"), 10);
    assert!(start.elapsed() < 5 * SECOND, "the rate is used: {:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn clients_that_share_their_limits_stay_under_them_together() {
    let limits = Arc::new(RateLimits::new());
    let cloud = obliging();
    let client = || cloud.simulated().limits(Arc::clone(&limits)).build().expect("client");
    let clients = [client(), client(), client()];
    join_all((0..120).map(|number| clients[number % 3].describe_instances(&[]))).await;
    assert_eq!(busiest_second(&cloud, "DescribeInstances"), 40);

    let totals = limits.totals()[&Action::DescribeInstances];
    assert_eq!((totals.admitted, totals.throttled), (120, 0));
    assert!(totals.waited > 40 * SECOND, "{:?}", totals.waited);
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_allows_less_than_documented_is_served_at_its_own_pace() {
    // Another tool uses most of this account's rate: 8 a second are left for us.
    let windows = std::sync::Mutex::new(Vec::<Instant>::new());
    let cloud = Cloud::new(move |seen| {
        let mut windows = windows.lock().expect("lock");
        windows.retain(|&at| at + SECOND > seen.at);
        if windows.len() >= 8 {
            return refused("RequestLimitExceeded");
        }
        windows.push(seen.at);
        page_of(0, seen)
    });
    let limits = Arc::new(RateLimits::new());
    let cvm = cloud.simulated().limits(Arc::clone(&limits)).deadline(120 * SECOND).build().expect("client");
    let answers = join_all((0..200).map(|_| cvm.describe_instances(&[]))).await;
    assert!(answers.iter().all(Result::is_ok));
    let throttled = limits.totals()[&Action::DescribeInstances].throttled;
    assert!(throttled < 100, "{throttled} of 200 calls were refused first");
}

#[tokio::test(start_paused = true)]
async fn what_is_throttled_on_one_action_does_not_slow_the_others() {
    let cloud = Cloud::new(|seen| match seen.action.as_str() {
        "RunInstances" => refused("RequestLimitExceeded"),
        _ => page_of(0, seen),
    });
    let cvm = cloud.simulated().build().expect("client");
    cvm.run_instances(&crate::run::request(), SendOptions::default()).await.expect_err("throttled");
    let start = Instant::now();
    cvm.describe_instances(&[]).await.expect("listing");
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_run() {
    let run = async |seed| {
        let cloud = Cloud::new(|seen| match seen.number % 3 {
            0 => refused("InternalError"),
            1 => Reply::lost().after(Duration::from_millis(70)),
            _ => page_of(250, seen),
        });
        let start = Instant::now();
        let cvm = cloud.simulated().jitter_seed(seed).build().expect("client");
        let _ = cvm.describe_instances(&[]).await;
        cloud.calls().iter().map(|seen| seen.at - start).collect::<Vec<_>>()
    };
    assert_eq!(run(1).await, run(1).await);
    assert_ne!(run(1).await, run(2).await);
}
