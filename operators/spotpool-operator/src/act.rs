//! All writes of one pass, each repeatable. Comes in: a [`Plan`]. Goes out: an [`Outcome`]; what fails is
//! data, and the next pass looks again. It decides nothing: what the second look permits is
//! [`crate::plan::admit`]'s word.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::StreamExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt;
use tencent_cvm::{Class, Instance, InstanceId};
use tokio::time::Instant;

use crate::core::{Core, lock};
use crate::crd::instance::PoolReference;
use crate::crd::{
    GROUP, INSTANCE_FINALIZER, POOL_FINALIZER, POOL_LABEL, Phase, SpotInstance, SpotInstanceSpec, SpotPool,
};
use crate::flights::{self, Sky};
use crate::observe::{Pass, Way, objects, parse};
use crate::plan::admit::{Admission, admit};
use crate::plan::{AccountSeen, InstancePlan, Plan, PoolSeen, Raise, Step};
use crate::ports::{Event, Regarding, StoreError};
use crate::valid::{TEMPLATE_HASH_VERSION, ValidPool};

/// So many writes to the API server at once.
const WRITES_AT_ONCE: usize = 8;

/// What came of a plan.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Something moved: look again at once.
    pub(crate) again: bool,
    /// Writes that failed.
    pub(crate) failures: Vec<String>,
    /// The pool as last written, if it was.
    pub(crate) pool: Option<SpotPool>,
    /// The pool's finalizer went: there is nobody left to give a status to.
    pub(crate) released_pool: bool,
}

impl Outcome {
    fn fail(&mut self, what: &str, error: &dyn std::fmt::Display) {
        tracing::info!("{what}: {error}");
        self.failures.push(format!("{what}: {error}"));
    }
}

/// Carries out a plan.
pub(crate) async fn act(core: &Arc<Core>, pass: &Pass, plan: &Plan) -> Outcome {
    let mut outcome = Outcome::default();
    if plan.add_finalizer {
        if let Some(pool) = pass.seen.pool.object() {
            finalizer(core, pool, true, &mut outcome).await;
        }
        return outcome;
    }
    let settled = instances(core, plan, &mut outcome).await;
    if let Some(way) = &pass.way {
        terminate(core, way, plan, &settled).await;
    }
    // A victim that could not be deleted still counts; making another now might be one too many.
    if outcome.failures.is_empty() {
        launch(core, pass, plan, &mut outcome).await;
    }
    if plan.remove_finalizer
        && let Some(pool) = pass.seen.pool.object()
    {
        finalizer(core, pool, false, &mut outcome).await;
    }
    outcome
}

async fn finalizer(core: &Core, pool: &SpotPool, add: bool, outcome: &mut Outcome) {
    let mut next = pool.clone();
    let finalizers = next.metadata.finalizers.get_or_insert_default();
    finalizers.retain(|name| name != POOL_FINALIZER);
    if add {
        finalizers.push(POOL_FINALIZER.to_owned());
    }
    match core.ports.store.replace_pool(&next).await {
        Ok(_) => {
            outcome.again = add;
            outcome.released_pool = !add;
        }
        Err(StoreError::NotFound) => outcome.released_pool = true,
        Err(error) => outcome.fail("write the pool's finalizer", &error),
    }
}

/// Status, then step, of each SpotInstance; gives the plans whose status stands as planned.
async fn instances<'a>(core: &Core, plan: &'a Plan, outcome: &mut Outcome) -> Vec<&'a InstancePlan> {
    let due: Vec<_> =
        plan.instances.iter().filter(|entry| entry.status.is_some() || entry.step != Step::Keep).collect();
    let writes: Vec<BoxFuture<'_, Result<bool, StoreError>>> =
        due.iter().map(|entry| instance(core, entry).boxed()).collect();
    let results: Vec<_> = futures::stream::iter(writes).buffered(WRITES_AT_ONCE).collect().await;
    let mut settled = Vec::new();
    for (entry, result) in due.into_iter().zip(results) {
        match result {
            Ok(moved) => {
                outcome.again |= moved;
                settled.push(entry);
            }
            // Changed or gone since it was read: not a failure, but the plan for it is void.
            Err(StoreError::Conflict | StoreError::NotFound) => outcome.again = true,
            Err(error) => outcome.fail(&format!("write SpotInstance {}", entry.instance.name_any()), &error),
        }
    }
    settled
}

