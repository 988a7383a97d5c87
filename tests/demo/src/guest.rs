//! A cluster that one has: what the demo finds in it, puts into it, and takes out again.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use testkit::{Cluster, OPERATOR_ACCOUNT, OPERATOR_NAMESPACE, own};

use crate::stage::version;
use crate::timeline::Timeline;

/// What the operator needs in a cluster, in the order in which it is applied.
const MANIFESTS: [&str; 2] = ["deploy/crds", "deploy/rbac"];
/// How long a Lease is watched that asks for longer, or does not say.
const LEASE_WATCHED: Duration = Duration::from_secs(15);
/// A namespace that is being deleted takes some seconds.
const TERMINATING_WITHIN: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);

/// The demo as a guest. What it finds stays as it is; what it makes is written down before it is made, so that it can
/// be taken out however the demo ends.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Guest {
    kubeconfig: PathBuf,
    /// Where the demo plays: a namespace of its own.
    pub(crate) namespace: String,
    /// The manifests that the cluster had not, in the order in which they are applied.
    made: Vec<PathBuf>,
    /// Whether the operator's Lease is ours to remove.
    makes_lease: bool,
}

impl Guest {
    /// Looks whether the demo can play in the current context of `kubeconfig`, and changes nothing.
    pub(crate) async fn look(timeline: &Timeline, kubeconfig: &Path, directory: &Path) -> Result<Self> {
        let kubeconfig = kubeconfig.canonicalize().context("the kubeconfig")?;
        let millis = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
        let namespace = format!("spotpool-demo-{:08x}", millis & 0xffff_ffff);
        let mut guest = Self { kubeconfig, namespace, made: Vec::new(), makes_lease: false };
        let cluster = guest.cluster(directory)?;
        let version = version(&cluster)?;
        timeline.say(&format!("using the Kubernetes {version} of {}", guest.kubeconfig.display()));
        let lease = lease(&cluster)?;
        guest.makes_lease = lease.is_none();
        if let Some(lease) = lease {
            nobody_works(timeline, &cluster, &lease).await?;
        }
        is_there_to_stay(&cluster).await?;
        for manifest in manifests()? {
            let file = manifest.to_string_lossy();
            let found = ["get", "--ignore-not-found", "--output=name", "--filename", &file];
            if cluster.kubectl_stdout(found)?.trim().is_empty() {
                guest.made.push(manifest);
            } else {
                timeline.say(&format!("  it has what is in {} and keeps it", below_root(&manifest)));
            }
        }
        if !guest.made.iter().any(|manifest| manifest.ends_with("spotpools.yaml")) {
            let pools = cluster.kubectl_stdout(["get", "spotpools", "--all-namespaces", "--output=name"])?;
            ensure!(
                pools.trim().is_empty(),
                "this cluster has SpotPools already, which the demo must not touch: use another cluster"
            );
        }
        Ok(guest)
    }

    /// The cluster; further kubeconfigs go to `directory`.
    pub(crate) fn cluster(&self, directory: &Path) -> Result<Cluster> {
        Ok(Cluster::new(self.kubeconfig.clone(), servers::kubectl()?, directory.to_owned()))
    }

    /// Puts in what is missing; returns a kubeconfig of the operator's ServiceAccount.
    pub(crate) async fn enter(&self, cluster: &Cluster) -> Result<PathBuf> {
        cluster.kubectl_stdout(["create", "namespace", &self.namespace])?;
        for manifest in &self.made {
            let file = manifest.to_string_lossy();
            cluster.kubectl_stdout(["apply", "--server-side", "--filename", &file])?;
        }
        let crds = own::root().join(MANIFESTS[0]);
        let crds = crds.to_string_lossy();
        cluster.kubectl_stdout([
            "wait",
            "--for=condition=Established",
            "--timeout=30s",
            "--filename",
            &crds,
        ])?;
        cluster.service_account(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT).await
    }

