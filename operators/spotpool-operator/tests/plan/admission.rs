//! Step 4: two leaders meet at the second look.

use std::collections::BTreeSet;
use std::sync::Arc;

use spotpool_operator::Guards;
use spotpool_operator::crd::{AttemptOutcome, SpotInstance, SpotInstanceStatus, SpotPool};
use spotpool_operator::identity::{body_hash, request};
use spotpool_operator::plan::admit::{Admission, admit};
use spotpool_operator::plan::seen::NameLook;
use spotpool_operator::plan::{AccountSeen, Chosen, PoolSeen, Rules, Target};
use spotpool_operator::sweep::Snapshot;
use spotpool_operator::valid::ValidPool;

use crate::given::{at, attempt, candidate, instance, pool, rules};

fn account() -> AccountSeen {
    let snapshot = Snapshot { begun: Some(at(0)), ..Snapshot::default() };
    AccountSeen { now: Some(at(1)), snapshot: Some(Arc::new(snapshot)), ..AccountSeen::default() }
}

/// A pool that has numbered more than enough.
fn numbered(minimum: i32, maximum: i32) -> SpotPool {
    let mut pool = self::pool(minimum, maximum);
    pool.status.as_mut().unwrap().launched = 10;
    pool
}

fn there(pool: &SpotPool) -> PoolSeen {
    PoolSeen::There(Box::new(pool.clone()), Box::new(ValidPool::try_from(pool).unwrap()))
}

fn chosen(numbers: &[i64]) -> Chosen {
    Chosen { numbers: numbers.to_vec(), candidate: candidate(), target: Target { least: 2, most: 3 } }
}

fn look(pool: &PoolSeen, instances: &[SpotInstance], numbers: &[i64], rules: &Rules) -> Admission {
    let planned = ValidPool::try_from(&numbered(2, 3)).unwrap();
    admit(&planned, pool, instances, &chosen(numbers), &BTreeSet::new(), &account(), rules)
}

fn numbers(admission: &Admission) -> (&'static str, Vec<i64>) {
    match admission {
        Admission::Go(_, launches) => ("go", launches.iter().map(|launch| launch.instance.spec.n).collect()),
        Admission::Delete(wishes) => ("delete", wishes.iter().map(|wish| wish.spec.n).collect()),
        Admission::Nothing => ("nothing", Vec::new()),
    }
}

fn with_machine(n: i64) -> SpotInstance {
    let mut instance = instance(n);
    instance.status = Some(SpotInstanceStatus {
        instance_id: Some(format!("ins-{n}")),
        attempts: vec![attempt(1, "a", at(0), AttemptOutcome::Made)],
        ..SpotInstanceStatus::default()
    });
    instance
}

#[test]
fn of_wishes_too_many_the_youngest_goes_and_nobody_sends_in_that_pass() {
    let three = [instance(1), instance(2), instance(3)];
    assert_eq!(numbers(&look(&there(&numbered(2, 3)), &three, &[1, 2], &rules())), ("delete", vec![3]));
    assert_eq!(numbers(&look(&there(&numbered(2, 3)), &three[..2], &[1, 2], &rules())), ("go", vec![1, 2]));
    let full = [with_machine(1), with_machine(2), instance(3)];
    assert_eq!(numbers(&look(&there(&numbered(2, 3)), &full, &[3], &rules())), ("delete", vec![3]));
}

#[test]
fn a_minimum_lowered_between_the_looks_counts() {
    assert_eq!(
        numbers(&look(&there(&numbered(1, 3)), &[instance(1), instance(2)], &[1, 2], &rules())),
        ("delete", vec![2])
    );
}

#[test]
fn a_wish_of_another_spec_than_the_pool_has_by_now_sends_nothing() {
    let mut edited = numbered(2, 3);
    "img-corrected".clone_into(&mut edited.spec.image_id);
    assert_eq!(
        numbers(&look(&there(&edited), &[instance(1), instance(2)], &[1, 2], &rules())),
        ("nothing", vec![])
    );
}

