//! Deletion: finalizers, marks and preconditions.

use spotpool_operator::crd::POOL_FINALIZER;
use spotpool_operator::ports::StoreError;

use super::cases::{ensure, key, new_instance, new_pool, say};
use super::samples::sample_instance;
use super::{Named, StoreUnderTest};

pub(super) fn all(world: &dyn StoreUnderTest) -> Vec<Named<'_>> {
    vec![
        ("a deleted SpotInstance with a finalizer stays, marked", Box::pin(deletion_marks(world))),
        ("the last finalizer of a leaving SpotInstance takes it away", Box::pin(last_finalizer(world))),
        ("a leaving SpotInstance takes status writes", Box::pin(leaving_takes_status(world))),
        ("a leaving SpotInstance takes no new finalizer", Box::pin(leaving_takes_no_finalizer(world))),
        ("the mark outdates what was read before it", Box::pin(mark_outdates(world))),
        ("without finalizers a deletion is immediate", Box::pin(immediate_deletion(world))),
        ("a deletion of what has changed conflicts", Box::pin(stale_deletion_conflicts(world))),
        ("a deletion of a later one of the same name conflicts", Box::pin(deletion_knows_the_uid(world))),
        ("deleting what is marked already is no error", Box::pin(second_deletion(world))),
        ("writes to what is gone find nothing", Box::pin(writes_to_the_gone(world))),
        ("a deleted pool stays until its finalizer goes", Box::pin(pool_stays(world))),
        ("deleting a pool leaves its SpotInstances alone", Box::pin(pool_leaves_instances(world))),
        ("a pool made again is another pool", Box::pin(pool_made_again(world))),
    ]
}

async fn deletion_marks(world: &dyn StoreUnderTest) -> Result<(), String> {
    let made = new_instance(world, "marked").await?;
    say("delete", world.store().delete_instance(&made).await)?;
    let listed = say("list", world.store().instances(&key(world, "marked")).await)?;
    ensure(listed.len() == 1, || format!("listed {}", listed.len()))?;
    let marked = listed[0].metadata.deletion_timestamp.is_some();
    ensure(marked, || "it has no deletionTimestamp".to_owned())
}

async fn last_finalizer(world: &dyn StoreUnderTest) -> Result<(), String> {
    new_instance(world, "finalized").await?;
    say("delete by hand", world.delete_instance("finalized-1").await)?;
    let store = world.store();
    let read = say("read", store.instance(world.namespace(), "finalized-1").await)?;
    let mut leaving = read.ok_or_else(|| "it went in spite of its finalizer".to_owned())?;
    leaving.metadata.finalizers = None;
    say("take the finalizer away", store.replace_instance(&leaving).await)?;
    let read = say("read", store.instance(world.namespace(), "finalized-1").await)?;
    ensure(read.is_none(), || "it is still there".to_owned())
}

async fn leaving_takes_status(world: &dyn StoreUnderTest) -> Result<(), String> {
    new_instance(world, "noted").await?;
    say("delete by hand", world.delete_instance("noted-1").await)?;
    let read = say("read", world.store().instance(world.namespace(), "noted-1").await)?;
    let mut leaving = read.ok_or_else(|| "it went in spite of its finalizer".to_owned())?;
    leaving.status.get_or_insert_default().reason = Some("Leaving".to_owned());
    let written = say("write status", world.store().replace_instance_status(&leaving).await)?;
    ensure(written.status == leaving.status, || "the status is another".to_owned())
}

async fn leaving_takes_no_finalizer(world: &dyn StoreUnderTest) -> Result<(), String> {
    new_instance(world, "closed").await?;
    say("delete by hand", world.delete_instance("closed-1").await)?;
    let read = say("read", world.store().instance(world.namespace(), "closed-1").await)?;
    let mut leaving = read.ok_or_else(|| "it went in spite of its finalizer".to_owned())?;
    leaving.metadata.finalizers.get_or_insert_default().push("demo.aiops.org/other".to_owned());
    let written = world.store().replace_instance(&leaving).await;
    ensure(matches!(written, Err(StoreError::Refused(_))), || format!("the write gave {written:?}"))
}

async fn mark_outdates(world: &dyn StoreUnderTest) -> Result<(), String> {
    let mut made = new_instance(world, "outdated").await?;
    say("delete by hand", world.delete_instance("outdated-1").await)?;
    made.status.get_or_insert_default().reason = Some("Stale".to_owned());
    let written = world.store().replace_instance_status(&made).await;
    ensure(matches!(written, Err(StoreError::Conflict)), || format!("the write gave {written:?}"))
}