    /// Takes out everything that the demo has put in, as much of it as there is. The operator must have ended: it
    /// would put the finalizers on again.
    pub(crate) fn leave(&self, cluster: &Cluster) -> Result<()> {
        let namespace = self.namespace.as_str();
        let mut failed = Vec::new();
        let mut kubectl = |arguments: &[&str]| {
            cluster.kubectl_stdout(arguments).map_err(|error| failed.push(format!("{error:#}"))).ok()
        };
        for kind in ["spotpools", "spotinstances", "secrets"] {
            // The CRDs may not have got there.
            let found = ["--namespace", namespace, "get", kind, "--output=name"];
            if cluster.kubectl_stdout(found).is_ok_and(|names| !names.trim().is_empty()) {
                kubectl(&["--namespace", namespace, "delete", kind, "--all", "--wait=false"]);
                // Only the operator takes these off, when the machines are gone. Here they were the stand-in's, and
                // are gone with it.
                let held = kubectl(&found).unwrap_or_default();
                for name in held.lines() {
                    let free = r#"{"metadata":{"finalizers":null}}"#;
                    kubectl(&["--namespace", namespace, "patch", name, "--type=merge", "--patch", free]);
                }
            }
        }
        // Who deletes the content of a namespace takes its time; nothing depends on it.
        kubectl(&["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]);
        if self.makes_lease {
            let lease = ["delete", "lease", OPERATOR_ACCOUNT, "--ignore-not-found"];
            kubectl(&[&["--namespace", OPERATOR_NAMESPACE], &lease[..]].concat());
        }
        for manifest in self.made.iter().rev() {
            let file = manifest.to_string_lossy();
            let wait = format!("--wait={}", !file.ends_with("namespace.yaml"));
            kubectl(&["delete", "--ignore-not-found", &wait, "--timeout=30s", "--filename", &file]);
        }
        ensure!(failed.is_empty(), "something of the demo is left in the cluster: {}", failed.join("; "));
        Ok(())
    }
}

/// Each manifest that the operator needs, one object per file.
fn manifests() -> Result<Vec<PathBuf>> {
    let mut manifests = Vec::new();
    for folder in MANIFESTS {
        let folder = own::root().join(folder);
        let what = || format!("reading {}", folder.display());
        let mut files = Vec::new();
        for entry in folder.read_dir().with_context(what)? {
            files.push(entry.with_context(what)?.path());
        }
        files.sort();
        manifests.extend(files);
    }
    Ok(manifests)
}

fn below_root(path: &Path) -> String {
    path.strip_prefix(own::root()).unwrap_or(path).display().to_string()
}

fn lease(cluster: &Cluster) -> Result<Option<Value>> {
    let get = ["get", "lease", OPERATOR_ACCOUNT, "--ignore-not-found", "--output=json"];
    let text = cluster.kubectl_stdout([&["--namespace", OPERATOR_NAMESPACE], &get[..]].concat())?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    serde_json::from_str(&text).context("reading the operator's Lease")
}

/// Refuses when somebody holds the Lease and renews it: two operators would look after the demo's pools, and the other
/// one takes its keys to the real cloud. Whether it is renewed is seen by its moving, since clocks may differ.
async fn nobody_works(timeline: &Timeline, cluster: &Cluster, first: &Value) -> Result<()> {
    let holder = first["spec"]["holderIdentity"].as_str().unwrap_or_default();
    if holder.is_empty() {
        return Ok(());
    }
    let asked = Duration::from_secs(first["spec"]["leaseDurationSeconds"].as_u64().unwrap_or(u64::MAX));
    let within = asked.min(LEASE_WATCHED);
    timeline
        .say(&format!("  {holder} holds the operator's Lease; looking for {within:?} whether it is alive"));
    let started = Instant::now();
    while started.elapsed() < within {
        tokio::time::sleep(PAUSE).await;
        let moved = lease(cluster)?.is_some_and(|lease| {
            lease["metadata"]["resourceVersion"] != first["metadata"]["resourceVersion"]
        });
        if moved {
            bail!(
                "an operator works in this cluster already: {holder} holds the Lease \
                 {OPERATOR_NAMESPACE}/{OPERATOR_ACCOUNT} and renews it; stop it first, or use another cluster"
            );
        }
    }
    timeline.say("  it is not: nobody has renewed the Lease");
    Ok(())
}

/// Waits for what an earlier demo may have left to be deleted: it would vanish while this one uses it.
async fn is_there_to_stay(cluster: &Cluster) -> Result<()> {
    let get =
        ["get", "namespace", OPERATOR_NAMESPACE, "--ignore-not-found", "--output=jsonpath={.status.phase}"];
    let started = Instant::now();
    while cluster.kubectl_stdout(get)?.trim() == "Terminating" {
        ensure!(
            started.elapsed() < TERMINATING_WITHIN,
            "namespace {OPERATOR_NAMESPACE} of this cluster has been in deletion for more than \
             {TERMINATING_WITHIN:?}: finish that first, or use another cluster"
        );
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
