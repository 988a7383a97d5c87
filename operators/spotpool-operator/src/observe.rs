//! All reads of one pass: the pool and its SpotInstances (live), its key, the latest sweep, and what the
//! plan would have something to do with beyond these. No decisions, no writes.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::ResourceExt;
use tencent_cvm::{Credentials, Cvm, Filter, InstanceId, Listing};
use tokio::time::Instant;

use crate::conditions::reason;
use crate::core::{Core, lock};
use crate::crd::{SpotInstance, SpotPool, SpotPoolStatus};
use crate::identity::{AccountId, POOL_TAG};
use crate::keys;
use crate::market::Market;
use crate::owners::{Owner, Owners};
use crate::plan::reads::{self, Reads};
use crate::plan::seen::{AccountSeen, CloudSeen, NameLook, Observed, PoolSeen, Sight};
use crate::ports::{PoolKey, StoreError};
use crate::sweep::{AccountKey, AccountView};
use crate::valid::ValidPool;

/// The cloud takes at most so many values per filter.
const NAMES_PER_LOOK: usize = 5;

/// What one pass works with: what it saw, and the way to the cloud.
pub(crate) struct Pass {
    pub(crate) seen: Observed,
    pub(crate) way: Option<Way>,
}

/// The way to the pool's cloud.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) key: AccountKey,
    pub(crate) cloud: Arc<dyn Cvm>,
    pub(crate) market: Arc<Market>,
}

/// Reads everything. An error of the API server ends the pass; an error of the cloud is data.
pub(crate) async fn observe(core: &Core, key: &PoolKey) -> Result<Pass, StoreError> {
    // Before the objects: the answer of a launch that ends in between would look like one that is missing.
    let in_flight = core.flights.of(key);
    let (pool, instances) = objects(core, key).await?;
    let pool = parse(pool);
    let namespace_leaving =
        pool.object().is_some() && core.ports.store.namespace_is_leaving(&key.namespace).await?;
    let mut secret = None;
    let (cloud, way) = match pool.valid() {
        Some(valid) => {
            let key = keys::read(core, valid).await?;
            secret = key.secret;
            account(core, valid, key.key, pool.object(), &instances)
        }
        None => {
            core.keys.forget(key);
            (no_pool(&pool), None)
        }
    };
    if way.is_none() {
        // The key that it had is used no more; pools that share its account look with their own.
        core.sweeps.unfollow(key);
    }
    let ids = recorded(&instances);
    let mut seen = Observed {
        pool,
        namespace_leaving,
        secret,
        instances,
        cloud,
        probes: core.probes.views(key),
        in_flight,
        told: core.terminations.told(&ids),
    };
    if let Some(way) = &way {
        look(core, way, &mut seen).await;
        others(core, &mut seen).await;
    }
    // Again, since the looks may have taken their time: who was silent before may answer by now.
    seen.probes = core.probes.views(key);
    Ok(Pass { seen, way })
}

/// Asks what the cloud advertises of the pool's candidates, since the plan has use for it; whether there is
/// anything new to plan with.
pub(crate) async fn ask_stock(pass: &mut Pass) -> bool {
    let (Some(way), Some(pool)) = (&pass.way, pass.seen.pool.valid()) else { return false };
    let CloudSeen::Account(account) = &mut pass.seen.cloud else { return false };
    let Some(now) = account.now else { return false };
    way.market.ask(way.cloud.as_ref(), pool, now).await;
    let view = way.market.view(pool);
    let news = view != account.advertised;
    account.advertised = view;
    news
}

/// Reads of a pool that keeps changing under us, before the pass is given up.
const READS: usize = 5;

