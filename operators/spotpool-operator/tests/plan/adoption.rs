//! Machines that somebody wants a pool to take over.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use spotpool_operator::conditions::{kind, reason};
use spotpool_operator::crd::{ADOPT_ANNOTATION, SpotInstance};
use spotpool_operator::identity::{CLUSTER_TAG, INSTANCE_TAG, LABEL_TAG, POOL_TAG};
use spotpool_operator::plan::{Adoptions, CloudSeen, Plan, Step, plan};
use spotpool_operator::status::status;
use tencent_cvm::{Instance, InstanceId, InstanceState, Tag};

use crate::given::{instance, machine, pool, rules};
use crate::model::Model;

/// A machine as an earlier pool of the same name left it.
fn left_over(id: &str, state: InstanceState) -> Instance {
    let mut machine = machine(&instance(1), id, state);
    machine.name = "sp-of-the-earlier-pool-1".to_owned();
    let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
    machine.tags = vec![
        tag(CLUSTER_TAG, &rules().cluster_id),
        tag(POOL_TAG, "uid-of-the-earlier-pool"),
        tag(INSTANCE_TAG, "uid-of-the-earlier-spotinstance"),
        tag(LABEL_TAG, "default/pool-1"),
    ];
    machine
}

/// A settled pool of one to `maximum`, beside machines that are none of its own.
fn beside(maximum: i32, others: &[Instance]) -> Model {
    let mut model = Model::new(pool(1, maximum), 9);
    model.settle();
    for other in others {
        model.machines.insert(other.id.clone(), other.clone());
    }
    model
}

fn annotate(model: &mut Model, ids: &str) {
    let annotations = model.pool.as_mut().unwrap().metadata.annotations.get_or_insert_default();
    annotations.insert(ADOPT_ANNOTATION.to_owned(), ids.to_owned());
}

fn decided(model: &Model) -> Plan {
    plan(&model.observe(), &rules(), model.now)
}

/// Why it is not taken over.
fn refusal(model: &Model) -> String {
    let plan = decided(model);
    assert_eq!((&plan.adoptions.take, &plan.raise), (&Vec::new(), &None));
    let [(id, why)] = &plan.adoptions.refused[..] else { panic!("{:?}", plan.adoptions) };
    assert_eq!(id, "ins-left");
    let seen = model.observe();
    let told = status(seen.pool.object().unwrap(), &seen, &plan, model.now);
    let condition =
        told.conditions.iter().find(|condition| condition.type_ == kind::UNCLAIMED_MACHINES).unwrap();
    assert!(
        condition.message.contains(&format!("ins-left is not taken over: {why}")),
        "{}",
        condition.message
    );
    why.clone()
}

fn of(model: &Model, id: &str) -> Option<SpotInstance> {
    let records = |instance: &&SpotInstance| {
        instance.status.as_ref().and_then(|status| status.instance_id.as_deref()) == Some(id)
    };
    model.instances.iter().find(records).cloned()
}

#[test]
fn what_an_earlier_pool_of_the_same_name_left_is_listed_and_left_alone() {
    let mut model = beside(3, &[left_over("ins-left", InstanceState::Running)]);
    model.strangers.insert("ins-left".into());
    let plan = decided(&model);
    assert_eq!(plan.unclaimed, [InstanceId::from("ins-left")]);
    assert_eq!(plan.adoptions, Adoptions::default());
    let seen = model.observe();
    let told = status(seen.pool.object().unwrap(), &seen, &plan, model.now);
    let condition =
        told.conditions.iter().find(|condition| condition.type_ == kind::UNCLAIMED_MACHINES).unwrap();
    assert_eq!((condition.status.as_str(), condition.reason.as_str()), ("True", reason::FOUND));
    let command = "kubectl annotate sp pool --namespace default --overwrite demo.aiops.org/adopt=ins-left";
    assert!(condition.message.contains(command), "{}", condition.message);
}

