//! The client's requests on their way to Loki, counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use loki_client::{HttpLoki, HttpLokiBuilder, ReqwestTransport, Transport, TransportError, Upgrade};
use testkit::Loki;

/// A way to the shared Loki.
#[derive(Clone)]
pub(crate) struct Traffic(Arc<State>);

struct State {
    inner: ReqwestTransport,
    requests: AtomicUsize,
}

impl Traffic {
    pub(crate) fn new() -> Self {
        testkit::install_tls();
        let inner = ReqwestTransport::new(Duration::from_secs(5), 256 << 20, &[]).unwrap();
        Self(Arc::new(State { inner, requests: AtomicUsize::new(0) }))
    }

    /// A client that repeats nothing by itself.
    pub(crate) fn client(&self, loki: &Loki, tenant: &str) -> HttpLoki {
        self.builder(loki).tenant(tenant).tries(1).build().unwrap()
    }

    pub(crate) fn builder(&self, loki: &Loki) -> HttpLokiBuilder {
        HttpLoki::builder(loki.url().parse().unwrap()).transport(Arc::new(self.clone()))
    }

    /// How many requests there were since the last time.
    pub(crate) fn requests(&self) -> usize {
        self.0.requests.swap(0, Ordering::Relaxed)
    }
}

#[async_trait]
impl Transport for Traffic {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        self.0.inner.send(request).await
    }

    async fn upgrade(&self, request: Request<Bytes>) -> Result<Upgrade, TransportError> {
        self.0.inner.upgrade(request).await
    }
}
