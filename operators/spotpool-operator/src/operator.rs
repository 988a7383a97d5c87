//! What runs: passes over pools, one at a time per pool, woken by hints from outside and from inside.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, Stream, StreamExt};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;
use tokio::time::Instant;
use tracing::{Instrument, Span, debug_span};

use crate::act::act;
use crate::conditions::{kind, reason};
use crate::core::{Core, Ports, lock};
use crate::crd::{SpotPool, SpotPoolStatus};
use crate::guards::Guards;
use crate::metrics::Metrics;
use crate::observe::{Pass, ask_stock, observe};
use crate::plan::{self, Plan, Rules};
use crate::ports::{Event, PoolKey, Regarding, StoreError};
use crate::settings::Settings;
use crate::status::status;
use crate::task::{Inbox, tasks};
use crate::wake::WakeQueue;
use crate::{tell, traces};

/// A pool that needs nothing is looked at again after this all the same.
const RESYNC: Duration = Duration::from_secs(300);
/// How long calls under way may take to end when the operator stops.
const LAST_CALLS: Duration = Duration::from_secs(40);
/// How long Events may take then.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// One operator. Everything it does happens inside the future of [`Operator::run`].
pub struct Operator {
    core: Arc<Core>,
    inbox: Mutex<Option<Inbox>>,
    trouble: Mutex<BTreeMap<PoolKey, u32>>,
}

/// When a pool is to be looked at again, if nothing wakes it before; `None` when nothing is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next(pub Option<Duration>);

