//! Everything that the story needs, running: a cluster, the stand-in with a stranger's machine in it, the
//! CRDs, the role, and the operator under that role.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use kube::Api;
use serde::{Deserialize, Serialize};
use spotpool_operator::crd::{SpotInstance, SpotPool};
use testkit::{Canaries, Cluster, Collector, ControlPlane, OPERATOR_NAMESPACE, Operator, SimCvm, own};
use tokio::task::JoinHandle;

use crate::timeline::Timeline;

/// The key pair that the samples carry; the stand-in accepts this and no other.
pub(crate) const CREDENTIAL: (&str, &str) = ("xxx", "xxx");
/// Another key pair of the same account, for the pool whose key is in a Secret: so rare a word that where its secret
/// half shows, it was leaked.
const PLANTED: (&str, &str) = ("AKIDFAKEPLANTED", "canarySecretKeyOfTheDemoEXAMPLE0001");
/// The one that it is rotated to, just as rare.
pub(crate) const ROTATED: (&str, &str) = ("AKIDFAKEROTATED", "canarySecretKeyOfTheDemoEXAMPLE0002");
/// Where the demo plays in a cluster that is not its own.
const NAMESPACE: &str = "spotpool-demo";
/// Long enough for a machine to be terminated and proven gone.
const GONE_WITHIN: &str = "--timeout=240s";

/// What the demo has put into a cluster that outlives it, and takes out again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Guest {
    pub(crate) kubeconfig: PathBuf,
    /// Whether the CRDs and the role are ours to remove.
    installed: bool,
}

/// The stage.
pub(crate) struct Stage {
    pub(crate) cluster: Cluster,
    pub(crate) namespace: String,
    pub(crate) sim: Arc<SimCvm>,
    /// The machine of somebody else in the same account.
    pub(crate) stranger: String,
    pub(crate) guest: Option<Guest>,
    operator: Operator,
    collector: Collector,
    control_plane: Option<ControlPlane>,
    follower: JoinHandle<()>,
    timeline: Timeline,
    directory: PathBuf,
}

impl Stage {
    /// Sets everything up. What is kept in `directory` are logs, keys and kubeconfigs.
    pub(crate) async fn set(
        timeline: &Timeline,
        directory: &Path,
        kubeconfig: Option<&Path>,
        keep: bool,
    ) -> Result<Self> {
        let (cluster, control_plane, guest) = match kubeconfig {
            None => {
                let control_plane = ControlPlane::start_in(&directory.join("control-plane"), keep).await?;
                let cluster = control_plane.cluster().clone();
                timeline
                    .say(&format!("Kubernetes {} is up: etcd, kube-apiserver, RBAC on", version(&cluster)?));
                (cluster, Some(control_plane), None)
            }
            Some(kubeconfig) => {
                let kubeconfig = kubeconfig.canonicalize().context("the kubeconfig")?;
                let cluster = Cluster::new(kubeconfig.clone(), servers::kubectl()?, directory.to_owned());
                timeline.say(&format!(
                    "using the Kubernetes {} of {}",
                    version(&cluster)?,
                    kubeconfig.display()
                ));
                let installed = prepare_guest(&cluster)?;
                (cluster, None, Some(Guest { kubeconfig, installed }))
            }
        };
        let namespace = if guest.is_some() { NAMESPACE } else { "default" }.to_owned();

        let planted = format!("{}:{}", PLANTED.0, PLANTED.1);
        let sim = SimCvm::start_in_session(directory, CREDENTIAL, &["--credential", &planted], keep).await?;
        timeline.say(&format!(
            "a stand-in for the cloud answers at {}, and checks every signature",
            sim.endpoint()
        ));
        let stranger = sim.add_stranger("somebody-elses-database").await?;
        timeline.say(&format!("  {stranger} runs in the same account and belongs to somebody else"));

        cluster.install_crds()?;
        let operator_kubeconfig = cluster.install_operator_role().await?;
        timeline.say("CRDs and role applied: deploy/crds, deploy/rbac");
        let mut arguments = Vec::new();
        if guest.is_some() {
            arguments.extend(["--namespace", NAMESPACE]);
        }
        let log = directory.join("operator.log");
        let collector = Collector::start()?;
        let traces = collector.endpoint();
        // What lives on after this program keeps its log short and has no collector.
        let environment = [("RUST_LOG", "trace"), ("SPOTPOOL_OTLP_ENDPOINT", traces.as_str())];
        let environment = if keep { &[][..] } else { &environment[..] };
        let (kubeconfig, endpoint) = (&operator_kubeconfig, sim.endpoint());
        let operator = Operator::start_in(kubeconfig, endpoint, &log, &arguments, environment, keep).await?;
        timeline.say("spotpool-operator is ready: the shipped binary, as its own ServiceAccount");

        let sim = Arc::new(sim);
        let follower = timeline.follow(Arc::clone(&sim));
        Ok(Self {
            cluster,
            namespace,
            sim,
            stranger,
            guest,
            operator,
            collector,
            control_plane,
            follower,
            timeline: timeline.clone(),
            directory: directory.to_owned(),
        })
    }

