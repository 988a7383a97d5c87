//! The way of spans to a collector: OTLP over HTTP, protobuf.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_otlp::{ExporterBuildError, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use url::Url;

use super::Service;

/// How long one batch may take.
const EXPORT: Duration = Duration::from_secs(5);
/// How long the end of the process waits for the last spans.
pub(super) const LAST_SPANS: Duration = Duration::from_secs(5);

/// Where a collector takes spans: the address that its documentation calls the OTLP/HTTP endpoint, without the
/// path `/v1/traces`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// Why something is no endpoint.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// It is no URL.
    #[error("it is no URL: {0}")]
    Url(#[from] url::ParseError),
    /// It is one of something else.
    #[error("it must begin with http:// or https://")]
    Scheme,
    /// A password in an address ends up in logs.
    #[error("it must not hold a user or a password: give those in OTEL_EXPORTER_OTLP_HEADERS")]
    Credentials,
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let url = Url::parse(text)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EndpointError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::Credentials);
        }
        Ok(Self(url))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Endpoint {
    fn traces(&self) -> String {
        format!("{}/v1/traces", self.0.as_str().trim_end_matches('/'))
    }
}

/// What makes spans and sends them. Queue and batches are as the standard variables `OTEL_BSP_*` say, sampling as
/// `OTEL_TRACES_SAMPLER` does.
pub(super) fn provider(
    service: Service,
    endpoint: &Endpoint,
) -> Result<SdkTracerProvider, ExporterBuildError> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(endpoint.traces())
        .with_timeout(EXPORT)
        .build()?;
    let resource = Resource::builder()
        .with_service_name(service.name)
        .with_attribute(KeyValue::new("service.version", service.version))
        .build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(Told { exporter, endpoint: endpoint.clone(), lost: AtomicU64::new(0) })
        .with_resource(resource)
        .build())
}

/// An exporter that says when it begins to fail and when that is over, once each: a batch fails every few seconds
/// while a collector is away.
#[derive(Debug)]
struct Told<E> {
    exporter: E,
    endpoint: Endpoint,
    /// Spans lost since the last batch that arrived.
    lost: AtomicU64,
}

impl<E: SpanExporter> SpanExporter for Told<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let result = self.exporter.export(batch).await;
        match &result {
            Ok(()) => {
                let lost = self.lost.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    tracing::info!(endpoint = %self.endpoint, lost, "traces arrive again");
                }
            }
            Err(error) => {
                if self.lost.fetch_add(spans, Ordering::Relaxed) == 0 {
                    tracing::warn!(endpoint = %self.endpoint, %error, "traces do not arrive; nothing else waits for them");
                }
            }
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_without_a_password() {
        for good in ["http://collector:4318", "https://traces.example.org/otlp/"] {
            assert!(good.parse::<Endpoint>().is_ok(), "{good}");
        }
        for bad in ["collector:4318", "grpc://collector:4317", "", "http://me:word@collector:4318"] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
        let endpoint: Endpoint = "https://traces.example.org/otlp/".parse().unwrap();
        assert_eq!(endpoint.traces(), "https://traces.example.org/otlp/v1/traces");
    }
}
