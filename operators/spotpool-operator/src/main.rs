//! The operator as a process: parse, build what stands behind the ports, run.

mod arguments;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use prometheus_client::registry::Registry;
use runtime::telemetry::{self, Service};
use runtime::{Health, Shell, client};
use spotpool_operator::adapters::{HttpProber, KubeStore, hints};
use spotpool_operator::metrics::register_cloud_calls;
use spotpool_operator::ports::Store;
use spotpool_operator::{Guards, HttpClouds, Metrics, Operator, Ports, Settings, rbac};
use tencent_cvm::{ReqwestTransport, SystemClock};

use arguments::Arguments;

const SERVICE: Service = Service {
    name: rbac::NAME,
    version: env!("CARGO_PKG_VERSION"),
    crates: &["spotpool_operator", "tencent_cvm", "runtime"],
};

fn main() -> ExitCode {
    // First of all: kube and reqwest use the process's one TLS provider, and panic without it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = Arguments::of_process();
    // Before the runtime is there: the exporter's blocking client must not be made inside of one.
    let process = &arguments.process;
    let telemetry = match telemetry::init(SERVICE, process.log_format, process.otlp_endpoint.as_ref()) {
        Ok(telemetry) => telemetry,
        Err(error) => {
            eprintln!("error: {:#}", anyhow!(error));
            return ExitCode::FAILURE;
        }
    };
    let code = match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the operator ends");
            ExitCode::FAILURE
        }
    };
    telemetry.shutdown();
    code
}

#[tokio::main]
async fn run(arguments: Arguments) -> Result<()> {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "starting");
    let client = client::infer().await?;
    let operator_namespace = client.default_namespace().to_owned();
    let store = Arc::new(KubeStore::new(client.clone()));
    let cluster_id = match arguments.cluster_id {
        Some(id) => id,
        None => store.cluster_uid().await.context("read the uid of namespace kube-system")?,
    };
    let settings = Settings {
        cluster_id,
        sweep_interval: arguments.sweep_interval,
        visibility_window: arguments.visibility_window,
        operator_namespace: operator_namespace.clone(),
    };

    let clock = Arc::new(SystemClock);
    let transport = ReqwestTransport::new(Duration::from_secs(5)).map_err(|error| anyhow!(error))?;
    let clouds = HttpClouds::new(Arc::new(transport), arguments.cvm_endpoint, clock.clone(), rand::random());
    let limits = clouds.limits();
    let ports = Ports {
        store,
        clouds: Arc::new(clouds),
        prober: Arc::new(HttpProber::new().context("make an HTTP client for probes")?),
        clock,
    };
    let mut registry = Registry::default();
    let metrics = Arc::new(Metrics::new(&mut registry));
    register_cloud_calls(&mut registry, move || limits.totals());
    let operator = Operator::new(ports, settings, Guards::ALL, rand::random(), metrics);

    let health = Health::new();
    let wakes = health.pulse(hints(&client, arguments.process.namespace.as_deref()));
    let shell = Shell {
        args: arguments.process,
        client,
        namespace: operator_namespace,
        lease: rbac::NAME.to_owned(),
        registry,
        health,
    };
    shell.run(|stop| operator.run(wakes, stop.requested())).await.context("run")
}
