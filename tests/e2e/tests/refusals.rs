//! Each class of refusal as a person reads it: what the cloud said (code and RequestId), what happens next, what to do.

use e2e::{FILLED_WITHIN, SOON, World};
use serde_json::json;
use spotpool_operator::conditions::reason;
use spotpool_operator::crd::SpotPool;
use tencent_cvm::{Action, Class, classify};

/// (code that RunInstances answers, its class, condition, status, reason, the field that it points at)
type Row = (&'static str, Class, &'static str, &'static str, &'static str, &'static str);

const LAUNCHES: [Row; 16] = [
    (
        "ResourceInsufficient.SpecifiedInstanceType",
        Class::SoldOut,
        "CapacityAvailable",
        "False",
        "SoldOut",
        "spec.instanceType",
    ),
    ("LimitExceeded.SpotQuota", Class::SoldOut, "CapacityAvailable", "False", "SoldOut", "spec.instanceType"),
    (
        "ResourcesSoldOut.AvailableZone",
        Class::ZoneSoldOut,
        "CapacityAvailable",
        "False",
        "SoldOut",
        "spec.availabilityZone",
    ),
    (
        "ResourceInsufficient.CloudDiskSoldOut",
        Class::DiskSoldOut,
        "CapacityAvailable",
        "False",
        "SoldOut",
        "spec.instance.systemDisk",
    ),
    (
        "FailedOperation.NoAvailableIpAddressCountInSubnet",
        Class::SubnetFull,
        "CapacityAvailable",
        "False",
        "SoldOut",
        "spec.subnetId",
    ),
    (
        "ResourceUnavailable.InstanceType",
        Class::NotOffered,
        "Stalled",
        "True",
        "NotOffered",
        "spec.instanceType",
    ),
    ("LimitExceeded.UserSpotQuota", Class::ZoneQuota, "CapacityAvailable", "False", "QuotaExceeded", "quota"),
    (
        "LimitExceeded.InstanceQuota",
        Class::AccountQuota,
        "CapacityAvailable",
        "False",
        "QuotaExceeded",
        "quota",
    ),
    (
        "InvalidParameterValue.InsufficientPrice",
        Class::Price,
        "CapacityAvailable",
        "False",
        "Refused",
        "price",
    ),
    ("InvalidImageId.NotFound", Class::Fatal, "Stalled", "True", "RequestRefused", "spec.imageId"),
    (
        "InvalidParameterValue.SubnetIdZoneIdNotMatch",
        Class::CandidateFatal,
        "Stalled",
        "True",
        "RequestRefused",
        "spec.subnetId",
    ),
    (
        "UnauthorizedOperation.PermissionDenied",
        Class::Auth,
        "Stalled",
        "True",
        "Refused",
        "permissions of the key",
    ),
    ("InvalidAccount.InsufficientBalance", Class::Money, "Stalled", "True", "AccountProblem", "balance"),
    (
        "InvalidParameterValue.InvalidImageState",
        Class::Wait,
        "CapacityAvailable",
        "False",
        "Refused",
        "spec.imageId",
    ),
    ("RequestLimitExceeded", Class::Throttled, "CapacityAvailable", "False", "Refused", "call rate"),
    (
        "FailedOperation.InquiryPriceFailed",
        Class::Retry,
        "CapacityAvailable",
        "False",
        "Refused",
        "passing trouble",
    ),
];

#[tokio::test]
async fn each_class_of_refused_launch_is_told_with_code_request_and_remedy() {
    let world = World::begin("refusals").await.unwrap();
    let name = |row: usize| format!("row-{row}");
    for (index, (code, class, ..)) in LAUNCHES.iter().enumerate() {
        assert_eq!(classify(Action::RunInstances, code), *class, "{code}");
        let kind = format!("TYPE.{index}");
        let fault = json!({"fault": {"kind": "refuse", "code": code}, "action": "RunInstances", "instance_type": kind});
        world.cloud.add_fault(&fault).await.unwrap();
        let manifest = world.manifest(&name(index), 1, 1).unwrap().with("spec.instanceType", kind);
        world.people.create::<SpotPool>(&manifest).await.unwrap();
    }
    let mut wrong = Vec::new();
    for (index, (code, class, kind, status, reason, field)) in LAUNCHES.iter().enumerate() {
        let words = [*code, "RequestId", class.advice(), *field];
        match world.people.told(&name(index), (kind, status), &words, SOON).await {
            Ok(told) if told.reason == *reason => {}
            other => wrong.push((code, other)),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_launch_of_unknown_outcome_is_told_with_code_and_request_and_what_happens_next() {
    let world = World::begin("unknown").await.unwrap();
    let code = "InternalError";
    assert_eq!(classify(Action::RunInstances, code), Class::Unknown);
    let fault = json!({"fault": {"kind": "refuse", "code": code}, "action": "RunInstances"});
    world.cloud.add_fault(&fault).await.unwrap();
    world.people.create::<SpotPool>(&world.manifest("unknown", 1, 1).unwrap()).await.unwrap();
    let told = world
        .until("the Event", SOON, async || {
            let events = world.people.events_about("SpotPool", "unknown").await?;
            Ok(events.into_iter().find(|event| event.reason.as_deref() == Some("LaunchUnanswered")))
        })
        .await
        .unwrap();
    let note = told.message.unwrap_or_default();
    for word in ["unknown-1", code, "RequestId", "looked for by name before anything is sent again"] {
        assert!(note.contains(word), "{word}: {note}");
    }
}

/// (code that TerminateInstances answers, what is to be read about it; nothing when it is no trouble)
const TERMINATIONS: [(&str, Class, Option<&str>); 7] = [
    (
        "UnsupportedOperation.InstancesProtected",
        Class::Forbidden,
        Some("Look at this instance in the console"),
    ),
    ("LimitExceeded.UserReturnQuota", Class::Forbidden, Some("Look at this instance in the console")),
    ("UnauthorizedOperation", Class::Auth, Some("may do this")),
    ("InternalError", Class::Retry, Some("passing trouble")),
    ("RequestLimitExceeded", Class::Throttled, Some("call rate")),
    ("InvalidInstanceId.NotFound", Class::Gone, None),
    ("OperationDenied.InstanceOperationInProgress", Class::Wait, None),
];

#[tokio::test]
async fn a_machine_that_cannot_be_terminated_is_told_and_tried_again_and_one_that_is_busy_goes_later() {
    let world = World::begin("unreturnable").await.unwrap();
    for (index, (code, class, words)) in TERMINATIONS.into_iter().enumerate() {
        assert_eq!(classify(Action::TerminateInstances, code), class, "{code}");
        let name = format!("row-{index}");
        world.filled(&name, 1, 1).await.unwrap();
        let fault = json!({"fault": {"kind": "refuse", "code": code}, "action": "TerminateInstances"});
        let rule = world.cloud.add_fault(&fault).await.unwrap();
        let before = world.cloud.calls("TerminateInstances").await.unwrap();
        world.people.delete::<SpotPool>(&name).await.unwrap();
        world
            .until(&format!("a refused termination with {code}, and what is told of it"), SOON, async || {
                let events = world.people.events_about("SpotPool", &name).await?;
                let told =
                    events.iter().filter_map(|event| event.message.as_deref()).find(|it| it.contains(code));
                let asked = world.cloud.calls("TerminateInstances").await? > before;
                Ok(match words {
                    Some(words) => told.is_some_and(|it| it.contains(words) && it.contains("RequestId")),
                    None => asked && told.is_none(),
                }
                .then_some(()))
            })
            .await
            .unwrap();
        assert!(
            world.people.api::<SpotPool>().get_opt(&name).await.unwrap().is_some(),
            "the machine is there still"
        );
        if matches!(class, Class::Forbidden | Class::Auth) {
            let words = [code, "RequestId", "they are billed"];
            let told = world.people.told(&name, ("Stalled", "True"), &words, SOON).await.unwrap();
            assert_eq!(told.reason, reason::TERMINATION_REFUSED);
        }
        world.cloud.delete(&format!("faults/{rule}")).await.unwrap();
        world
            .until("the pool to be gone", FILLED_WITHIN, async || {
                let gone = world.people.api::<SpotPool>().get_opt(&name).await?.is_none();
                Ok((gone && world.ours().await?.is_empty()).then_some(()))
            })
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_quota_that_is_used_up_is_told_in_figures() {
    let world = World::begin("quota").await.unwrap();
    world.cloud.post("quota", &json!({"zone": "ap-singapore-2", "vcpu": 0})).await.unwrap();
    world.people.create::<SpotPool>(&world.manifest("quota", 1, 1).unwrap()).await.unwrap();
    let words = ["LimitExceeded.UserSpotQuota", "In use (spot): ap-singapore-2: 0 of 0 vCPU", "next try at"];
    let told = world.people.told("quota", ("CapacityAvailable", "False"), &words, SOON).await.unwrap();
    assert_eq!(told.reason, "QuotaExceeded");
    assert!(world.cloud.calls("DescribeAccountQuota").await.unwrap() <= 3, "asked once a minute at most");
}