/// Why a pass ended early. The pool is looked at again, later and later.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The API server.
    #[error("read the pool and its SpotInstances")]
    Observe(#[source] StoreError),
    /// Writes that failed; the rest of the plan was carried out.
    #[error("write: {0}")]
    Act(String),
    /// The status.
    #[error("write the pool's status")]
    Status(#[source] StoreError),
}

impl Operator {
    /// An operator over these ports. `seed` draws its tokens.
    pub fn new(
        ports: Ports,
        settings: Settings,
        guards: Guards,
        seed: u64,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let (tasks, inbox) = tasks();
        let rules = Rules::new(&settings, guards);
        let core = Arc::new(Core::new(ports, settings, rules, seed, metrics, tasks));
        Arc::new(Self { core, inbox: Mutex::new(Some(inbox)), trouble: Mutex::default() })
    }

    /// Drives everything until `stop` resolves, then lets passes and launches under way end and be recorded.
    /// `wakes` are hints from outside (watches): late, lost and spurious ones do no harm. Dropping the
    /// future stops everything at once, as a crash does. To be called once.
    pub async fn run(
        self: Arc<Self>,
        wakes: impl Stream<Item = PoolKey> + Send,
        stop: impl Future<Output = ()> + Send,
    ) {
        let Some(inbox) = lock(&self.inbox).take() else { return };
        let Inbox { mut started, mut woken } = inbox;
        let mut wakes = std::pin::pin!(wakes.fuse());
        let mut stop = std::pin::pin!(stop);
        let mut queue = WakeQueue::default();
        let mut tasks: FuturesUnordered<BoxFuture<'static, ()>> = FuturesUnordered::new();
        let mut passes: FuturesUnordered<BoxFuture<'static, (PoolKey, Option<Duration>)>> =
            FuturesUnordered::new();
        let mut wakes_open = true;
        self.core.tasks.spawn(crate::orphans::watch(Arc::clone(&self.core)));
        self.core.tasks.spawn(crate::keys::watch(Arc::clone(&self.core)));
        self.core.tasks.spawn(crate::press::run(Arc::clone(&self.core)));
        loop {
            while let Some(key) = queue.take(Instant::now()) {
                let operator = Arc::clone(&self);
                passes.push(Box::pin(async move {
                    let next = operator.pass(&key).await;
                    (key, next)
                }));
            }
            let due = queue.next_start(Instant::now());
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(task) = started.recv() => tasks.push(task),
                Some(key) = woken.recv() => queue.wake(key, Instant::now()),
                key = wakes.next(), if wakes_open => match key {
                    Some(key) => queue.wake(key, Instant::now()),
                    None => wakes_open = false,
                },
                Some((key, next)) = passes.next(), if !passes.is_empty() => {
                    queue.done(key, next.map(|next| Instant::now() + next));
                }
                Some(()) = tasks.next(), if !tasks.is_empty() => {}
                () = sleep_until(due), if due.is_some() => {}
            }
        }
        self.finish(started, tasks, passes).await;
    }

    /// No new pass; what is under way ends, and launches are recorded.
    async fn finish(
        &self,
        mut started: tokio::sync::mpsc::UnboundedReceiver<BoxFuture<'static, ()>>,
        mut tasks: FuturesUnordered<BoxFuture<'static, ()>>,
        mut passes: FuturesUnordered<BoxFuture<'static, (PoolKey, Option<Duration>)>>,
    ) {
        let deadline = Instant::now() + LAST_CALLS;
        let mut words_until = None;
        loop {
            while let Ok(task) = started.try_recv() {
                tasks.push(task);
            }
            let idle = passes.is_empty() && self.core.flights.is_empty();
            if idle {
                words_until.get_or_insert(Instant::now() + LAST_WORDS);
            }
            tokio::select! {
                biased;
                Some(_) = passes.next(), if !passes.is_empty() => {}
                () = self.core.press.is_through(), if idle => return,
                () = sleep_until(words_until), if idle => return,
                Some(()) = tasks.next(), if !tasks.is_empty() => {}
                () = tokio::time::sleep_until(deadline) => {
                    tracing::warn!(under_way = self.core.flights.len(), "stopping with calls under way; their machines will be found by name");
                    return;
                }
            }
        }
    }

    async fn pass(&self, key: &PoolKey) -> Option<Duration> {
        let span = traces::pass(key);
        let begun = Instant::now();
        let result = self.reconcile(key).instrument(span.clone()).await;
        if let Err(error) = &result {
            traces::failed(&span, error);
        }
        self.core.metrics.reconcile(result.is_ok(), begun.elapsed());
        let mut trouble = lock(&self.trouble);
        match result {
            Ok(Next(pause)) => {
                trouble.remove(key);
                pause
            }
            Err(error) => {
                let count = trouble.entry(key.clone()).or_default();
                *count = count.saturating_add(1);
                let pause = Duration::from_millis(250 << (*count - 1).min(7));
                tracing::warn!(pool = %key, %error, cause = error.cause(), "pass failed; again in {pause:?}");
                Some(pause)
            }
        }
    }

    /// One pass over one pool: observe, plan, act, status.
    ///
    /// # Errors
    /// When the API server could not be read, or a write failed for a reason other than a change in between.
    pub async fn reconcile(&self, key: &PoolKey) -> Result<Next, ReconcileError> {
        let core = &self.core;
        let observed = observe(core, key).instrument(debug_span!("observe")).await;
        let mut pass = match observed {
            Ok(pass) => pass,
            Err(error) => {
                tell::unreadable(core, key, &error).await;
                return Err(ReconcileError::Observe(error));
            }
        };
        if pass.seen.pool.object().is_some() {
            core.metrics.follow(key);
        }
        let mut plan = debug_span!("plan").in_scope(|| plan::plan(&pass.seen, &core.rules, core.now()));
        if plan.asks_stock && ask_stock(&mut pass).instrument(debug_span!("stock")).await {
            plan = debug_span!("plan").in_scope(|| plan::plan(&pass.seen, &core.rules, core.now()));
        }
        traces::decided(&Span::current(), &plan);
        core.probes.ask(key, &plan.questions);
        let done = act(core, &pass, &plan).instrument(debug_span!("act")).await;
        tell::findings(core, &pass, &plan);
        let gone = done.released_pool || pass.seen.pool.object().is_none();
        let mut again = done.again;
        if !gone {
            core.metrics.pool(key, &pass.seen, &plan);
            let written = self.write_status(&pass, &plan, done.pool, &done.released_secrets);
            again |= written.instrument(debug_span!("status")).await?;
        } else if plan.instances.is_empty() {
            core.forget(key);
        }
        if let (Some(way), Some(after)) = (&pass.way, plan.look_after) {
            core.sweeps.wake_by_look_after(&way.key, key, after);
        }
        if !done.failures.is_empty() {
            return Err(ReconcileError::Act(done.failures.join("; ")));
        }
        let nothing_left = gone && plan.instances.is_empty() && !again;
        let pause = if again { Duration::ZERO } else { plan.wake_after.unwrap_or(RESYNC).min(RESYNC) };
        Ok(Next((!nothing_left).then_some(pause)))
    }

    /// Writes the pool's status if it says anything new; whether somebody else was faster.
    async fn write_status(
        &self,
        pass: &Pass,
        plan: &Plan,
        written: Option<SpotPool>,
        released_secrets: &[String],
    ) -> Result<bool, ReconcileError> {
        let Some(read) = pass.seen.pool.object() else { return Ok(false) };
        let mut pool = written.unwrap_or_else(|| read.clone());
        let old = pool.status.clone();
        if let Some(status) = &mut pool.status {
            status.held_secrets.retain(|name| !released_secrets.contains(name));
        }
        let new = status(&pool, &pass.seen, plan, self.core.now());
        let key = PoolKey::new(pool.namespace().unwrap_or_default(), pool.name_any());
        self.core.metrics.conditions(&key, &new.conditions);
        if old.as_ref() == Some(&new) {
            return Ok(false);
        }
        let news = news(&pool, old.as_ref(), &new);
        pool.status = Some(new);
        match self.core.ports.store.replace_pool_status(&pool).await {
            Ok(_) => {
                news.into_iter().for_each(|event| self.core.tell(event));
                Ok(false)
            }
            Err(StoreError::Conflict) => Ok(true),
            Err(StoreError::NotFound) => Ok(false),
            Err(error) => Err(ReconcileError::Status(error)),
        }
    }
}