#[test]
fn a_paused_pool_says_that_it_takes_a_named_machine_over_later() {
    let mut model = beside(3, &[left_over("ins-left", InstanceState::Running)]);
    model.pool.as_mut().unwrap().spec.paused = true;
    let message = |model: &Model| {
        let (seen, plan) = (model.observe(), decided(model));
        assert_eq!(plan.adoptions, Adoptions::default());
        let told = status(seen.pool.object().unwrap(), &seen, &plan, model.now);
        told.conditions.into_iter().find(|it| it.type_ == kind::UNCLAIMED_MACHINES).unwrap().message
    };
    let later = "taken over when spec.paused is taken away";
    assert!(!message(&model).contains(later));
    annotate(&mut model, "ins-left");
    assert!(message(&model).ends_with(later), "{}", message(&model));
}

#[test]
fn a_named_machine_is_taken_over_and_counts_and_serves() {
    let mut model = beside(3, &[left_over("ins-left", InstanceState::Running)]);
    annotate(&mut model, " ins-left , ");
    model.settle();
    let adopted = of(&model, "ins-left").expect("it has a SpotInstance");
    assert_eq!(adopted.spec.adopted.as_ref().unwrap().instance_name, "sp-of-the-earlier-pool-1");
    assert!(adopted.status.unwrap().attempts.is_empty(), "nothing was ever asked for");
    assert_eq!(model.instances.len(), 2, "within the bounds any size is left alone");
    assert!(decided(&model).unclaimed.is_empty());
}

#[test]
fn it_goes_like_any_other_and_is_replaced_by_one_of_the_pools_own() {
    let mut model = beside(3, &[left_over("ins-left", InstanceState::Running)]);
    annotate(&mut model, "ins-left");
    model.settle();
    // The size shrinks to one: of two that serve, the younger goes.
    model.pool.as_mut().unwrap().spec.replicas = Some(1);
    model.settle();
    assert!(
        !model.machines.contains_key(&"ins-left".into()),
        "it was terminated: name and tags are as they were"
    );
    assert!(decided(&model).adoptions.take.is_empty(), "and is not looked for again");
    assert_eq!(model.instances.len(), 1);
}

#[test]
fn one_whose_name_or_tags_were_changed_since_is_not_terminated() {
    let mut model = beside(3, &[left_over("ins-left", InstanceState::Running)]);
    annotate(&mut model, "ins-left");
    model.settle();
    model.strangers.insert("ins-left".into());
    model.machines.get_mut(&"ins-left".into()).unwrap().tags[1].value = "uid-of-a-third-pool".to_owned();
    model.pool.as_mut().unwrap().spec.replicas = Some(1);
    model.settle();
    assert!(model.machines.contains_key(&"ins-left".into()));
}

#[test]
fn a_machine_is_taken_over_once() {
    let mut model = beside(3, &[left_over("ins-left", InstanceState::Running)]);
    annotate(&mut model, "ins-left");
    let plan = decided(&model);
    let raise = plan.raise.as_ref().unwrap();
    assert_eq!((raise.to, raise.adopt.len(), raise.create.len()), (2, 1, 0));
    // Another leader has written it down and made nothing yet.
    let old = model.pool.as_mut().unwrap().status.as_mut().unwrap();
    (old.launched, old.adopting) = (2, raise.adopt.clone());
    let plan = decided(&model);
    assert_eq!((plan.adoptions.take.len(), plan.adoptions.make.len(), plan.raise), (0, 1, None));
    // A restored copy that bears its number under another name is not what is to be made.
    let mut copy = instance(2);
    copy.metadata.name = Some("restored".to_owned());
    model.instances.push(copy);
    let plan = decided(&model);
    assert_eq!((plan.adoptions.take.len(), plan.adoptions.make.len(), plan.raise.is_none()), (0, 1, true));
    let pool = model.pool.clone().unwrap();
    let new = status(&pool, &model.observe(), &plan, model.now);
    assert_eq!(new.adopting.len(), 1, "and it stays written down");
}

