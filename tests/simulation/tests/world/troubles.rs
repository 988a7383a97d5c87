//! Troubles that take minutes, played in virtual time on a calm stage.

use std::time::Duration;

use kube::ResourceExt;
use sim::cvm::{Fault, FaultRule, Settings, Span, Stock};
use simulation::contract::sample_instance;
use simulation::gate::{Bait, Deed, Edge, Trap};
use simulation::nature::NAMESPACE;
use simulation::process::wait_for;
use simulation::site::Step;
use simulation::store::ObjectKey;
use spotpool_operator::conditions::{kind, reason};
use spotpool_operator::crd::{ADOPT_ANNOTATION, SpotInstanceStatus, SpotPool};
use spotpool_operator::identity::POOL_TAG;
use tokio::time::sleep;

use crate::stage::Stage;

const MINUTE: Duration = Duration::from_secs(60);
/// Two looks through the whole account, and what is made of them.
const TWO_WIDE_LOOKS: Duration = Duration::from_secs(720);

fn machines_of(stage: &Stage, pool: &SpotPool) -> Vec<String> {
    let uid = pool.uid().unwrap();
    stage.cloud.with(|cloud| {
        let of_pool = cloud.existing().filter(|machine| machine.tag(POOL_TAG) == Some(uid.as_str()));
        of_pool.map(|machine| machine.id.clone()).collect()
    })
}

/// The pool was told to take a machine over, has not done so, and says why.
fn takes_nothing_over(stage: &Stage, pool: &str, why: &str) {
    assert!(stage.instances(pool).iter().all(|instance| instance.spec.adopted.is_none()));
    let (_, given, message) = stage.condition(pool, kind::UNCLAIMED_MACHINES);
    assert_eq!(given, reason::NOT_ADOPTED, "{message}");
    assert!(message.contains(why), "{message}");
}

#[tokio::test(start_paused = true)]
async fn only_machines_whose_pool_is_gone_are_called_so() {
    let names = ["anna", "bert", "carl", "dora"];
    let stage = Stage::set(&names.map(|name| Stage::pool(name, 1)));
    for name in names {
        stage.filled(name, 1).await;
    }
    // One goes without a trace, as before a restore; one makes no sense any more; one has lost its key.
    let lost = stage.store.peek_pool(&Stage::key("bert")).unwrap();
    let machine = machines_of(&stage, &lost).remove(0);
    stage.store.drop_pool(&Stage::key("bert")).unwrap();
    stage.store.drop_instance(&ObjectKey::new(NAMESPACE, "bert-1")).unwrap();
    stage.store.edit_pool(&Stage::key("carl"), |spec| spec.credentials_secret_ref = None).unwrap();
    stage.write_key("dora", &[("secretId", ""), ("secretKey", "")]);

    sleep(TWO_WIDE_LOOKS).await;
    let said = stage.said("UnclaimedMachines");
    let notes: Vec<&str> = said.iter().map(|event| event.note.as_str()).collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains(&machine) && notes[0].contains("models/bert-1"), "{notes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_machine_of_a_pool_that_is_not_looked_after_is_nobody_elses() {
    let stage = Stage::set(&[Stage::pool("anna", 1), Stage::pool("bert", 1)]);
    stage.filled("bert", 1).await;
    let theirs = machines_of(&stage, &stage.store.peek_pool(&Stage::key("bert")).unwrap()).remove(0);
    // Bert cannot be acted on for now; Anna is told to take its machine over, with room to spare.
    stage.store.edit_pool(&Stage::key("bert"), |spec| spec.credentials_secret_ref = None).unwrap();
    sleep(MINUTE).await;
    stage.store.edit_pool(&Stage::key("anna"), |spec| spec.maximum = 3).unwrap();
    stage.store.annotate_pool(&Stage::key("anna"), ADOPT_ANNOTATION, Some(&theirs)).unwrap();
    sleep(MINUTE).await;
    takes_nothing_over(&stage, "anna", "another pool, which is there");
}