#[test]
fn without_its_pool_a_wish_is_deleted_and_nothing_is_sent() {
    let wishes = [instance(1), with_machine(2)];
    let mut leaving = numbered(2, 3);
    leaving.metadata.deletion_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(0)));
    let mut other = numbered(2, 3);
    other.metadata.uid = Some("another".to_owned());
    for (what, seen) in [("gone", PoolSeen::Gone), ("leaving", there(&leaving)), ("another", there(&other))] {
        assert_eq!(numbers(&look(&seen, &wishes, &[1], &rules())), ("delete", vec![1]), "{what}");
    }
    let careless = Rules { guards: Guards::without("pool-check").unwrap(), ..rules() };
    assert_eq!(numbers(&look(&PoolSeen::Gone, &wishes, &[1], &careless)), ("go", vec![1]));
}

#[test]
fn what_may_still_live_on_its_way_out_leaves_no_room() {
    // Three may live at most; two leave but nobody has seen them go yet.
    let mut instances: Vec<SpotInstance> = (1..=2).map(with_machine).collect();
    for leaving in &mut instances {
        leaving.metadata.deletion_timestamp =
            Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(0)));
    }
    instances.extend([instance(3), instance(4)]);
    assert_eq!(numbers(&look(&there(&numbered(2, 3)), &instances, &[3, 4], &rules())), ("go", vec![3]));
}

#[test]
fn another_leaders_attempt_is_not_repeated() {
    let mut taken = instance(1);
    let attempts = vec![attempt(1, "theirs", at(0), AttemptOutcome::Unknown)];
    taken.status = Some(SpotInstanceStatus { attempts, ..SpotInstanceStatus::default() });
    assert_eq!(
        numbers(&look(&there(&numbered(2, 3)), &[taken, instance(2)], &[1, 2], &rules())),
        ("go", vec![2])
    );
}

#[test]
fn a_copy_made_by_hand_takes_nobodys_place() {
    let pool = numbered(2, 3);
    let mut by_hand = instance(2);
    by_hand.metadata.name = Some("my-copy".to_owned());
    by_hand.metadata.uid = Some("99999999-0000-4000-8000-333333333333".to_owned());
    let instances = [with_machine(1), by_hand, instance(3)];
    assert_eq!(numbers(&look(&there(&pool), &instances, &[3], &rules())), ("go", vec![3]));
}

#[test]
fn a_request_sent_once_more_needs_room_as_well() {
    // Its first one made nothing as far as a look tells, so its place may have been taken meanwhile.
    let mut unanswered = instance(1);
    let mut open = attempt(1, "a", at(0), AttemptOutcome::Unknown);
    let planned = ValidPool::try_from(&numbered(2, 2)).unwrap();
    open.body_hash = body_hash(&request(&planned, &unanswered, &candidate(), "a"));
    unanswered.status = Some(SpotInstanceStatus { attempts: vec![open], ..SpotInstanceStatus::default() });
    let mut leaving: Vec<SpotInstance> = vec![with_machine(2), with_machine(3)];
    for leaving in &mut leaving {
        leaving.metadata.deletion_timestamp =
            Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(0)));
    }
    let mut account = account();
    account
        .by_name
        .insert(unanswered.metadata.uid.clone().unwrap(), NameLook { begun: at(120), machines: vec![] });
    let judge = |instances: &[SpotInstance]| {
        numbers(&admit(
            &planned,
            &there(&numbered(2, 2)),
            instances,
            &Chosen { target: Target { least: 2, most: 2 }, ..chosen(&[1]) },
            &BTreeSet::new(),
            &account,
            &rules(),
        ))
    };
    let full = [vec![unanswered.clone()], leaving.clone()].concat();
    assert_eq!(judge(&full), ("nothing", vec![]), "two may still live, and two are the most");
    assert_eq!(judge(&full[..2]), ("go", vec![1]));
}

#[test]
fn a_pause_that_came_between_the_looks_counts() {
    let mut paused = numbered(2, 3);
    paused.spec.paused = true;
    let two = [instance(1), instance(2)];
    assert_eq!(numbers(&look(&there(&paused), &two, &[1, 2], &rules())), ("nothing", vec![]));
}
