//! A collector of traces: OTLP over HTTP, as any backend speaks it, kept in memory.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode as SpanStatus};
use prost::Message as _;
use tokio::sync::oneshot;

/// One span as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenSpan {
    /// The tree it is in.
    pub trace: String,
    /// Its own id.
    pub id: String,
    /// The span that it is a part of; `None`: it is a root.
    pub parent: Option<String>,
    /// What it is called.
    pub name: String,
    /// Its attributes, as text.
    pub attributes: BTreeMap<String, String>,
    /// What was noted while it went on: the name of each event, with its attributes.
    pub events: Vec<(String, BTreeMap<String, String>)>,
    /// The traces and spans that it is linked to.
    pub links: Vec<(String, String)>,
    /// Whether it is marked as failed.
    pub failed: bool,
    /// `service.name` of who sent it.
    pub service: String,
}

impl SeenSpan {
    /// An attribute, "" when there is none of that name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

#[derive(Default)]
struct Seen {
    spans: Vec<SeenSpan>,
    unreadable: usize,
}

/// A running collector. It ends when this is dropped.
pub struct Collector {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Collector {
    /// Listens on a free port of loopback. It runs on a thread of its own, so that a test that blocks does not
    /// hold it up.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("a port for the collector")?;
        listener.set_nonblocking(true).context("a listener for the collector")?;
        let address = listener.local_addr().context("the collector's address")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("a runtime for the collector")?;
        let seen = Arc::<Mutex<Seen>>::default();
        let routes = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&seen));
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                tokio::select! {
                    _ = axum::serve(listener, routes).into_future() => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { address, seen, stop: Some(stop), thread: Some(thread) })
    }

    /// What an operator is given as `--otlp-endpoint`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every span so far, in the order of arrival.
    ///
    /// # Errors
    /// When something arrived that is not OTLP.
    pub fn spans(&self) -> Result<Vec<SeenSpan>> {
        let seen = lock(&self.seen);
        if seen.unreadable > 0 {
            bail!("{} requests to the collector were not OTLP", seen.unreadable);
        }
        Ok(seen.spans.clone())
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take(State(seen): State<Arc<Mutex<Seen>>>, body: Bytes) -> StatusCode {
    let mut seen = lock(&seen);
    match ExportTraceServiceRequest::decode(body) {
        Ok(request) => {
            seen.spans.extend(read(request));
            StatusCode::OK
        }
        Err(_) => {
            seen.unreadable += 1;
            StatusCode::BAD_REQUEST
        }
    }
}

fn read(request: ExportTraceServiceRequest) -> Vec<SeenSpan> {
    let mut spans = Vec::new();
    for resource in request.resource_spans {
        let attributes = texts(resource.resource.map(|resource| resource.attributes).unwrap_or_default());
        let service = attributes.get("service.name").cloned().unwrap_or_default();
        let of_all = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.extend(of_all.map(|span| seen(span, &service)));
    }
    spans
}

fn seen(span: Span, service: &str) -> SeenSpan {
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    SeenSpan {
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: (!span.parent_span_id.is_empty()).then(|| hex(&span.parent_span_id)),
        name: span.name,
        attributes: texts(span.attributes),
        events: span.events.into_iter().map(|event| (event.name, texts(event.attributes))).collect(),
        links: span.links.iter().map(|link| (hex(&link.trace_id), hex(&link.span_id))).collect(),
        failed: span.status.is_some_and(|status| status.code() == SpanStatus::Error),
        service: service.to_owned(),
    }
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    attributes.into_iter().map(|pair| (pair.key, text(pair.value))).collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(truth)) => truth.to_string(),
        other => format!("{other:?}"),
    }
}