#[tokio::test(start_paused = true)]
async fn what_a_pool_has_left_behind_is_no_prey() {
    let stage = Stage::set(&[Stage::pool("anna", 1), Stage::pool("bert", 1)]);
    stage.filled("anna", 1).await;
    stage.filled("bert", 1).await;
    let theirs = machines_of(&stage, &stage.store.peek_pool(&Stage::key("bert")).unwrap()).remove(0);
    // Bert's SpotInstance waits for a key with which its machine could go.
    stage.store.drop_pool(&Stage::key("bert")).unwrap();
    sleep(MINUTE).await;
    assert_eq!(stage.instances("bert").len(), 1);
    stage.store.edit_pool(&Stage::key("anna"), |spec| spec.maximum = 3).unwrap();
    stage.store.annotate_pool(&Stage::key("anna"), ADOPT_ANNOTATION, Some(&theirs)).unwrap();
    sleep(2 * MINUTE).await;
    takes_nothing_over(&stage, "anna", "has left its SpotInstance behind");
}

#[tokio::test(start_paused = true)]
async fn what_lasts_is_told_again_before_its_event_expires() {
    let names = ["anna", "bert", "carl"];
    let stage = Stage::set(&names.map(|name| Stage::pool(name, 1)));
    for name in names {
        stage.filled(name, 1).await;
    }
    // One leaves its SpotInstance behind, and one its machine alone; through the account of the third they are looked for.
    stage.store.drop_pool(&Stage::key("anna")).unwrap();
    stage.store.drop_pool(&Stage::key("bert")).unwrap();
    stage.store.drop_instance(&ObjectKey::new(NAMESPACE, "bert-1")).unwrap();
    sleep(TWO_WIDE_LOOKS).await;
    let status = stage.instances("anna")[0].status.clone().unwrap();
    assert_eq!(status.reason.as_deref(), Some("PoolGone"));
    let of_anna = |reason: &str| {
        let about = stage.said(reason).into_iter().filter(|event| event.regarding.name == "anna-1");
        about.count()
    };
    assert_eq!((of_anna("PoolGone"), stage.said("UnclaimedMachines").len()), (1, 1));
    sleep(125 * MINUTE).await;
    assert_eq!((of_anna("PoolGone"), stage.said("UnclaimedMachines").len()), (5, 5));
    assert_eq!(stage.instances("anna")[0].status.clone().unwrap(), status, "nothing is written again");
}

#[tokio::test(start_paused = true)]
async fn whoever_read_a_pool_long_ago_takes_nothing_from_the_next_of_its_name() {
    let stage = Stage::set(&[Stage::pool("anna", 1)]);
    stage.filled("anna", 1).await;
    let rival = stage.rival();
    let (trap, frozen) = Trap::new(Bait::Step(Step::ReadPool), Edge::After, Deed::Freeze(15 * MINUTE));
    stage.process.gate.arm(trap);
    stage.store.delete_pool(&Stage::key("anna")).unwrap();
    frozen.await.expect("it stands still with the old pool in its hands");
    let gone = || stage.store.peek_pool(&Stage::key("anna")).is_none();
    stage.until("the rival to end the pool", 10 * MINUTE, gone).await;
    stage.store.create_pool(&Stage::pool("anna", 1)).unwrap();
    stage.filled("anna", 1).await;
    let machine = stage.instances("anna")[0].status.clone().unwrap().instance_id;
    sleep(20 * MINUTE).await;
    let now = stage.instances("anna");
    assert_eq!(now.len(), 1);
    assert!(now[0].metadata.deletion_timestamp.is_none());
    assert_eq!(now[0].status.clone().unwrap().instance_id, machine);
    assert_eq!(stage.calls("TerminateInstances"), 1, "the old pool's machine and no other");
    drop(rival);
}

#[tokio::test(start_paused = true)]
async fn whoever_listed_long_ago_does_not_decide_by_a_younger_pool() {
    let stage = Stage::set(&[Stage::pool("anna", 1)]);
    stage.filled("anna", 1).await;
    // What a restore has brought is strange to the pool, which is therefore read once more.
    let pool = stage.store.peek_pool(&Stage::key("anna")).unwrap();
    let mut strange = sample_instance(&pool, 1);
    strange.metadata.name = Some("anna-restored".to_owned());
    strange.spec.pool.uid = "00000000-0000-4000-8000-before-the-restore".to_owned();
    strange.spec.cluster_id = "another-cluster".to_owned();
    stage.store.restore_instance(&strange).unwrap();
    let rival = stage.rival();
    let (trap, frozen) = Trap::new(Bait::Step(Step::List), Edge::After, Deed::Freeze(15 * MINUTE));
    stage.process.gate.arm(trap);
    frozen.await.expect("it stands still with the old list in its hands");
    stage.store.edit_pool(&Stage::key("anna"), |spec| (spec.minimum, spec.maximum) = (2, 2)).unwrap();
    let status = || stage.store.peek_pool(&Stage::key("anna")).unwrap().status.clone().unwrap();
    stage.until("the rival to fill the pool", 10 * MINUTE, || status().ready_size == 2).await;
    sleep(20 * MINUTE).await;
    assert_eq!(status().launched, 2, "no number is given away by what was listed before");
    drop(rival);
}

