//! The order in which a process comes up, works and ends.

use std::io;
use std::sync::Arc;

use kube::Client;
use prometheus_client::registry::Registry;
use tokio::sync::oneshot;

use crate::args::ProcessArgs;
use crate::health::{Health, Role};
use crate::http::Server;
use crate::leader::{Candidate, Leadership, Lost};
use crate::shutdown::Signals;

/// Everything around a driver.
pub struct Shell {
    /// What the command line says.
    pub args: ProcessArgs,
    /// The API server.
    pub client: Client,
    /// Namespace of this process; its Lease is there.
    pub namespace: String,
    /// Name of the Lease.
    pub lease: String,
    /// What `/metrics` shows.
    pub registry: Registry,
    /// What the probes tell; the driver's hints should go through [`Health::pulse`].
    pub health: Arc<Health>,
}

/// Why the process ends other than as asked.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// No address to listen on.
    #[error("listen on {address}")]
    Listen {
        /// The address asked for.
        address: std::net::SocketAddr,
        /// What is wrong with it.
        source: io::Error,
    },
    /// No signals.
    #[error("listen to signals")]
    Signals(#[source] io::Error),
    /// Somebody else may lead now: nothing that was going on here may go on.
    #[error("leadership is lost")]
    Lost(#[source] Lost),
    /// Told to stop twice.
    #[error("told to stop at once while calls were still in flight")]
    Interrupted,
    /// A driver ends only when it is told to.
    #[error("the driver has ended by itself")]
    DriverEnded,
}

impl Shell {
    /// Serves HTTP, waits for leadership, and drives until a signal comes. `drive` gets a future that
    /// resolves at the signal; it must return only when its calls in flight have ended and are recorded,
    /// for then the Lease is given back. It is dropped where it stands when leadership is lost.
    ///
    /// # Errors
    /// When the process must end with a failure; see [`ShellError`].
    pub async fn run<F>(self, drive: impl FnOnce(Stop) -> F) -> Result<(), ShellError>
    where
        F: Future<Output = ()>,
    {
        let mut signals = Signals::install().map_err(ShellError::Signals)?;
        let address = self.args.metrics_addr;
        let server = Server::start(address, Arc::clone(&self.health), self.registry)
            .await
            .map_err(|source| ShellError::Listen { address, source })?;
        tracing::info!(address = %server.address(), "listening");

        let mut leadership = if self.args.leader_elect {
            let candidate =
                Candidate::new(self.client, &self.namespace, &self.lease, Arc::clone(&self.health));
            tokio::select! {
                leadership = candidate.lead() => Some(leadership),
                signal = signals.next() => {
                    tracing::info!(signal, "ending while standing by");
                    return Ok(());
                }
            }
        } else {
            None
        };
        self.health.becomes(Role::Leading);

        let (stop, stopped) = oneshot::channel();
        let driver = drive(Stop(stopped));
        tokio::pin!(driver);
        tokio::select! {
            biased;
            lost = lost(&mut leadership) => return Err(ShellError::Lost(lost)),
            signal = signals.next() => tracing::info!(signal, "ending: calls in flight go first"),
            () = &mut driver => return Err(ShellError::DriverEnded),
        }

        self.health.becomes(Role::Stopping);
        drop(stop);
        tokio::select! {
            biased;
            lost = lost(&mut leadership) => return Err(ShellError::Lost(lost)),
            () = &mut driver => {}
            _ = signals.next() => return Err(ShellError::Interrupted),
        }
        if let Some(leadership) = leadership {
            leadership.release().await;
        }
        Ok(())
    }
}

/// Resolves when the driver should stop.
#[derive(Debug)]
pub struct Stop(oneshot::Receiver<()>);

impl Stop {
    /// Waits until the driver should stop.
    pub async fn requested(self) {
        // Never sent to, only dropped: dropped is the message.
        let _ = self.0.await;
    }
}

async fn lost(leadership: &mut Option<Leadership>) -> Lost {
    match leadership {
        Some(leadership) => leadership.lost().await,
        None => std::future::pending().await,
    }
}
