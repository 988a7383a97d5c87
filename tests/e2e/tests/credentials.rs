//! Each trouble with a key as a person reads it: what the cloud said, what does not happen meanwhile, what to do. Nothing
//! is launched or terminated, and it goes on by itself with a key that works.

use e2e::{FILLED_WITHIN, SECRET_ID, SECRET_KEY, SOON, World};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::json;
use spotpool_operator::crd::{SpotInstance, SpotPool};

const OF_THE_KEY: &str = "Check the key in spec.credentialsSecretRef (or spec.secretId and spec.secretKey).";
const OF_ITS_RIGHTS: &str =
    "Check the permissions of the key in spec.credentialsSecretRef (or spec.secretId).";
const ADVICE: &str = "Check that the key pair exists, is enabled, is not expired and may do this.";
const MEANWHILE: &str = "Until that is over nothing is launched, replaced or terminated, and the machines that run are left \
                         as they are.";

/// (code that every call answers, where to look)
const KEYS: [(&str, &str); 10] = [
    ("AuthFailure.SecretIdNotFound", OF_THE_KEY),
    ("AuthFailure.SignatureFailure", OF_THE_KEY),
    ("AuthFailure.TokenFailure", OF_THE_KEY),
    ("AuthFailure.InvalidSecretId", OF_THE_KEY),
    ("AuthFailure.MFAFailure", OF_THE_KEY),
    // A clock that cannot be repaired either.
    ("AuthFailure.SignatureExpire", OF_THE_KEY),
    ("UnauthorizedOperation", OF_ITS_RIGHTS),
    ("UnauthorizedOperation.PermissionDenied", OF_ITS_RIGHTS),
    ("UnauthorizedOperation.InvalidToken", OF_ITS_RIGHTS),
    ("UnauthorizedOperation.MFAExpired", OF_ITS_RIGHTS),
];

/// How often the cloud was asked to make or to end a machine.
async fn writes(world: &World) -> u64 {
    world.cloud.calls("RunInstances").await.unwrap() + world.cloud.calls("TerminateInstances").await.unwrap()
}

async fn ids(world: &World) -> Vec<String> {
    world.ours().await.unwrap().into_iter().map(|machine| machine.id).collect()
}

#[tokio::test]
async fn each_trouble_with_a_key_is_told_with_code_request_and_remedy_and_nothing_is_touched() {
    let mut world = World::begin("keys").await.unwrap();
    let name = |row: usize| format!("row-{row}");
    let id = |row: usize| format!("AKIDFAKEROW{row}");
    for row in 0..KEYS.len() {
        let key = format!("fakeSecretKeyOfRow{row}");
        world.add_key("main", &id(row), &key, None).await.unwrap();
        let manifest = world.manifest(&name(row), 1, 1).unwrap();
        let manifest = manifest.with("spec.secretId", id(row)).with("spec.secretKey", key);
        world.people.create::<SpotPool>(&manifest).await.unwrap();
    }
    for row in 0..KEYS.len() {
        world.ready(&name(row)).await.unwrap();
    }
    let (before, written) = (ids(&world).await, writes(&world).await);
    for (row, (code, _)) in KEYS.iter().enumerate() {
        let fault = json!({"fault": {"kind": "refuse", "code": code}, "secret_id": id(row)});
        world.cloud.add_fault(&fault).await.unwrap();
    }
    for (row, (code, field)) in KEYS.iter().enumerate() {
        let answered = format!("the cloud answered {code}: ");
        let words =
            [&answered, "(RequestId ", ADVICE, *field, MEANWHILE, "The cloud is asked again every minute."];
        let told = world.people.told(&name(row), ("CredentialsValid", "False"), &words, SOON).await.unwrap();
        assert_eq!(told.reason, "Refused", "{code}");
        let words = ["CredentialsValid=False: ", &answered, "(RequestId ", ADVICE, *field];
        world.people.warned("SpotPool", &name(row), &words, SOON).await.unwrap();
    }
    world.cloud.delete("faults").await.unwrap();
    // A refused key is tried again once a minute; an operator that begins tries at once.
    world.start_operator(&[]).await.unwrap();
    for row in 0..KEYS.len() {
        world.people.condition(&name(row), "CredentialsValid", "True", SOON).await.unwrap();
    }
    assert_eq!((ids(&world).await, writes(&world).await), (before, written));
}