#[tokio::test(start_paused = true)]
async fn whoever_stood_still_since_the_second_look_asks_for_nothing() {
    let stage = Stage::set(&[Stage::pool("anna", 1)]);
    stage.filled("anna", 1).await;
    let (trap, made) = Trap::new(Bait::Step(Step::Create), Edge::After, Deed::Tell);
    stage.process.gate.arm(trap);
    stage.store.edit_pool(&Stage::key("anna"), |spec| (spec.minimum, spec.maximum) = (2, 2)).unwrap();
    made.await.expect("a wish is made");
    let (trap, frozen) = Trap::new(Bait::Step(Step::List), Edge::After, Deed::Freeze(MINUTE));
    stage.process.gate.arm(trap);
    frozen.await.expect("it stands still with the second look in its hands");
    stage.store.delete_pool(&Stage::key("anna")).unwrap();
    let gone = || stage.store.peek_pool(&Stage::key("anna")).is_none();
    stage.until("the pool to go", 15 * MINUTE, gone).await;
    assert_eq!(stage.calls("RunInstances"), 1, "nothing is asked for since the pool was deleted");
}

#[tokio::test(start_paused = true)]
async fn an_error_that_nobody_knows_may_hide_a_machine_which_goes_with_its_pool() {
    let stage = Stage::set(&[]);
    // Late enough that no sweep shows it before a refusal would have ended everything.
    let late = Span::between(Duration::from_secs(50), Duration::from_secs(60));
    stage.cloud.with(|cloud| {
        let settings = cloud.settings().clone();
        cloud.set_settings(Settings { tag_lag: late, visibility_lag: late, ..settings });
        let fault = Fault::FailAfterCommit { code: "FailedOperation.ComesTomorrow".to_owned() };
        cloud.add_fault(FaultRule::new(fault).on("RunInstances").times(1));
    });
    stage.put_key("anna");
    stage.store.create_pool(&Stage::pool("anna", 1)).unwrap();
    let asked = || stage.calls("RunInstances") == 1;
    stage.until("the request", MINUTE, asked).await;
    sleep(Duration::from_secs(5)).await;
    let (status, _, message) = stage.condition("anna", kind::STALLED);
    assert!(status == "True" && message.contains("FailedOperation.ComesTomorrow"), "{message}");
    stage.store.delete_pool(&Stage::key("anna")).unwrap();
    let gone = || stage.store.peek_pool(&Stage::key("anna")).is_none();
    stage.until("the pool to go", 15 * MINUTE, gone).await;
    assert_eq!(stage.cloud.with(|cloud| cloud.existing().count()), 0, "its machine went with it");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_taken_away_is_not_used_any_more() {
    let stage = Stage::set(&[Stage::pool("anna", 1)]);
    stage.filled("anna", 1).await;
    stage.write_key("anna", &[("secretId", ""), ("secretKey", "")]);
    sleep(Duration::from_secs(15)).await;
    let before = stage.calls("DescribeInstances");
    sleep(10 * MINUTE).await;
    assert_eq!(
        stage.calls("DescribeInstances"),
        before,
        "no call is signed with the key that was there before"
    );
    stage.put_key("anna");
    sleep(MINUTE).await;
    assert!(stage.calls("DescribeInstances") > before);
    assert_eq!(stage.instances("anna").len(), 1, "and nothing was lost by it");
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_the_cloud_will_not_take_back_is_told_of_and_asked_for_less_and_less() {
    let stage = Stage::set(&[Stage::pool("anna", 1)]);
    stage.filled("anna", 1).await;
    let code = "UnsupportedOperation.InstancesProtected".to_owned();
    let refusal = FaultRule::new(Fault::Refuse { code: code.clone() }).on("TerminateInstances");
    let rule = stage.cloud.with(|cloud| cloud.add_fault(refusal));
    stage.store.edit_pool(&Stage::key("anna"), |spec| (spec.minimum, spec.maximum) = (0, 0)).unwrap();
    sleep(MINUTE).await;
    let (status, why, message) = stage.condition("anna", kind::STALLED);
    assert_eq!((status.as_str(), why.as_str()), ("True", reason::TERMINATION_REFUSED), "{message}");
    for word in [code.as_str(), "RequestId", "anna-1", "console"] {
        assert!(message.contains(word), "{word}: {message}");
    }
    sleep(60 * MINUTE).await;
    let asked = stage.calls("TerminateInstances");
    assert!((12..=18).contains(&asked), "about every five minutes in the end, not {asked} times an hour");
    assert_eq!(stage.said("TerminateFailed").len(), 1, "one Event for one reason");
    // Somebody takes the protection off.
    stage.cloud.with(|cloud| cloud.remove_fault(rule));
    sleep(8 * MINUTE).await;
    assert!(stage.instances("anna").is_empty());
    assert_eq!(stage.condition("anna", kind::STALLED).0, "False");
}

#[tokio::test(start_paused = true)]
async fn a_termination_that_meets_passing_trouble_is_repeated_within_seconds() {
    let stage = Stage::set(&[Stage::pool("anna", 1)]);
    stage.filled("anna", 1).await;
    // More often than one call repeats itself.
    let refusal = FaultRule::new(Fault::Refuse { code: "InternalServerError".to_owned() });
    stage.cloud.with(|cloud| cloud.add_fault(refusal.on("TerminateInstances").times(16)));
    stage.store.edit_pool(&Stage::key("anna"), |spec| (spec.minimum, spec.maximum) = (0, 0)).unwrap();
    let gone = || stage.cloud.with(|cloud| cloud.existing().count()) == 0;
    stage.until("the machine to go", Duration::from_secs(200), gone).await;
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_none_blinds_nobody() {
    let stage = Stage::set(&[Stage::pool("anna", 1), Stage::pool("bert", 1)]);
    stage.filled("anna", 1).await;
    stage.filled("bert", 1).await;
    // Somebody edits a status by hand.
    let nonsense = |status: &mut SpotInstanceStatus| status.instance_id = Some("not an id".to_owned());
    stage.store.edit_instance_status(&ObjectKey::new(NAMESPACE, "bert-1"), nonsense).unwrap();
    sleep(Duration::from_secs(10)).await;
    let lost = machines_of(&stage, &stage.store.peek_pool(&Stage::key("anna")).unwrap()).remove(0);
    stage.cloud.with(|cloud| cloud.vanish(&lost)).unwrap();
    let replaced = || {
        let anna = stage.store.peek_pool(&Stage::key("anna")).unwrap();
        let serves = anna.status.as_ref().unwrap().ready_size == 1;
        serves && stage.instances("anna").iter().all(|instance| instance.spec.n == 2)
    };
    stage.until("the other pool to be made whole", Duration::from_secs(120), replaced).await;
}

#[tokio::test(start_paused = true)]
async fn stock_that_comes_back_is_bought_at_the_next_question_whenever_that_falls() {
    let (zone, instance_type) = ("ap-singapore-2", "GN7.2XLARGE32");
    let stock = |stage: &Stage, count| {
        let stock = Stock { zone: zone.to_owned(), instance_type: instance_type.to_owned(), count };
        stage.cloud.with(|cloud| cloud.set_stock(&stock)).unwrap();
    };
    // The cloud is asked for both, in the rhythm of the first: a third of a second later each turn.
    for turn in 0..30 {
        let stage = Stage::set(&[]);
        stock(&stage, 0);
        for name in ["bert", "anna"] {
            stage.put_key(name);
            stage.store.create_pool(&Stage::pool(name, 1)).unwrap();
            sleep(Duration::from_millis(333) * turn).await;
        }
        let refusals = || {
            let status =
                stage.store.peek_pool(&Stage::key("anna")).unwrap().status.clone().unwrap_or_default();
            status.launch_back_off.first().map_or(0, |entry| entry.failures)
        };
        // The pause is 24 to 32 s now, and the cloud is asked every 10 s what it advertises.
        stage.until("six refusals", 5 * MINUTE, || refusals() >= 6).await;
        stock(&stage, 5);
        let bought = || machines_of(&stage, &stage.store.peek_pool(&Stage::key("anna")).unwrap()).len() == 1;
        let limit = Duration::from_secs(14);
        assert!(wait_for(limit, bought).await, "turn {turn}: not bought within {limit:?}");
        let attempts = stage.instances("anna").remove(0).status.unwrap().attempts;
        assert!(attempts.last().unwrap().stock_asked_at.is_some(), "what is known of stock is written down");
    }
}
