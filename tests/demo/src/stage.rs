//! Everything that the story needs, running: a cluster, the stand-in with a stranger's machine in it, the
//! CRDs, the role, and the operator under that role.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use kube::Api;
use spotpool_operator::crd::{SpotInstance, SpotPool};
use testkit::{Canaries, Cluster, Collector, ControlPlane, OPERATOR_NAMESPACE, Operator, SimCvm, own};
use tokio::task::JoinHandle;

use crate::guest::Guest;
use crate::timeline::Timeline;

/// The key pair that the samples carry; the stand-in accepts this and no other.
pub(crate) const CREDENTIAL: (&str, &str) = ("xxx", "xxx");
/// Another key pair of the same account, for the pool whose key is in a Secret: so rare a word that where its secret
/// half shows, it was leaked.
const PLANTED: (&str, &str) = ("AKIDFAKEPLANTED", "canarySecretKeyOfTheDemoEXAMPLE0001");
/// The one that it is rotated to, just as rare.
pub(crate) const ROTATED: (&str, &str) = ("AKIDFAKEROTATED", "canarySecretKeyOfTheDemoEXAMPLE0002");

/// The stage.
pub(crate) struct Stage {
    pub(crate) cluster: Cluster,
    pub(crate) namespace: String,
    pub(crate) sim: Arc<SimCvm>,
    /// The machine of somebody else in the same account.
    pub(crate) stranger: String,
    operator: Operator,
    collector: Collector,
    control_plane: Option<ControlPlane>,
    follower: JoinHandle<()>,
    timeline: Timeline,
    directory: PathBuf,
}

impl Stage {
    /// Sets everything up, in a cluster of its own or as a guest. What is kept in `directory` are logs, keys and
    /// kubeconfigs.
    pub(crate) async fn set(
        timeline: &Timeline,
        directory: &Path,
        guest: Option<&Guest>,
        keep: bool,
    ) -> Result<Self> {
        let (cluster, control_plane) = match guest {
            None => {
                let control_plane = ControlPlane::start_in(&directory.join("control-plane"), keep).await?;
                let cluster = control_plane.cluster().clone();
                let version = version(&cluster)?;
                timeline.say(&format!("Kubernetes {version} is up: etcd, kube-apiserver, RBAC on"));
                (cluster, Some(control_plane))
            }
            Some(guest) => (guest.cluster(directory)?, None),
        };
        let namespace = guest.map_or("default", |guest| &guest.namespace).to_owned();

        let planted = format!("{}:{}", PLANTED.0, PLANTED.1);
        let sim = SimCvm::start_in_session(directory, CREDENTIAL, &["--credential", &planted], keep).await?;
        timeline.say(&format!(
            "a stand-in for the cloud answers at {}, and checks every signature",
            sim.endpoint()
        ));
        let stranger = sim.add_stranger("somebody-elses-database").await?;
        timeline.say(&format!("  {stranger} runs in the same account and belongs to somebody else"));

        let operator_kubeconfig = match guest {
            Some(guest) => guest.enter(&cluster).await?,
            None => {
                cluster.install_crds()?;
                cluster.install_operator_role().await?
            }
        };
        timeline.say("CRDs and role applied: deploy/crds, deploy/rbac");
        let mut arguments = Vec::new();
        if guest.is_some() {
            arguments.extend(["--namespace", namespace.as_str()]);
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

    /// Takes everything down again.
    pub(crate) async fn strike(self) -> Result<()> {
        self.timeline.close();
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
pub(crate) fn version(cluster: &Cluster) -> Result<String> {
    let versions = cluster.kubectl_stdout(["version", "--output=json"]).context("reaching the cluster")?;
    let versions: serde_json::Value = serde_json::from_str(&versions).context("reading kubectl version")?;
    Ok(versions["serverVersion"]["gitVersion"].as_str().unwrap_or("of unknown version").to_owned())
}
