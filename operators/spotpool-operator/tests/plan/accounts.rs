//! Whose eyes a look was taken through: absence from another account proves nothing.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use spotpool_operator::conditions::{kind, reason};
use spotpool_operator::crd::{AttemptOutcome, SpotInstance, SpotInstanceStatus, SpotPool};
use spotpool_operator::identity::AccountId;
use spotpool_operator::plan::{AccountSeen, CloudSeen, Observed, Plan, Step, plan};
use spotpool_operator::status::status;
use spotpool_operator::sweep::Snapshot;
use tencent_cvm::{AppId, Instance, InstanceId, InstanceState, SecretId};

use crate::given::{at, attempt, instance, machine, pool, rules};
use crate::model::Model;

const OURS: u64 = 1_250_000_001;
const THEIRS: u64 = 1_250_000_002;

/// An old key, its successor in the same account, and one of another account.
fn key(name: &str, app_id: Option<u64>) -> AccountId {
    AccountId::new(&SecretId::new(name), app_id.map(AppId::new))
}

/// A SpotInstance that has served for long, asked for in this account.
fn serving(n: i64, account: &AccountId) -> SpotInstance {
    let mut instance = instance(n);
    instance.status = Some(SpotInstanceStatus {
        account: Some(account.label()),
        instance_id: Some(format!("ins-{n}")),
        recorded_at: Some(Time(at(0))),
        seen_at: Some(Time(at(1))),
        attempts: vec![attempt(1, "token", at(0), AttemptOutcome::Made)],
        ..SpotInstanceStatus::default()
    });
    instance
}

fn pool_of(size: i32) -> SpotPool {
    let mut pool = pool(size, size);
    pool.status.as_mut().unwrap().launched = i64::from(size);
    pool
}

/// A pass under this key, of which a complete look showed these machines and no other.
fn under(key: AccountId, pool: SpotPool, instances: &[SpotInstance], present: &[Instance]) -> Observed {
    let mut model = Model::new(pool, 0);
    model.instances = instances.to_vec();
    let mut seen = model.observe();
    let shown = |id: &InstanceId| present.iter().any(|machine| machine.id == *id);
    let recorded = instances.iter().filter_map(|instance| instance.status.as_ref()?.instance_id.as_deref());
    let snapshot = Snapshot {
        begun: Some(at(1000)),
        machines: present.iter().map(|machine| (machine.id.clone(), machine.clone())).collect(),
        absent: recorded.map(InstanceId::from).filter(|id| !shown(id)).collect(),
    };
    let mut account = AccountSeen {
        id: key,
        now: Some(at(1000)),
        snapshot: Some(Arc::new(snapshot)),
        ..AccountSeen::default()
    };
    // As the reads of a pass do.
    account.learn_from(instances);
    seen.cloud = CloudSeen::Account(Box::new(account));
    seen
}

fn steps(plan: &Plan) -> Vec<&Step> {
    plan.instances.iter().map(|entry| &entry.step).collect()
}

fn plan_of(seen: &Observed) -> Plan {
    plan(seen, &rules(), at(1000))
}

#[test]
fn a_machine_made_under_another_accounts_key_is_not_taken_for_gone_when_the_old_key_is_back() {
    let (ours, theirs) = (key("old", Some(OURS)), key("other", Some(THEIRS)));
    let (here, there) = (serving(1, &ours), serving(2, &theirs));
    let visible = machine(&here, "ins-1", InstanceState::Running);
    let seen = under(ours, pool_of(2), &[here, there], &[visible]);
    let plan = plan_of(&seen);
    assert_eq!(steps(&plan), [&Step::Keep, &Step::Keep], "one visible machine vouches for itself only");
    assert_eq!(plan.hold, None, "the pool goes on with what it sees");
    assert!(plan.raise.is_none() && plan.launch.is_none(), "what is elsewhere still counts");
    let told = status(seen.pool.object().unwrap(), &seen, &plan, at(1000));
    let stalled = told.conditions.iter().find(|condition| condition.type_ == kind::STALLED).unwrap();
    assert_eq!((stalled.status.as_str(), stalled.reason.as_str()), ("True", reason::ANOTHER_ACCOUNT));
    for word in ["pool-2", &THEIRS.to_string()] {
        assert!(stalled.message.contains(word), "{}", stalled.message);
    }
}

