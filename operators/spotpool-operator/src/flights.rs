//! RunInstances calls under way: step 5, from the written attempt to the recorded answer.
//!
//! A reconcile never waits for a launch: it hands it over here, and the end of a flight wakes the pool.
//! Nothing is decided here but what an answer means for the attempt it answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use tencent_cvm::{Class, Cvm, Error, InstanceId, Reach, SendOptions};
use tokio::time::Instant;
use tracing::{Instrument, Span};

use crate::blame;
use crate::core::Core;
use crate::crd::{Attempt, AttemptOutcome, ExtraMachine, SpotInstance, SpotInstanceStatus, whole_seconds};
use crate::identity::{AccountId, body_hash, instance_name, request};
use crate::plan::admit::Launch;
use crate::plan::attempts;
use crate::ports::{Event, PoolKey, Regarding, StoreError};
use crate::span::later;
use crate::tell;
use crate::traces;
use crate::valid::ValidPool;

/// How long the record of an answer is tried. After that the attempt stays unanswered, which is safe: the
/// machine is found by its name.
const RECORD_FOR: Duration = Duration::from_secs(60);

/// Which SpotInstances have a request under way.
#[derive(Default)]
pub(crate) struct Flights(Mutex<BTreeMap<String, PoolKey>>);

impl Flights {
    fn begin(&self, uid: &str, pool: &PoolKey) -> bool {
        self.lock().insert(uid.to_owned(), pool.clone()).is_none()
    }

    fn end(&self, uid: &str) {
        self.lock().remove(uid);
    }

    /// The uids of the pool's SpotInstances with a request under way.
    pub(crate) fn of(&self, pool: &PoolKey) -> std::collections::BTreeSet<String> {
        self.lock().iter().filter(|(_, of)| *of == pool).map(|(uid, _)| uid.clone()).collect()
    }

