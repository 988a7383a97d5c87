//! All writes of one pass, each repeatable. Comes in: a [`Plan`]. Goes out: an [`Outcome`]; what fails is
//! data, and the next pass looks again. It decides nothing: what the second look permits is
//! [`crate::plan::admit`]'s word.

mod launch;
mod secrets;

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::StreamExt;
use kube::ResourceExt;
use tencent_cvm::{Class, InstanceId};

use crate::blame;
use crate::core::{Core, lock};
use crate::crd::{INSTANCE_FINALIZER, POOL_FINALIZER, Phase, SpotInstance, SpotPool};
use crate::observe::{Pass, Way};
use crate::plan::{InstancePlan, Observed, Plan, Step};
use crate::ports::{Event, PoolKey, Regarding, StoreError};
use crate::tell;

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
    /// Secrets that do not carry the pool's finalizer any more.
    pub(crate) released_secrets: Vec<String>,
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
    if let (Some(name), Some(pool)) = (&plan.secrets.take, pass.seen.pool.object())
        && !secrets::take(core, pool, name, &mut outcome).await
    {
        return outcome;
    }
    if plan.health.sends_away && !remember(core, pass, plan, &mut outcome).await {
        return outcome;
    }
    let settled = instances(core, &pass.seen, plan, &mut outcome).await;
    if let Some(way) = &pass.way {
        terminate(core, way, plan, &settled).await;
    }
    // A victim that could not be deleted still counts; making another now might be one too many.
    if outcome.failures.is_empty() {
        launch::launch(core, pass, plan, &mut outcome).await;
    }
    if let Some(pool) = pass.seen.pool.object() {
        secrets::release(core, pool, &plan.secrets.release, &mut outcome).await;
    }
    if plan.remove_finalizer
        && let Some(pool) = pass.seen.pool.object()
    {
        finalizer(core, pool, false, &mut outcome).await;
    }
    outcome
}

/// Writes what is to be remembered of a machine that is sent away before it goes: a crash or a conflict in between must
/// not let the next one follow at once. Whether it stands.
async fn remember(core: &Core, pass: &Pass, plan: &Plan, outcome: &mut Outcome) -> bool {
    let Some(mut pool) = pass.seen.pool.object().cloned() else { return true };
    let status = pool.status.get_or_insert_default();
    status.care = plan.health.care.clone();
    plan.memory.keep_in(status);
    match core.ports.store.replace_pool_status(&pool).await {
        Ok(written) => {
            outcome.pool = Some(written);
            true
        }
        Err(StoreError::Conflict | StoreError::NotFound) => {
            outcome.again = true;
            false
        }
        Err(error) => {
            outcome.fail("write what is to be remembered", &error);
            false
        }
    }
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
async fn instances<'a>(
    core: &Core,
    seen: &Observed,
    plan: &'a Plan,
    outcome: &mut Outcome,
) -> Vec<&'a InstancePlan> {
    let due: Vec<_> =
        plan.instances.iter().filter(|entry| entry.status.is_some() || entry.step != Step::Keep).collect();
    let writes: Vec<BoxFuture<'_, Result<bool, StoreError>>> =
        due.iter().map(|entry| instance(core, seen, entry).boxed()).collect();
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