    pub(crate) async fn pools(&self) -> Result<Api<SpotPool>> {
        Ok(Api::namespaced(self.cluster.client().await?, &self.namespace))
    }

    pub(crate) async fn instances(&self) -> Result<Api<SpotInstance>> {
        Ok(Api::namespaced(self.cluster.client().await?, &self.namespace))
    }

    /// kubectl in the demo's namespace, as administrator; returns what it printed.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let arguments = [&["--namespace", self.namespace.as_str()], arguments].concat();
        self.cluster.kubectl_stdout(arguments)
    }

    /// The file of a sample.
    pub(crate) fn sample(name: &str) -> String {
        own::root().join("deploy/samples").join(name).to_string_lossy().into_owned()
    }

    /// Applies `spotpool-secret.yaml` with the planted key in its Secret.
    pub(crate) fn apply_with_planted_key(&self) -> Result<()> {
        let sample = Self::sample("spotpool-secret.yaml");
        let text = fs::read_to_string(&sample).with_context(|| format!("reading {sample}"))?;
        let text = text
            .replace("secretId: xxx", &format!("secretId: {}", PLANTED.0))
            .replace("secretKey: xxx", &format!("secretKey: {}", PLANTED.1));
        let path = self.directory.join("spotpool-secret.yaml");
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        self.kubectl(&["apply", "--filename", &path.to_string_lossy()]).map(drop)
    }

    /// The planted key pair opens nothing any more; its public half.
    pub(crate) async fn revoke_planted_key(&self) -> Result<&'static str> {
        self.sim.delete(&format!("credentials/{}", PLANTED.0)).await?;
        Ok(PLANTED.0)
    }

    /// That the planted keys show nowhere but in its Secret: not in the operator's log, not in a span, not in an
    /// object or an Event. Says how much was read.
    pub(crate) fn keeps_its_secret(&self) -> Result<String> {
        let canaries = Canaries::planted(&[PLANTED.1, ROTATED.1]);
        let log = self.operator.process.log();
        let spans = self.collector.spans()?;
        let shown = format!("{spans:?}");
        canaries.absent_from([("the operator's log", log.as_str()), ("its traces", shown.as_str())])?;
        let mut objects = 0;
        for namespace in [self.namespace.as_str(), OPERATOR_NAMESPACE] {
            let kinds = "spotpools,spotinstances,events,leases,configmaps,secrets";
            let list =
                self.cluster.kubectl_stdout(["--namespace", namespace, "get", kinds, "--output=json"])?;
            let list: serde_json::Value =
                serde_json::from_str(&list).context("reading what kubectl printed")?;
            canaries.absent_from_objects(&list)?;
            objects += list["items"].as_array().map_or(0, Vec::len);
        }
        Ok(format!("{} lines of log, {} spans, {objects} objects", log.lines().count(), spans.len()))
    }

    /// Copies the logs to where they survive; returns the folder.
    pub(crate) fn save_logs(&self) -> Result<PathBuf> {
        let folder = own::target().join("demo-logs");
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        for name in ["operator.log", "sim.log", "control-plane/kube-apiserver.log", "control-plane/etcd.log"]
        {
            let (from, to) =
                (self.directory.join(name), folder.join(name.trim_start_matches("control-plane/")));
            if from.is_file() {
                fs::copy(&from, &to).with_context(|| format!("copying {}", from.display()))?;
            }
        }
        Ok(folder)
    }

    /// Takes everything down again. A cluster of our own just ends; a foreign one is cleaned first.
    pub(crate) async fn strike(self, timeline: &Timeline) -> Result<()> {
        self.timeline.close();
        if let Some(guest) = &self.guest {
            timeline.say("removing what the demo put into the cluster");
            leave_guest(&self.cluster, guest)?;
        }
        // A panic in the follower would only have cost lines of the timeline.
        let _ = self.follower.await;
        self.operator.process.stop(Duration::from_secs(30)).await.context("stopping the operator")?;
        Ok(())
    }

    /// Lets everything live on; returns the process groups in the order in which to end them.
    pub(crate) async fn release(self) -> Result<Vec<(String, u32)>> {
        self.timeline.close();
        let _ = self.follower.await;
        let sim = Arc::into_inner(self.sim).context("the stand-in is still being asked")?;
        let mut groups = vec![("spotpool-operator".to_owned(), self.operator.release()?)];
        groups.push(("sim".to_owned(), sim.release()?));
        if let Some(control_plane) = self.control_plane {
            let [api_server, etcd] = control_plane.release()?;
            groups.push(("kube-apiserver".to_owned(), api_server));
            groups.push(("etcd".to_owned(), etcd));
        }
        Ok(groups)
    }
}