#[test]
fn a_rotated_key_is_not_called_another_accounts_before_its_first_look() {
    // Under whose account a key works is known with its first answer: until then it goes by its own name.
    let (old, new) = (key("old", Some(OURS)), key("new", None));
    let mut seen = under(new, pool_of(1), &[serving(1, &old)], &[]);
    if let CloudSeen::Account(account) = &mut seen.cloud {
        account.snapshot = None;
    }
    let plan = plan_of(&seen);
    let told = status(seen.pool.object().unwrap(), &seen, &plan, at(1000));
    let stalled = told.conditions.iter().find(|condition| condition.type_ == kind::STALLED).unwrap();
    assert_eq!((stalled.status.as_str(), stalled.reason.as_str()), ("False", reason::NOTHING_STALLED));
    assert_eq!(plan.hold.as_ref().map(|hold| hold.reason), Some(reason::NOT_LOOKED_YET));
}

#[test]
fn a_loss_is_a_loss_to_a_process_that_may_not_ask_for_the_appid() {
    // The one before it could, and wrote it down.
    let (before, after) = (key("ours", Some(OURS)), key("ours", None));
    let lost = serving(1, &before);
    let plan = plan_of(&under(after.clone(), pool_of(1), &[lost], &[]));
    assert_eq!(plan.hold, None);
    assert_eq!(steps(&plan), [&Step::Delete("Vanished")]);
    let account = plan.instances[0].status.as_ref().and_then(|status| status.account.clone());
    assert_eq!(account, Some(before.label()), "what was known of the account stays on record");
}

#[test]
fn what_was_written_down_before_the_key_was_still_names_the_account() {
    let ours = key("ours", Some(OURS));
    assert!(ours.is(&OURS.to_string()) && ours.is(&key("ours", None).label()) && ours.is(&ours.label()));
    assert!(!ours.is(&THEIRS.to_string()) && !ours.is(&key("other", Some(THEIRS)).label()));
    assert!(!key("new", None).is(&ours.label()), "whose a new key is is not known");
    assert_eq!(AccountId::name_in(&ours.label()), OURS.to_string());
}

#[test]
fn a_leaving_machine_of_another_account_keeps_its_finalizer() {
    let (ours, theirs) = (key("old", Some(OURS)), key("other", Some(THEIRS)));
    let (here, mut there) = (serving(1, &ours), serving(2, &theirs));
    there.metadata.deletion_timestamp = Some(Time(at(500)));
    let visible = machine(&here, "ins-1", InstanceState::Running);
    let plan = plan_of(&under(ours, pool_of(2), &[here, there], &[visible]));
    assert_eq!(steps(&plan), [&Step::Keep, &Step::Keep]);
}

#[test]
fn an_unanswered_request_to_another_account_is_neither_repeated_nor_closed() {
    let (ours, theirs) = (key("old", Some(OURS)), key("other", Some(THEIRS)));
    let mut there = instance(1);
    there.status = Some(SpotInstanceStatus {
        account: Some(theirs.label()),
        attempts: vec![attempt(1, "token", at(0), AttemptOutcome::Unknown)],
        ..SpotInstanceStatus::default()
    });
    let plan = plan_of(&under(ours, pool_of(1), &[there], &[]));
    assert_eq!(plan.hold.as_ref().map(|hold| hold.reason), Some(reason::ANOTHER_ACCOUNT));
    assert_eq!(steps(&plan), [&Step::Keep]);
    assert!(plan.raise.is_none() && plan.launch.is_none());
    let attempts = &plan.instances[0].status.as_ref().unwrap().attempts;
    assert_eq!(attempts[0].outcome, AttemptOutcome::Unknown);
}