/// GET the pool, then LIST its SpotInstances: the list is never older than the pool, so that a compare-and-swap on the
/// pool covers both. A SpotInstance that is strange to the pool is made by hand, is what a former pool has left, or is
/// younger than our GET: one more GET tells, and when that shows another pool than before, the list is taken again.
pub(crate) async fn objects(
    core: &Core,
    key: &PoolKey,
) -> Result<(Option<SpotPool>, Vec<SpotInstance>), StoreError> {
    let store = &core.ports.store;
    let version = |pool: &Option<SpotPool>| pool.as_ref().map(|pool| (pool.uid(), pool.resource_version()));
    let mut pool = store.pool(key).await?;
    for _ in 0..READS {
        let mut instances = store.instances(key).await?;
        instances.sort_by(|a, b| a.spec.n.cmp(&b.spec.n).then_with(|| a.metadata.name.cmp(&b.metadata.name)));
        if !instances.iter().any(|instance| is_strange(instance, pool.as_ref())) {
            return Ok((pool, instances));
        }
        let now = store.pool(key).await?;
        if version(&now) == version(&pool) {
            return Ok((pool, instances));
        }
        pool = now;
    }
    Err(StoreError::Conflict)
}

/// Its number is above `launched`, or it is of another pool's uid.
fn is_strange(instance: &SpotInstance, pool: Option<&SpotPool>) -> bool {
    pool.is_none_or(|pool| {
        let launched = pool.status.as_ref().map_or(0, |status| status.launched);
        pool.uid().as_deref() != Some(instance.spec.pool.uid.as_str()) || instance.spec.n > launched
    })
}

pub(crate) fn parse(pool: Option<SpotPool>) -> PoolSeen {
    match pool {
        None => PoolSeen::Gone,
        Some(pool) => match ValidPool::try_from(&pool) {
            Ok(valid) => PoolSeen::There(Box::new(pool), Box::new(valid)),
            Err(invalid) => PoolSeen::Invalid(Box::new(pool), invalid),
        },
    }
}

fn no_pool(pool: &PoolSeen) -> CloudSeen {
    match pool {
        PoolSeen::Invalid(_, why) => {
            CloudSeen::NoKey { reason: reason::INVALID_SPEC, message: why.to_string() }
        }
        PoolSeen::Gone | PoolSeen::There(..) => CloudSeen::NoKey {
            reason: reason::POOL_GONE,
            message:
                "the pool is gone, and with it the key that could terminate this machine; make a pool of the \
                      same name with the same key, or terminate the machine by hand and remove the finalizer"
                    .to_owned(),
        },
    }
}

/// Every machine id on record, and those that were taken over, whatever somebody has written in their place.
fn recorded(instances: &[SpotInstance]) -> BTreeSet<InstanceId> {
    let statuses = instances.iter().filter_map(|instance| instance.status.as_ref());
    let written = statuses.flat_map(|status| {
        let extra = status.extra.iter().map(|extra| extra.instance_id.as_str());
        status.instance_id.as_deref().into_iter().chain(extra)
    });
    let adopted = instances.iter().filter_map(|instance| instance.spec.adopted.as_ref());
    written.chain(adopted.map(|machine| machine.instance_id.as_str())).map(InstanceId::from).collect()
}

