//! The client of the API server, without the surprises of the default one.

use std::time::Duration;

use kube::{Client, Config};

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Neither a kubeconfig nor a ServiceAccount could be used.
    // What it says includes its causes: as a source they would be told again.
    #[error(
        "find out where the API server is (KUBECONFIG, ~/.kube/config, or the pod's ServiceAccount): {0}"
    )]
    Config(kube::config::InferConfigError),
    /// The configuration does not make a client.
    #[error("make a client for the API server")]
    Client(#[source] kube::Error),
}

/// A client from the usual places: `KUBECONFIG`, `~/.kube/config`, the pod's ServiceAccount.
///
/// Retries inside the client are off: by default it repeats a call up to 15 times over minutes, and a
/// caller that has given up would still have its write arrive later. Callers set a deadline per call and
/// decide for themselves.
///
/// # Errors
/// When none of the places has a usable configuration.
pub async fn infer() -> Result<Client, ClientError> {
    let mut config = Config::infer().await.map_err(ClientError::Config)?;
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(5));
    Client::try_from(config).map_err(ClientError::Client)
}
