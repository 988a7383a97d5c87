//! What people ask of a whole pool: a size by `replicas`, a pause, machines that outlive their pool.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use spotpool_operator::conditions::{kind, reason};
use spotpool_operator::crd::{KEEP_MACHINES_ANNOTATION, Phase, SpotPool};
use spotpool_operator::plan::{Plan, Step};

use crate::given::pool;
use crate::model::Model;

fn scaled(minimum: i32, maximum: i32, replicas: Option<i32>) -> SpotPool {
    let mut pool = pool(minimum, maximum);
    pool.spec.replicas = replicas;
    pool
}

/// A pool that has come to rest.
fn settled(pool: SpotPool) -> Model {
    let mut model = Model::new(pool, 100);
    model.settle();
    model
}

fn edit(model: &mut Model, change: impl FnOnce(&mut SpotPool)) {
    let pool = model.pool.as_mut().unwrap();
    change(pool);
    pool.metadata.generation = pool.metadata.generation.map(|generation| generation + 1);
}

fn condition<'a>(model: &'a Model, kind: &str) -> (&'a str, &'a str, &'a str) {
    let status = model.pool.as_ref().unwrap().status.as_ref().unwrap();
    let found = status.conditions.iter().find(|condition| condition.type_ == kind).unwrap();
    (&found.status, &found.reason, &found.message)
}

#[test]
fn replicas_hold_the_size_within_minimum_and_maximum() {
    for (minimum, maximum, replicas, size) in [
        (1, 4, None, 1),
        (1, 4, Some(3), 3),
        (1, 4, Some(0), 1),
        (1, 4, Some(9), 4),
        (0, 4, Some(0), 0),
        (2, 2, Some(1), 2),
    ] {
        let model = settled(scaled(minimum, maximum, replicas));
        assert_eq!(model.living(), size, "{minimum} to {maximum}, replicas {replicas:?}");
        let status = model.pool.as_ref().unwrap().status.as_ref().unwrap();
        assert_eq!(usize::try_from(status.replicas).unwrap(), size, "what the scale subresource shows");
        assert_eq!(condition(&model, kind::READY).0, "True");
    }
}

#[test]
fn fewer_replicas_let_the_youngest_go_and_taking_the_field_away_lets_none() {
    let mut model = settled(scaled(1, 5, Some(4)));
    edit(&mut model, |pool| pool.spec.replicas = Some(2));
    model.settle();
    assert_eq!(model.living(), 2);
    let left: Vec<i64> = model.instances.iter().map(|instance| instance.spec.n).collect();
    assert_eq!(left, [1, 2]);
    edit(&mut model, |pool| pool.spec.replicas = None);
    model.settle();
    assert_eq!(model.living(), 2, "any size between minimum and maximum is left alone");
}

#[test]
fn what_serves_from_an_earlier_spec_goes_before_what_serves_from_the_present_one() {
    let mut model = settled(scaled(1, 5, Some(4)));
    for instance in model.instances.iter_mut().filter(|instance| instance.spec.n <= 2) {
        instance.spec.template_hash = "of an earlier image".to_owned();
    }
    model.settle();
    assert_eq!(model.living(), 4, "an edited spec terminates nothing");
    edit(&mut model, |pool| pool.spec.replicas = Some(3));
    model.settle();
    assert_eq!(model.numbers(), [1, 3, 4], "the youngest of the two");
    edit(&mut model, |pool| pool.spec.replicas = Some(1));
    model.settle();
    assert_eq!(model.numbers(), [3]);
}

#[test]
fn a_counter_that_somebody_lost_makes_nobodys_of_no_machine() {
    let mut model = settled(scaled(2, 4, Some(3)));
    model.pool.as_mut().unwrap().status = None;
    model.settle();
    assert_eq!(model.numbers(), [1, 2, 3]);
    assert!(model.pass().hand_made.is_empty());
    // The next number is one that was never given away.
    edit(&mut model, |pool| pool.spec.replicas = Some(4));
    model.settle();
    assert_eq!(model.numbers(), [1, 2, 3, 4]);
    let status = model.pool.as_ref().unwrap().status.clone().unwrap();
    assert_eq!((status.launched, model.living()), (4, 4));
}

