//! `/healthz`, `/readyz` and `/metrics`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::health::{Health, Verdict};

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A running HTTP server; it ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    _task: AbortOnDropHandle<()>,
}

impl Server {
    /// Listens on `address` (port 0: any free one) and answers.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn start(address: SocketAddr, health: Arc<Health>, registry: Registry) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let routes = routes(health, registry);
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                tracing::error!(%error, "the HTTP server has ended");
            }
        });
        Ok(Self { address, _task: AbortOnDropHandle::new(task) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn routes(health: Arc<Health>, registry: Registry) -> Router {
    let probes = Router::new()
        .route("/healthz", get(|State(health): State<Arc<Health>>| async move { answer(health.alive()) }))
        .route("/readyz", get(|State(health): State<Arc<Health>>| async move { answer(health.ready()) }))
        .with_state(health);
    let metrics = Router::new().route("/metrics", get(metrics)).with_state(Arc::new(registry));
    probes.merge(metrics)
}

fn answer(verdict: Verdict) -> (StatusCode, String) {
    let status = if verdict.good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, verdict.why + "\n")
}

async fn metrics(State(registry): State<Arc<Registry>>) -> Response {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Role;
    use prometheus_client::metrics::counter::Counter;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    async fn ask(server: &Server, path: &str) -> String {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn metrics_are_openmetrics_text_and_probes_tell_the_role() {
        let mut registry = Registry::default();
        let turns = Counter::<u64>::default();
        registry.register("turns", "How often the driver came round", turns.clone());
        turns.inc();
        let health = Health::new();
        let server = Server::start(([127, 0, 0, 1], 0).into(), Arc::clone(&health), registry).await.unwrap();

        let metrics = ask(&server, "/metrics").await;
        assert!(metrics.contains("application/openmetrics-text; version=1.0.0"), "{metrics}");
        assert!(metrics.contains("turns_total 1"), "{metrics}");
        assert!(metrics.trim_end().ends_with("# EOF"), "{metrics}");

        assert!(ask(&server, "/healthz").await.starts_with("HTTP/1.1 200"));
        assert!(ask(&server, "/readyz").await.starts_with("HTTP/1.1 503"));
        health.becomes(Role::Leading);
        assert!(ask(&server, "/readyz").await.contains("leading"));
    }
}
