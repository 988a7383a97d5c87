//! A Loki of our own: the whole of it in one process, which keeps what it is given until it ends.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::control_plane::free_address;
use crate::process::{Launch, Process};
use crate::watchdog;

/// Half a second on an idle machine; some seconds when much else runs (`tests/loki-e2e` asserts ten). Patience costs
/// nothing.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// A port that was free may be taken before the server binds it.
const TRIES: u32 = 3;

static SHARED: OnceCell<Loki> = OnceCell::const_new();

/// A running Loki with tenants: each request must name one (`X-Scope-OrgID`), and each tenant sees its own
/// entries only. It ends on drop.
#[derive(Debug)]
pub struct Loki {
    process: Process,
    url: String,
    ready_after: Duration,
    _scratch: TempDir,
}

impl Loki {
    /// The one of this test binary, started by whoever asks first. It ends with the process. Keep tests
    /// apart by tenants.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn shared() -> Result<&'static Self> {
        SHARED.get_or_try_init(Self::start).await
    }

    /// Starts one in a temporary directory and waits until it is ready.
    ///
    /// # Errors
    /// When it is not built (the message says how), or does not get ready; then the message has the last lines of
    /// its log.
    pub async fn start() -> Result<Self> {
        let program = servers::loki::find()?;
        let scratch = tempfile::Builder::new().prefix("loki-").tempdir().context("a temporary directory")?;
        watchdog::remove_at_exit(scratch.path())?;
        let mut tries = 1;
        let (process, url, ready_after) = loop {
            match start(&program, scratch.path()).await {
                Ok(started) => break started,
                Err(error) if tries < TRIES && format!("{error:#}").contains("address already in use") => {
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        };
        Ok(Self { process, url, ready_after, _scratch: scratch })
    }

    /// Where it is, such as `http://127.0.0.1:33100`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How long it took from the start of its process until it was ready.
    #[must_use]
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// Its process, for tests that stall or kill it.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }
}

async fn start(program: &Path, directory: &Path) -> Result<(Process, String, Duration)> {
    let (http, grpc) = (free_address()?, free_address()?);
    let file = directory.join("loki.yaml");
    // JSON is YAML.
    fs::write(&file, configuration(directory, http.port(), grpc.port()).to_string())
        .with_context(|| format!("writing {}", file.display()))?;
    let begun = Instant::now();
    let mut process = Launch::new(program, directory.join("loki.log"))
        .arg(format!("-config.file={}", file.display()))
        .spawn()?;
    let url = format!("http://{http}");
    // The only client here, which a test need not know of.
    crate::install_tls();
    let client = reqwest::Client::builder().no_proxy().build().context("an HTTP client")?;
    process
        .wait_for("a ready Loki", READY_WITHIN, async |_: &Process| {
            let answer = client.get(format!("{url}/ready")).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await?;
    Ok((process, url, begun.elapsed()))
}

fn configuration(directory: &Path, http: u16, grpc: u16) -> serde_json::Value {
    let loopback = "127.0.0.1";
    let data = directory.join("data");
    // Of the half minute that Loki takes to get ready, all but a second is waiting for others to join, and for
    // the next look at who is there.
    let alone = json!({"lifecycler": {"min_ready_duration": "0s", "final_sleep": "0s", "join_after": "0s"}});
    json!({
        "auth_enabled": true,
        "server": {
            "http_listen_address": loopback, "http_listen_port": http,
            "grpc_listen_address": loopback, "grpc_listen_port": grpc,
            "log_level": "warn",
        },
        "common": {
            "path_prefix": data,
            "replication_factor": 1,
            "instance_addr": loopback,
            "ring": {"instance_addr": loopback, "kvstore": {"store": "inmemory"}},
            "storage": {"filesystem": {
                "chunks_directory": data.join("chunks"), "rules_directory": data.join("rules"),
            }},
        },
        "schema_config": {"configs": [{
            "from": "2024-01-01", "store": "tsdb", "object_store": "filesystem", "schema": "v13",
            "index": {"prefix": "index_", "period": "24h"},
        }]},
        "ingester": alone,
        "pattern_ingester": alone,
        "frontend": {"scheduler_dns_lookup_period": "100ms"},
        "frontend_worker": {"dns_lookup_duration": "100ms"},
        "limits_config": {
            "ingestion_rate_mb": 1000, "ingestion_burst_size_mb": 1000,
            "per_stream_rate_limit": "1GB", "per_stream_rate_limit_burst": "1GB",
        },
        "analytics": {"reporting_enabled": false},
    })
}
