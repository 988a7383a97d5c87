//! Every termination has its own answer.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use tencent_cvm::{Class, Cvm, Error, InstanceId, Reach};
use tokio::time::Instant;

use crate::cloud::{Cloud, Reply, Seen, ids, name, ok, refused};

type Answers = Vec<(InstanceId, Result<(), Error>)>;

fn accepted() -> Reply {
    ok(json!({}))
}

/// Refuses a batch with `code` while one of `bad` is in it.
fn refuses(bad: &'static [usize], code: &'static str) -> Cloud {
    Cloud::new(move |seen| match bad.iter().any(|&number| seen.ids().contains(&name(number))) {
        true => refused(code),
        false => accepted(),
    })
}

async fn terminate(cloud: &Cloud, ids: &[InstanceId]) -> Answers {
    cloud.simulated().build().expect("client").terminate_instances(ids).await
}

fn failed(answers: &Answers) -> Vec<String> {
    answers.iter().filter(|(_, result)| result.is_err()).map(|(id, _)| id.to_string()).collect()
}

#[tokio::test]
async fn ids_go_out_in_chunks_of_a_hundred() {
    let cloud = Cloud::new(|_| accepted());
    let (_server, builder) = cloud.served().await;
    let answers = builder.build().expect("client").terminate_instances(&ids(0..250)).await;
    assert_eq!(answers.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(), ids(0..250));
    assert!(failed(&answers).is_empty());

    let calls = cloud.calls();
    let mut sizes: Vec<_> = calls.iter().map(|seen| seen.ids().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [50, 100, 100]);
    for seen in calls {
        assert_eq!(seen.action, "TerminateInstances");
        assert_eq!(seen.body, json!({ "InstanceIds": seen.ids() }));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_for_no_ids() {
    let cloud = Cloud::new(|_| accepted());
    assert!(terminate(&cloud, &[]).await.is_empty());
    assert!(cloud.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_that_is_gone_already_counts_as_returned_and_holds_nobody_up() {
    for code in [
        "InvalidInstanceId.NotFound",
        "ResourceNotFound.InvalidInstanceIdNotFound",
        "UnsupportedOperation.InstanceStateTerminating",
        "UnsupportedOperation.InstanceStateLaunchFailed",
    ] {
        let cloud = refuses(&[42], code);
        let answers = terminate(&cloud, &ids(0..100)).await;
        assert_eq!(answers.len(), 100);
        assert!(failed(&answers).is_empty(), "{code}");
        // The bad one was tried alone, the others went out in ever smaller batches, each once.
        let accepted: usize = cloud
            .calls()
            .iter()
            .filter(|seen| !seen.ids().contains(&name(42)))
            .map(|seen| seen.ids().len())
            .sum();
        assert_eq!(accepted, 99);
        assert_eq!(cloud.calls().iter().filter(|seen| seen.ids() == [name(42)]).count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_pending_gets_its_own_answer() {
    let cloud = refuses(&[7], "UnsupportedOperation.InstanceStatePending");
    let answers = terminate(&cloud, &ids(0..100)).await;
    assert_eq!(failed(&answers), [name(7)]);
    let error = answers[7].1.as_ref().expect_err("pending");
    assert_eq!((error.class(), error.is_retryable()), (Some(Class::Wait), true));
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_returned_gets_its_own_answer() {
    for code in ["UnsupportedOperation.InstancesProtected", "FailedOperation.NeverHeardOf"] {
        let cloud = refuses(&[0, 99], code);
        let answers = terminate(&cloud, &ids(0..100)).await;
        assert_eq!(failed(&answers), [name(0), name(99)], "{code}");
        let error = answers[0].1.as_ref().expect_err("forbidden");
        assert_eq!((error.class(), error.is_retryable()), (Some(Class::Forbidden), false));
    }
}

#[tokio::test(start_paused = true)]
async fn mixed_charge_types_are_split_until_each_batch_has_one() {
    let spot = |id: &String| id.ends_with(['0', '3', '7']);
    let cloud = Cloud::new(move |seen: &Seen| {
        let mixed = seen.ids().iter().map(spot).collect::<BTreeSet<_>>().len() > 1;
        if mixed { refused("UnsupportedOperation.InstanceMixedPricingModel") } else { accepted() }
    });
    let answers = terminate(&cloud, &ids(0..40)).await;
    assert!(failed(&answers).is_empty());
}

#[tokio::test(start_paused = true)]
async fn trouble_with_keys_or_money_concerns_all_and_is_not_split() {
    for code in ["AuthFailure.TokenFailure", "InvalidAccount.InsufficientBalance", "InvalidAction"] {
        let cloud = Cloud::new(move |_| refused(code));
        let answers = terminate(&cloud, &ids(0..100)).await;
        assert_eq!(failed(&answers).len(), 100, "{code}");
        assert_eq!(cloud.calls().len(), 1, "{code}");
        for (id, result) in answers {
            let error = result.expect_err("refused");
            assert_eq!((error.code(), error.request_id()), (Some(code), Some("req-refused")), "{id}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn passing_trouble_is_waited_out() {
    for reply in [
        refused("RequestLimitExceeded"),
        refused("InternalError"),
        Reply::lost(),
        Reply::not_sent(),
        Reply::body("<html>").status(503),
        // An empty object promises nothing.
        Reply::body(r#"{"Response":{}}"#),
    ] {
        let cloud = Cloud::new(move |seen| if seen.number < 2 { reply.clone() } else { accepted() });
        let answers = terminate(&cloud, &ids(0..3)).await;
        assert!(failed(&answers).is_empty(), "{answers:?}");
        assert_eq!(cloud.calls().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_that_does_not_pass_ends_with_the_deadline_and_an_answer_for_each() {
    let cloud = Cloud::new(|_| Reply::lost().after(Duration::from_secs(9)));
    let start = Instant::now();
    let answers = terminate(&cloud, &ids(0..150)).await;
    assert!(start.elapsed() <= Duration::from_secs(30), "{:?}", start.elapsed());
    assert_eq!(failed(&answers).len(), 150);
    for (_, result) in answers {
        assert_eq!(result.expect_err("lost").reach(), Reach::Unknown);
    }
}

#[tokio::test(start_paused = true)]
async fn that_the_last_try_did_not_leave_does_not_hide_that_the_first_did() {
    let cloud = Cloud::new(|seen| if seen.number == 0 { Reply::lost() } else { Reply::not_sent() });
    let answers = terminate(&cloud, &ids(0..2)).await;
    assert_eq!(cloud.calls().len(), 5);
    for (_, result) in answers {
        let error = result.expect_err("lost");
        assert_eq!(error.reach(), Reach::Unknown);
        assert!(std::error::Error::source(&error).expect("a cause").to_string().contains("reset"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_given_twice_is_sent_once_and_answered_twice() {
    let cloud = refuses(&[1], "UnsupportedOperation.InstanceStatePending");
    let twice: Vec<_> = [0, 1, 0, 1].into_iter().map(|n| InstanceId::new(name(n))).collect();
    let answers = terminate(&cloud, &twice).await;
    assert_eq!(answers.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(), twice);
    assert_eq!(failed(&answers), [name(1), name(1)]);
    assert_eq!(cloud.calls()[0].ids(), [name(0), name(1)]);
}

proptest! {
    #[test]
    fn whatever_is_bad_the_rest_goes_through(
        total in 0_usize..260,
        bad in prop::collection::btree_set(0_usize..260, 0..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("runtime");
        runtime.block_on(async {
            let names: BTreeSet<String> = bad.iter().copied().map(name).collect();
            let refused_names = names.clone();
            let cloud = Cloud::new(move |seen| match seen.ids().iter().any(|id| refused_names.contains(id)) {
                true => refused("UnsupportedOperation.InstanceStatePending"),
                false => accepted(),
            });
            let cvm = cloud.simulated().deadline(Duration::from_secs(600)).build().expect("client");
            let answers = cvm.terminate_instances(&ids(0..total)).await;
            prop_assert_eq!(answers.len(), total);
            let expected: Vec<_> = (0..total).map(name).filter(|id| names.contains(id)).collect();
            prop_assert_eq!(failed(&answers), expected);
            prop_assert!(cloud.calls().iter().all(|seen| (1..=100).contains(&seen.ids().len())));
            Ok(())
        })?;
    }
}