async fn instance(core: &Core, seen: &Observed, entry: &InstancePlan) -> Result<bool, StoreError> {
    let store = &core.ports.store;
    let mut current = entry.instance.clone();
    if let Some(status) = &entry.status {
        current.status = Some(status.clone());
        current = store.replace_instance_status(&current).await?;
        core.metrics.phase(
            &pool_of(&entry.instance),
            &entry.instance.uid().unwrap_or_default(),
            entry.instance.status.as_ref().map_or(Phase::Launching, |was| was.phase),
            status.phase,
        );
        tell::change(core, entry);
    }
    match &entry.step {
        Step::Keep | Step::Terminate(_) | Step::TerminateAndRelease(_) => Ok(false),
        Step::Delete(why) => {
            store.delete_instance(&current).await?;
            core.metrics.let_go(&pool_of(&current), &current.uid().unwrap_or_default(), why);
            let warning = matches!(
                *why,
                "Vanished"
                    | "Reclaimed"
                    | "Stopped"
                    | "LaunchFailed"
                    | "NotOurs"
                    | "PoolGone"
                    | "Unhealthy"
                    | "NeverServed"
            );
            let note =
                format!("{}: {}", current.name_any(), tell::farewell_note(why, &current, seen.pool_goes()));
            let event = Event::normal(Regarding::pool_of(&current), why, "Replace", note);
            core.tell(Event { warning, ..event });
            Ok(true)
        }
        Step::Release => {
            release(core, &current).await?;
            tell::gone(core, seen.cloud.account(), &current);
            Ok(true)
        }
        Step::LetLive => {
            release(core, &current).await?;
            tell::lives_on(core, seen.cloud.account(), &current);
            Ok(true)
        }
    }
}

/// The pool that a SpotInstance was made for.
fn pool_of(instance: &SpotInstance) -> PoolKey {
    PoolKey::new(instance.namespace().unwrap_or_default(), instance.spec.pool.name.clone())
}

async fn release(core: &Core, current: &SpotInstance) -> Result<(), StoreError> {
    let mut next = current.clone();
    next.metadata.finalizers.get_or_insert_default().retain(|name| name != INSTANCE_FINALIZER);
    core.ports.store.replace_instance(&next).await?;
    lock(&core.looks).remove(&current.uid().unwrap_or_default());
    Ok(())
}

async fn terminate(core: &Core, way: &Way, plan: &Plan, settled: &[&InstancePlan]) {
    // What needs no write before it (its status stood already) is settled as well.
    let ready = plan.instances.iter().filter(|entry| {
        entry.status.is_none() || settled.iter().any(|done| done.instance.uid() == entry.instance.uid())
    });
    let of = |entry: &InstancePlan| match &entry.step {
        Step::Terminate(ids) | Step::TerminateAndRelease(ids) => ids.clone(),
        Step::Keep | Step::Delete(_) | Step::Release | Step::LetLive => Vec::new(),
    };
    let goers: Vec<(&InstancePlan, Vec<InstanceId>)> =
        ready.map(|entry| (entry, of(entry))).filter(|(_, ids)| !ids.is_empty()).collect();
    let ids: Vec<InstanceId> = goers.iter().flat_map(|(_, ids)| ids.iter().cloned()).collect();
    if ids.is_empty() {
        return;
    }
    core.terminations.ask(&ids);
    let answers = way.cloud.terminate_instances(&ids).await;
    for (id, answer) in &answers {
        let Some((entry, _)) = goers.iter().find(|(_, ids)| ids.contains(id)) else { continue };
        let news = core.terminations.note(id, answer.as_ref().err());
        core.metrics.termination(&pool_of(&entry.instance), answer.as_ref().err());
        let (name, regarding) = (entry.instance.name_any(), Regarding::pool_of(&entry.instance));
        match answer {
            Ok(()) => {
                let note = format!("{name}: machine {id} is being terminated");
                core.tell(Event::normal(regarding, "Terminating", "Terminate", note));
                if let Step::TerminateAndRelease(_) = entry.step
                    && let Ok(Some(current)) = core
                        .ports
                        .store
                        .instance(&entry.instance.namespace().unwrap_or_default(), &name)
                        .await
                {
                    let _ = release(core, &current).await;
                }
            }
            Err(error) => {
                // Busy is not worth a word, nor is the same again; a later pass tries again.
                if news && error.class() != Some(Class::Wait) {
                    let code = error.code().unwrap_or_default();
                    let advice = error.class().map_or("it is tried again", Class::advice);
                    let advice = blame::for_users(code, advice);
                    let note = format!("{name}: machine {id}: {error}. {advice}");
                    let topic = format!("{name} {id} {code}");
                    core.tell(Event::warning(regarding, "TerminateFailed", "Terminate", note).on(topic));
                }
                tracing::info!("terminate {id}: {error}");
            }
        }
    }
}