    /// How many requests are under way.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether none is.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, PoolKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The cloud and its clock, for one launch.
pub(crate) struct Sky {
    pub(crate) cloud: Arc<dyn Cvm>,
    /// Whose it is, as it is recorded with the machine.
    pub(crate) account: AccountId,
    /// When it was last asked what it has in stock, if it was.
    pub(crate) stock_asked_at: Option<Timestamp>,
    /// The cloud's time and the instant at which it was read.
    pub(crate) now: Timestamp,
    pub(crate) read_at: Instant,
    /// When the second look began: what it permits, it permits for so long as an attempt may be sent.
    pub(crate) looked_at: Instant,
}

impl Sky {
    fn time(&self) -> Timestamp {
        later(self.now, self.read_at.elapsed())
    }
}

/// Starts the launch; its end wakes the pool. Nothing happens when one is under way already.
pub(crate) fn start(core: &Arc<Core>, pool: &Arc<ValidPool>, launch: Launch, sky: Sky) {
    let uid = launch.instance.uid().unwrap_or_default();
    if !core.flights.begin(&uid, &pool.key) {
        return;
    }
    core.metrics.in_flight(core.flights.len());
    let span = traces::flight(&pool.key, &launch.instance);
    let (core, pool) = (Arc::clone(core), Arc::clone(pool));
    core.tasks.clone().spawn(async move {
        fly(&core, &pool, launch, &sky).instrument(span).await;
        core.flights.end(&uid);
        core.metrics.in_flight(core.flights.len());
        core.tasks.wake(pool.key.clone());
    });
}

async fn fly(core: &Core, pool: &ValidPool, launch: Launch, sky: &Sky) {
    // The attempt's time is read before it is written, on both clocks.
    let sent_at = whole_seconds(sky.time());
    let token = launch.again.as_ref().map_or_else(|| core.new_token(), |attempt| attempt.token.clone());
    let body = request(pool, &launch.instance, &launch.candidate, &token);
    let attempt = Attempt {
        number: 0,
        candidate: launch.candidate.clone(),
        token,
        body_hash: body_hash(&body),
        sent_at: sent_at.clone(),
        stock_asked_at: sky.stock_asked_at.map(whole_seconds),
        outcome: AttemptOutcome::Unknown,
        code: None,
        message: None,
        request_id: None,
    };
    let mut written = None;
    if core.rules.guards.intent {
        written = write(core, &launch.instance, &attempt, sky).await;
        if written.is_none() {
            return;
        }
    }
    let options = SendOptions {
        timestamp: Some(sent_at.0),
        not_after: core.rules.guards.send_window.then(|| sky.looked_at + core.rules.windows.send),
    };
    let answer = sky.cloud.run_instances(&body, options).await;
    if !core.rules.guards.intent {
        written = write(core, &launch.instance, &attempt, sky).await;
    }
    let Some((instance, number)) = written else { return };
    let finding = Finding::of(&answer, launch.again.is_some());
    finding.note(&Span::current());
    let uid = instance.uid().unwrap_or_default();
    core.metrics.launch(&pool.key, &uid, finding.outcome, finding.code.as_deref());
    record(core, &instance, number, &finding, sky).await;
    finding.tell(core, &instance, pool.candidates.len() > 1);
}

/// Writes the attempt before anything is sent; `None` when it is not certain that it stands there, or that
/// nobody else decided in between.
async fn write(
    core: &Core,
    instance: &SpotInstance,
    attempt: &Attempt,
    sky: &Sky,
) -> Option<(SpotInstance, i64)> {
    let mut instance = instance.clone();
    loop {
        let mut next = instance.clone();
        let status = next.status.get_or_insert_default();
        status.instance_name = Some(instance_name(&instance));
        let old = status.account.as_deref();
        status.account = Some(old.map_or_else(|| sky.account.label(), |old| sky.account.label_after(old)));
        let number = attempts::push(status, attempt.clone(), &core.rules);
        match core.ports.store.replace_instance_status(&next).await {
            Ok(written) => return Some((written, number)),
            Err(StoreError::Conflict) if !core.rules.guards.attempt_cas => {
                instance =
                    core.ports.store.instance(&instance.namespace()?, &instance.name_any()).await.ok()??;
            }
            Err(error) => {
                tracing::info!(instance = %instance.name_any(), %error, "attempt not written; nothing sent");
                return None;
            }
        }
    }
}

/// What an answer means for its attempt.
#[derive(Debug, Clone)]
struct Finding {
    outcome: AttemptOutcome,
    machines: Vec<InstanceId>,
    code: Option<String>,
    class: Option<Class>,
    request_id: Option<String>,
    message: Option<String>,
}

impl Finding {
    fn of(answer: &Result<Vec<InstanceId>, Error>, repeated: bool) -> Self {
        let nothing = |outcome| Self {
            outcome,
            machines: Vec::new(),
            code: None,
            class: None,
            request_id: None,
            message: None,
        };
        let error = match answer {
            Ok(machines) => return Self { machines: machines.clone(), ..nothing(AttemptOutcome::Made) },
            Err(error) => error,
        };
        let outcome = match (error.reach(), error.class()) {
            (Reach::NotSent, _) => AttemptOutcome::NotSent,
            (Reach::Answered, Some(class)) if class.is_definite_refusal() => AttemptOutcome::Refused,
            // To a repeated request it may only say that the token is used up.
            _ if error.is_refusal() && !repeated => AttemptOutcome::Refused,
            // A code that nobody wrote down may be told after something was made.
            (Reach::Answered, Some(class)) if !matches!(class, Class::Unknown | Class::Retry) => {
                AttemptOutcome::Errored
            }
            _ if repeated && error.reach() == Reach::Answered => AttemptOutcome::Errored,
            _ => AttemptOutcome::Unknown,
        };
        Self {
            code: error.code().map(str::to_owned),
            class: error.class(),
            request_id: error.request_id().map(str::to_owned),
            message: Some(blame::with_causes(error)),
            ..nothing(outcome)
        }
    }

    fn note(&self, span: &Span) {
        span.record("outcome", tracing::field::debug(self.outcome));
        span.record("code", self.code.as_deref());
        span.record("request_id", self.request_id.as_deref());
    }