async fn immediate_deletion(world: &dyn StoreUnderTest) -> Result<(), String> {
    let pool = new_pool(world, "immediate").await?;
    let mut wish = sample_instance(&pool, 1);
    wish.metadata.finalizers = None;
    let made = say("create", world.store().create_instance(&wish).await)?;
    say("delete", world.store().delete_instance(&made).await)?;
    let read = say("read", world.store().instance(world.namespace(), "immediate-1").await)?;
    ensure(read.is_none(), || "it is still there".to_owned())
}

async fn stale_deletion_conflicts(world: &dyn StoreUnderTest) -> Result<(), String> {
    let made = new_instance(world, "stale-delete").await?;
    let mut changed = made.clone();
    changed.status.get_or_insert_default().reason = Some("Attempted".to_owned());
    say("write status", world.store().replace_instance_status(&changed).await)?;
    let deleted = world.store().delete_instance(&made).await;
    ensure(matches!(deleted, Err(StoreError::Conflict)), || format!("the deletion gave {deleted:?}"))
}

async fn deletion_knows_the_uid(world: &dyn StoreUnderTest) -> Result<(), String> {
    let pool = new_pool(world, "namesake").await?;
    let mut wish = sample_instance(&pool, 1);
    wish.metadata.finalizers = None;
    let first = say("create", world.store().create_instance(&wish).await)?;
    say("delete", world.store().delete_instance(&first).await)?;
    say("create again", world.store().create_instance(&wish).await)?;
    let deleted = world.store().delete_instance(&first).await;
    ensure(matches!(deleted, Err(StoreError::Conflict)), || format!("the deletion gave {deleted:?}"))
}

async fn second_deletion(world: &dyn StoreUnderTest) -> Result<(), String> {
    let made = new_instance(world, "twice").await?;
    say("delete", world.store().delete_instance(&made).await)?;
    let read = say("read", world.store().instance(world.namespace(), "twice-1").await)?;
    let marked = read.ok_or_else(|| "it went in spite of its finalizer".to_owned())?;
    say("delete again", world.store().delete_instance(&marked).await)
}

async fn writes_to_the_gone(world: &dyn StoreUnderTest) -> Result<(), String> {
    let pool = new_pool(world, "gone").await?;
    let mut wish = sample_instance(&pool, 1);
    wish.metadata.finalizers = None;
    let made = say("create", world.store().create_instance(&wish).await)?;
    say("delete", world.store().delete_instance(&made).await)?;
    let deleted = world.store().delete_instance(&made).await;
    ensure(matches!(deleted, Err(StoreError::NotFound)), || format!("the deletion gave {deleted:?}"))?;
    let status = world.store().replace_instance_status(&made).await;
    ensure(matches!(status, Err(StoreError::NotFound)), || format!("the status write gave {status:?}"))
}

async fn pool_stays(world: &dyn StoreUnderTest) -> Result<(), String> {
    let mut made = new_pool(world, "leaving").await?;
    made.metadata.finalizers = Some(vec![POOL_FINALIZER.to_owned()]);
    say("add the finalizer", world.store().replace_pool(&made).await)?;
    say("delete the pool", world.delete_pool(&key(world, "leaving")).await)?;
    let read = say("read", world.store().pool(&key(world, "leaving")).await)?;
    let mut leaving = read.ok_or_else(|| "it went in spite of its finalizer".to_owned())?;
    ensure(leaving.metadata.deletion_timestamp.is_some(), || "it is not marked".to_owned())?;
    leaving.metadata.finalizers = None;
    say("take the finalizer away", world.store().replace_pool(&leaving).await)?;
    let read = say("read", world.store().pool(&key(world, "leaving")).await)?;
    ensure(read.is_none(), || "it is still there".to_owned())
}

async fn pool_leaves_instances(world: &dyn StoreUnderTest) -> Result<(), String> {
    new_instance(world, "orphans").await?;
    say("delete the pool", world.delete_pool(&key(world, "orphans")).await)?;
    let listed = say("list", world.store().instances(&key(world, "orphans")).await)?;
    ensure(listed.len() == 1, || format!("listed {}", listed.len()))?;
    let alive = listed[0].metadata.deletion_timestamp.is_none();
    ensure(alive, || "its SpotInstance is leaving too".to_owned())
}

async fn pool_made_again(world: &dyn StoreUnderTest) -> Result<(), String> {
    let first = new_pool(world, "again").await?;
    say("delete the pool", world.delete_pool(&key(world, "again")).await)?;
    let second = new_pool(world, "again").await?;
    ensure(second.metadata.uid != first.metadata.uid, || "it has the same uid".to_owned())?;
    ensure(second.status.is_none_or(|status| status.launched == 0), || "it has launched something".to_owned())
}
