//! Each class of refused launch as a person reads it: what the cloud said (code and RequestId), what happens next, what
//! to do; in a condition and in an Event. The words stand here as they are read.

use e2e::{SOON, World};
use serde_json::json;
use spotpool_operator::crd::SpotPool;

/// (code that RunInstances answers, reason of CapacityAvailable, reason of Stalled or nothing when it does not wait for a
/// person, what to do, where to look)
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

const STOCK: &str = "Wait for stock, or allow other instance types or zones.";
const DISK: &str = "Wait for stock, or choose another system disk type.";
const SUBNET: &str = "Free addresses in the subnet, or use another subnet.";
const ZONE: &str = "Wait for stock, or allow another zone.";
const OFFER: &str = "Choose an instance type that this zone offers with this charge type.";
const SPOT_QUOTA: &str = "Ask Tencent Cloud for more spot quota in this zone, or allow another zone.";
const QUOTA: &str = "Ask Tencent Cloud for a higher instance quota, or release instances.";
const PRICE: &str =
    "The operator bids the price of the market and asks again by itself: the spec names no price.";
const WRONG: &str = "Correct the request: the cloud will never accept it as it stands.";
const CALL: &str = "The cloud does not know this call, whatever the spec says: update the operator, or check its --cvm-endpoint.";
const OURS: &str = "No field of the spec is to blame: update the operator, or give the RequestId to Tencent Cloud's support.";
const PLACE: &str = "Correct the spec: its zone, subnet and network do not fit together.";
const KEY: &str = "Check that the key pair exists, is enabled, is not expired and may do this.";
const MONEY: &str = "Check the account's balance, unpaid orders and qualifications.";
const BUSY: &str = "Nothing to do: something else is under way and the call is repeated later.";
const RATE: &str = "Nothing to do unless it lasts: then other tools use up this account's call rate.";

const OF_TYPE: &str = "Check spec.instanceType and spec.availabilityZone.";
const OF_SPOT: &str = "Check spec.instanceChargeType, spec.instanceType and spec.availabilityZone.";
const OF_VPC: &str = "Check spec.vpcId and spec.subnetId.";
const OF_RIGHTS: &str = "Check the permissions of the key in spec.credentialsSecretRef (or spec.secretId).";

#[rustfmt::skip] // One code a line, so that the table can be read as one.
const LAUNCHES: [Row; 31] = [
    ("ResourceInsufficient.SpecifiedInstanceType", "SoldOut", "", STOCK, OF_TYPE),
    ("LimitExceeded.SpotQuota", "SoldOut", "", STOCK, OF_SPOT),
    ("ResourcesSoldOut.AvailableZone", "SoldOut", "", ZONE, "Check spec.availabilityZone."),
    ("ResourceInsufficient.CloudDiskSoldOut", "SoldOut", "", DISK, "Check spec.instance.systemDisk."),
    ("FailedOperation.NoAvailableIpAddressCountInSubnet", "SoldOut", "", SUBNET, "Check spec.subnetId."),
    ("ResourceUnavailable.InstanceType", "NotOffered", "NotOffered", OFFER, OF_TYPE),
    ("LimitExceeded.UserSpotQuota", "QuotaExceeded", "", SPOT_QUOTA, OF_SPOT),
    ("LimitExceeded.InstanceQuota", "QuotaExceeded", "", QUOTA, ""),
    ("InvalidParameterValue.InsufficientPrice", "Refused", "", PRICE, ""),
    ("InvalidImageId.NotFound", "Refused", "RequestRefused", WRONG, "Check spec.imageId."),
    ("InvalidSecurityGroupId.NotFound", "Refused", "RequestRefused", WRONG, "Check spec.securityGroupIds."),
    ("UnsupportedRegion", "Refused", "RequestRefused", WRONG, "Check spec.region."),
    ("ActionOffline", "Refused", "RequestRefused", CALL, ""),
    ("InvalidAction", "Refused", "RequestRefused", CALL, ""),
    ("NoSuchVersion", "Refused", "RequestRefused", CALL, ""),
    // A role that a request names, not the key: nothing in the spec is to blame.
    ("AuthFailure.CamRoleNameAuthenticateFailed", "Refused", "RequestRefused", OURS, ""),
    ("UnsupportedOperation.InvalidInstancesOwner", "Refused", "RequestRefused", OURS, ""),
    ("InvalidParameterValue.SubnetIdZoneIdNotMatch", "Refused", "RequestRefused", PLACE, "Check spec.subnetId."),
    ("VpcIpIsUsed", "Refused", "RequestRefused", PLACE, OF_VPC),
    ("VpcAddrNotInSubNet", "Refused", "RequestRefused", PLACE, OF_VPC),
    ("UnauthorizedOperation.PermissionDenied", "Refused", "Refused", KEY, OF_RIGHTS),
    ("InvalidAccount.InsufficientBalance", "AccountProblem", "AccountProblem", MONEY, ""),
    ("InvalidAccount.UnpaidOrder", "AccountProblem", "AccountProblem", MONEY, ""),
    ("AccountQualificationRestrictions", "AccountProblem", "AccountProblem", MONEY, ""),
    ("InvalidParameterValue.InvalidImageState", "Refused", "", BUSY, "Check spec.imageId."),
    ("RequestLimitExceeded", "Refused", "", RATE, ""),
    // What is not in the table goes by its family.
    ("ResourcesSoldOut.ComesTomorrow", "SoldOut", "", STOCK, ""),
    ("LimitExceeded.ComesTomorrow", "QuotaExceeded", "", QUOTA, ""),
    ("InvalidParameterValue.ComesTomorrow", "Refused", "RequestRefused", WRONG, ""),
    ("FailedOperation.ComesTomorrow", "Refused", "RequestRefused", WRONG, ""),
    ("OperationDenied.ComesTomorrow", "Refused", "", BUSY, ""),
];