fn account(
    core: &Core,
    pool: &ValidPool,
    key: Result<Credentials, (&'static str, String)>,
    object: Option<&SpotPool>,
    instances: &[SpotInstance],
) -> (CloudSeen, Option<Way>) {
    let credentials = match key {
        Ok(credentials) => credentials,
        Err((reason, message)) => return (CloudSeen::NoKey { reason, message }, None),
    };
    let cloud = match core.ports.clouds.cloud(&credentials, &pool.region) {
        Ok(cloud) => cloud,
        Err(error) => {
            let message = format!("{error}; check spec.region and the key's characters");
            return (CloudSeen::NoKey { reason: reason::UNUSABLE_KEY_OR_REGION, message }, None);
        }
    };
    let key = AccountKey {
        secret_id: credentials.secret_id().clone(),
        key_hash: credentials.fingerprint(),
        region: pool.region.clone(),
    };
    let ids = recorded(instances);
    let status = object.and_then(|pool| pool.status.as_ref());
    let wants_quota = status.is_some_and(SpotPoolStatus::meets_a_quota);
    let view = core.sweeps.follow(&key, &cloud, &pool.key, &pool.uid, ids, wants_quota);
    let mut account = seen(core, &view);
    account.id = AccountId::new(&key.secret_id, view.app_id);
    account.learn_from(instances);
    account.inline_key = object.is_some_and(|pool| pool.spec.secret_id.is_some());
    account.advertised = view.market.view(pool);
    (CloudSeen::Account(Box::new(account)), Some(Way { key, cloud, market: view.market }))
}

fn seen(core: &Core, view: &AccountView) -> AccountSeen {
    AccountSeen {
        now: view.time.and_then(|time| time.now(Instant::now(), core.now())),
        snapshot: view.snapshot.clone(),
        trouble: view.trouble.clone(),
        pools: core.sweeps.pool_uids(),
        quota: view.quota.clone(),
        ..AccountSeen::default()
    }
}

/// Looks by name and fresh reads by id, as far as the plan has use for them. What fails is simply not
/// known: the plan does without, and the pass is repeated.
async fn look(core: &Core, way: &Way, seen: &mut Observed) {
    let uids: BTreeSet<String> = seen.instances.iter().filter_map(ResourceExt::uid).collect();
    if let CloudSeen::Account(account) = &mut seen.cloud {
        let looks = lock(&core.looks);
        let known = looks.iter().filter(|(uid, look)| uids.contains(*uid) && look.holds(account.now));
        account.by_name = known.map(|(uid, look)| (uid.clone(), look.clone())).collect();
    }
    let Reads { by_name, fresh } = reads::wanted(seen, &core.rules);
    for names in by_name.chunks(NAMES_PER_LOOK) {
        for (uid, look) in look_by_name(core, way, names).await {
            lock(&core.looks).insert(uid.clone(), look.clone());
            if let CloudSeen::Account(account) = &mut seen.cloud {
                account.by_name.insert(uid, look);
            }
        }
    }
    if fresh.is_empty() {
        return;
    }
    match way.cloud.describe_instances_by_id(&fresh).await {
        Ok(listing) => {
            core.sweeps.learn(&way.key, &listing);
            if let CloudSeen::Account(account) = &mut seen.cloud {
                account.fresh = fresh.into_iter().map(|id| (id, None)).collect();
                account
                    .fresh
                    .extend(listing.instances.into_iter().map(|machine| (machine.id.clone(), Some(machine))));
            }
        }
        Err(error) => {
            tracing::warn!(%error, "machines could not be read afresh; none is terminated in this pass");
        }
    }
}

/// Pools that this operator does not look after and whose machines somebody wants this one to take over.
async fn others(core: &Core, seen: &mut Observed) {
    let Some(pool) = seen.pool.valid() else { return };
    let CloudSeen::Account(account) = &mut seen.cloud else { return };
    let mut owners = Owners::new(core.ports.store.as_ref());
    for id in &pool.adopt {
        let Sight::Present(machine) = account.machine(&id.as_str().into()) else { continue };
        let Some(uid) = machine.tag(POOL_TAG).filter(|uid| *uid != pool.uid).map(str::to_owned) else {
            continue;
        };
        if !account.pools.contains(&uid) && owners.of(machine).await != Owner::Gone {
            account.pools.insert(uid);
        }
    }
}

async fn look_by_name(core: &Core, way: &Way, names: &[(String, String)]) -> Vec<(String, NameLook)> {
    let filter = Filter {
        name: "instance-name".to_owned(),
        values: names.iter().map(|(_, name)| name.clone()).collect(),
    };
    let begun = Instant::now();
    let listing: Listing = match way.cloud.describe_instances(&[filter]).await {
        Ok(listing) => listing,
        Err(error) => {
            tracing::warn!(%error, "look by name failed");
            return Vec::new();
        }
    };
    core.sweeps.learn(&way.key, &listing);
    let Some(begun) = core.sweeps.cloud_time_at(&way.key, begun) else { return Vec::new() };
    let look = |name: &str| NameLook {
        begun,
        machines: listing.instances.iter().filter(|machine| machine.name == name).cloned().collect(),
    };
    names.iter().map(|(uid, name)| (uid.clone(), look(name))).collect()
}