async fn instance(core: &Core, entry: &InstancePlan) -> Result<bool, StoreError> {
    let store = &core.ports.store;
    let mut current = entry.instance.clone();
    if let Some(status) = &entry.status {
        current.status = Some(status.clone());
        current = store.replace_instance_status(&current).await?;
        tell_change(core, entry).await;
    }
    match &entry.step {
        Step::Keep | Step::Terminate(_) | Step::TerminateAndRelease(_) => Ok(false),
        Step::Delete(why) => {
            store.delete_instance(&current).await?;
            core.metrics.lost(why);
            let warning = matches!(
                *why,
                "Vanished" | "Reclaimed" | "Stopped" | "LaunchFailed" | "NotOurs" | "PoolGone"
            );
            core.tell_pool_of(
                &current,
                warning,
                why,
                "Replace",
                format!("{}: {}", current.name_any(), farewell_note(why, &current)),
            )
            .await;
            Ok(true)
        }
        Step::Release => release(core, current).await.map(|()| true),
    }
}

async fn release(core: &Core, mut current: SpotInstance) -> Result<(), StoreError> {
    current.metadata.finalizers.get_or_insert_default().retain(|name| name != INSTANCE_FINALIZER);
    core.ports.store.replace_instance(&current).await?;
    lock(&core.looks).remove(&current.uid().unwrap_or_default());
    let id = current.status.as_ref().and_then(|status| status.instance_id.clone());
    if let Some(id) = id {
        core.tell_pool_of(
            &current,
            false,
            "Gone",
            "Release",
            format!("{}: machine {id} is gone", current.name_any()),
        )
        .await;
    }
    Ok(())
}

fn farewell_note(why: &str, instance: &SpotInstance) -> String {
    let id = instance.status.as_ref().and_then(|status| status.instance_id.as_deref()).unwrap_or("none yet");
    match why {
        "Vanished" => format!("machine {id} is not there any more; it is replaced"),
        "Reclaimed" => format!("machine {id} is being taken back by the cloud; it is replaced"),
        "Stopped" => {
            format!("machine {id} was stopped; it is replaced, and terminated since it is still billed")
        }
        "LaunchFailed" => {
            format!("machine {id} was accepted and then could not be made; another is asked for")
        }
        "NotOurs" => {
            format!("the recorded machine {id} is not the one made for it; it is left alone, and replaced")
        }
        "Surplus" => format!("more than wanted; machine {id} goes"),
        "PoolDeleted" => format!("the pool is deleted; machine {id} goes"),
        "PoolGone" => format!("its pool is gone; machine {id} goes"),
        _ => format!("machine {id} goes"),
    }
}

async fn tell_change(core: &Core, entry: &InstancePlan) {
    let Some(status) = &entry.status else { return };
    let was = entry.instance.status.clone().unwrap_or_default();
    let name = entry.instance.name_any();
    if was.instance_id.is_none()
        && let Some(id) = &status.instance_id
    {
        core.tell_pool_of(&entry.instance, false, "Adopted", "Look", format!("{name}: machine {id} was found by its name and taken over; the answer to its launch had been lost")).await;
    }
    for extra in status
        .extra
        .iter()
        .filter(|extra| !was.extra.iter().any(|known| known.instance_id == extra.instance_id))
    {
        core.tell_pool_of(
            &entry.instance,
            true,
            "ExtraMachine",
            "Look",
            format!("{name}: machine {} has the same name as its own; it is terminated", extra.instance_id),
        )
        .await;
    }
    if was.phase != status.phase {
        let address = status.address.as_deref().unwrap_or("no address");
        match status.phase {
            Phase::Ready => {
                core.tell_pool_of(
                    &entry.instance,
                    false,
                    "Ready",
                    "Probe",
                    format!("{name}: the model server at {address} answers"),
                )
                .await;
            }
            Phase::NotReady => {
                let why = status.last_probe.as_deref().unwrap_or("no answer");
                core.tell_pool_of(
                    &entry.instance,
                    true,
                    "NotReady",
                    "Probe",
                    format!("{name}: the model server at {address} does not answer any more: {why}"),
                )
                .await;
            }
            Phase::Launching | Phase::Booting | Phase::Draining | Phase::Terminating => {}
        }
    }
}