#[tokio::test]
async fn a_clock_that_is_an_hour_off_is_repaired_and_nobody_hears_of_it() {
    let world = World::begin_with("clock", &["--clock-ahead", "3600"], &[]).await.unwrap();
    world.filled("clock", 1, 1).await.unwrap();
    let calls = world.cloud.get("calls").await.unwrap();
    let refused = |action: &str| calls[action]["AuthFailure.SignatureExpire"].as_u64().unwrap_or(0);
    assert!(refused("DescribeAccountQuota") + refused("DescribeInstances") > 0, "{calls}");
    world.people.condition("clock", "CredentialsValid", "True", SOON).await.unwrap();
    let events = format!("{:?}", world.people.events_about("SpotPool", "clock").await.unwrap());
    assert!(events.contains("launched") && !events.contains("AuthFailure"), "{events}");
}

#[tokio::test]
async fn an_expired_temporary_key_is_told_and_a_new_token_is_noticed() {
    let world = World::begin("sts").await.unwrap();
    let (id, key, token) = ("AKIDFAKETEMPORARY", "fakeTemporaryKey", "fakeTemporaryToken");
    world.add_key("main", id, key, Some(token)).await.unwrap();
    let first = [("secretId", id), ("secretKey", key), ("token", token)];
    world.people.create_secret("sts", &first).await.unwrap();
    let manifest = world.manifest("sts", 1, 1).unwrap().keyed_by("sts");
    world.people.create::<SpotPool>(&manifest).await.unwrap();
    world.ready("sts").await.unwrap();
    let before = world.ours().await.unwrap().len();

    world.cloud.post("credentials/AKIDFAKETEMPORARY/expire", &json!({})).await.unwrap();
    let words = ["AuthFailure.TokenFailure", "RequestId", "is not expired", "spec.credentialsSecretRef"];
    world.people.told("sts", ("CredentialsValid", "False"), &words, SOON).await.unwrap();
    assert_eq!(world.ours().await.unwrap().len(), before, "what runs stays");

    let (id, key, token) = ("AKIDFAKENEXT", "fakeNextSecretKey", "fakeNextToken");
    world.add_key("main", id, key, Some(token)).await.unwrap();
    let rotated = json!({"stringData": {"secretId": id, "secretKey": key, "token": token}});
    world.people.edit::<Secret>("sts", &rotated).await.unwrap();
    world.people.condition("sts", "CredentialsValid", "True", SOON).await.unwrap();
    assert_eq!(world.ours().await.unwrap().len(), before);
}

/// A pool of so many that is Ready, with its key in the Secret `cloud`.
async fn with_a_secret(name: &str, size: i32) -> World {
    let world = World::begin(name).await.unwrap();
    let key = [("secretId", SECRET_ID), ("secretKey", SECRET_KEY)];
    world.people.create_secret("cloud", &key).await.unwrap();
    let manifest = world.manifest(name, size, size).unwrap().keyed_by("cloud");
    world.people.create::<SpotPool>(&manifest).await.unwrap();
    world.ready(name).await.unwrap();
    world
}

async fn rekey(world: &World, id: &str, key: &str) {
    let data = json!({"stringData": {"secretId": id, "secretKey": key}});
    world.people.edit::<Secret>("cloud", &data).await.unwrap();
}

/// The reasons of the Events about a pool, one after the other.
async fn reasons(world: &World, pool: &str) -> Vec<String> {
    let events = world.people.events_about("SpotPool", pool).await.unwrap();
    events.into_iter().filter_map(|event| event.reason).collect()
}

/// Two machines serve again, and the lost one is none of them.
async fn made_up_for(world: &World, lost: &str) {
    world
        .until("the loss to be replaced", SOON, async || {
            let machines = ids(world).await;
            Ok((machines.len() == 2 && !machines.iter().any(|id| id == lost)).then_some(()))
        })
        .await
        .unwrap();
    world.ready("quiet").await.unwrap();
}

