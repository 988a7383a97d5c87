//! Reads, creates and compare-and-swap.

use std::collections::BTreeMap;

use spotpool_operator::crd::{SpotInstance, SpotInstanceStatus, SpotPool, SpotPoolStatus};
use spotpool_operator::ports::{Event, PoolKey, Regarding, StoreError};

use super::samples::{sample_instance, sample_pool};
use super::{Named, StoreUnderTest};

pub(super) fn all(world: &dyn StoreUnderTest) -> Vec<Named<'_>> {
    vec![
        ("what is not there is none, not an error", Box::pin(absent_is_none(world))),
        ("a created pool has a uid and is of generation 1", Box::pin(created_pool(world))),
        (
            "an edit of the spec raises generation and resourceVersion",
            Box::pin(edit_raises_generation(world)),
        ),
        (
            "a status write moves the resourceVersion, not the generation",
            Box::pin(status_keeps_generation(world)),
        ),
        ("a status write ignores spec and metadata", Box::pin(status_ignores_the_rest(world))),
        ("a metadata write ignores status", Box::pin(metadata_ignores_status(world))),
        ("a stale status write conflicts and changes nothing", Box::pin(stale_status_conflicts(world))),
        ("a stale metadata write conflicts", Box::pin(stale_metadata_conflicts(world))),
        ("status and metadata share one resourceVersion", Box::pin(one_version_for_both(world))),
        ("a write that changes nothing keeps the resourceVersion", Box::pin(idle_write_keeps_version(world))),
        ("a created SpotInstance has no status", Box::pin(created_instance_has_no_status(world))),
        ("a taken name is refused as taken", Box::pin(taken_name(world))),
        ("creating a SpotInstance leaves its pool as it was", Box::pin(create_leaves_the_pool(world))),
        ("a list shows the pool's own and no other pool's", Box::pin(list_by_pool(world))),
        ("a list shows one whose labels were taken away", Box::pin(list_without_label(world))),
        ("a write of the finalizers leaves the spec as it was", Box::pin(finalizers_only(world))),
        ("of two writers with one resourceVersion one wins", Box::pin(one_writer_wins(world))),
        ("of two creators of one name one wins", Box::pin(one_creator_wins(world))),
        ("attempts come back as they were written", Box::pin(attempts_round_trip(world))),
        ("a Secret's data comes back decoded", Box::pin(secret_is_read(world))),
        ("a held Secret stays until it is let go", Box::pin(held_secret_stays(world))),
        ("a namespace that stays is not said to be going", Box::pin(namespace_stays(world))),
        ("the cluster has one uid", Box::pin(cluster_uid_is_stable(world))),
        ("an Event about an object is taken", Box::pin(event_is_taken(world))),
    ]
}

pub(super) fn say<T>(what: &str, result: Result<T, StoreError>) -> Result<T, String> {
    result.map_err(|error| format!("{what}: {error} ({error:?})"))
}

pub(super) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

pub(super) async fn new_pool(world: &dyn StoreUnderTest, name: &str) -> Result<SpotPool, String> {
    say("create the pool", world.create_pool(&sample_pool(world.namespace(), name)).await)
}

pub(super) async fn new_instance(world: &dyn StoreUnderTest, name: &str) -> Result<SpotInstance, String> {
    let pool = new_pool(world, name).await?;
    say("create the SpotInstance", world.store().create_instance(&sample_instance(&pool, 1)).await)
}

pub(super) fn key(world: &dyn StoreUnderTest, name: &str) -> PoolKey {
    PoolKey::new(world.namespace(), name)
}

async fn read_pool(world: &dyn StoreUnderTest, name: &str) -> Result<SpotPool, String> {
    say("read the pool", world.store().pool(&key(world, name)).await)?
        .ok_or_else(|| "the pool is not there".to_owned())
}

fn launched(pool: &SpotPool) -> i64 {
    pool.status.as_ref().map_or(0, |status| status.launched)
}

