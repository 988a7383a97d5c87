//! What people read: every trouble says what, since when, what the cloud said and what to do.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use spotpool_operator::conditions::kind;
use spotpool_operator::crd::{
    AttemptOutcome, Phase, SpotInstance, SpotInstanceStatus, SpotPool, SpotPoolStatus,
};
use spotpool_operator::plan::{AccountSeen, CloudSeen, Observed, plan};
use spotpool_operator::status::status;
use spotpool_operator::sweep::{Snapshot, Trouble};
use tencent_cvm::Class;

use crate::given::{at, attempt, instance, pool, rules};
use crate::model::Model;

/// (condition, status, reason, words that its message must hold)
type Row = (&'static str, &'static str, &'static str, &'static [&'static str]);

fn read(seen: &Observed) -> SpotPoolStatus {
    let pool = seen.pool.object().unwrap().clone();
    status(&pool, seen, &plan(seen, &rules(), at(100)), at(100))
}

fn says(what: &str, status: &SpotPoolStatus, rows: &[Row]) {
    for (kind, truth, reason, words) in rows {
        let condition = status.conditions.iter().find(|condition| condition.type_ == *kind).unwrap();
        assert_eq!(
            (condition.status.as_str(), condition.reason.as_str()),
            (*truth, *reason),
            "{what}: {kind}: {}",
            condition.message
        );
        for word in *words {
            assert!(
                condition.message.contains(word),
                "{what}: {kind} does not say {word:?}: {}",
                condition.message
            );
        }
    }
}

fn observed(pool: SpotPool, instances: Vec<SpotInstance>, cloud: CloudSeen) -> Observed {
    let mut model = Model::new(pool, 0);
    model.instances = instances;
    Observed { cloud, ..model.observe() }
}

fn account(trouble: Option<Trouble>, looked: bool) -> CloudSeen {
    let snapshot = looked.then(|| Arc::new(Snapshot { begun: Some(at(99)), ..Snapshot::default() }));
    CloudSeen::Account(Box::new(AccountSeen {
        now: Some(at(99)),
        snapshot,
        trouble,
        ..AccountSeen::default()
    }))
}

fn trouble(class: Class, code: &str) -> Option<Trouble> {
    let text = format!("DescribeInstances: the cloud answered {code}: no (RequestId req-1)");
    Some(Trouble {
        class: Some(class),
        code: Some(code.to_owned()),
        request_id: Some("req-1".to_owned()),
        text,
        lasted: Duration::ZERO,
    })
}

fn refused(code: &str) -> SpotInstance {
    let mut refused = attempt(1, "a", at(90), AttemptOutcome::Refused);
    refused.code = Some(code.to_owned());
    refused.message = Some(format!("RunInstances: the cloud answered {code}: no (RequestId req-2)"));
    let mut instance = instance(1);
    instance.status = Some(SpotInstanceStatus { attempts: vec![refused], ..SpotInstanceStatus::default() });
    instance
}

fn one_wish() -> SpotPool {
    let mut pool = pool(1, 1);
    pool.status.as_mut().unwrap().launched = 1;
    pool
}

#[test]
fn a_refused_key_says_so_and_stops_everything() {
    let seen = observed(
        one_wish(),
        vec![instance(1)],
        account(trouble(Class::Auth, "AuthFailure.SignatureFailure"), true),
    );
    let words: &[&str] = &[
        "AuthFailure.SignatureFailure",
        "req-1",
        "spec.credentialsSecretRef",
        "the machines that run are left as they are. The cloud is asked again every minute.",
    ];
    says(
        "refused key",
        &read(&seen),
        &[
            (kind::CREDENTIALS_VALID, "False", "Refused", words),
            (kind::STALLED, "True", "Refused", words),
            (kind::READY, "False", "Refused", &["0 of 1 machines serve: see Stalled"]),
        ],
    );
    assert!(plan(&seen, &rules(), at(100)).launch.is_none());
}

#[test]
fn a_missing_secret_is_named() {
    let message = "Secret keys does not exist".to_owned();
    let seen =
        observed(one_wish(), vec![instance(1)], CloudSeen::NoKey { reason: "SecretNotFound", message });
    says(
        "missing secret",
        &read(&seen),
        &[
            (kind::CREDENTIALS_VALID, "False", "SecretNotFound", &["Secret keys", "nothing is launched"]),
            (kind::STALLED, "True", "SecretNotFound", &["Secret keys", "nothing is launched"]),
        ],
    );
}

#[test]
fn a_deleted_pool_without_a_key_names_what_goes_on_costing_money() {
    let mut pool = one_wish();
    pool.metadata.deletion_timestamp = Some(Time(at(1)));
    let mut left = instance(1);
    left.status = Some(SpotInstanceStatus {
        instance_id: Some("ins-left".to_owned()),
        ..SpotInstanceStatus::default()
    });
    let cloud =
        CloudSeen::NoKey { reason: "SecretNotFound", message: "Secret keys does not exist".to_owned() };
    let status = read(&observed(pool, vec![left], cloud));
    says(
        "held deletion",
        &status,
        &[
            (kind::CREDENTIALS_VALID, "False", "SecretNotFound", &["ins-left", "billed"]),
            (kind::READY, "False", "Deleting", &["1 machines to go"]),
        ],
    );
}

#[test]
fn a_refused_request_names_the_field_and_a_sold_out_one_the_next_try() {
    for (code, field) in [
        ("InvalidImageId.NotFound", "spec.imageId"),
        ("InvalidParameterValue.SubnetIdZoneIdNotMatch", "spec.subnetId"),
        ("InvalidSecurityGroupId.NotFound", "spec.securityGroupIds"),
    ] {
        let status = read(&observed(one_wish(), vec![refused(code)], account(None, true)));
        let words = &[code, "req-2", field];
        let message =
            |kind: &str| status.conditions.iter().find(|c| c.type_ == kind).unwrap().message.clone();
        says(
            code,
            &status,
            &[
                (kind::STALLED, "True", "RequestRefused", &["req-2"]),
                (kind::CAPACITY_AVAILABLE, "False", "Refused", &[]),
            ],
        );
        for word in words {
            assert!(message(kind::STALLED).contains(word), "{code}: {}", message(kind::STALLED));
        }
    }
    let status = read(&observed(
        one_wish(),
        vec![refused("ResourceInsufficient.SpecifiedInstanceType")],
        account(None, true),
    ));
    says(
        "sold out",
        &status,
        &[
            (
                kind::CAPACITY_AVAILABLE,
                "False",
                "SoldOut",
                &["ResourceInsufficient", "req-2", "next try at 2026-01-01T00:01:31Z"],
            ),
            (kind::STALLED, "False", "NothingStalled", &[]),
            (kind::READY, "False", "SoldOut", &[]),
        ],
    );
}

/// What tools make of the conditions that follow kstatus: the first of these two that is True decides.
fn kstatus(status: &SpotPoolStatus) -> &'static str {
    let tells = status.conditions.iter().filter(|condition| condition.status == "True");
    tells
        .into_iter()
        .find_map(|condition| match condition.type_.as_str() {
            kind::STALLED => Some("Failed"),
            kind::RECONCILING => Some("InProgress"),
            _ => None,
        })
        .unwrap_or("Current")
}

#[test]
fn tools_that_read_kstatus_see_what_waits_for_a_person() {
    let seen = |code| read(&observed(one_wish(), vec![refused(code)], account(None, true)));
    assert_eq!(kstatus(&seen("InvalidImageId.NotFound")), "Failed");
    assert_eq!(kstatus(&seen("ResourceInsufficient.SpecifiedInstanceType")), "InProgress");
    // Conditions that an earlier version wrote stand in another order.
    let mut pool = one_wish();
    let mut old = seen("InvalidImageId.NotFound");
    old.conditions.sort_by_key(|condition| condition.type_ != kind::RECONCILING);
    old.launched = 1;
    pool.status = Some(old);
    assert_eq!(
        kstatus(&read(&observed(pool, vec![refused("InvalidImageId.NotFound")], account(None, true)))),
        "Failed"
    );
}

#[test]
fn what_is_tried_again_when_is_told_as_it_is() {
    for (code, words) in [
        ("InvalidImageId.NotFound", "A changed spec is tried at once, the same again at"),
        (
            "UnsupportedOperation.NoInstanceTypeSupportSpot",
            "Another type, zone or charge type is tried at once, the same again at",
        ),
        ("InvalidAccount.InsufficientBalance", "It is tried again at"),
        ("UnauthorizedOperation.PermissionDenied", "It is tried again at"),
    ] {
        let status = read(&observed(one_wish(), vec![refused(code)], account(None, true)));
        let told = status.conditions.iter().find(|condition| condition.type_ == kind::STALLED).unwrap();
        assert!(told.status == "True" && told.message.contains(words), "{code}: {}", told.message);
    }
}

#[test]
fn a_request_without_an_answer_is_not_called_none() {
    const ASKED: &[&str] = &["a machine was asked for, and what became of it is not known yet"];
    let mut wish = instance(1);
    let attempts = vec![attempt(1, "a", at(90), AttemptOutcome::Unknown)];
    wish.status = Some(SpotInstanceStatus { attempts, ..SpotInstanceStatus::default() });
    for (what, wish, reason, words) in [
        ("asked", wish, "Launching", ASKED),
        ("not yet asked", instance(1), "NothingAskedYet", &["no machine was asked for yet"]),
    ] {
        let seen = observed(one_wish(), vec![wish], account(None, true));
        says(what, &read(&seen), &[(kind::CAPACITY_AVAILABLE, "Unknown", reason, words)]);
    }
}

#[test]
fn an_unknown_region_stalls_and_an_unreachable_cloud_does_not() {
    let wrong = observed(one_wish(), vec![], account(trouble(Class::Fatal, "UnsupportedRegion"), false));
    says(
        "wrong region",
        &read(&wrong),
        &[(kind::STALLED, "True", "Refused", &["UnsupportedRegion", "spec.region"])],
    );
    // With an earlier look to go by, it is said when it lasts, or at once when it will.
    for (class, code, lasted, reason) in [
        (None, None, 29, "Accepted"),
        (None, None, 30, "CloudUnreachable"),
        (Some(Class::Fatal), Some("UnsupportedRegion"), 0, "Refused"),
    ] {
        let trouble = Trouble {
            class,
            code: code.map(str::to_owned),
            request_id: None,
            text: "DescribeInstances: no answer".to_owned(),
            lasted: Duration::from_secs(lasted),
        };
        let seen = observed(one_wish(), vec![], account(Some(trouble), true));
        let truth = if reason == "Accepted" { "True" } else { "Unknown" };
        says("a cut after a look", &read(&seen), &[(kind::CREDENTIALS_VALID, truth, reason, &[])]);
    }
    let cut = Trouble {
        class: None,
        code: None,
        request_id: None,
        text: "DescribeInstances: nothing was sent".to_owned(),
        lasted: Duration::ZERO,
    };
    let cut = observed(one_wish(), vec![], account(Some(cut), false));
    says(
        "no network",
        &read(&cut),
        &[
            (kind::STALLED, "False", "NothingStalled", &[]),
            (kind::CREDENTIALS_VALID, "Unknown", "CloudUnreachable", &["nothing was sent"]),
        ],
    );
}

#[test]
fn a_settled_pool_reads_well_and_keeps_its_times() {
    let mut model = Model::new(pool(2, 2), 2);
    model.settle();
    let first = model.pool.clone().unwrap().status.unwrap();
    says(
        "settled",
        &first,
        &[
            (kind::READY, "True", "MinimumServes", &["2 of 2 machines serve"]),
            (kind::RECONCILING, "False", "Settled", &[]),
            (kind::STALLED, "False", "NothingStalled", &[]),
            (kind::CREDENTIALS_VALID, "True", "Accepted", &[]),
            (kind::CAPACITY_AVAILABLE, "True", "LaunchesSucceed", &[]),
            (kind::UNCLAIMED_MACHINES, "False", "NoneFound", &[]),
            (kind::GATEWAY_SYNCED, "Unknown", "NotManagedYet", &[]),
        ],
    );
    assert_eq!(
        (first.ready.as_deref(), first.size, first.ready_size, first.launched),
        (Some("2/2"), 2, 2, 2)
    );
    assert_eq!(first.instances.len(), 2);
    model.wait(1000);
    model.pass();
    assert_eq!(model.pool.unwrap().status.unwrap(), first, "time alone is no news");
}

#[test]
fn nothing_that_was_told_is_taken_back_before_the_first_look() {
    let mut model = Model::new(pool(2, 2), 2);
    model.settle();
    let told = model.pool.clone().unwrap().status.unwrap();
    // A process that has just begun.
    let begun = Observed { cloud: account(None, false), ..model.observe() };
    assert_eq!(read(&begun).conditions, told.conditions);
    // One that cannot reach the cloud, while something waits for a person.
    let unreachable = trouble(Class::Unknown, "InternalError");
    for condition in &mut model.pool.as_mut().unwrap().status.as_mut().unwrap().conditions {
        if [kind::STALLED, kind::UNCLAIMED_MACHINES].contains(&condition.type_.as_str()) {
            condition.status = "True".to_owned();
        }
    }
    let looking = Observed { cloud: account(unreachable, false), ..model.observe() };
    let stand = read(&looking);
    for kind in [kind::STALLED, kind::UNCLAIMED_MACHINES] {
        assert!(stand.conditions.iter().any(|told| told.type_ == kind && told.status == "True"), "{kind}");
    }
    let words: &[&str] = &["InternalError", "asked again every few seconds"];
    says(
        "a first look that fails",
        &read(&looking),
        &[(kind::CREDENTIALS_VALID, "Unknown", "CloudUnreachable", words)],
    );
}

#[test]
fn one_that_served_is_not_called_on_its_way() {
    let mut model = Model::new(pool(2, 2), 2);
    model.settle();
    let silent = model.instances.iter_mut().find(|instance| instance.spec.n == 1).unwrap();
    silent.status.as_mut().unwrap().phase = Phase::NotReady;
    let mut seen = model.observe();
    seen.probes.clear();
    says(
        "one of two is silent",
        &read(&seen),
        &[(kind::READY, "False", "Launching", &["1 of 2 machines serve; pool-1 does not any more"])],
    );
}

#[test]
fn machines_of_a_pool_that_goes_are_not_asked_and_not_called_silent() {
    let mut model = Model::new(pool(2, 2), 2);
    model.settle();
    model.pool.as_mut().unwrap().metadata.deletion_timestamp = Some(Time(at(1)));
    let mut seen = model.observe();
    seen.probes.clear();
    says(
        "a pool that goes",
        &read(&seen),
        &[(kind::HEALTH_CHECK_REACHABLE, "Unknown", "NobodyAskedYet", &["is being deleted"])],
    );
}

#[test]
fn what_another_cluster_must_let_go_is_named() {
    let mut copied = vec![instance(1)];
    copied[0].spec.cluster_id = "another-cluster".to_owned();
    let stays = observed(one_wish(), copied.clone(), account(None, true));
    says("a copy", &read(&stays), &[(kind::STALLED, "False", "NothingStalled", &[])]);
    copied[0].metadata.deletion_timestamp = Some(Time(at(5)));
    let leaving = observed(one_wish(), copied, account(None, true));
    says(
        "a copy that is deleted",
        &read(&leaving),
        &[(
            kind::STALLED,
            "True",
            "OtherCluster",
            &["pool-1", "made in another cluster", "remove their finalizers"],
        )],
    );
}