#[tokio::test]
async fn neither_a_rotated_key_nor_a_new_process_alarms_anybody_and_a_loss_meanwhile_is_replaced() {
    let mut world = with_a_secret("quiet", 2).await;
    let quiet = reasons(&world, "quiet").await;
    let (id, key) = ("AKIDFAKESUCCESSOR", "fakeSecretKeyOfTheSuccessor");
    world.add_key("main", id, key, None).await.unwrap();
    rekey(&world, id, key).await;
    let named = |instance: &SpotInstance| instance.status.as_ref().and_then(|status| status.account.clone());
    let before = world.people.instances().await.unwrap().iter().map(named).collect::<Vec<_>>();
    world
        .until("the new key to be on record", SOON, async || {
            let now = world.people.instances().await?.iter().map(named).collect::<Vec<_>>();
            Ok(now.iter().all(|account| !before.contains(account)).then_some(()))
        })
        .await
        .unwrap();
    assert_eq!(reasons(&world, "quiet").await, quiet, "the key was rotated");

    // The next process may not ask for the account's number, which the last one wrote down.
    let fault = json!({"kind": "refuse", "code": "UnauthorizedOperation"});
    let forbidden = json!({"fault": fault, "action": "DescribeAccountQuota"});
    world.cloud.add_fault(&forbidden).await.unwrap();
    let was = world.people.pool("quiet").await.unwrap().status.unwrap().conditions;
    world.operator = None;
    let lost = ids(&world).await[0].clone();
    world.cloud.vanish(&lost).await.unwrap();
    world.start_operator(&[]).await.unwrap();
    made_up_for(&world, &lost).await;

    // Neither does it matter to a third key: the machine that it shows tells whose it is.
    let (id, key) = ("AKIDFAKETHIRD", "fakeSecretKeyOfTheThird");
    world.add_key("main", id, key, None).await.unwrap();
    let lost = ids(&world).await[0].clone();
    world.cloud.vanish(&lost).await.unwrap();
    rekey(&world, id, key).await;
    made_up_for(&world, &lost).await;
    assert!(!reasons(&world, "quiet").await.contains(&"Stalled".to_owned()));
    let is = world.people.pool("quiet").await.unwrap().status.unwrap().conditions;
    for kind in ["Stalled", "CredentialsValid"] {
        let of = |conditions: &[Condition]| conditions.iter().find(|it| it.type_ == kind).cloned();
        assert_eq!(of(&is), of(&was), "{kind}");
    }
}

#[tokio::test]
async fn a_key_of_another_account_stops_everything_until_one_of_the_first_is_back() {
    let world = with_a_secret("foreign", 2).await;
    let (before, written) = (ids(&world).await, writes(&world).await);
    world.cloud.post("accounts", &json!({"name": "other"})).await.unwrap();
    world.add_key("other", "AKIDFAKEOTHER", "fakeSecretKeyOfAnother", None).await.unwrap();
    rekey(&world, "AKIDFAKEOTHER", "fakeSecretKeyOfAnother").await;
    let sentence = "the key opens another account (1250000002) than the pool's machines are in, and none of them is \
                    visible; nothing is launched or terminated until a key of their account is given back.";
    for condition in [("CredentialsValid", "False"), ("Stalled", "True")] {
        let told = world.people.told("foreign", condition, &[sentence], SOON).await.unwrap();
        assert_eq!((told.reason.as_str(), told.message.as_str()), ("AnotherAccount", sentence));
    }
    world.people.warned("SpotPool", "foreign", &["CredentialsValid=False: ", sentence], SOON).await.unwrap();

    // Neither more nor fewer, whatever is asked for.
    for size in [3, 1] {
        let sizes = json!({"spec": {"minimum": size, "maximum": size}});
        world.people.edit::<SpotPool>("foreign", &sizes).await.unwrap();
        world.observed("foreign").await.unwrap();
        world.sweeps_later(2).await.unwrap();
    }
    assert_eq!((ids(&world).await, writes(&world).await), (before, written));
    assert_eq!(world.people.instances().await.unwrap().len(), 2, "never blind: no count is lowered");

    rekey(&world, SECRET_ID, SECRET_KEY).await;
    world.people.condition("foreign", "CredentialsValid", "True", SOON).await.unwrap();
    world.settled(1).await.unwrap();
    world.people.condition("foreign", "Stalled", "False", SOON).await.unwrap();
}

#[tokio::test]
async fn a_key_that_no_request_can_carry_is_told_and_nothing_is_sent() {
    let world = World::begin("unusable").await.unwrap();
    // As lines that were broken when they were copied.
    let broken = [("secretId", "AKIDFAKE\n0001"), ("secretKey", SECRET_KEY)];
    world.people.create_secret("cloud", &broken).await.unwrap();
    let key = world.manifest("key", 1, 1).unwrap().keyed_by("cloud");
    world.people.create::<SpotPool>(&key).await.unwrap();
    let sentence = format!(
        "build the CVM client: the SecretId has characters no id has; check spec.region and the key's characters. \
         {MEANWHILE}"
    );
    for condition in [("CredentialsValid", "False"), ("Stalled", "True")] {
        let told = world.people.told("key", condition, &[&sentence], SOON).await.unwrap();
        assert_eq!((told.reason.as_str(), told.message), ("UnusableKeyOrRegion", sentence.clone()));
    }
    world.people.warned("SpotPool", "key", &["CredentialsValid=False: ", &sentence], SOON).await.unwrap();
    assert_eq!(world.cloud.calls("DescribeInstances").await.unwrap(), 0);
    rekey(&world, SECRET_ID, SECRET_KEY).await;
    world.people.condition("key", "CredentialsValid", "True", SOON).await.unwrap();
}

