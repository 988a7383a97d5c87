//! One operator process: the shipped operator over the world's ports, with its own clock and gate.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use prometheus_client::registry::Registry;
use sim::shared::SimCloud;
use spotpool_operator::clouds::HttpClouds;
use spotpool_operator::metrics::Metrics;
use spotpool_operator::operator::Operator;
use spotpool_operator::{Guards, Ports, Settings};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use url::Url;

use crate::access::FaultyStore;
use crate::feed::Feed;
use crate::gate::{Gate, Held};
use crate::judge::{Invariant, Judge};
use crate::line::{Line, LineProber};
use crate::store::{MemStore, Port};
use crate::trace::Trace;
use crate::truth::{SkewedClock, Truth};
use crate::weather::Weather;

/// What every process of one cluster shares.
#[derive(Clone)]
pub struct Surroundings {
    /// The API server.
    pub store: MemStore,
    /// The cloud.
    pub cloud: SimCloud,
    /// What goes wrong.
    pub weather: Arc<Weather>,
    /// The trace.
    pub trace: Arc<Trace>,
    /// The judge.
    pub judge: Arc<Judge>,
    /// Watch events.
    pub feed: Arc<Feed>,
    /// The time.
    pub truth: Truth,
    /// Which rules hold.
    pub guards: Guards,
    /// Where the cloud is.
    pub endpoint: Url,
    /// The cluster's uid.
    pub cluster_uid: String,
}

/// A running process.
pub struct Process {
    /// Its number, never used again.
    pub number: u32,
    /// Its gate.
    pub gate: Arc<Gate>,
    /// Its clock.
    pub clock: Arc<SkewedClock>,
    task: AbortHandle,
    stop: Mutex<Option<oneshot::Sender<()>>>,
    feed: Arc<Feed>,
}

impl Process {
    /// Starts one. Its clock is ahead of the truth by so much.
    pub fn start(number: u32, seed: u64, ahead_millis: i64, around: &Surroundings) -> Self {
        let gate = Arc::new(Gate::default());
        let clock = Arc::new(SkewedClock::new(around.truth, ahead_millis));
        let operator = operator(number, seed, &gate, &clock, around);
        let wakes = around.feed.subscribe(number);
        let (stop, stopped) = oneshot::channel();
        let stopped = async move {
            // A sender that is dropped asks for nothing.
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let (asked, ask) = (Arc::new(Mutex::new(false)), Arc::clone(&around.judge));
        let heard = Arc::clone(&asked);
        let stopped = async move {
            stopped.await;
            *heard.lock().unwrap_or_else(PoisonError::into_inner) = true;
        };
        let work = async move {
            if let Err(panic) = AssertUnwindSafe(operator.run(wakes, stopped)).catch_unwind().await {
                let text = format!("process {number} panicked: {}", said(&*panic));
                ask.accuse(Invariant::KeepsRunning, "", text);
            } else if !*asked.lock().unwrap_or_else(PoisonError::into_inner) {
                let text = format!("process {number} ended its run without being asked to");
                ask.accuse(Invariant::KeepsRunning, "", text);
            }
        };
        let task = tokio::spawn(Held::new(work, Arc::clone(&gate))).abort_handle();
        Self { number, gate, clock, task, stop: Mutex::new(Some(stop)), feed: Arc::clone(&around.feed) }
    }

    /// It crashes: its future is dropped, what it asked for goes on.
    pub fn crash(&self) {
        self.gate.kill();
        self.task.abort();
        self.feed.unsubscribe(self.number);
    }

    /// It is told to stop and does so in its own time.
    pub fn stop(&self) {
        if let Some(stop) = self.stop.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // It may have ended already.
            let _ = stop.send(());
        }
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.gate.is_dead() || self.task.is_finished()
    }
}

fn operator(
    number: u32,
    seed: u64,
    gate: &Arc<Gate>,
    clock: &Arc<SkewedClock>,
    around: &Surroundings,
) -> Arc<Operator> {
    let (weather, trace) = (Arc::clone(&around.weather), Arc::clone(&around.trace));
    let judge = Arc::clone(&around.judge);
    let store = FaultyStore::new(around.store.clone(), number, Arc::clone(gate), weather, trace, judge);
    let (weather, trace) = (Arc::clone(&around.weather), Arc::clone(&around.trace));
    let judge = Arc::clone(&around.judge);
    let prober =
        LineProber::new(around.cloud.clone(), Arc::clone(&trace), Arc::clone(&weather), Arc::clone(&judge));
    let line = Line::new(around.cloud.clone(), number, Arc::clone(gate), weather, trace, judge);
    let clock_port = Arc::clone(clock) as Arc<dyn spotpool_operator::ports::Clock>;
    let clouds =
        HttpClouds::new(Arc::new(line), Some(around.endpoint.clone()), Arc::clone(&clock_port), seed);
    let ports = Ports {
        store: Arc::new(Port(store)),
        clouds: Arc::new(clouds),
        prober: Arc::new(prober),
        clock: clock_port,
    };
    let settings = Settings {
        cluster_id: around.cluster_uid.clone(),
        sweep_interval: Duration::from_secs(2),
        visibility_window: Duration::from_secs(60),
        operator_namespace: "aiops-system".to_owned(),
    };
    let metrics = Arc::new(Metrics::new(&mut Registry::default()));
    Operator::new(ports, settings, around.guards, seed, metrics)
}

/// What a panic said.
pub fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a word")
}

/// Waits until `done` says so, at most for so long; whether it did.
pub async fn wait_for(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let deadline = tokio::time::Instant::now() + limit;
    loop {
        if done() {
            return true;
        }
        if tokio::time::Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// A future that ends when its trap has sprung, `None` when that takes longer than `limit`.
pub async fn sprung<T>(told: oneshot::Receiver<T>, limit: Duration) -> Option<T> {
    tokio::time::timeout(limit, told).await.ok().and_then(Result::ok)
}

/// Runs work that nobody waits for.
pub fn aside(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}
