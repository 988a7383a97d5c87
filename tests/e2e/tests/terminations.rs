//! What the cloud says to a termination, as a person reads it: a machine that is not taken back is told with code,
//! RequestId and remedy, one that is busy or gone is not worth a word, and all go once nothing is in the way.

use e2e::{FILLED_WITHIN, SOON, World};
use serde_json::json;
use spotpool_operator::crd::SpotPool;

const CONSOLE: &str = "Look at this instance in the console: it cannot be returned by an API call.";
const PROTECTED: &str =
    "Somebody has switched on this instance's protection against termination: switch it off in the console.";
const KEY: &str = "Check that the key pair exists, is enabled, is not expired and may do this.";
const CALL: &str = "The cloud does not know this call, whatever the spec says: update the operator, or check its --cvm-endpoint.";
const PASSES: &str = "Nothing to do: the cloud had passing trouble and the call is repeated.";
const RATE: &str = "Nothing to do unless it lasts: then other tools use up this account's call rate.";

/// How a code is told.
enum Told {
    /// In an Event and in Stalled.
    ToSomebody(&'static str),
    /// In an Event.
    InPassing(&'static str),
    /// It is no trouble.
    Not,
}

use Told::{InPassing, Not, ToSomebody};

#[rustfmt::skip] // One code a line, so that the table can be read as one.
const TERMINATIONS: [(&str, Told); 26] = [
    ("UnsupportedOperation.InstancesProtected", ToSomebody(PROTECTED)),
    ("FailedOperation.Unreturnable", ToSomebody(CONSOLE)),
    ("LimitExceeded.UserReturnQuota", ToSomebody(CONSOLE)),
    ("UnsupportedOperation.InvalidInstancesOwner", ToSomebody(CONSOLE)),
    ("InvalidInstance.NotSupported", ToSomebody(CONSOLE)),
    ("UnsupportedOperation.InstanceStateBanning", ToSomebody(CONSOLE)),
    ("UnsupportedOperation.RedHatInstanceTerminateUnsupported", ToSomebody(CONSOLE)),
    ("UnsupportedOperation.RedHatInstanceUnsupported", ToSomebody(CONSOLE)),
    ("UnsupportedOperation.SpecialInstanceType", ToSomebody(CONSOLE)),
    ("UnsupportedOperation.InstanceChargeType", ToSomebody(CONSOLE)),
    ("UnsupportedOperation.InvalidInstanceApplicationRole", ToSomebody(CONSOLE)),
    ("FailedOperation.InvalidInstanceApplicationRoleEmr", ToSomebody(CONSOLE)),
    ("LimitExceeded.UserLimitOperationExceedQuota", ToSomebody(CONSOLE)),
    // What is not known to be harmless is not tried again and again.
    ("FailedOperation.ComesTomorrow", ToSomebody(CONSOLE)),
    ("ComesTomorrow", ToSomebody(CONSOLE)),
    ("UnauthorizedOperation", ToSomebody(KEY)),
    ("ActionOffline", ToSomebody(CALL)),
    ("InvalidAction", ToSomebody(CALL)),
    ("NoSuchVersion", ToSomebody(CALL)),
    ("InternalError", InPassing(PASSES)),
    ("RequestLimitExceeded", InPassing(RATE)),
    ("InvalidInstanceId.NotFound", Not),
    ("UnsupportedOperation.InstanceStateTerminated", Not),
    ("OperationDenied.InstanceOperationInProgress", Not),
    ("MutexOperation.TaskRunning", Not),
    ("UnsupportedOperation.InstanceStateRebooting", Not),
];

#[tokio::test]
async fn a_machine_that_cannot_be_terminated_is_told_and_one_that_is_busy_or_gone_is_not_worth_a_word() {
    let mut world = World::begin("unreturnable").await.unwrap();
    // Each pool asks with a key of its own, by which the stand-in knows what to answer; together they are many.
    let limits = json!({"rate_limits": {"DescribeAccountQuota": 1000, "DescribeInstances": 1000, "RunInstances": 1000}});
    world.cloud.post("settings", &limits).await.unwrap();
    let name = |row: usize| format!("row-{row}");
    let id = |row: usize| format!("AKIDFAKEROW{row}");
    for row in 0..TERMINATIONS.len() {
        let key = format!("fakeSecretKeyOfRow{row}");
        world.add_key("main", &id(row), &key, None).await.unwrap();
        let manifest = world.manifest(&name(row), 1, 1).unwrap();
        let manifest = manifest.with("spec.secretId", id(row)).with("spec.secretKey", key);
        world.people.create::<SpotPool>(&manifest).await.unwrap();
    }
    for (row, (code, _)) in TERMINATIONS.iter().enumerate() {
        world.ready(&name(row)).await.unwrap();
        let refuse = json!({"kind": "refuse", "code": code});
        let fault = json!({"fault": refuse, "action": "TerminateInstances", "secret_id": id(row)});
        world.cloud.add_fault(&fault).await.unwrap();
        world.people.delete::<SpotPool>(&name(row)).await.unwrap();
    }
    for (row, (code, told)) in TERMINATIONS.iter().enumerate() {
        let name = name(row);
        let answered = format!("TerminateInstances: the cloud answered {code}: ");
        world
            .until(&format!("a termination to be answered {code}"), SOON, async || {
                let calls = world.cloud.get("calls").await?;
                Ok(calls["TerminateInstances"][code].as_u64().map(drop))
            })
            .await
            .unwrap();
        if let ToSomebody(advice) | InPassing(advice) = told {
            let begin = format!("{name}-1: machine ins-");
            let words = [&begin, &answered, "(RequestId ", *advice];
            world.people.warned("SpotPool", &name, &words, SOON).await.unwrap();
        }
        if let ToSomebody(advice) = told {
            let whose = format!(" of {name}-1: {answered}");
            let words = [
                "the cloud refuses to terminate machines that should go, and they are billed. ins-",
                &whose,
                "(RequestId ",
                *advice,
                "It is asked again every few minutes",
            ];
            let stalled = world.people.told(&name, ("Stalled", "True"), &words, SOON).await.unwrap();
            assert_eq!(stalled.reason, "TerminationRefused", "{code}");
        }
    }
    world.sweeps_later(2 * TERMINATIONS.len() as u64).await.unwrap();
    for (row, (code, told)) in TERMINATIONS.iter().enumerate() {
        let events = format!("{:?}", world.people.events_about("SpotPool", &name(row)).await.unwrap());
        let shown = !matches!(told, Not);
        assert_eq!(events.contains(&format!("answered {code}:")), shown, "{code}: {events}");
        let stalled = matches!(told, ToSomebody(_));
        let status = if stalled { "True" } else { "False" };
        world.people.condition(&name(row), "Stalled", status, SOON).await.unwrap();
    }
    assert_eq!(world.ours().await.unwrap().len(), TERMINATIONS.len(), "every machine is there still");

    world.cloud.delete("faults").await.unwrap();
    // It would be asked again by and by; an operator that begins asks at once.
    world.start_operator(&[]).await.unwrap();
    world
        .until("pools and machines to be gone", FILLED_WITHIN, async || {
            let pools = world.people.api::<SpotPool>().list(&kube::api::ListParams::default()).await?;
            Ok((pools.items.is_empty() && world.ours().await?.is_empty()).then_some(()))
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_termination_that_was_refused_is_asked_for_again_by_itself() {
    let world = World::begin("again").await.unwrap();
    world.filled("again", 1, 1).await.unwrap();
    let refuse = json!({"kind": "refuse", "code": "UnsupportedOperation.InstancesProtected"});
    let fault = json!({"fault": refuse, "action": "TerminateInstances", "count": 1});
    world.cloud.add_fault(&fault).await.unwrap();
    world.people.delete::<SpotPool>("again").await.unwrap();
    world
        .until("the pool to be gone", FILLED_WITHIN, async || {
            let gone = world.people.api::<SpotPool>().get_opt("again").await?.is_none();
            Ok((gone && world.ours().await?.is_empty()).then_some(()))
        })
        .await
        .unwrap();
    assert_eq!(world.cloud.calls("TerminateInstances").await.unwrap(), 2);
}
