//! The ports of an operator on the stage: the stand-in as a transport, the API server in memory with the time that a
//! call to a real one takes, and the model servers.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use sim::cvm::ProbeAnswer;
use sim::shared::SimCloud;
use sim::transport::SimTransport;
use simulation::gate::{Edge, Gate};
use simulation::site::{Site, Step};
use simulation::store::{Actor, Door, MemStore, Reply, Request};
use simulation::truth::Truth;
use spotpool_operator::ports::{ProbeFailure, ProbeTarget, Prober, StoreError};
use tencent_cvm::{Transport, TransportError};
use tokio::sync::oneshot;
use tokio::time::sleep;

/// One RunInstances and its answer; times since the beginning.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) sent: Duration,
    pub(crate) answered: Duration,
    pub(crate) instance_type: String,
    pub(crate) zone: String,
    /// The error code; `None` when it was granted.
    pub(crate) refused: Option<String>,
}

/// Every RunInstances that was answered, in the order of the answers.
#[derive(Debug, Default)]
pub(crate) struct CallLog {
    launches: Mutex<Vec<Asked>>,
    /// Time spent waiting for answers about what is in stock.
    stock: Mutex<Duration>,
}

impl CallLog {
    pub(crate) fn launches(&self) -> Vec<Asked> {
        lock(&self.launches).clone()
    }

    pub(crate) fn spent_on_stock(&self) -> Duration {
        *lock(&self.stock)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The stand-in as the client's transport, through the gate of one process.
pub(crate) struct Line {
    transport: SimTransport,
    gate: Arc<Gate>,
    log: Arc<CallLog>,
    truth: Truth,
}

impl Line {
    pub(crate) fn new(cloud: SimCloud, gate: Arc<Gate>, log: Arc<CallLog>, truth: Truth) -> Self {
        Self { transport: SimTransport::new(cloud), gate, log, truth }
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct RunBody {
    instance_type: String,
    placement: Placement,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Placement {
    zone: String,
}

/// The error code of an answer, if it is an error.
pub(crate) fn error_code(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    body["Response"]["Error"]["Code"].as_str().map(str::to_owned)
}

#[async_trait]
impl Transport for Line {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let site = Site::of_cloud(&request);
        self.gate.pass(&site, Edge::Before).await;
        let sent = self.truth.elapsed();
        let body: Option<RunBody> =
            (site.step == Step::Run).then(|| serde_json::from_slice(request.body()).unwrap_or_default());
        let answer = self.transport.send(request).await;
        let answered = self.truth.elapsed();
        if site.step == Step::AskStock {
            *lock(&self.log.stock) += answered.saturating_sub(sent);
        }
        if let (Some(body), Ok(answer)) = (body, &answer) {
            lock(&self.log.launches).push(Asked {
                sent,
                answered,
                instance_type: body.instance_type,
                zone: body.placement.zone,
                refused: error_code(answer.body()),
            });
        }
        self.gate.pass(&site, Edge::After).await;
        answer
    }
}

/// The API server, some milliseconds away. A call goes its own way when its caller is no more.
pub(crate) struct PacedStore {
    store: MemStore,
    process: u32,
    gate: Arc<Gate>,
    chance: Mutex<ChaCha8Rng>,
}

impl PacedStore {
    pub(crate) fn new(store: MemStore, process: u32, gate: Arc<Gate>, seed: u64) -> Self {
        Self { store, process, gate, chance: Mutex::new(ChaCha8Rng::seed_from_u64(seed)) }
    }

    /// There, or back again.
    fn trip(&self) -> Duration {
        Duration::from_millis(lock(&self.chance).random_range(1..=6))
    }
}

#[async_trait]
impl Door for PacedStore {
    async fn call(&self, request: Request) -> Result<Reply, StoreError> {
        let site = Site::of_store(&request, &self.store);
        self.gate.pass(&site, Edge::Before).await;
        let (there, back) = (self.trip(), self.trip());
        let (store, process) = (self.store.clone(), self.process);
        let (tell, told) = oneshot::channel();
        tokio::spawn(async move {
            sleep(there).await;
            let reply = store.handle(Actor::Process(process), &request);
            sleep(back).await;
            // The caller may be gone.
            let _ = tell.send(reply);
        });
        let reply = told.await.unwrap_or_else(|error| Err(StoreError::Unanswered(Box::new(error))));
        self.gate.pass(&site, Edge::After).await;
        reply
    }
}

/// Probes, unless the prober's network is cut.
pub(crate) struct StageProber {
    pub(crate) cloud: SimCloud,
    pub(crate) cut: Arc<AtomicBool>,
}

/// There and back again inside one region.
const PROBE_TIME: Duration = Duration::from_millis(4);

#[async_trait]
impl Prober for StageProber {
    async fn probe(&self, target: &ProbeTarget) -> Result<(), ProbeFailure> {
        sleep(PROBE_TIME).await;
        let Ok(address) = target.address.parse::<Ipv4Addr>() else {
            return Err(ProbeFailure("not an address".to_owned()));
        };
        let answer = if self.cut.load(Ordering::Relaxed) {
            ProbeAnswer::Silence
        } else {
            self.cloud.with(|cloud| cloud.probe(cloud.now(), address, target.port, &target.path))
        };
        match answer {
            ProbeAnswer::Answer { status: 200..=299, .. } => Ok(()),
            ProbeAnswer::Answer { .. } => Err(ProbeFailure("answered, but not with success".to_owned())),
            ProbeAnswer::Refused => Err(ProbeFailure("connection refused".to_owned())),
            ProbeAnswer::Unreachable | ProbeAnswer::Silence => {
                sleep(target.timeout.saturating_sub(PROBE_TIME)).await;
                Err(ProbeFailure("no answer in time".to_owned()))
            }
        }
    }
}
