//! Steps 9 and 10: when a machine is gone, when it may be terminated, when it may be forgotten.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use spotpool_operator::conditions::reason;
use spotpool_operator::crd::{AttemptOutcome, Phase, SpotInstance, SpotInstanceStatus};
use spotpool_operator::identity::{CLUSTER_TAG, Claim};
use spotpool_operator::plan::leave::{Farewell, farewell, last_look_after};
use spotpool_operator::plan::machine::{Standing, next_status, standing};
use spotpool_operator::plan::{AccountSeen, CloudSeen, Observed, plan};
use spotpool_operator::sweep::Snapshot;
use tencent_cvm::{Instance, InstanceId, InstanceState};

use crate::given::{at, attempt, instance, machine, pool, rules};
use crate::model::Model;

fn seen(begun: Option<u64>, present: &[Instance], absent: &[&str]) -> AccountSeen {
    let snapshot = Snapshot {
        begun: begun.map(at),
        machines: present.iter().map(|machine| (machine.id.clone(), machine.clone())).collect(),
        absent: absent.iter().map(|id| InstanceId::new(*id)).collect(),
    };
    AccountSeen { now: begun.map(at), snapshot: Some(Arc::new(snapshot)), ..AccountSeen::default() }
}

fn fresh(mut account: AccountSeen, machine: &Instance) -> AccountSeen {
    account.fresh.insert(machine.id.clone(), Some(machine.clone()));
    account
}

#[test]
fn a_machine_is_terminated_only_when_name_and_tags_agree_on_a_fresh_read() {
    let mine = instance(1);
    let id = InstanceId::new("ins-1");
    let ours = machine(&mine, "ins-1", InstanceState::Running);
    let judge = |account: &AccountSeen| farewell(&mine, &id, at(0), account, &rules());

    assert_eq!(judge(&fresh(seen(Some(100), &[], &[]), &ours)), Farewell::Terminate);
    assert_eq!(
        judge(&seen(Some(100), std::slice::from_ref(&ours), &[])),
        Farewell::Wait,
        "the sweep's word is not fresh"
    );

    let untagged = Instance { tags: Vec::new(), ..ours.clone() };
    assert_eq!(judge(&fresh(seen(Some(100), &[], &[]), &untagged)), Farewell::Disputed(Claim::Untagged));
    let renamed = Instance { name: "web-1".to_owned(), ..ours.clone() };
    assert_eq!(judge(&fresh(seen(Some(100), &[], &[]), &renamed)), Farewell::Disputed(Claim::Renamed));
    let half = Instance { tags: ours.tags[2..].to_vec(), ..renamed.clone() };
    assert_eq!(
        judge(&fresh(seen(Some(100), &[], &[]), &half)),
        Farewell::Disputed(Claim::Renamed),
        "renamed and half its tags gone: still nobody else's"
    );
    let stranger = Instance { name: "web-1".to_owned(), tags: Vec::new(), ..ours.clone() };
    assert_eq!(judge(&fresh(seen(Some(100), &[], &[]), &stranger)), Farewell::Over, "left alone, not ours");
    let mut other_cluster = ours.clone();
    for tag in other_cluster.tags.iter_mut().filter(|tag| tag.key == CLUSTER_TAG) {
        tag.value = "another".to_owned();
    }
    assert_eq!(judge(&fresh(seen(Some(100), &[], &[]), &other_cluster)), Farewell::Over);
    let going = machine(&mine, "ins-1", InstanceState::Terminating);
    assert_eq!(judge(&fresh(seen(Some(100), &[], &[]), &going)), Farewell::Wait);
}

#[test]
fn absence_proves_that_a_machine_is_gone_only_65_seconds_after_it_was_recorded() {
    let (mine, id) = (instance(1), InstanceId::new("ins-1"));
    let judge = |account: &AccountSeen| farewell(&mine, &id, at(10), account, &rules());
    assert_eq!(judge(&seen(Some(74), &[], &["ins-1"])), Farewell::LookAfter(at(75)));
    assert_eq!(judge(&seen(Some(75), &[], &["ins-1"])), Farewell::Over);
    assert_eq!(
        judge(&seen(None, &[], &["ins-1"])),
        Farewell::LookAfter(at(75)),
        "a look without a time is no proof"
    );
    assert_eq!(judge(&seen(Some(999), &[], &[])), Farewell::Wait, "nobody asked for it by id");
}

#[test]
fn a_machine_never_seen_is_replaced_only_after_the_window_and_a_seen_one_at_once() {
    let mine = instance(1);
    let mut status = SpotInstanceStatus {
        instance_id: Some("ins-1".to_owned()),
        recorded_at: Some(Time(at(0))),
        ..SpotInstanceStatus::default()
    };
    let judge =
        |status: &SpotInstanceStatus, account: &AccountSeen| standing(&mine, status, account, &rules());
    assert_eq!(judge(&status, &seen(Some(64), &[], &["ins-1"])), Standing::Counts);
    assert_eq!(judge(&status, &seen(Some(65), &[], &["ins-1"])), Standing::Lost("Vanished"));
    status.seen_at = Some(Time(at(3)));
    assert_eq!(judge(&status, &seen(Some(5), &[], &["ins-1"])), Standing::Lost("Vanished"));
    assert_eq!(judge(&status, &seen(Some(5), &[], &[])), Standing::Counts, "a cut look says nothing");
    for (state, expected) in [
        (InstanceState::Running, Standing::Counts),
        (InstanceState::Pending, Standing::Counts),
        (InstanceState::Rebooting, Standing::Counts),
        (InstanceState::Other("RESCUE_MODE".to_owned()), Standing::Counts),
        (InstanceState::Stopped, Standing::Lost("Stopped")),
        (InstanceState::Shutdown, Standing::Lost("Reclaimed")),
        (InstanceState::Terminating, Standing::Lost("Reclaimed")),
        (InstanceState::LaunchFailed, Standing::Lost("LaunchFailed")),
    ] {
        let account = seen(Some(5), &[machine(&mine, "ins-1", state.clone())], &[]);
        assert_eq!(judge(&status, &account), expected, "{state:?}");
    }
}