#[test]
fn nobody_goes_for_one_that_was_made_when_its_machine_was_gone() {
    let mut model = beside(2, &[left_over("ins-left", InstanceState::Running)]);
    annotate(&mut model, "ins-left");
    model.settle();
    let mut late = model.instances.iter().find(|it| it.spec.adopted.is_some()).unwrap().clone();
    // It goes, and another one takes its place.
    model.pool.as_mut().unwrap().spec.replicas = Some(1);
    model.settle();
    model.pool.as_mut().unwrap().spec.replicas = Some(2);
    model.settle();
    let own: Vec<_> = model.machines.keys().cloned().collect();
    assert_eq!((own.len(), model.machines.contains_key(&"ins-left".into())), (2, false));
    // One of them does not serve just now: of three it would go first.
    model.machines.get_mut(own.last().unwrap()).unwrap().state = Some("RESCUE_MODE".to_owned().into());
    model.pass();
    // Whoever had stood still makes its SpotInstance once more.
    (late.status, late.metadata.uid) = (None, Some("99999999-0000-4000-8000-333333333333".to_owned()));
    model.instances.push(late);
    model.settle();
    assert_eq!(model.machines.keys().cloned().collect::<Vec<_>>(), own, "both go on");
    assert_eq!(model.instances.len(), 2, "what has no machine goes");
}

/// (what is wrong, the pool's maximum, what is changed about the machine, words of the reason)
type Row = (&'static str, i32, fn(&mut Instance), &'static str);

#[test]
fn what_may_not_be_taken_over_is_told_with_the_reason() {
    let annotated = |maximum: i32, change: fn(&mut Instance)| {
        let mut other = left_over("ins-left", InstanceState::Running);
        change(&mut other);
        let mut model = beside(maximum, &[other]);
        annotate(&mut model, "ins-left");
        model
    };
    let rows: [Row; 4] = [
        ("no room", 1, |_| {}, "raise spec.maximum (now 1)"),
        ("stopped", 3, |it| it.state = Some(InstanceState::Stopped), "it is STOPPED: only one that runs"),
        (
            "another cluster's",
            3,
            |it| it.tags[0].value = "another".to_owned(),
            "it does not carry the tag demo.aiops.org/cluster=",
        ),
        (
            "a twin",
            3,
            |it| *it = machine(&instance(1), "ins-left", InstanceState::Running),
            "of SpotInstance pool-1",
        ),
    ];
    for (row, maximum, change, words) in rows {
        let why = refusal(&annotated(maximum, change));
        assert!(why.contains(words), "{row}: {why}");
    }
    let mut model = annotated(3, |_| {});
    model.machines.remove(&"ins-left".into());
    assert!(refusal(&model).contains("no machine of this id is seen in"));
}

#[test]
fn another_pools_machine_is_not_taken_over() {
    let mut model = beside(3, &[left_over("ins-left", InstanceState::Running)]);
    annotate(&mut model, "ins-left");
    let mut seen = model.observe();
    if let CloudSeen::Account(account) = &mut seen.cloud {
        account.pools.insert("uid-of-the-earlier-pool".to_owned());
    }
    let plan = plan(&seen, &rules(), model.now);
    assert_eq!(
        plan.adoptions.refused,
        [(
            "ins-left".to_owned(),
            "its tags name another pool, which is there, has left its SpotInstance behind, or cannot be read"
                .to_owned()
        )]
    );
    assert!(plan.unclaimed.is_empty());
}

#[test]
fn what_is_taken_over_is_not_launched_beside() {
    let mut model = Model::new(pool(1, 1), 9);
    let other = left_over("ins-left", InstanceState::Running);
    model.machines.insert(other.id.clone(), other);
    annotate(&mut model, "ins-left");
    model.settle();
    assert_eq!(model.machines.len(), 1, "{:?}", model.machines.keys());
    assert!(of(&model, "ins-left").is_some());
}

