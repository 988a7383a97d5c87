//! Log lines on standard error, and, when a collector is named, spans to it by OTLP.
//!
//! Spans leave through a queue and a thread of their own: whoever ends a span never waits, and what does not
//! fit into the queue is lost. A collector that is slow or dead therefore costs spans and nothing else.

mod otlp;

use clap::ValueEnum;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

pub use otlp::{Endpoint, EndpointError};

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line
    Json,
    /// For people
    Text,
}

/// Who writes log lines and spans.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// Its name, as traces show it.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The crates whose spans and events, down to level debug, become traces. Those of HTTP clients are left
    /// out: the one that carries spans to the collector would make more of them.
    pub crates: &'static [&'static str],
}

/// Why there are no log lines, or no traces.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `RUST_LOG` cannot be read.
    #[error("read RUST_LOG")]
    Filter(#[source] tracing_subscriber::filter::FromEnvError),
    /// This process writes log lines already.
    #[error("start writing log lines")]
    Started(#[source] tracing_subscriber::util::TryInitError),
    /// There is no way to send spans.
    #[error("prepare to send traces to {endpoint}")]
    Traces {
        /// Where they should have gone.
        endpoint: Endpoint,
        /// What is wrong.
        source: opentelemetry_otlp::ExporterBuildError,
    },
}

/// Telemetry that has begun.
#[derive(Debug)]
#[must_use = "the last spans are lost unless it is shut down"]
pub struct Telemetry {
    spans: Option<SdkTracerProvider>,
}

/// Starts to write log lines of level info and above, or as `RUST_LOG` says, and to send spans to `traces` when
/// there is such a collector. Once per process.
///
/// # Errors
/// When `RUST_LOG` cannot be read, when spans cannot be sent, or on a second call.
pub fn init(
    service: Service,
    format: LogFormat,
    traces: Option<&Endpoint>,
) -> Result<Telemetry, TelemetryError> {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .from_env()
        .map_err(TelemetryError::Filter)?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).with_filter(filter).boxed(),
        LogFormat::Text => lines.with_ansi(false).with_filter(filter).boxed(),
    };
    let spans = traces
        .map(|endpoint| {
            otlp::provider(service, endpoint)
                .map_err(|source| TelemetryError::Traces { endpoint: endpoint.clone(), source })
        })
        .transpose()?;
    let layer = spans.as_ref().map(|provider| {
        let ours = service.crates.iter().map(|name| (*name, LevelFilter::DEBUG));
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer(service.name))
            // Where in the source and on which thread is of use to nobody who reads a trace.
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_filter(Targets::new().with_targets(ours))
    });
    tracing_subscriber::registry().with(layer).with(lines).try_init().map_err(TelemetryError::Started)?;
    Ok(Telemetry { spans })
}

impl Telemetry {
    /// Sends the spans that are still waiting, and gives up on them when the collector does not take them
    /// within a few seconds. Blocks: to be called when everything else has ended.
    pub fn shutdown(self) {
        if let Some(spans) = self.spans
            && let Err(error) = spans.shutdown_with_timeout(otlp::LAST_SPANS)
        {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}
