//! Kubeconfig files, one per identity.

use std::path::Path;

use anyhow::{Context, Result};
use kube::config::Kubeconfig;
use serde_json::{Value, json};

use crate::certificates::write_private;

/// How to reach a server: the `cluster` part of a kubeconfig.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint(Value);

impl Endpoint {
    /// A server whose certificate is signed by the authority in the file.
    pub(crate) fn new(server: &str, authority: &Path) -> Self {
        Self(json!({"server": server, "certificate-authority": authority}))
    }

    /// The server of the current context of an existing file.
    pub(crate) fn of(kubeconfig: &Path) -> Result<Self> {
        let what = || format!("reading {}", kubeconfig.display());
        let config = Kubeconfig::read_from(kubeconfig).with_context(what)?;
        let current = config.current_context.as_deref().context("no current-context").with_context(what)?;
        let context = config.contexts.iter().find(|context| context.name == current);
        let name = context
            .and_then(|context| context.context.as_ref())
            .map(|context| &context.cluster)
            .with_context(|| format!("no context `{current}`"))
            .with_context(what)?;
        let cluster = config.clusters.iter().find(|cluster| &cluster.name == name);
        let cluster = cluster
            .and_then(|cluster| cluster.cluster.as_ref())
            .with_context(|| format!("no cluster `{name}`"))
            .with_context(what)?;
        Ok(Self(serde_json::to_value(cluster).with_context(what)?))
    }
}

/// Writes a kubeconfig with a bearer token, readable by its owner only. What runs under it is at home in
/// `namespace`, as in a pod.
pub(crate) fn write(
    path: &Path,
    endpoint: &Endpoint,
    namespace: &str,
    user: &str,
    token: &str,
) -> Result<()> {
    let Endpoint(cluster) = endpoint;
    // A kubeconfig is YAML, of which JSON is a part.
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": cluster}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": user, "context": {"cluster": "cluster", "user": user, "namespace": namespace}}],
        "current-context": user,
    });
    write_private(path, &serde_json::to_string_pretty(&config).context("writing a kubeconfig")?)
}