async fn terminate(core: &Core, way: &Way, plan: &Plan, settled: &[&InstancePlan]) {
    // What needs no write before it (its status stood already) is settled as well.
    let ready = plan.instances.iter().filter(|entry| {
        entry.status.is_none() || settled.iter().any(|done| done.instance.uid() == entry.instance.uid())
    });
    let of = |entry: &InstancePlan| match &entry.step {
        Step::Terminate(ids) | Step::TerminateAndRelease(ids) => ids.clone(),
        Step::Keep | Step::Delete(_) | Step::Release => Vec::new(),
    };
    let goers: Vec<(&InstancePlan, Vec<InstanceId>)> =
        ready.map(|entry| (entry, of(entry))).filter(|(_, ids)| !ids.is_empty()).collect();
    let ids: Vec<InstanceId> = goers.iter().flat_map(|(_, ids)| ids.iter().cloned()).collect();
    if ids.is_empty() {
        return;
    }
    core.note_terminated(&ids);
    let answers = way.cloud.terminate_instances(&ids).await;
    for (id, answer) in &answers {
        core.metrics.termination(answer.as_ref().err());
        let Some((entry, _)) = goers.iter().find(|(_, ids)| ids.contains(id)) else { continue };
        let name = entry.instance.name_any();
        match answer {
            Ok(()) => {
                core.tell_pool_of(
                    &entry.instance,
                    false,
                    "Terminating",
                    "Terminate",
                    format!("{name}: machine {id} is being terminated"),
                )
                .await;
                if let Step::TerminateAndRelease(_) = entry.step
                    && let Ok(Some(current)) = core
                        .ports
                        .store
                        .instance(&entry.instance.namespace().unwrap_or_default(), &name)
                        .await
                {
                    let _ = release(core, current).await;
                }
            }
            Err(error) => {
                // Busy is not worth a word; the next pass tries again.
                if error.class() != Some(Class::Wait) {
                    let advice = error.class().map_or("it is tried again", Class::advice);
                    core.tell_pool_of(
                        &entry.instance,
                        true,
                        "TerminateFailed",
                        "Terminate",
                        format!("{name}: machine {id}: {error}. {advice}"),
                    )
                    .await;
                }
                tracing::info!("terminate {id}: {error}");
            }
        }
    }
}

/// Steps 2 to 5: raise the number, make the wishes, look once more, and let those that may go, go.
async fn launch(core: &Arc<Core>, pass: &Pass, plan: &Plan, outcome: &mut Outcome) {
    let (PoolSeen::There(object, valid), Some(account), Some(way)) =
        (&pass.seen.pool, pass.seen.cloud.account(), &pass.way)
    else {
        return;
    };
    let mut made = Vec::new();
    if let Some(raise) = &plan.raise {
        made = create(core, object, valid, raise, outcome).await;
        outcome.again = true;
        if !outcome.failures.is_empty() {
            return;
        }
    }
    if plan.launch.is_empty() {
        return;
    }
    let (pool, list) = if core.rules.guards.second_look {
        match objects(core, &valid.key).await {
            Ok((pool, list)) => (parse(pool), list),
            Err(error) => return outcome.fail("second look", &error),
        }
    } else {
        let pool = if core.rules.guards.pool_check { pass.seen.pool.clone() } else { PoolSeen::Gone };
        (pool, pass.seen.instances.iter().cloned().chain(made).collect())
    };
    let in_flight = core.flights.of(&valid.key);
    match admit(valid, &pool, &list, &plan.launch, &in_flight, account, &core.rules) {
        Admission::Nothing => {}
        Admission::Delete(wishes) => {
            for wish in &wishes {
                if let Err(error) = core.ports.store.delete_instance(wish).await {
                    outcome.fail("delete a wish too many", &error);
                }
            }
            outcome.again = true;
        }
        Admission::Go(pool, launches) => fly(core, way, account, &Arc::new(*pool), launches),
    }
}

