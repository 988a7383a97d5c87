//! An account that has not paid: its machines stand still and come back. That is no loss.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use spotpool_operator::conditions::{kind, reason};
use spotpool_operator::crd::Phase;
use spotpool_operator::plan::{Observed, Plan, Step, plan};
use spotpool_operator::probes::ProbeView;
use spotpool_operator::status::status;
use tencent_cvm::{InstanceState, IsolatedSource};

use crate::given::{pool, rules};
use crate::model::Model;

/// A pool of two that serves, with one of its machines stopped, for this reason.
fn stopped(why: Option<IsolatedSource>) -> Model {
    let mut model = Model::new(pool(2, 2), 9);
    model.settle();
    assert_eq!(model.machines.len(), 2);
    let machine = model.machines.values_mut().next().unwrap();
    (machine.state, machine.isolated_source) = (Some(InstanceState::Stopped), why);
    model
}

fn decided(model: &Model) -> (Observed, Plan, Timestamp) {
    let seen = model.observe();
    let plan = plan(&seen, &rules(), model.now);
    (seen, plan, model.now)
}

#[test]
fn a_machine_that_waits_for_somebody_to_pay_is_neither_replaced_nor_terminated() {
    let (seen, plan, now) = decided(&stopped(Some(IsolatedSource::Arrear)));
    assert!(plan.raise.is_none() && plan.launch.is_none());
    assert!(plan.instances.iter().all(|entry| entry.step == Step::Keep), "{:?}", plan.instances);
    let phases: Vec<_> =
        plan.instances.iter().filter_map(|entry| Some(entry.status.as_ref()?.phase)).collect();
    assert_eq!(phases, [Phase::NotReady], "it is out of service");

    let told = status(seen.pool.object().unwrap(), &seen, &plan, now);
    let condition = |kind: &str| told.conditions.iter().find(|condition| condition.type_ == kind).unwrap();
    let stalled = condition(kind::STALLED);
    assert_eq!((stalled.status.as_str(), stalled.reason.as_str()), ("True", reason::ACCOUNT_PROBLEM));
    for words in ["ARREAR", "pool-1", "Pay, and they come back"] {
        assert!(stalled.message.contains(words), "{}", stalled.message);
    }
    assert_eq!(condition(kind::READY).reason, reason::ACCOUNT_PROBLEM);
}

#[test]
fn one_that_did_not_answer_before_is_not_replaced_either() {
    let model = stopped(Some(IsolatedSource::Arrear));
    let mut seen = model.observe();
    // The last that was heard of its model server is from before the account was overdue; the other one is silent too.
    let silent = ProbeView {
        ok: Some(false),
        failures: 9,
        text: "connection refused".to_owned(),
        answered_ago: None,
        others_answered_ago: None,
        out_for: Some(Duration::from_secs(30)),
    };
    for instance in &model.instances {
        seen.probes.insert(instance.uid().unwrap(), silent.clone());
    }
    let plan = plan(&seen, &rules(), model.now);
    assert!(plan.raise.is_none() && !plan.health.start_replacement);
    assert_eq!(plan.health.unwell.len(), 1, "only the one that could answer");
}

#[test]
fn a_machine_that_somebody_stopped_is_replaced() {
    for why in [None, Some(IsolatedSource::NotIsolated), Some(IsolatedSource::ManMade)] {
        let (_, plan, _) = decided(&stopped(why.clone()));
        let steps: Vec<_> = plan.instances.iter().map(|entry| &entry.step).collect();
        assert!(steps.contains(&&Step::Delete("Stopped")), "{why:?}: {steps:?}");
    }
}

#[test]
fn it_serves_again_when_somebody_has_paid() {
    let mut model = stopped(Some(IsolatedSource::Arrear));
    model.pass();
    let id = {
        let (id, machine) = model.machines.iter_mut().next().unwrap();
        (machine.state, machine.isolated_source) = (Some(InstanceState::Running), None);
        id.clone()
    };
    model.settle();
    let mut phases = model.instances.iter().filter_map(|instance| instance.status.as_ref());
    assert!(phases.all(|status| status.phase == Phase::Ready));
    assert!(model.machines.contains_key(&id) && model.machines.len() == 2);
}

#[test]
fn one_that_has_to_go_goes_all_the_same() {
    let mut model = stopped(Some(IsolatedSource::Arrear));
    let now = model.now;
    model.pool.as_mut().unwrap().metadata.deletion_timestamp = Some(Time(now));
    model.settle();
    assert!(model.machines.is_empty() && model.instances.is_empty(), "{:?}", model.machines);
}