#[test]
fn a_pool_that_is_restored_paused_buys_nothing_and_takes_over_before_anything_is_launched() {
    let mut model = Model::new(pool(2, 2), 9);
    let left = ["ins-left-1", "ins-left-2"];
    for id in left {
        model.machines.insert(id.into(), left_over(id, InstanceState::Running));
    }
    model.pool.as_mut().unwrap().spec.paused = true;
    model.settle();
    let unclaimed = decided(&model).unclaimed;
    assert_eq!((unclaimed, model.instances.len()), (left.map(InstanceId::from).to_vec(), 0));
    annotate(&mut model, "ins-left-1,ins-left-2");
    model.settle();
    assert_eq!((model.instances.len(), model.machines.len()), (0, 2), "a pause is a pause");

    model.pool.as_mut().unwrap().spec.paused = false;
    model.settle();
    assert!(left.iter().all(|id| of(&model, id).is_some()), "{:?}", model.instances);
    assert_eq!(model.machines.len(), 2, "{:?}", model.machines.keys());
}

#[test]
fn whoever_comes_too_late_makes_room_takes_over_and_lets_the_new_ones_go() {
    let mut model = Model::new(pool(2, 2), 9);
    model.machines.insert("ins-left".into(), left_over("ins-left", InstanceState::Running));
    model.strangers.insert("ins-left".into());
    model.settle();
    assert_eq!(model.machines.len(), 3, "it has launched its minimum beside what was left");
    model.pool.as_mut().unwrap().spec.maximum = 3;
    model.strangers.clear();
    annotate(&mut model, "ins-left");
    model.settle();
    assert_eq!(model.instances.len(), 3);
    // Deleted by hand above the minimum, one goes without a replacement.
    model.instances[0].metadata.deletion_timestamp = Some(Time(model.now));
    model.settle();
    model.pool.as_mut().unwrap().spec.maximum = 2;
    model.settle();
    assert!(of(&model, "ins-left").is_some());
    assert_eq!((model.instances.len(), model.machines.len()), (2, 2));
}

#[test]
fn one_that_was_deleted_before_its_machine_was_recorded_takes_it_along() {
    let mut model = beside(3, &[left_over("ins-left", InstanceState::Running)]);
    annotate(&mut model, "ins-left");
    model.pass();
    let now = model.now;
    let adopted = model.instances.iter_mut().find(|it| it.spec.adopted.is_some()).unwrap();
    adopted.status = None;
    adopted.metadata.deletion_timestamp = Some(Time(now));
    // A process that has just begun does not know the cloud's clock.
    let mut seen = model.observe();
    if let CloudSeen::Account(account) = &mut seen.cloud {
        account.now = None;
    }
    let first = plan(&seen, &rules(), model.now);
    assert!(first.instances.iter().all(|entry| entry.step == Step::Keep), "{:?}", first.instances);
    model.settle();
    assert!(!model.machines.contains_key(&"ins-left".into()));
}

#[test]
fn one_that_was_made_when_its_pool_was_no_more_takes_nothing_along() {
    let mut model = beside(3, &[left_over("ins-left", InstanceState::Running)]);
    annotate(&mut model, "ins-left");
    model.pass();
    model.settle();
    // Whoever had stood still makes it once more, for a pool of whose name there is another one by now.
    let mut late = model.instances.iter().find(|it| it.spec.adopted.is_some()).unwrap().clone();
    late.status = None;
    late.metadata.uid = Some("99999999-0000-4000-8000-333333333333".to_owned());
    "another".clone_into(&mut late.spec.pool.uid);
    model.instances = vec![late];
    model.pass_for(100);
    assert!(model.instances.iter().all(|it| it.spec.pool.uid != "another"), "it goes");
    assert!(model.machines.contains_key(&"ins-left".into()), "and leaves the machine alone");
}

