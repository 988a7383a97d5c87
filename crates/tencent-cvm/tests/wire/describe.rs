//! Listings by filter: whole, or an error.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use tencent_cvm::{Action, Cvm, Error, Filter, InstanceState, Reach};
use tokio::time::Instant;

use crate::cloud::{Cloud, EPOCH, Reply, date, ids, name, ok, page, page_of, refused};

fn listed(listing: &tencent_cvm::Listing) -> Vec<String> {
    listing.instances.iter().map(|instance| instance.id.to_string()).collect()
}

#[tokio::test]
async fn every_page_is_fetched() {
    let cloud = Cloud::new(|seen| page_of(250, seen));
    let (_server, builder) = cloud.served().await;
    let listing = builder.build().expect("client").describe_instances(&[]).await.expect("listing");
    assert_eq!(listed(&listing), (0..250).map(name).collect::<Vec<_>>());
    assert_eq!(listing.calls, 3);

    let mut pages: Vec<_> =
        cloud.calls().iter().map(|seen| (seen.offset(), seen.body["Limit"].as_u64())).collect();
    pages.sort_unstable();
    assert_eq!(pages, [(0, Some(100)), (100, Some(100)), (200, Some(100))]);
}

#[tokio::test]
async fn filters_are_sent_as_the_api_wants_them_and_absent_ones_are_left_out() {
    let cloud = Cloud::new(|seen| page_of(0, seen));
    let (_server, builder) = cloud.served().await;
    let cvm = builder.build().expect("client");
    cvm.describe_instances(&[]).await.expect("listing");
    let states = Filter { name: "instance-state".into(), values: vec!["PENDING".into(), "RUNNING".into()] };
    cvm.describe_instances(&[Filter::one("tag:team", "未命名"), states]).await.expect("listing");

    let calls = cloud.calls();
    assert_eq!(calls[0].body, json!({ "Offset": 0, "Limit": 100 }));
    assert_eq!(
        calls[1].body,
        json!({
            "Filters": [
                { "Name": "tag:team", "Values": ["未命名"] },
                { "Name": "instance-state", "Values": ["PENDING", "RUNNING"] },
            ],
            "Offset": 0,
            "Limit": 100,
        })
    );
}