/// The server's version; also proves that it can be reached.
fn version(cluster: &Cluster) -> Result<String> {
    let versions = cluster.kubectl_stdout(["version", "--output=json"]).context("reaching the cluster")?;
    let versions: serde_json::Value = serde_json::from_str(&versions).context("reading kubectl version")?;
    Ok(versions["serverVersion"]["gitVersion"].as_str().unwrap_or("of unknown version").to_owned())
}

/// Makes the demo's namespace. Says whether the CRDs will be ours to remove: with them go all SpotPools.
fn prepare_guest(cluster: &Cluster) -> Result<bool> {
    let known = cluster.kubectl_stdout(["get", "crd", "--output=name"])?;
    let installed = !known.contains("spotpools.demo.aiops.org");
    if !installed {
        let pools = cluster.kubectl_stdout(["get", "spotpools", "--all-namespaces", "--output=name"])?;
        if !pools.trim().is_empty() {
            bail!("this cluster has SpotPools already, which the demo must not touch: use another cluster");
        }
    }
    let made = cluster.kubectl(["create", "namespace", NAMESPACE])?;
    let said = String::from_utf8_lossy(&made.stderr);
    if !made.status.success() && !said.contains("AlreadyExists") {
        bail!("creating namespace {NAMESPACE}: {}", said.trim());
    }
    Ok(installed)
}

/// Removes everything that the demo has put into a foreign cluster. The operator and the stand-in must
/// still run: they are what makes the pools go.
pub(crate) fn leave_guest(cluster: &Cluster, guest: &Guest) -> Result<()> {
    cluster.kubectl_stdout(["delete", "spotpools", "--all", "--namespace", NAMESPACE, GONE_WITHIN])?;
    cluster.kubectl_stdout(["delete", "namespace", NAMESPACE, "--wait=false"])?;
    if guest.installed {
        for folder in ["deploy/crds", "deploy/rbac"] {
            let folder = own::root().join(folder);
            let arguments = ["delete", "--ignore-not-found", "--wait=false", "--filename"];
            cluster.kubectl_stdout([&arguments[..], &[&folder.to_string_lossy()]].concat())?;
        }
    }
    Ok(())
}
