//! The operator as a process: the binary that is shipped, under the role that is shipped.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use servers::own;

use crate::control_plane::free_address;
use crate::process::{Launch, Process};

const UP_WITHIN: Duration = Duration::from_secs(60);

/// A running operator.
#[derive(Debug)]
pub struct Operator {
    /// For tests that stall or kill it.
    pub process: Process,
    address: SocketAddr,
}

impl Operator {
    /// Builds the operator if it is out of date, and starts it with the rights of `kubeconfig` (see
    /// [`Cluster::install_operator_role`](crate::Cluster::install_operator_role)) and further arguments. Its
    /// output is appended to `log`. Returns when it says that it is ready.
    ///
    /// # Errors
    /// When it does not build, or does not get ready; the message has its last words.
    pub async fn start(kubeconfig: &Path, cvm_endpoint: &str, log: &Path, more: &[&str]) -> Result<Self> {
        Self::start_in(kubeconfig, cvm_endpoint, log, more, &[], false).await
    }

    /// As [`Self::start`], with further environment variables; with `own_session` it can live on after
    /// [`Self::release`].
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_in(
        kubeconfig: &Path,
        cvm_endpoint: &str,
        log: &Path,
        more: &[&str],
        environment: &[(&str, &str)],
        own_session: bool,
    ) -> Result<Self> {
        crate::install_tls();
        let address = free_address()?;
        let mut launch = Launch::new(own::build(own::OPERATOR)?, log)
            .args(["--cvm-endpoint", cvm_endpoint, "--metrics-addr", &address.to_string()])
            .args(more)
            .env("KUBECONFIG", kubeconfig)
            .own_session(own_session);
        for (name, value) in environment {
            launch = launch.env(name, value);
        }
        let mut process = launch.spawn()?;
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(2))
            .no_proxy()
            .build()
            .context("an HTTP client")?;
        let url = format!("http://{address}/readyz");
        process
            .wait_for("a ready operator", UP_WITHIN, async |_: &Process| {
                let answer = http.get(&url).send().await.ok()?;
                answer.status().is_success().then_some(())
            })
            .await?;
        Ok(Self { process, address })
    }

    /// Where it serves /healthz, /readyz and /metrics.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets it live on after this process; returns the process group to end later.
    ///
    /// # Errors
    /// When the watchdog cannot be told.
    pub fn release(self) -> Result<u32> {
        let group = self.process.id();
        self.process.release()?;
        Ok(group)
    }
}
