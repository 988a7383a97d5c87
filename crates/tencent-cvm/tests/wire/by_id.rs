//! Listings by id.

use std::collections::BTreeSet;

use serde_json::json;
use tencent_cvm::{Cvm, Error, InstanceId};

use crate::cloud::{Cloud, Seen, ids, name, page, refused};

/// Knows these ids and answers for those that are asked for.
fn knows(known: impl IntoIterator<Item = usize>) -> Cloud {
    let known: BTreeSet<String> = known.into_iter().map(name).collect();
    Cloud::new(move |seen| {
        let found: Vec<_> = seen.ids().into_iter().filter(|id| known.contains(id)).collect();
        page(found.len(), found)
    })
}

#[tokio::test]
async fn ids_are_asked_for_in_chunks_of_a_hundred() {
    let cloud = knows(0..250);
    let (_server, builder) = cloud.served().await;
    let cvm = builder.build().expect("client");
    let listing = cvm.describe_instances_by_id(&ids(0..250)).await.expect("listing");
    assert_eq!(listing.instances.len(), 250);
    assert_eq!(listing.calls, 3);

    let mut asked: Vec<usize> = cloud.calls().iter().map(|seen| seen.ids().len()).collect();
    asked.sort_unstable();
    assert_eq!(asked, [50, 100, 100]);
    for seen in cloud.calls() {
        assert_eq!(seen.body, json!({ "InstanceIds": seen.ids(), "Offset": 0, "Limit": 100 }));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_for_no_ids() {
    // A request without ids and filters would list the whole account.
    let cloud = knows(0..5);
    let listing =
        cloud.simulated().build().expect("client").describe_instances_by_id(&[]).await.expect("listing");
    assert!(listing.instances.is_empty());
    assert_eq!(listing.calls, 0);
    assert!(cloud.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_id_given_twice_is_asked_for_once() {
    let cloud = knows(0..5);
    let mut twice = ids(0..60);
    twice.extend(ids(0..60));
    let listing =
        cloud.simulated().build().expect("client").describe_instances_by_id(&twice).await.expect("listing");
    assert_eq!(listing.instances.len(), 5);
    assert_eq!(cloud.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn ids_that_the_cloud_does_not_know_are_not_in_the_answer() {
    let cloud = knows([3, 7]);
    let listing = cloud
        .simulated()
        .build()
        .expect("client")
        .describe_instances_by_id(&ids(0..10))
        .await
        .expect("listing");
    let found: Vec<_> = listing.instances.iter().map(|instance| instance.id.clone()).collect();
    assert_eq!(found, [InstanceId::new(name(3)), InstanceId::new(name(7))]);
}

#[tokio::test(start_paused = true)]
async fn unknown_ids_that_fail_their_chunk_do_not_hide_the_others() {
    let unknown = [0, 42, 99];
    let codes = [
        "InvalidInstanceId.NotFound",
        "InvalidInstanceId.Malformed",
        "ResourceNotFound.InvalidInstanceIdNotFound",
    ];
    for code in codes {
        let cloud = Cloud::new(move |seen: &Seen| {
            let asked = seen.ids();
            if unknown.iter().any(|&number| asked.contains(&name(number))) {
                return refused(code);
            }
            page(asked.len(), asked)
        });
        let cvm = cloud.simulated().build().expect("client");
        let listing = cvm.describe_instances_by_id(&ids(0..100)).await.expect("listing");
        let found: BTreeSet<_> = listing.instances.into_iter().map(|instance| instance.id).collect();
        let expected: BTreeSet<_> =
            ids(0..100).into_iter().filter(|id| !unknown.iter().any(|&n| id.as_str() == name(n))).collect();
        assert_eq!(found, expected);
        assert_eq!(listing.calls as usize, cloud.calls().len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_chunk_fails_the_look() {
    let cloud = Cloud::new(|seen| match seen.ids().contains(&name(150)) {
        true => refused("AuthFailure.TokenFailure"),
        false => page(seen.ids().len(), seen.ids()),
    });
    let answer = cloud.simulated().build().expect("client").describe_instances_by_id(&ids(0..300)).await;
    assert_eq!(answer.expect_err("a chunk failed").code(), Some("AuthFailure.TokenFailure"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_about_other_machines_proves_nothing_about_these() {
    // As a server that drops InstanceIds and lists the account.
    let cloud = Cloud::new(|_| page(2, [name(0), "ins-stranger".into()]));
    let answer = cloud.simulated().build().expect("client").describe_instances_by_id(&ids(0..2)).await;
    assert!(matches!(answer, Err(Error::Protocol { .. })), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_shorter_than_its_total_is_an_error() {
    let cloud = Cloud::new(|_| page(2, [name(0)]));
    let answer = cloud.simulated().build().expect("client").describe_instances_by_id(&ids(0..2)).await;
    assert!(matches!(answer, Err(Error::Protocol { .. })), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_is_there_twice_does_not_stand_for_a_missing_one() {
    let cloud = Cloud::new(|_| page(2, [name(0), name(0)]));
    let answer = cloud.simulated().build().expect("client").describe_instances_by_id(&ids(0..2)).await;
    assert!(matches!(answer, Err(Error::Protocol { .. })), "{answer:?}");
}