fn with_launched(pool: &SpotPool, launched: i64) -> SpotPool {
    let mut pool = pool.clone();
    pool.status.get_or_insert_default().launched = launched;
    pool
}

fn with_reason(instance: &SpotInstance, reason: &str) -> SpotInstance {
    let mut instance = instance.clone();
    instance.status.get_or_insert_default().reason = Some(reason.to_owned());
    instance
}

async fn absent_is_none(world: &dyn StoreUnderTest) -> Result<(), String> {
    let store = world.store();
    let pool = say("read a pool", store.pool(&key(world, "absent")).await)?;
    ensure(pool.is_none(), || format!("a pool came back: {pool:?}"))?;
    let instance = say("read a SpotInstance", store.instance(world.namespace(), "absent-1").await)?;
    ensure(instance.is_none(), || format!("a SpotInstance came back: {instance:?}"))?;
    let listed = say("list", store.instances(&key(world, "absent")).await)?;
    ensure(listed.is_empty(), || format!("listed {}", listed.len()))?;
    let secret = say("read a Secret", store.secret(world.namespace(), "absent").await)?;
    ensure(secret.is_none(), || "a Secret came back".to_owned())
}

async fn created_pool(world: &dyn StoreUnderTest) -> Result<(), String> {
    let made = new_pool(world, "created").await?;
    let read = read_pool(world, "created").await?;
    ensure(read == made, || "reading gives another object than creating".to_owned())?;
    let meta = read.metadata;
    ensure(meta.uid.is_some_and(|uid| !uid.is_empty()), || "no uid".to_owned())?;
    ensure(meta.resource_version.is_some(), || "no resourceVersion".to_owned())?;
    ensure(meta.creation_timestamp.is_some(), || "no creationTimestamp".to_owned())?;
    ensure(meta.generation == Some(1), || format!("generation {:?}", meta.generation))
}

async fn edit_raises_generation(world: &dyn StoreUnderTest) -> Result<(), String> {
    let made = new_pool(world, "edited").await?;
    say("edit", world.edit_pool(&key(world, "edited"), 2, 3).await)?;
    let read = read_pool(world, "edited").await?;
    ensure(read.metadata.generation == Some(2), || format!("generation {:?}", read.metadata.generation))?;
    ensure(read.metadata.resource_version != made.metadata.resource_version, || {
        "same resourceVersion".to_owned()
    })?;
    ensure((read.spec.minimum, read.spec.maximum) == (2, 3), || "the edit is not there".to_owned())
}

async fn status_keeps_generation(world: &dyn StoreUnderTest) -> Result<(), String> {
    let made = new_pool(world, "status").await?;
    let written = say("write status", world.store().replace_pool_status(&with_launched(&made, 7)).await)?;
    let read = read_pool(world, "status").await?;
    ensure(launched(&read) == 7, || format!("launched is {}", launched(&read)))?;
    ensure(read == written, || "reading gives another object than the write's answer".to_owned())?;
    ensure(read.metadata.generation == Some(1), || format!("generation {:?}", read.metadata.generation))?;
    ensure(read.metadata.resource_version != made.metadata.resource_version, || {
        "same resourceVersion".to_owned()
    })
}

async fn status_ignores_the_rest(world: &dyn StoreUnderTest) -> Result<(), String> {
    let made = new_pool(world, "status-only").await?;
    let mut changed = with_launched(&made, 1);
    changed.spec.maximum = 9;
    changed.metadata.finalizers = Some(vec!["demo.aiops.org/other".to_owned()]);
    say("write status", world.store().replace_pool_status(&changed).await)?;
    let read = read_pool(world, "status-only").await?;
    ensure(read.spec == made.spec, || "the spec has changed".to_owned())?;
    ensure(read.metadata.finalizers.is_none(), || "the finalizers have changed".to_owned())?;
    ensure(launched(&read) == 1, || "the status has not changed".to_owned())
}