#[test]
fn the_last_look_by_name_waits_for_what_may_still_come() {
    let with = |outcomes: &[(u64, AttemptOutcome)]| {
        let mut leaving = instance(1);
        let attempts = outcomes.iter().map(|(sent, outcome)| attempt(1, "a", at(*sent), *outcome)).collect();
        leaving.status = Some(SpotInstanceStatus { attempts, ..SpotInstanceStatus::default() });
        leaving
    };
    let after = |instance: &SpotInstance| last_look_after(instance, &seen(Some(0), &[], &[]), &rules());
    use AttemptOutcome::{Closed, Errored, Made, NotSent, Refused, Unknown};
    for outcome in [Unknown, Errored, Closed] {
        assert_eq!(after(&with(&[(0, Refused), (10, outcome)])), Some(at(430)), "{outcome:?}: forgetAfter");
    }
    assert_eq!(after(&with(&[(0, Unknown), (50, Refused)])), Some(at(470)), "counted from the last attempt");
    assert_eq!(after(&with(&[(0, Made)])), Some(at(65)), "a second machine's tags may be late");
    for nothing_made in [vec![], vec![(0, Refused)], vec![(0, NotSent)], vec![(0, Refused), (5, Refused)]] {
        assert_eq!(after(&with(&nothing_made)), None, "{nothing_made:?}");
    }
}

#[test]
fn a_record_that_points_at_a_stranger_is_not_believed_when_it_says_that_all_is_over() {
    let mut mine = instance(1);
    let mut stranger = machine(&mine, "ins-theirs", InstanceState::Running);
    (stranger.name, stranger.tags) = ("database".to_owned(), Vec::new());
    mine.status = Some(SpotInstanceStatus {
        instance_id: Some("ins-theirs".to_owned()),
        attempts: vec![attempt(1, "a", at(0), AttemptOutcome::Made)],
        ..SpotInstanceStatus::default()
    });
    let account = seen(Some(10), &[stranger], &[]);
    assert_eq!(last_look_after(&mine, &account, &rules()), Some(at(420)), "its own machine may be anywhere");
}

#[test]
fn an_id_written_by_hand_counts_as_recorded_now() {
    let mut mine = instance(1);
    mine.status = Some(SpotInstanceStatus {
        instance_id: Some("ins-theirs".to_owned()),
        ..SpotInstanceStatus::default()
    });
    let observed = Model::new(pool(1, 1), 0).observe();
    let status = next_status(&mine, &observed, Some(&seen(Some(10), &[], &["ins-theirs"])), &rules(), at(10));
    assert_eq!(status.recorded_at, Some(Time(at(10))), "or its absence would never prove anything");
}

#[test]
fn a_machine_found_by_name_is_no_answer_and_the_requests_own_may_still_come() {
    let mut mine = instance(1);
    mine.status = Some(SpotInstanceStatus {
        attempts: vec![attempt(1, "a", at(0), AttemptOutcome::Unknown)],
        ..SpotInstanceStatus::default()
    });
    let found = seen(Some(10), &[machine(&mine, "ins-copy", InstanceState::Running)], &[]);
    let observed = Model::new(pool(1, 1), 0).observe();
    mine.status = Some(next_status(&mine, &observed, Some(&found), &rules(), at(10)));
    assert_eq!(mine.status.as_ref().unwrap().instance_id.as_deref(), Some("ins-copy"));
    let gone = seen(Some(200), &[], &["ins-copy"]);
    assert_eq!(last_look_after(&mine, &gone, &rules()), Some(at(420)), "a copy's end proves nothing");
}

#[test]
fn what_is_left_of_a_pool_says_that_it_is_gone_and_says_so_once() {
    let pool_gone = CloudSeen::NoKey { reason: reason::POOL_GONE, message: "the pool is gone".to_owned() };
    for before in [None, Some(Phase::Ready), Some(Phase::Terminating)] {
        let mut left = instance(1);
        left.metadata.deletion_timestamp = Some(Time(at(10)));
        left.status = before.map(|phase| SpotInstanceStatus {
            phase,
            instance_id: Some("ins-1".to_owned()),
            reason: Some("Deleted".to_owned()),
            ..SpotInstanceStatus::default()
        });
        let mut model = Model::new(pool(1, 1), 0);
        (model.pool, model.instances) = (None, vec![left]);
        let look = |model: &Model| Observed { cloud: pool_gone.clone(), ..model.observe() };
        let written = plan(&look(&model), &rules(), at(20)).instances[0].status.clone().unwrap();
        assert_eq!((written.phase, written.reason.as_deref()), (Phase::Terminating, Some("PoolGone")));

        model.instances[0].status = Some(written);
        assert_eq!(
            plan(&look(&model), &rules(), at(30)).instances[0].status,
            None,
            "nothing new is to be said"
        );
        // A pool of the same name and another uid brings a key: why it was let go stays.
        let mut next = pool(0, 1);
        next.metadata.uid = Some("another".to_owned());
        model.pool = Some(next);
        let seen = model.observe();
        let status = next_status(&model.instances[0], &seen, seen.cloud.account(), &rules(), at(40));
        assert_eq!((status.phase, status.reason.as_deref()), (Phase::Terminating, Some("PoolGone")));
    }
}
