//! Repair of a wrong clock.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;
use tencent_cvm::{Cvm, HttpCvmBuilder, SendOptions};
use tokio::time::Instant;

use crate::cloud::{Clock, Cloud, EPOCH, Reply, Seen, date, ids, ok, page_of, refused};

/// Checks timestamps against its own clock as the cloud does, and answers what is in time with `answer`.
fn punctual(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Cloud {
    let began = Instant::now();
    Cloud::new(move |seen| {
        let now = EPOCH + began.elapsed().as_secs() as i64;
        let signed: i64 = seen.header("x-tc-timestamp").parse().expect("seconds");
        let reply =
            if (now - signed).abs() > 300 { refused("AuthFailure.SignatureExpire") } else { answer(seen) };
        reply.header("date", date(now))
    })
}

fn with_clock_off_by(cloud: &Cloud, hours: i64) -> HttpCvmBuilder {
    cloud.simulated().clock(Arc::new(Clock::off_by(SignedDuration::from_hours(hours))))
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_is_learnt_once_and_stays_learnt() {
    for hours in [-24, -1, 1, 24 * 365] {
        let cloud = punctual(|seen| page_of(3, seen));
        let cvm = with_clock_off_by(&cloud, hours).build().expect("client");
        assert_eq!(cvm.clock_offset(), None);

        cvm.describe_instances(&[]).await.expect("repaired");
        assert_eq!(cloud.calls().len(), 2, "refused once, then right");
        let offset = cvm.clock_offset().expect("learnt");
        let error = offset + SignedDuration::from_hours(hours);
        assert!(error.abs() <= SignedDuration::from_secs(1), "{offset:?}");

        tokio::time::advance(Duration::from_secs(3600)).await;
        cvm.describe_instances(&[]).await.expect("listing");
        assert_eq!(cloud.calls().len(), 3, "nothing is refused any more");
    }
}

#[tokio::test(start_paused = true)]
async fn the_travel_of_the_answer_is_made_up_for() {
    let began = Instant::now();
    let cloud = Cloud::new(move |seen| {
        let now = EPOCH + began.elapsed().as_secs() as i64;
        let reply = if seen.number == 0 { refused("AuthFailure.SignatureExpire") } else { page_of(0, seen) };
        reply.header("date", date(now)).after(Duration::from_secs(8))
    });
    let cvm = with_clock_off_by(&cloud, 1).build().expect("client");
    cvm.describe_instances(&[]).await.expect("repaired");
    let offset = cvm.clock_offset().expect("learnt");
    // The date was read 8 s before it arrived; half of the round trip is the best guess.
    assert_eq!(offset, SignedDuration::from_hours(-1) - SignedDuration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn a_second_refusal_is_the_answer() {
    let cloud = Cloud::new(|_| refused("AuthFailure.SignatureExpire").header("date", date(EPOCH)));
    let cvm = cloud.simulated().build().expect("client");
    let error = cvm.describe_instances(&[]).await.expect_err("refused twice");
    assert_eq!(error.code(), Some("AuthFailure.SignatureExpire"));
    assert_eq!(cloud.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_date_there_is_nothing_to_learn() {
    let cloud = Cloud::new(|_| refused("AuthFailure.SignatureExpire"));
    let cvm = cloud.simulated().build().expect("client");
    cvm.describe_instances(&[]).await.expect_err("refused");
    assert_eq!(cloud.calls().len(), 1);
    assert_eq!(cvm.clock_offset(), None);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_is_learnt_again() {
    let cloud = punctual(|seen| page_of(0, seen));
    let clock = Arc::new(Clock::off_by(SignedDuration::from_hours(2)));
    let cvm = cloud.simulated().clock(clock.clone()).build().expect("client");
    cvm.describe_instances(&[]).await.expect("repaired");
    clock.jump(SignedDuration::from_hours(-2));
    cvm.describe_instances(&[]).await.expect("repaired again");
    assert_eq!(cloud.calls().len(), 4);
    let offset = cvm.clock_offset().expect("learnt");
    assert!(offset.abs() <= SignedDuration::from_secs(1), "{offset:?}");
}

#[tokio::test(start_paused = true)]
async fn terminations_are_repaired_too() {
    let cloud = punctual(|_| ok(json!({})));
    let cvm = with_clock_off_by(&cloud, -3).build().expect("client");
    let answers = cvm.terminate_instances(&ids(0..2)).await;
    assert!(answers.iter().all(|(_, result)| result.is_ok()), "{answers:?}");
    assert_eq!(cloud.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_launch_is_not_repeated_but_the_next_one_is_in_time() {
    let cloud = punctual(|_| ok(json!({ "InstanceIdSet": ["ins-1"] })));
    let cvm = with_clock_off_by(&cloud, 1).build().expect("client");
    let request = crate::run::request();
    let error = cvm.run_instances(&request, SendOptions::default()).await.expect_err("expired");
    assert_eq!(error.code(), Some("AuthFailure.SignatureExpire"));
    assert_eq!(cloud.calls().len(), 1);
    cvm.run_instances(&request, SendOptions::default()).await.expect("in time");
}