fn fly(
    core: &Arc<Core>,
    way: &Way,
    account: &AccountSeen,
    pool: &Arc<ValidPool>,
    launches: Vec<crate::plan::admit::Launch>,
) {
    for launch in launches {
        let read_at = Instant::now();
        // Read again: the writes before this may have taken their time, and an old offset sends nothing.
        let Some(now) = core.sweeps.cloud_time_at(&way.key, read_at) else { return };
        let sky =
            Sky { cloud: Arc::clone(&way.cloud), fingerprint: account.fingerprint.clone(), now, read_at };
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
    next.status.get_or_insert_default().launched = raise.to;
    match core.ports.store.replace_pool_status(&next).await {
        Ok(written) => outcome.pool = Some(written),
        Err(error) => {
            outcome.fail("raise status.launched", &error);
            return Vec::new();
        }
    }
    let mut made = Vec::new();
    for n in &raise.create {
        match core.ports.store.create_instance(&wish(core, valid, *n)).await {
            Ok(instance) => made.push(instance),
            // Somebody else has the number; that is as good.
            Err(StoreError::AlreadyExists) => {}
            Err(error) => outcome.fail("create a SpotInstance", &error),
        }
    }
    made
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
    };
    let mut instance = SpotInstance::new(&format!("{}-{n}", pool.key.name), spec);
    instance.metadata = ObjectMeta {
        name: instance.metadata.name,
        namespace: Some(pool.key.namespace.clone()),
        labels: Some([(POOL_LABEL.to_owned(), pool.key.name.clone())].into()),
        finalizers: Some(vec![INSTANCE_FINALIZER.to_owned()]),
        ..ObjectMeta::default()
    };
    instance
}

/// What people should hear once: objects that are ignored, machines that nobody claims or may touch.
pub(crate) async fn tell_findings(core: &Core, pass: &Pass, plan: &Plan) {
    for name in &plan.hand_made {
        let note = format!("SpotInstance {name} was not made by the operator and is ignored; delete it");
        tell_object(core, pass, "SpotInstance", name, "HandMade", note).await;
    }
    let billed = |entry: &&InstancePlan| {
        entry.instance.status.as_ref().is_some_and(|status| status.instance_id.is_some())
    };
    if let (PoolSeen::Gone, Some(hold)) = (&pass.seen.pool, &plan.hold) {
        for entry in plan.instances.iter().filter(billed) {
            tell_object(
                core,
                pass,
                "SpotInstance",
                &entry.instance.name_any(),
                hold.reason,
                hold.message.clone(),
            )
            .await;
        }
    }
    let Some(account) = pass.seen.cloud.account() else { return };
    for entry in plan.instances.iter().filter(|entry| entry.instance.metadata.deletion_timestamp.is_some()) {
        let id = entry.instance.status.as_ref().and_then(|status| status.instance_id.as_deref());
        let Some(id) = id.map(InstanceId::from) else { continue };
        if let Some(Some(machine)) = account.fresh.get(&id) {
            disputed(core, pass, &entry.instance, machine).await;
        }
    }
}

async fn disputed(core: &Core, pass: &Pass, instance: &SpotInstance, machine: &Instance) {
    use crate::identity::{Claim, claim, instance_name};
    let name = instance.name_any();
    let note = match claim(instance, machine) {
        Claim::Renamed => format!(
            "{name}: machine {} has been renamed; give it its name {} back, or terminate it by hand",
            machine.id,
            instance_name(instance)
        ),
        Claim::Foreign => format!(
            "{name}: the recorded machine {} is not the one made for it and is left alone",
            machine.id
        ),
        Claim::Ours | Claim::Untagged => return,
    };
    tell_object(core, pass, "SpotInstance", &name, "NotTerminated", note).await;
}

async fn tell_object(core: &Core, pass: &Pass, kind: &str, name: &str, reason: &'static str, note: String) {
    let instance = pass.seen.instances.iter().find(|instance| instance.name_any() == name);
    let regarding = Regarding {
        api_version: format!("{GROUP}/v1"),
        kind: kind.to_owned(),
        namespace: instance.and_then(ResourceExt::namespace).unwrap_or_default(),
        name: name.to_owned(),
        uid: instance.and_then(ResourceExt::uid),
    };
    core.tell_once(Event { regarding, warning: true, reason, action: "Look", note }).await;
}