async fn metadata_ignores_status(world: &dyn StoreUnderTest) -> Result<(), String> {
    let made = new_instance(world, "metadata-only").await?;
    let noted =
        say("write status", world.store().replace_instance_status(&with_reason(&made, "First")).await)?;
    let mut changed = with_reason(&noted, "Second");
    changed.metadata.finalizers.get_or_insert_default().push("demo.aiops.org/other".to_owned());
    let written = say("write metadata", world.store().replace_instance(&changed).await)?;
    let reason = written.status.and_then(|status| status.reason);
    ensure(reason.as_deref() == Some("First"), || format!("the status has become {reason:?}"))?;
    let finalizers = written.metadata.finalizers.unwrap_or_default();
    ensure(finalizers.len() == 2, || format!("finalizers {finalizers:?}"))
}

async fn stale_status_conflicts(world: &dyn StoreUnderTest) -> Result<(), String> {
    let made = new_instance(world, "stale-status").await?;
    let store = world.store();
    say("write status", store.replace_instance_status(&with_reason(&made, "First")).await)?;
    let second = store.replace_instance_status(&with_reason(&made, "Second")).await;
    ensure(matches!(second, Err(StoreError::Conflict)), || format!("the second write gave {second:?}"))?;
    let read = say("read", store.instance(world.namespace(), "stale-status-1").await)?;
    let reason = read.and_then(|instance| instance.status).and_then(|status| status.reason);
    ensure(reason.as_deref() == Some("First"), || format!("the status has become {reason:?}"))
}

async fn stale_metadata_conflicts(world: &dyn StoreUnderTest) -> Result<(), String> {
    let made = new_instance(world, "stale-metadata").await?;
    let store = world.store();
    say("write status", store.replace_instance_status(&with_reason(&made, "First")).await)?;
    let mut changed = made;
    changed.metadata.finalizers = None;
    let second = store.replace_instance(&changed).await;
    ensure(matches!(second, Err(StoreError::Conflict)), || format!("the stale write gave {second:?}"))
}

async fn one_version_for_both(world: &dyn StoreUnderTest) -> Result<(), String> {
    let made = new_pool(world, "one-version").await?;
    let mut changed = made.clone();
    changed.metadata.finalizers = Some(vec!["demo.aiops.org/machines".to_owned()]);
    say("write metadata", world.store().replace_pool(&changed).await)?;
    let second = world.store().replace_pool_status(&with_launched(&made, 1)).await;
    ensure(matches!(second, Err(StoreError::Conflict)), || format!("the stale write gave {second:?}"))
}

async fn idle_write_keeps_version(world: &dyn StoreUnderTest) -> Result<(), String> {
    let made = new_pool(world, "idle").await?;
    let first = say("write status", world.store().replace_pool_status(&with_launched(&made, 1)).await)?;
    let again = say("write it again", world.store().replace_pool_status(&first).await)?;
    ensure(again.metadata.resource_version == first.metadata.resource_version, || "it has moved".to_owned())?;
    let same = say("write the metadata again", world.store().replace_pool(&first).await)?;
    ensure(same.metadata.resource_version == first.metadata.resource_version, || {
        "metadata moved it".to_owned()
    })
}

async fn created_instance_has_no_status(world: &dyn StoreUnderTest) -> Result<(), String> {
    let pool = new_pool(world, "wish").await?;
    let wish = with_reason(&sample_instance(&pool, 1), "FromNowhere");
    let made = say("create", world.store().create_instance(&wish).await)?;
    ensure(made.status.is_none_or(|status| status == SpotInstanceStatus::default()), || {
        "it has one".to_owned()
    })?;
    ensure(made.metadata.finalizers == wish.metadata.finalizers, || "its finalizer is lost".to_owned())?;
    ensure(made.spec == wish.spec, || "its spec is another".to_owned())
}