#[test]
fn a_pool_short_of_its_replicas_is_not_ready_though_its_minimum_serves() {
    let mut model = Model::new(scaled(1, 4, Some(3)), 1);
    for _ in 0..3 {
        model.pass();
        model.wait(1);
    }
    assert_eq!(model.living(), 1);
    let (truth, _, message) = condition(&model, kind::READY);
    assert_eq!((truth, message), ("False", "1 of 3 machines serve: see CapacityAvailable"));
}

fn writes_to_the_cloud(plan: &Plan) -> bool {
    plan.launch.is_some()
        || plan.raise.is_some()
        || plan.instances.iter().any(|entry| entry.step != Step::Keep)
}

#[test]
fn a_paused_pool_neither_launches_nor_terminates_and_says_so() {
    let mut model = settled(pool(2, 2));
    edit(&mut model, |pool| pool.spec.paused = true);
    let lost = model.machines.keys().next().unwrap().clone();
    model.machines.remove(&lost);
    edit(&mut model, |pool| (pool.spec.minimum, pool.spec.maximum) = (0, 0));
    for _ in 0..20 {
        let plan = model.pass();
        assert!(!writes_to_the_cloud(&plan), "{plan:?}");
        model.wait(10);
    }
    assert_eq!(model.living(), 1);
    assert_eq!(condition(&model, kind::RECONCILING).1, reason::PAUSED);
    assert_eq!(condition(&model, kind::STALLED).0, "False", "a pause is no trouble");
    edit(&mut model, |pool| pool.spec.paused = false);
    model.settle();
    assert_eq!(model.living(), 0);
}

#[test]
fn deleting_a_paused_pool_ends_it() {
    let mut model = settled(pool(2, 2));
    edit(&mut model, |pool| pool.spec.paused = true);
    model.pass();
    edit(&mut model, |pool| pool.metadata.deletion_timestamp = Some(Time(crate::given::at(1))));
    model.settle();
    assert_eq!((model.living(), model.pool.is_none()), (0, true));
}

#[test]
fn machines_of_a_pool_that_keeps_them_outlive_it_and_nothing_else_is_left() {
    for (value, living) in [("true", 2), ("yes", 0), ("false", 0)] {
        let mut model = settled(pool(2, 2));
        edit(&mut model, |pool| {
            pool.annotations_mut().insert(KEEP_MACHINES_ANNOTATION.to_owned(), value.to_owned());
        });
        model.settle();
        assert_eq!(model.living(), 2, "the annotation alone changes nothing");
        edit(&mut model, |pool| pool.metadata.deletion_timestamp = Some(Time(crate::given::at(1))));
        model.settle();
        assert_eq!(model.living(), living, "keep-machines: {value}");
        assert!(model.pool.is_none() && model.instances.is_empty());
    }
}

#[test]
fn a_single_deletion_in_a_pool_that_keeps_its_machines_ends_that_machine() {
    let mut model = settled(pool(1, 1));
    edit(&mut model, |pool| {
        pool.annotations_mut().insert(KEEP_MACHINES_ANNOTATION.to_owned(), "true".to_owned());
    });
    let first = model.machines.keys().next().unwrap().clone();
    model.instances[0].metadata.deletion_timestamp = Some(Time(model.now));
    model.settle();
    assert_eq!(model.living(), 1);
    assert!(!model.machines.contains_key(&first), "only the pool's own end lets machines live");
}

#[test]
fn a_pool_that_keeps_its_machines_keeps_those_whose_spotinstances_are_deleted_before_it() {
    // One serves, one is still booting: the first would wait for a replacement, the second for nothing.
    for namespace in [true, false] {
        let mut model = settled(pool(2, 2));
        model.silent.insert(2, model.now);
        model.instances[1].status.as_mut().unwrap().phase = Phase::Booting;
        edit(&mut model, |pool| {
            pool.annotations_mut().insert(KEEP_MACHINES_ANNOTATION.to_owned(), "true".to_owned());
        });
        model.namespace_leaving = namespace;
        let machines: Vec<_> = model.machines.keys().cloned().collect();
        let time = Time(model.now);
        for instance in &mut model.instances {
            instance.metadata.deletion_timestamp = Some(time.clone());
        }
        for _ in 0..3 {
            model.pass();
            model.wait(5);
        }
        edit(&mut model, |pool| pool.metadata.deletion_timestamp = Some(time));
        model.settle();
        let live = machines.iter().all(|id| model.machines.contains_key(id));
        assert!(live, "the namespace goes: {namespace}");
        assert!(model.pool.is_none() && model.instances.is_empty());
    }
}