    fn tell(&self, core: &Core, instance: &SpotInstance, several_candidates: bool) {
        let (name, regarding) = (instance.name_any(), Regarding::pool_of(instance));
        let said = self.message.as_deref().unwrap_or("no answer");
        let code = self.code.as_deref().unwrap_or_default();
        let advice = self.class.map_or("", Class::advice);
        let (reason, note) = match self.outcome {
            AttemptOutcome::Made => {
                let ids: Vec<_> = self.machines.iter().map(InstanceId::as_str).collect();
                let note = format!("{name}: machine {} launched", ids.join(", "));
                return core.tell(Event::normal(regarding, "Launched", "Launch", note));
            }
            AttemptOutcome::Refused | AttemptOutcome::Errored => {
                let sentence =
                    if several_candidates { blame::sentence_of_candidates } else { blame::sentence };
                ("LaunchRefused", sentence(said, code, advice))
            }
            AttemptOutcome::NotSent => {
                ("LaunchNotSent", format!("{said}; nothing was asked for, and the next attempt follows"))
            }
            AttemptOutcome::Unknown | AttemptOutcome::Closed => (
                "LaunchUnanswered",
                format!("{said}; its machine is looked for by name before anything is sent again"),
            ),
        };
        let event = Event::warning(regarding, reason, "Launch", format!("{name}: {note}"));
        core.tell(event.on(format!("{name} {code}")));
    }

    fn apply(&self, status: &mut SpotInstanceStatus, number: i64, now: Timestamp, twin: bool) {
        if let Some(attempt) = status.attempts.iter_mut().find(|attempt| attempt.number == number) {
            attempt.outcome = self.outcome;
            attempt.code.clone_from(&self.code);
            attempt.request_id.clone_from(&self.request_id);
            attempt.message.clone_from(&self.message);
        }
        for machine in &self.machines {
            let id = machine.to_string();
            match &status.instance_id {
                None => {
                    status.instance_id = Some(id);
                    status.recorded_at = Some(whole_seconds(now));
                }
                Some(known) if *known == id => {}
                Some(_) if status.extra.iter().any(|extra| extra.instance_id == id) => {}
                // instanceId is written once: overwriting it would hand the first machine's id to nobody.
                Some(_) if twin => {
                    status.extra.push(ExtraMachine { instance_id: id, recorded_at: whole_seconds(now) });
                }
                Some(_) => {}
            }
        }
    }
}

/// Writes the answer down, against whatever else was written meanwhile.
async fn record(core: &Core, instance: &SpotInstance, number: i64, finding: &Finding, sky: &Sky) {
    let until = Instant::now() + RECORD_FOR;
    let mut pause = Duration::from_millis(100);
    let mut current = Some(instance.clone());
    let is_there = loop {
        if let Some(instance) = &current {
            let mut next = instance.clone();
            finding.apply(next.status.get_or_insert_default(), number, sky.time(), core.rules.guards.twin);
            match core.ports.store.replace_instance_status(&next).await {
                Ok(_) => return,
                Err(StoreError::NotFound) => break false,
                Err(error) => {
                    tracing::debug!(instance = %instance.name_any(), %error, "answer not recorded yet");
                }
            }
        }
        if Instant::now() >= until {
            break true;
        }
        let namespace = instance.namespace().unwrap_or_default();
        match core.ports.store.instance(&namespace, &instance.name_any()).await {
            Ok(Some(read)) if read.uid() == instance.uid() => {
                current = Some(read);
                continue_after(&mut pause).await;
            }
            Ok(_) => break false,
            Err(_) => {
                current = None;
                continue_after(&mut pause).await;
            }
        }
    };
    if !is_there {
        return tell::made_for_nobody(core, instance, &finding.machines);
    }
    tracing::error!(
        instance = %instance.name_any(),
        machines = ?finding.machines,
        "the launch's answer could not be recorded; its machine will be looked for by name"
    );
}

async fn continue_after(pause: &mut Duration) {
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 2).min(Duration::from_secs(5));
}