#[tokio::test]
async fn an_answer_of_the_real_shape_is_understood() {
    let cloud = Cloud::new(|_| Reply::body(include_str!("../fixtures/describe_instances.json")));
    let (_server, builder) = cloud.served().await;
    let listing = builder.build().expect("client").describe_instances(&[]).await.expect("listing");

    let [bare, full, nulls] = &listing.instances[..] else { panic!("{listing:?}") };
    assert_eq!(full.id.as_str(), "ins-2full000");
    assert_eq!(full.name, "sp-abcdefghijklmnop-3-0a1b2c");
    assert_eq!(full.state, Some(InstanceState::Running));
    assert_eq!(full.zone.as_deref(), Some("ap-singapore-2"));
    assert_eq!(full.instance_type.as_deref(), Some("GN7.2XLARGE32"));
    assert_eq!(full.charge_type.as_deref(), Some("SPOTPAID"));
    assert_eq!(full.private_ips, ["10.0.1.7"]);
    assert_eq!(full.public_ips, ["203.0.113.7"]);
    assert_eq!(full.tag("team"), Some("gpu"));
    assert_eq!(full.tag("empty"), Some(""));
    assert_eq!(full.tags.len(), 2, "a tag without a key is none");
    assert_eq!(full.created_time.as_deref(), Some("2025-11-20T00:53:20Z"));
    assert_eq!(full.restrict_state.as_deref(), Some("NORMAL"));
    assert_eq!(full.latest_operation_error, None, "an empty text is none");

    assert_eq!(bare.id.as_str(), "ins-1bare000");
    assert_eq!((bare.name.as_str(), bare.state.as_ref(), bare.tags.len()), ("", None, 0));
    assert_eq!(nulls.id.as_str(), "ins-3nulls00");
    assert_eq!(nulls.state, Some(InstanceState::Other("TELEPORTING".into())));
    assert_eq!((nulls.zone.as_ref(), nulls.public_ips.len(), nulls.tags.len()), (None, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_null_list_of_nothing_is_empty() {
    let cloud = Cloud::new(|_| ok(json!({ "TotalCount": 0, "InstanceSet": null })));
    let listing = cloud.simulated().build().expect("client").describe_instances(&[]).await.expect("listing");
    assert!(listing.instances.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_cannot_be_understood_is_never_an_empty_one() {
    for (what, response) in [
        ("no total", json!({ "InstanceSet": [] })),
        ("null total", json!({ "TotalCount": null, "InstanceSet": [] })),
        ("nothing", json!({})),
        ("null list of one", json!({ "TotalCount": 1, "InstanceSet": null })),
        ("no id", json!({ "TotalCount": 1, "InstanceSet": [{ "InstanceName": "x" }] })),
        ("empty id", json!({ "TotalCount": 1, "InstanceSet": [{ "InstanceId": "" }] })),
        ("null instance", json!({ "TotalCount": 1, "InstanceSet": [null] })),
        ("a total that is no number", json!({ "TotalCount": -1, "InstanceSet": [] })),
        ("a list that is none", json!({ "TotalCount": 1, "InstanceSet": "ins-1" })),
    ] {
        let cloud = Cloud::new(move |_| ok(response.clone()));
        let answer = cloud.simulated().build().expect("client").describe_instances(&[]).await;
        let error = answer.expect_err(what);
        assert!(matches!(error, Error::Protocol { .. }), "{what}: {error:?}");
        assert_eq!(error.request_id(), Some("req-ok"), "{what}");
        assert_eq!(error.reach(), Reach::Unknown, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_page_is_asked_for_again() {
    let cloud = Cloud::new(|seen| match seen.number {
        1 => page(150, (100..120).map(name)),
        _ => page_of(150, seen),
    });
    let listing = cloud.simulated().build().expect("client").describe_instances(&[]).await.expect("listing");
    assert_eq!(listing.instances.len(), 150);
    assert_eq!(listing.calls, 3);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_stays_cut_is_an_error() {
    // As a server that ignores Limit and gives its default of 20.
    let cloud = Cloud::new(|_| page(150, (0..20).map(name)));
    let answer = cloud.simulated().build().expect("client").describe_instances(&[]).await;
    let error = answer.expect_err("cut");
    assert!(error.to_string().contains("20 instances where 100 are due"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn one_failed_page_fails_the_listing() {
    let cloud = Cloud::new(|seen| match seen.offset() {
        200 => crate::cloud::refused("UnauthorizedOperation"),
        _ => page_of(400, seen),
    });
    let answer = cloud.simulated().build().expect("client").describe_instances(&[]).await;
    assert_eq!(answer.expect_err("a page failed").code(), Some("UnauthorizedOperation"));
}

#[tokio::test(start_paused = true)]
async fn a_total_that_grows_during_the_scan_is_followed_to_its_end() {
    let cloud = Cloud::new(|seen| page_of(if seen.offset() == 0 { 150 } else { 350 }, seen));
    let listing = cloud.simulated().build().expect("client").describe_instances(&[]).await.expect("listing");
    assert_eq!(listing.instances.len(), 350);
    assert_eq!(listing.calls, 4, "nothing was asked for twice");
}

#[tokio::test(start_paused = true)]
async fn a_total_that_shrinks_during_the_scan_does_not_restart_it() {
    let cloud = Cloud::new(|seen| page_of(if seen.offset() == 0 { 350 } else { 150 }, seen));
    let listing = cloud.simulated().build().expect("client").describe_instances(&[]).await.expect("listing");
    assert_eq!(listing.instances.len(), 150);
    assert_eq!(listing.calls, 4);
}

#[tokio::test(start_paused = true)]
async fn an_instance_on_two_pages_is_listed_once() {
    // One instance of the first page vanished, so the second page begins with what the first one ended with.
    let cloud = Cloud::new(|seen| match seen.offset() {
        0 => page(150, (0..100).map(name)),
        _ => page(150, (99..149).map(name)),
    });
    let listing = cloud.simulated().build().expect("client").describe_instances(&[]).await.expect("listing");
    assert_eq!(listed(&listing), (0..149).map(name).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn the_same_page_again_and_again_is_an_error() {
    // As a server that ignores Offset.
    let cloud = Cloud::new(|_| page(300, (0..100).map(name)));
    let answer = cloud.simulated().build().expect("client").describe_instances(&[]).await;
    assert!(matches!(answer, Err(Error::Protocol { action: Action::DescribeInstances, .. })), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_total_that_runs_away_ends_in_an_error() {
    let cloud = Cloud::new(|seen| page(usize::MAX / 2, (seen.offset()..seen.offset() + 100).map(name)));
    let answer = cloud.simulated().build().expect("client").describe_instances(&[]).await;
    assert!(matches!(answer, Err(Error::Protocol { .. })), "{answer:?}");

    let growing =
        Cloud::new(|seen| page(seen.offset() + 101, (seen.offset()..seen.offset() + 100).map(name)));
    let answer = growing.simulated().build().expect("client").describe_instances(&[]).await;
    assert!(answer.is_err(), "a server that always has one more page is not followed for ever");
    assert!(growing.calls().len() <= 1000, "{}", growing.calls().len());
}

#[tokio::test(start_paused = true)]
async fn pages_are_fetched_side_by_side_but_not_all_at_once() {
    let cloud = Cloud::new(|seen| page_of(4000, seen).after(Duration::from_millis(100)));
    let start = Instant::now();
    let listing = cloud.simulated().build().expect("client").describe_instances(&[]).await.expect("listing");
    assert_eq!((listing.instances.len(), listing.calls), (4000, 40));
    assert_eq!(cloud.most_at_once(), 20);
    assert!(start.elapsed() <= Duration::from_millis(400), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_next_look_asks_for_every_page_at_once() {
    let total = Arc::new(AtomicUsize::new(450));
    let now = Arc::clone(&total);
    let cloud = Cloud::new(move |seen| page_of(now.load(Relaxed), seen).after(Duration::from_millis(100)));
    let cvm = cloud.simulated().build().expect("client");
    // (instances, calls, milliseconds): the first page alone, then the rest; all at once; one page more than was
    // thought; one less; and what has one page is not thought to have more.
    for (instances, calls, took) in [
        (450, 5, 200),
        (450, 5, 100),
        (501, 6, 200),
        (400, 6, 100),
        (400, 4, 100),
        (90, 4, 100),
        (90, 1, 100),
    ] {
        total.store(instances, Relaxed);
        let start = Instant::now();
        let listing = cvm.describe_instances(&[]).await.expect("listing");
        assert_eq!(listed(&listing), (0..instances).map(name).collect::<Vec<_>>());
        assert_eq!((listing.calls, start.elapsed().as_millis()), (calls, took), "{instances} instances");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_one_page_is_asked_for_and_other_filters_have_their_own() {
    let refuses = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&refuses);
    let cloud = Cloud::new(move |seen| match now.load(Relaxed) {
        true => refused("AuthFailure.SecretIdNotFound").after(Duration::from_millis(100)),
        false => page_of(300, seen).after(Duration::from_millis(100)),
    });
    let cvm = cloud.simulated().build().expect("client");
    cvm.describe_instances(&[]).await.expect("listing");
    refuses.store(true, Relaxed);
    let begun = cloud.calls().len();
    cvm.describe_instances(&[]).await.expect_err("refused");
    let before = cloud.calls().len();
    assert_eq!(before - begun, 3, "nobody knew");
    cvm.describe_instances(&[]).await.expect_err("refused");
    assert_eq!(cloud.calls().len() - before, 1);
    refuses.store(false, Relaxed);
    cvm.describe_instances(&[]).await.expect("listing");
    let start = Instant::now();
    cvm.describe_instances(&[Filter::one("zone", "a")]).await.expect("listing");
    assert_eq!(start.elapsed(), Duration::from_millis(200), "its first look");
}

#[tokio::test(start_paused = true)]
async fn the_clock_of_the_cloud_is_read_from_the_quickest_answer() {
    let cloud = Cloud::new(|seen| {
        let second = EPOCH + seen.number as i64;
        let delay = [300, 50, 200][seen.number];
        page_of(300, seen).header("date", date(second)).after(Duration::from_millis(delay))
    });
    let cvm = cloud.simulated().build().expect("client");
    let listing = cvm.describe_instances(&[]).await.expect("listing");
    let server_time = listing.server_time.expect("a Date");
    assert_eq!(server_time.date.as_second(), EPOCH + 1);
    assert_eq!(server_time.round_trip, Duration::from_millis(50));
    assert_eq!(cvm.clock_offset(), None, "nothing is corrected before the cloud complains");
}

#[tokio::test(start_paused = true)]
async fn without_a_date_there_is_no_server_time() {
    let cloud = Cloud::new(|seen| page_of(1, seen).header("date", "yesterday"));
    let listing = cloud.simulated().build().expect("client").describe_instances(&[]).await.expect("listing");
    assert_eq!(listing.server_time, None);
}

#[tokio::test(start_paused = true)]
async fn filters_that_the_cloud_refuses_or_ignores_are_not_sent() {
    let cloud = Cloud::new(|seen| page_of(1, seen));
    let cvm = cloud.simulated().build().expect("client");
    let values = |n: usize| (0..n).map(|value| value.to_string()).collect::<Vec<_>>();
    for filters in [
        vec![Filter::one("zone", "a"); 11],
        vec![Filter { name: "zone".into(), values: values(6) }],
        vec![Filter { name: "zone".into(), values: values(0) }],
        vec![Filter::one("zone", "")],
        vec![Filter::one("", "a")],
    ] {
        let error = cvm.describe_instances(&filters).await.expect_err("invalid");
        assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
        assert_eq!((error.reach(), error.is_retryable()), (Reach::NotSent, false));
    }
    assert!(cloud.calls().is_empty());

    let most = vec![Filter { name: "zone".into(), values: values(5) }; 10];
    cvm.describe_instances(&most).await.expect("the most that is allowed");
}

proptest! {
    #[test]
    fn any_number_of_instances_is_listed_with_no_call_too_many(total in 0_usize..1500) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("runtime");
        runtime.block_on(async {
            let cloud = Cloud::new(move |seen| page_of(total, seen));
            let cvm = cloud.simulated().build().expect("client");
            let listing = cvm.describe_instances(&[]).await.expect("listing");
            let expected: Vec<_> = ids(0..total);
            let listed: Vec<_> = listing.instances.into_iter().map(|instance| instance.id).collect();
            prop_assert_eq!(listed, expected);
            prop_assert_eq!(cloud.calls().len(), total.div_ceil(100).max(1));
            Ok(())
        })?;
    }
}