#[tokio::test]
async fn a_secret_that_was_deleted_before_the_pool_held_it_launches_nothing() {
    let world = World::begin("doomed").await.unwrap();
    let key = [("secretId", SECRET_ID), ("secretKey", SECRET_KEY)];
    world.people.create_secret("cloud", &key).await.unwrap();
    // Somebody else holds it, and it is on its way out.
    let held = json!({"metadata": {"finalizers": ["example.org/somebody-else"]}});
    world.people.edit::<Secret>("cloud", &held).await.unwrap();
    world.people.delete::<Secret>("cloud").await.unwrap();
    let manifest = world.manifest("doomed", 1, 1).unwrap().keyed_by("cloud");
    world.people.create::<SpotPool>(&manifest).await.unwrap();
    let sentence = "Secret cloud is being deleted and goes as soon as nobody else needs it: it was deleted before this \
                    pool could hold it, so nothing is launched with its key. Name another Secret in \
                    spec.credentialsSecretRef, or make this one anew when it is gone";
    let told = world.people.told("doomed", ("CredentialsValid", "False"), &[sentence], SOON).await.unwrap();
    assert_eq!((told.reason.as_str(), told.message.as_str()), ("SecretDeleted", sentence));
    world.people.warned("SpotPool", "doomed", &["CredentialsValid=False: ", sentence], SOON).await.unwrap();
    world.sweeps_later(3).await.unwrap();
    assert_eq!(writes(&world).await, 0);

    world.people.release::<Secret>("cloud").await.unwrap();
    world.people.create_secret("cloud", &key).await.unwrap();
    world.ready("doomed").await.unwrap();
}

#[tokio::test]
async fn what_a_pool_left_behind_waits_for_its_key_and_says_so() {
    let mut world = World::begin("orphan").await.unwrap();
    world.filled("orphan", 1, 1).await.unwrap();
    let before = ids(&world).await;
    // Without an operator nobody holds the pool when its finalizer is taken away.
    world.operator = None;
    world.people.delete::<SpotPool>("orphan").await.unwrap();
    world.people.release::<SpotPool>("orphan").await.unwrap();
    world.start_operator(&[]).await.unwrap();
    let sentence = "the pool is gone, and with it the key that could terminate this machine; make a pool of the same name \
                    with the same key, or terminate the machine by hand and remove the finalizer";
    let told = world.people.warned("SpotInstance", "orphan-1", &[sentence], SOON).await.unwrap();
    assert_eq!(told, sentence);
    assert_eq!(ids(&world).await, before);

    // A pool of the same name with a key of another account is no help.
    world.cloud.post("accounts", &json!({"name": "other"})).await.unwrap();
    world.add_key("other", "AKIDFAKEOTHER", "fakeSecretKeyOfAnother", None).await.unwrap();
    let manifest = world.manifest("orphan", 0, 1).unwrap();
    let other =
        manifest.with("spec.secretId", "AKIDFAKEOTHER").with("spec.secretKey", "fakeSecretKeyOfAnother");
    world.people.create::<SpotPool>(&other).await.unwrap();
    let sentence = "the machines of these SpotInstances were asked for in another account than the key opens, are not \
                    seen, and are billed: orphan-1 (account 1250000001). Give a key of that account back, or terminate \
                    them there by hand and remove the SpotInstances' finalizers";
    let told = world.people.told("orphan", ("Stalled", "True"), &[sentence], SOON).await.unwrap();
    assert_eq!((told.reason.as_str(), told.message.as_str()), ("AnotherAccount", sentence));
    world.people.warned("SpotPool", "orphan", &["Stalled=True: ", sentence], SOON).await.unwrap();
    assert_eq!(world.cloud.calls("TerminateInstances").await.unwrap(), 0);

    let right = json!({"spec": {"secretId": SECRET_ID, "secretKey": SECRET_KEY}});
    world.people.edit::<SpotPool>("orphan", &right).await.unwrap();
    world
        .until("the machine to be gone", FILLED_WITHIN, async || {
            let left = world.people.api::<SpotInstance>().get_opt("orphan-1").await?;
            Ok((left.is_none() && world.ours().await?.is_empty()).then_some(()))
        })
        .await
        .unwrap();
    world.people.condition("orphan", "Stalled", "False", SOON).await.unwrap();
}