#[test]
fn one_that_was_pointed_elsewhere_takes_its_own_machine_along_though_its_pool_is_no_more() {
    let mut model = beside(3, &[left_over("ins-left", InstanceState::Running)]);
    annotate(&mut model, "ins-left");
    model.settle();
    let foreign = machine(&instance(9), "ins-foreign", InstanceState::Running);
    model.strangers.insert(foreign.id.clone());
    model.machines.insert(foreign.id.clone(), foreign);
    let now = model.now;
    let mut adopted = model.instances.iter().find(|it| it.spec.adopted.is_some()).unwrap().clone();
    adopted.status.as_mut().unwrap().instance_id = Some("ins-foreign".to_owned());
    adopted.metadata.deletion_timestamp = Some(Time(now));
    // There is another pool of that name by now.
    "another".clone_into(&mut adopted.spec.pool.uid);
    model.instances = vec![adopted];
    model.pass_for(300);
    assert!(model.instances.iter().all(|it| it.spec.pool.uid != "another"), "it goes");
    assert!(!model.machines.contains_key(&"ins-left".into()), "and its machine before it");
    assert!(model.machines.contains_key(&"ins-foreign".into()));
}

#[test]
fn what_was_taken_over_is_put_on_record_again_before_a_look_has_shown_it() {
    let mut model = beside(3, &[left_over("ins-left", InstanceState::Running)]);
    annotate(&mut model, "ins-left");
    model.settle();
    let adopted = model.instances.iter_mut().find(|it| it.spec.adopted.is_some()).unwrap();
    adopted.status.as_mut().unwrap().instance_id = Some("ins-foreign".to_owned());
    adopted.metadata.deletion_timestamp = Some(Time(model.now));
    let name = adopted.name_any();
    let extra = |model: &Model| {
        let plan = plan(&model.observe(), &rules(), model.now);
        let of_it = plan.instances.into_iter().find(|planned| planned.instance.name_any() == name).unwrap();
        of_it.status.map_or(Vec::new(), |status| status.extra)
    };
    // Whoever has just begun, and whose listing lags, does not see it and has not asked for it by its id.
    let its_own = model.machines.remove(&"ins-left".into()).unwrap();
    model.not_looked_for.insert(its_own.id.clone());
    assert_eq!(extra(&model)[0].instance_id, "ins-left");
    // It is gone: there is nothing to put on record.
    model.not_looked_for.clear();
    assert_eq!(extra(&model), []);
}

#[test]
fn whoever_has_a_request_under_way_counts_whatever_its_status_says() {
    let mut model = beside(1, &[]);
    let foreign = machine(&instance(9), "ins-foreign", InstanceState::Running);
    model.strangers.insert(foreign.id.clone());
    model.machines.insert(foreign.id.clone(), foreign);
    let status = model.instances[0].status.as_mut().unwrap();
    status.instance_id = Some("ins-foreign".to_owned());
    let mut seen = model.observe();
    let idle = plan(&seen, &rules(), model.now);
    assert!(idle.raise.is_some(), "what was pointed at a stranger is replaced");
    seen.in_flight.insert(model.instances[0].metadata.uid.clone().unwrap());
    let busy = plan(&seen, &rules(), model.now);
    assert!(
        busy.raise.is_none() && busy.launch.is_none(),
        "not while its own request may be making its machine"
    );
}

#[test]
fn what_a_request_under_way_has_made_is_not_called_unclaimed() {
    let mut model = beside(3, &[]);
    let mut made = model.instances[0].clone();
    let status = made.status.as_mut().unwrap();
    (status.instance_id, status.recorded_at) = (None, None);
    model.instances[0] = made.clone();
    let mut seen = model.observe();
    seen.in_flight.insert(made.metadata.uid.clone().unwrap());
    assert!(plan(&seen, &rules(), model.now).unclaimed.is_empty(), "its answer is on the way");
    // Of a copy whose tags name another one nothing is on the way.
    let copy = model.machines.values_mut().next().unwrap();
    copy.tags
        .iter_mut()
        .filter(|tag| tag.key == INSTANCE_TAG)
        .for_each(|tag| tag.value = "another".to_owned());
    let mut seen = model.observe();
    seen.in_flight.insert(made.metadata.uid.unwrap());
    assert_eq!(plan(&seen, &rules(), model.now).unclaimed.len(), 1);
}
