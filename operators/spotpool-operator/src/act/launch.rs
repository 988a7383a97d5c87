//! Steps 2 to 5 of a launch, as far as a pass does them: the number raised, the wishes made, the second look
//! taken, and those that it admits handed over to [`crate::flights`].

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tokio::time::Instant;

use super::Outcome;
use crate::core::Core;
use crate::crd::instance::PoolReference;
use crate::crd::{Adoption, INSTANCE_FINALIZER, POOL_LABEL, SpotInstance, SpotInstanceSpec, SpotPool};
use crate::flights::{self, Sky};
use crate::identity::spot_instance_name;
use crate::observe::{Pass, Way, objects, parse};
use crate::plan::admit::{Admission, Launch, admit};
use crate::plan::{AccountSeen, Plan, PoolSeen, Raise};
use crate::ports::{PoolKey, StoreError};
use crate::tell;
use crate::valid::{TEMPLATE_HASH_VERSION, ValidPool};

/// Raises the number, makes the wishes, looks once more, and lets those that may go, go.
pub(super) async fn launch(core: &Arc<Core>, pass: &Pass, plan: &Plan, outcome: &mut Outcome) {
    let (PoolSeen::There(object, valid), Some(account), Some(way)) =
        (&pass.seen.pool, pass.seen.cloud.account(), &pass.way)
    else {
        return;
    };
    for adoption in &plan.adoptions.make {
        create_one(core, &adopted(core, valid, adoption), &mut Vec::new(), outcome).await;
        outcome.again = true;
    }
    let mut made = Vec::new();
    if let Some(raise) = &plan.raise {
        let latest = outcome.pool.clone().unwrap_or_else(|| (**object).clone());
        made = create(core, &latest, valid, raise, outcome).await;
        outcome.again = true;
        if !outcome.failures.is_empty() {
            return;
        }
    }
    let Some(chosen) = &plan.launch else { return };
    let looked_at = Instant::now();
    // Before the second look, as in a pass.
    let in_flight = core.flights.of(&valid.key);
    let (pool, mut list) = match second_look(core, &valid.key).await {
        Ok(Some((pool, list))) => (parse(pool), list),
        Ok(None) => return,
        Err(error) => return outcome.fail("second look", &error),
    };
    if !core.rules.guards.second_look {
        // As if there were no LIST after the raise: what the pass knew before, and what it made itself.
        list = pass.seen.instances.iter().cloned().chain(made).collect();
    }
    match admit(valid, &pool, &list, chosen, &in_flight, account, &core.rules) {
        Admission::Nothing => {}
        Admission::Delete(wishes) => {
            for wish in &wishes {
                if let Err(error) = core.ports.store.delete_instance(wish).await {
                    outcome.fail("delete a wish too many", &error);
                }
            }
            outcome.again = true;
        }
        Admission::Go(pool, launches) => fly(core, way, account, &Arc::new(*pool), launches, looked_at),
    }
}

/// The pool and its SpotInstances as they are now; `None` when their namespace is being deleted.
async fn second_look(
    core: &Core,
    key: &PoolKey,
) -> Result<Option<(Option<SpotPool>, Vec<SpotInstance>)>, StoreError> {
    let objects = objects(core, key).await?;
    let leaving = core.ports.store.namespace_is_leaving(&key.namespace).await?;
    Ok((!leaving || !core.rules.guards.leaving_namespace).then_some(objects))
}

fn fly(
    core: &Arc<Core>,
    way: &Way,
    account: &AccountSeen,
    pool: &Arc<ValidPool>,
    launches: Vec<Launch>,
    looked_at: Instant,
) {
    let stock_asked_at = account.advertised.as_ref().map(|advertised| advertised.asked_at);
    for launch in launches {
        let read_at = Instant::now();
        // Read again: the writes before this may have taken their time, and an old offset sends nothing.
        let Some(now) = core.sweeps.cloud_time_at(&way.key, read_at) else { return };
        let cloud = Arc::clone(&way.cloud);
        let sky = Sky { cloud, account: account.id.clone(), stock_asked_at, now, read_at, looked_at };
        flights::start(core, pool, launch, sky);
    }
}

async fn create(
    core: &Core,
    pool: &SpotPool,
    valid: &ValidPool,
    raise: &Raise,
    outcome: &mut Outcome,
) -> Vec<SpotInstance> {
    let mut next = pool.clone();
    let status = next.status.get_or_insert_default();
    status.launched = raise.to;
    // Whose machine is taken over must be known before its SpotInstance exists.
    status.adopting.extend(raise.adopt.iter().cloned());
    // Who is started beside whom must be known before it exists.
    status.care.replacement = raise.replacement;
    match core.ports.store.replace_pool_status(&next).await {
        Ok(written) => outcome.pool = Some(written),
        Err(error) => {
            outcome.fail("raise status.launched", &error);
            return Vec::new();
        }
    }
    let mut made = Vec::new();
    for adoption in &raise.adopt {
        create_one(core, &adopted(core, valid, adoption), &mut made, outcome).await;
    }
    for n in &raise.create {
        create_one(core, &wish(core, valid, *n), &mut made, outcome).await;
    }
    made
}

async fn create_one(core: &Core, new: &SpotInstance, made: &mut Vec<SpotInstance>, outcome: &mut Outcome) {
    match core.ports.store.create_instance(new).await {
        Ok(instance) => {
            tell::taken_over(core, &instance);
            made.push(instance);
        }
        // Somebody else has the number; that is as good.
        Err(StoreError::AlreadyExists) => {}
        Err(error) => outcome.fail("create a SpotInstance", &error),
    }
}

/// The SpotInstance of a machine that was there before. What that was made from is not known.
fn adopted(core: &Core, pool: &ValidPool, adoption: &Adoption) -> SpotInstance {
    let mut instance = wish(core, pool, adoption.n);
    instance.spec.adopted = Some(adoption.machine.clone());
    "unknown".clone_into(&mut instance.spec.template_hash);
    instance
}

fn wish(core: &Core, pool: &ValidPool, n: i64) -> SpotInstance {
    let spec = SpotInstanceSpec {
        pool: PoolReference { name: pool.key.name.clone(), uid: pool.uid.clone() },
        cluster_id: core.settings.cluster_id.clone(),
        n,
        charge_type: pool.template.charge_type,
        region: pool.region.clone(),
        template_hash: pool.template.hash(),
        template_hash_version: TEMPLATE_HASH_VERSION,
        adopted: None,
    };
    let mut instance = SpotInstance::new(&spot_instance_name(&pool.key.name, n), spec);
    instance.metadata = ObjectMeta {
        name: instance.metadata.name,
        namespace: Some(pool.key.namespace.clone()),
        labels: Some([(POOL_LABEL.to_owned(), pool.key.name.clone())].into()),
        finalizers: Some(vec![INSTANCE_FINALIZER.to_owned()]),
        ..ObjectMeta::default()
    };
    instance
}