impl ReconcileError {
    fn cause(&self) -> String {
        std::error::Error::source(self).map(ToString::to_string).unwrap_or_default()
    }
}

async fn sleep_until(due: Option<Instant>) {
    if let Some(due) = due {
        tokio::time::sleep_until(due).await;
    }
}

/// A condition that turned, or gives another reason, is an Event: once per turn, not once per pass.
fn news(pool: &SpotPool, old: Option<&SpotPoolStatus>, new: &SpotPoolStatus) -> Vec<Event> {
    let told = [
        kind::READY,
        kind::STALLED,
        kind::CREDENTIALS_VALID,
        kind::CAPACITY_AVAILABLE,
        kind::HEALTH_CHECK_REACHABLE,
        kind::UNCLAIMED_MACHINES,
    ];
    let mut events = Vec::new();
    for condition in new.conditions.iter().filter(|condition| told.contains(&condition.type_.as_str())) {
        let before = old.and_then(|old| old.conditions.iter().find(|before| before.type_ == condition.type_));
        // Why a pool is not ready yet is told by the other conditions; only the turn is news.
        let reason_counts = condition.type_ != kind::READY;
        let same = before.is_some_and(|before| {
            before.status == condition.status && (before.reason == condition.reason || !reason_counts)
        });
        let bad = is_bad(condition);
        // The good state of a condition is said when it ends another one (that a key works and that machines answer: when
        // they did not before), and not knowing yet is no news.
        let ends = match condition.type_.as_str() {
            kind::CREDENTIALS_VALID | kind::HEALTH_CHECK_REACHABLE => before.is_some_and(is_bad),
            _ => before.is_some(),
        };
        if same || !(bad || ends && condition.status != "Unknown") {
            continue;
        }
        let regarding = Regarding::pool(pool);
        // A new pool is not ready by nature; only losing readiness is worth a Warning.
        let warning = bad && !(condition.type_ == kind::READY && before.is_none());
        let note = format!("{}={}: {}", condition.type_, condition.status, condition.message);
        let event = Event::normal(regarding, reason_of(&condition.type_, warning), "Reconcile", note);
        events.push(Event { warning, ..event });
    }
    events
}

/// Whether people should hear of it.
fn is_bad(condition: &Condition) -> bool {
    let why = condition.reason.as_str();
    match condition.type_.as_str() {
        kind::STALLED => condition.status == "True",
        kind::UNCLAIMED_MACHINES => condition.status == "True" || why == reason::NOT_ADOPTED,
        kind::CREDENTIALS_VALID => {
            condition.status == "False"
                || [reason::INLINE_KEYS, reason::SECRET_DELETED, reason::CLOUD_UNREACHABLE, reason::REFUSED]
                    .contains(&why)
        }
        kind::HEALTH_CHECK_REACHABLE => condition.status == "False" || why == reason::ASKING_A_REPLACEMENT,
        _ => condition.status == "False",
    }
}

/// Event reasons are few and fixed, so that people can select by them.
fn reason_of(kind: &str, warning: bool) -> &'static str {
    match (kind, warning) {
        (kind::READY, true) => "PoolNotReady",
        (kind::READY, false) => "PoolReadiness",
        (kind::STALLED, true) => "Stalled",
        (kind::STALLED, false) => "NotStalled",
        (kind::CREDENTIALS_VALID, true) => "Credentials",
        (kind::CREDENTIALS_VALID, false) => "CredentialsValid",
        (kind::CAPACITY_AVAILABLE, true) => "CapacityUnavailable",
        (kind::CAPACITY_AVAILABLE, false) => "CapacityAvailable",
        (kind::HEALTH_CHECK_REACHABLE, true) => "HealthCheckUnreachable",
        (kind::HEALTH_CHECK_REACHABLE, false) => "HealthCheckReachable",
        (_, true) => "UnclaimedMachines",
        (_, false) => "NoUnclaimedMachines",
    }
}