async fn taken_name(world: &dyn StoreUnderTest) -> Result<(), String> {
    let made = new_instance(world, "taken").await?;
    let pool = read_pool(world, "taken").await?;
    let second = world.store().create_instance(&sample_instance(&pool, 1)).await;
    ensure(matches!(second, Err(StoreError::AlreadyExists)), || {
        format!("the second create gave {second:?}")
    })?;
    let read = say("read", world.store().instance(world.namespace(), "taken-1").await)?;
    ensure(read.and_then(|instance| instance.metadata.uid) == made.metadata.uid, || {
        "another one is there".to_owned()
    })
}

async fn create_leaves_the_pool(world: &dyn StoreUnderTest) -> Result<(), String> {
    let pool = new_pool(world, "unmoved").await?;
    say("create", world.store().create_instance(&sample_instance(&pool, 1)).await)?;
    let read = read_pool(world, "unmoved").await?;
    ensure(read.metadata.resource_version == pool.metadata.resource_version, || "it has moved".to_owned())
}

async fn list_by_pool(world: &dyn StoreUnderTest) -> Result<(), String> {
    let ours = new_pool(world, "listed").await?;
    let other = new_pool(world, "listed-2").await?;
    for (pool, n) in [(&ours, 1), (&ours, 2), (&other, 1)] {
        say("create", world.store().create_instance(&sample_instance(pool, n)).await)?;
    }
    let mut earlier = ours.clone();
    earlier.metadata.uid = Some("uid-of-an-earlier-pool".to_owned());
    say("create", world.store().create_instance(&sample_instance(&earlier, 3)).await)?;
    let listed = say("list", world.store().instances(&key(world, "listed")).await)?;
    let mut names: Vec<String> = listed.into_iter().filter_map(|instance| instance.metadata.name).collect();
    names.sort();
    ensure(names == ["listed-1", "listed-2", "listed-3"], || format!("listed {names:?}"))
}

async fn list_without_label(world: &dyn StoreUnderTest) -> Result<(), String> {
    let made = new_instance(world, "unlabelled").await?;
    let name = made.metadata.name.unwrap_or_default();
    say("take the labels away", world.unlabel_instance(&name).await)?;
    let listed = say("list", world.store().instances(&key(world, "unlabelled")).await)?;
    let labels: Vec<_> = listed.into_iter().map(|instance| instance.metadata.labels).collect();
    ensure(labels == [None], || format!("the labels of what was listed: {labels:?}"))
}

async fn finalizers_only(world: &dyn StoreUnderTest) -> Result<(), String> {
    let made = new_instance(world, "finalizers").await?;
    let mut changed = made.clone();
    changed.spec.pool.uid = "uid-of-another-pool".to_owned();
    changed.metadata.finalizers.get_or_insert_default().push("demo.aiops.org/other".to_owned());
    let written = say("write the finalizers", world.store().replace_instance(&changed).await)?;
    ensure(written.spec == made.spec, || format!("the spec has become {:?}", written.spec))?;
    ensure(written.metadata.finalizers == changed.metadata.finalizers, || {
        "the finalizers are others".to_owned()
    })
}

async fn one_writer_wins(world: &dyn StoreUnderTest) -> Result<(), String> {
    let made = new_pool(world, "race").await?;
    let (first, second) = (with_launched(&made, 1), with_launched(&made, 2));
    let store = world.store();
    let (left, right) = futures::join!(store.replace_pool_status(&first), store.replace_pool_status(&second));
    let conflicts =
        [&left, &right].iter().filter(|answer| matches!(answer, Err(StoreError::Conflict))).count();
    let wins = [&left, &right].iter().filter(|answer| answer.is_ok()).count();
    ensure((wins, conflicts) == (1, 1), || format!("{wins} won and {conflicts} conflicted"))
}

async fn one_creator_wins(world: &dyn StoreUnderTest) -> Result<(), String> {
    let pool = new_pool(world, "creators").await?;
    let wish = sample_instance(&pool, 1);
    let store = world.store();
    let (left, right) = futures::join!(store.create_instance(&wish), store.create_instance(&wish));
    let taken =
        [&left, &right].iter().filter(|answer| matches!(answer, Err(StoreError::AlreadyExists))).count();
    let wins = [&left, &right].iter().filter(|answer| answer.is_ok()).count();
    ensure((wins, taken) == (1, 1), || format!("{wins} won and {taken} found it taken"))
}

