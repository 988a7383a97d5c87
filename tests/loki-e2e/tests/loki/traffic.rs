//! The client's requests on their way to Loki, counted and disturbed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use loki_client::{HttpLoki, HttpLokiBuilder, ReqwestTransport, Transport, TransportError, Upgrade};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use testkit::Loki;

/// A way to the shared Loki.
#[derive(Clone)]
pub(crate) struct Traffic(Arc<State>);

struct State {
    inner: ReqwestTransport,
    requests: AtomicUsize,
    /// Of a hundred answers, so many are none.
    faults: AtomicUsize,
    chance: Mutex<ChaCha8Rng>,
}

impl Traffic {
    pub(crate) fn new(seed: u64) -> Self {
        testkit::install_tls();
        let inner = ReqwestTransport::new(Duration::from_secs(5), 256 << 20, &[]).unwrap();
        Self(Arc::new(State {
            inner,
            requests: AtomicUsize::new(0),
            faults: AtomicUsize::new(0),
            chance: Mutex::new(ChaCha8Rng::seed_from_u64(seed)),
        }))
    }

    /// A client as most programs have it.
    pub(crate) fn client(&self, loki: &Loki, tenant: &str) -> HttpLoki {
        self.builder(loki).tenant(tenant).build().unwrap()
    }

    /// A client that repeats nothing by itself.
    pub(crate) fn impatient(&self, loki: &Loki, tenant: &str) -> HttpLoki {
        self.builder(loki).tenant(tenant).tries(1).build().unwrap()
    }

    pub(crate) fn builder(&self, loki: &Loki) -> HttpLokiBuilder {
        HttpLoki::builder(loki.url().parse().unwrap()).transport(Arc::new(self.clone()))
    }

    /// How many requests there were since the last time.
    pub(crate) fn requests(&self) -> usize {
        self.0.requests.swap(0, Ordering::Relaxed)
    }

    /// In percent.
    pub(crate) fn faults(&self, percent: usize) {
        self.0.faults.store(percent, Ordering::Relaxed);
    }

    fn disturbed(&self, answer: Response<Bytes>) -> Response<Bytes> {
        let mut chance = self.0.chance.lock().unwrap();
        if chance.random_range(0..100) >= self.0.faults.load(Ordering::Relaxed) {
            return answer;
        }
        let refusal = |status, text: &'static str| {
            Response::builder().status(status).body(Bytes::from_static(text.as_bytes())).unwrap()
        };
        match chance.random_range(0..3) {
            0 => refusal(StatusCode::TOO_MANY_REQUESTS, "too many outstanding requests"),
            1 => refusal(
                StatusCode::GATEWAY_TIMEOUT,
                "request timed out, decrease the duration of the request",
            ),
            _ => {
                let end = chance.random_range(0..answer.body().len());
                answer.map(|body| body.slice(..end))
            }
        }
    }
}

#[async_trait]
impl Transport for Traffic {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        self.0.inner.send(request).await.map(|answer| self.disturbed(answer))
    }

    async fn upgrade(&self, request: Request<Bytes>) -> Result<Upgrade, TransportError> {
        self.0.inner.upgrade(request).await
    }
}