#[test]
fn a_key_of_another_account_holds_everything() {
    let (ours, theirs) = (key("old", Some(OURS)), key("other", Some(THEIRS)));
    let plan = plan_of(&under(theirs, pool_of(2), &[serving(1, &ours), serving(2, &ours)], &[]));
    assert_eq!(plan.hold.as_ref().map(|hold| hold.reason), Some(reason::ANOTHER_ACCOUNT));
    assert!(plan.raise.is_none() && plan.launch.is_none());
    assert!(steps(&plan).into_iter().all(|step| *step == Step::Keep));
}

#[test]
fn another_key_of_the_same_account_sees_a_loss_as_a_loss() {
    let (old, new) = (key("old", Some(OURS)), key("new", Some(OURS)));
    let plan = plan_of(&under(new, pool_of(1), &[serving(1, &old)], &[]));
    assert_eq!(plan.hold, None);
    assert_eq!(steps(&plan), [&Step::Delete("Vanished")], "the last machine of the old key too");
}

#[test]
fn without_the_accounts_number_a_new_key_proves_itself_by_a_machine_that_it_shows() {
    let new = key("new", None);
    // The old key may have known the number, or not.
    for old in [key("old", Some(OURS)), key("old", None)] {
        let (seen_one, lost, of_a_third) =
            (serving(1, &old), serving(2, &old), serving(3, &key("third", None)));
        let visible = machine(&seen_one, "ins-1", InstanceState::Running);
        let plan = plan_of(&under(new.clone(), pool_of(3), &[seen_one, lost, of_a_third], &[visible]));
        // A machine is in one account: the old key opened the same as the new one, of the third nobody knows.
        assert_eq!(steps(&plan), [&Step::Keep, &Step::Delete("Vanished"), &Step::Keep]);
        let accounts = plan.instances.iter().map(|entry| {
            let status = entry.status.as_ref().or(entry.instance.status.as_ref()).unwrap();
            status.account.clone().unwrap()
        });
        let whose = old.label().replace(&key("old", None).label(), &new.label());
        let third = key("third", None).label();
        assert_eq!(accounts.collect::<Vec<_>>(), [whose.clone(), whose, third], "the number stays known");
    }
}

#[test]
fn the_accounts_number_is_written_down_once_it_is_known() {
    let (unknown, known) = (key("old", None), key("old", Some(OURS)));
    let here = serving(1, &unknown);
    let visible = machine(&here, "ins-1", InstanceState::Running);
    let plan = plan_of(&under(known, pool_of(1), &[here], &[visible]));
    let written = plan.instances[0].status.as_ref().unwrap();
    assert_eq!(written.account.as_deref(), Some(format!("1250000001, {}", unknown.label()).as_str()));
}

#[test]
fn what_a_model_server_says_is_told_also_of_a_machine_that_the_key_does_not_show() {
    let (ours, theirs) = (key("old", Some(OURS)), key("other", Some(THEIRS)));
    let plan = plan_of(&under(theirs, pool_of(1), &[serving(1, &ours)], &[]));
    let written = plan.instances[0].status.as_ref().unwrap();
    assert_eq!(written.phase, spotpool_operator::crd::Phase::Ready);
}

#[test]
fn what_an_earlier_pool_of_the_name_left_in_another_account_does_not_hold_the_new_one() {
    let (ours, theirs) = (key("old", Some(OURS)), key("other", Some(THEIRS)));
    let mut left = serving(1, &theirs);
    left.spec.pool.uid = "44444444-0000-4000-8000-000000000000".to_owned();
    left.metadata.deletion_timestamp = Some(Time(at(500)));
    let plan = plan_of(&under(ours, pool_of(1), &[left], &[]));
    assert_eq!(plan.hold, None, "simulation seed 1224");
    assert_eq!(steps(&plan), [&Step::Keep], "it is billed there until somebody ends it");
    assert!(plan.raise.is_some());
}