/// What is tried when, by what there is to do.
fn tried_again(advice: &str) -> &'static str {
    match advice {
        OFFER => " Another type, zone or charge type is tried at once, the same again at 20",
        KEY | MONEY => " It is tried again at 20",
        _ => " A changed spec is tried at once, the same again at 20",
    }
}

/// Refuses every launch of pool `row-ROW` with this code, and creates the pool.
async fn refused(world: &World, row: usize, code: &str) -> String {
    let (name, kind) = (format!("row-{row}"), format!("TYPE.{row}"));
    let fault =
        json!({"fault": {"kind": "refuse", "code": code}, "action": "RunInstances", "instance_type": kind});
    world.cloud.add_fault(&fault).await.unwrap();
    let manifest = world.manifest(&name, 1, 1).unwrap().with("spec.instanceType", kind);
    world.people.create::<SpotPool>(&manifest).await.unwrap();
    name
}

/// Whether a sentence sends people to something in the spec.
fn blames(message: &str) -> bool {
    ["Check spec.", "Check the key in spec.", "Check the permissions"]
        .iter()
        .any(|words| message.contains(words))
}

#[tokio::test]
async fn each_class_of_refused_launch_is_told_with_code_request_and_remedy() {
    let world = World::begin("refusals").await.unwrap();
    for (row, (code, ..)) in LAUNCHES.iter().enumerate() {
        refused(&world, row, code).await;
    }
    let mut wrong = Vec::new();
    for (row, (code, capacity, stalled, advice, field)) in LAUNCHES.iter().enumerate() {
        let name = format!("row-{row}");
        let answered = format!("RunInstances: the cloud answered {code}: ");
        let said = [&answered, "(RequestId ", *advice, *field];
        let conditions = [
            ("CapacityAvailable", "False", *capacity, " times since the last success; next try at 20"),
            ("Stalled", "True", *stalled, tried_again(advice)),
        ];
        for (kind, status, reason, next) in
            conditions.into_iter().filter(|(_, _, reason, _)| !reason.is_empty())
        {
            let words = [&said[..], &[next]].concat();
            match world.people.told(&name, (kind, status), &words, SOON).await {
                // Where the row has no field, none is blamed.
                Ok(told) if told.reason == reason && blames(&told.message) != field.is_empty() => {}
                other => wrong.push(format!("{code}: {other:#?}")),
            }
        }
        if stalled.is_empty() {
            world.people.condition(&name, "Stalled", "False", SOON).await.unwrap();
        }
        let begin = format!("{name}-1: {answered}");
        let words = [&[begin.as_str()], &said[1..]].concat();
        if let Err(error) = world.people.warned("SpotPool", &name, &words, SOON).await {
            wrong.push(format!("{code}: {error:#}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(world.ever_made().await.unwrap(), 0);
}

/// Codes after which there may be a machine.
const OPEN: [&str; 5] = [
    "InternalError",
    "InternalServerError",
    "InternalError.TradeUnknownError",
    "FailedOperation.InquiryPriceFailed",
    // Of no family either.
    "ComesTomorrow",
];

#[tokio::test]
async fn a_launch_of_unknown_outcome_is_told_with_code_and_request_and_what_happens_next() {
    let world = World::begin("unknown").await.unwrap();
    for (row, code) in OPEN.iter().enumerate() {
        refused(&world, row, code).await;
    }
    for (row, code) in OPEN.iter().enumerate() {
        let name = format!("row-{row}");
        let begin = format!("{name}-1: RunInstances: the cloud answered {code}: ");
        let words =
            [&begin, "(RequestId ", "); its machine is looked for by name before anything is sent again"];
        world.people.warned("SpotPool", &name, &words, SOON).await.unwrap();
        let capacity = ("CapacityAvailable", "Unknown");
        let words = ["a machine was asked for, and what became of it is not known yet"];
        let told = world.people.told(&name, capacity, &words, SOON).await.unwrap();
        assert_eq!(told.reason, "Launching", "{code}");
    }
}

#[tokio::test]
async fn a_machine_whose_launch_was_never_answered_is_found_by_name_and_no_other_is_asked_for() {
    let world = World::begin("unanswered").await.unwrap();
    let lost = [
        json!({"kind": "lost_answer", "loss": "reset"}),
        json!({"kind": "http_error", "status": 502, "committed": true}),
        json!({"kind": "cut_answer"}),
        json!({"kind": "empty_answer"}),
        json!({"kind": "doubled_body"}),
        json!({"kind": "hollow_answer"}),
    ];
    for (row, fault) in lost.iter().enumerate() {
        let (id, key) = (format!("AKIDFAKEROW{row}"), format!("fakeSecretKeyOfRow{row}"));
        world.add_key("main", &id, &key, None).await.unwrap();
        let rule = json!({"fault": fault, "action": "RunInstances", "secret_id": id});
        world.cloud.add_fault(&rule).await.unwrap();
        let manifest = world.manifest(&format!("row-{row}"), 1, 1).unwrap();
        let manifest = manifest.with("spec.secretId", id).with("spec.secretKey", key);
        world.people.create::<SpotPool>(&manifest).await.unwrap();
    }
    for (row, fault) in lost.iter().enumerate() {
        let name = format!("row-{row}");
        // What went wrong stands between the two.
        let what = format!("{name}-1: RunInstances: sent, but the outcome is unknown: ");
        let then = "; its machine is looked for by name before anything is sent again";
        let told = world.people.warned("SpotPool", &name, &[&what, then], SOON).await.unwrap();
        assert!(told.starts_with(&what) && told.ends_with(then), "{fault}: {told}");
        world.ready(&name).await.unwrap();
        let events = world.people.events_about("SpotPool", &name).await.unwrap();
        let found = events.iter().find(|event| event.reason.as_deref() == Some("Adopted"));
        let note = found.and_then(|event| event.message.as_deref()).unwrap_or_default();
        let words = "was found by its name and taken over; the answer to its launch had been lost";
        assert!(
            note.starts_with(&format!("{name}-1: machine ins-")) && note.ends_with(words),
            "{fault}: {note}"
        );
    }
    assert_eq!(world.cloud.calls("RunInstances").await.unwrap(), lost.len() as u64);
    assert_eq!(world.settled(lost.len()).await.unwrap().len(), world.ever_made().await.unwrap());
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