async fn attempts_round_trip(world: &dyn StoreUnderTest) -> Result<(), String> {
    let mut made = new_instance(world, "attempts").await?;
    made.status = Some(super::samples::sample_status());
    let written = say("write status", world.store().replace_instance_status(&made).await)?;
    let read = say("read", world.store().instance(world.namespace(), "attempts-1").await)?;
    ensure(written.status == made.status, || "the write's answer differs from what was written".to_owned())?;
    let same = read.is_some_and(|instance| instance.status == made.status);
    ensure(same, || "what is read differs from what was written".to_owned())
}

async fn secret_is_read(world: &dyn StoreUnderTest) -> Result<(), String> {
    let data = BTreeMap::from([
        ("secretId".to_owned(), "AKIDFAKEFAKEFAKE".to_owned()),
        ("secretKey".to_owned(), "fakeSecretKey".to_owned()),
    ]);
    say("create the Secret", world.create_secret("contract-key", data.clone()).await)?;
    let read = say("read the Secret", world.store().secret(world.namespace(), "contract-key").await)?;
    ensure(read.is_some_and(|secret| secret.data == data), || "its data are others".to_owned())
}

async fn held_secret_stays(world: &dyn StoreUnderTest) -> Result<(), String> {
    let data = BTreeMap::from([("secretKey".to_owned(), "fakeSecretKey".to_owned())]);
    say("create the Secret", world.create_secret("contract-held", data.clone()).await)?;
    let read =
        async || say("read the Secret", world.store().secret(world.namespace(), "contract-held").await);
    let mut first = read().await?.ok_or("it is not there")?;
    first.metadata.finalizers = Some(vec!["demo.aiops.org/spotpool-contract".to_owned()]);
    say("hold it", world.store().replace_secret(&first).await)?;
    let stale = world.store().replace_secret(&first).await;
    ensure(matches!(stale, Err(StoreError::Conflict)), || format!("an old version was written: {stale:?}"))?;
    say("delete it", world.delete_secret("contract-held").await)?;
    let mut held = read().await?.ok_or("it went although it is held")?;
    ensure(held.metadata.deletion_timestamp.is_some(), || "it is not marked".to_owned())?;
    ensure(held.data == data, || "its data have changed".to_owned())?;
    held.metadata.finalizers = None;
    say("let it go", world.store().replace_secret(&held).await)?;
    ensure(read().await?.is_none(), || "it is still there".to_owned())
}

async fn namespace_stays(world: &dyn StoreUnderTest) -> Result<(), String> {
    let leaving = async |name: &str| say("read a namespace", world.store().namespace_is_leaving(name).await);
    ensure(!leaving(world.namespace()).await?, || "it is said to be going".to_owned())
}

async fn cluster_uid_is_stable(world: &dyn StoreUnderTest) -> Result<(), String> {
    let first = say("read", world.store().cluster_uid().await)?;
    let second = say("read again", world.store().cluster_uid().await)?;
    ensure(!first.is_empty() && first == second, || format!("{first:?}, then {second:?}"))
}

async fn event_is_taken(world: &dyn StoreUnderTest) -> Result<(), String> {
    let pool = new_pool(world, "event").await?;
    let event = Event {
        regarding: Regarding {
            api_version: "demo.aiops.org/v1".to_owned(),
            kind: "SpotPool".to_owned(),
            namespace: world.namespace().to_owned(),
            name: "event".to_owned(),
            uid: pool.metadata.uid,
        },
        warning: false,
        reason: "Launched",
        action: "Launching",
        note: "SpotInstance event-1 was launched".to_owned(),
        topic: None,
    };
    say("publish", world.store().publish(&event).await)?;
    let status = SpotPoolStatus::default();
    ensure(status.launched == 0, || "a new pool has launched something".to_owned())
}
