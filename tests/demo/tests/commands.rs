#![cfg(test)]
//! The README's commands about the demo, as they are typed: the demo itself, one that is kept and looked at and
//! ended, and one in a cluster that one has.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use testkit::{Cluster, ControlPlane, OPERATOR_NAMESPACE, own, wait};

/// Long enough for a first machine beside three other demos.
const BEGUN_WITHIN: Duration = Duration::from_secs(120);
const ENDED_WITHIN: Duration = Duration::from_secs(60);

/// `cargo xtask demo` and more words, with everything built. What it keeps and what it needs for a while are at
/// `place` and beside it.
fn demo(place: &Path, words: &[&str]) -> Command {
    let mut command = own::cargo();
    command.args(["xtask", "demo"]).args(words).env(own::UP_TO_DATE, "1");
    command.env("AIOPS_OPERATORS_DEMO", place).env("TMPDIR", place.parent().unwrap());
    command
}

/// Ends what was kept there, also when a test fails in between.
struct Kept<'a>(&'a Path);

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        let _ = demo(self.0, &["--stop"]).output();
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Runs it to its end; what it printed.
fn output(mut command: Command) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let printed = format!("{}{}", text(&stdout), text(&stderr));
    // For whoever reads the log of a run.
    println!("{printed}");
    (status.code(), printed)
}

/// A shell that has read the file which `--keep` wrote.
fn in_shell(place: &Path, script: &str) -> String {
    let script = format!(". '{}'/env && {script}", place.display());
    let output = Command::new("sh").args(["-ec", &script]).current_dir("/").output().unwrap();
    assert!(output.status.success(), "{script}: {}", text(&output.stderr));
    text(&output.stdout).trim().to_owned()
}

/// The processes whose environment names the place: those of the demo, and what they started.
fn processes_of(place: &Path) -> Vec<String> {
    let place = place.to_str().unwrap();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        if String::from_utf8_lossy(&environment).contains(place) {
            let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push(String::from_utf8_lossy(&command).replace('\0', " "));
        }
    }
    found
}

/// No process and no file is left, at the latest when the demo's watchdog has followed it.
async fn nothing_is_left(place: &Path) {
    let scratch = place.parent().unwrap();
    wait::until("processes and files to go", ENDED_WITHIN, async || {
        let files: Vec<_> = fs::read_dir(scratch)?.flatten().map(|entry| entry.path()).collect();
        let processes = processes_of(place);
        anyhow::ensure!(files.is_empty() && processes.is_empty(), "{files:?} {processes:?}");
        Ok(Some(()))
    })
    .await
    .unwrap();
}

/// `GET /_sim/PATH` of the stand-in, as curl would.
fn admin(endpoint: &str, path: &str) -> serde_json::Value {
    let address = endpoint.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    write!(connection, "GET /_sim/{path} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

/// What a cluster has of the kinds that a demo brings, by kind, namespace and name.
fn content(cluster: &Cluster) -> BTreeSet<String> {
    let kinds = "crd,clusterroles,clusterrolebindings,serviceaccounts,roles,rolebindings,leases,secrets";
    let line = r#"{range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name}{"\n"}{end}"#;
    let output = format!("--output=jsonpath={line}");
    let lines = cluster.kubectl_stdout(["get", kinds, "--all-namespaces", &output]).unwrap();
    // Those of the API server itself come when it finds the time.
    lines.lines().filter(|line| line.contains("spot")).map(str::to_owned).collect()
}

/// The namespaces that are not about to go; nobody deletes them on an API server alone.
fn namespaces(cluster: &Cluster) -> BTreeSet<String> {
    let line = r#"{range .items[?(@.status.phase=="Active")]}{.metadata.name}{"\n"}{end}"#;
    let lines = cluster.kubectl_stdout(["get", "namespaces", &format!("--output=jsonpath={line}")]).unwrap();
    lines.lines().filter(|name| name.starts_with("spotpool")).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_step_of_the_demo_holds() {
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().join("demo");
    let (code, printed) = output(demo(&place, &[]));
    assert_eq!(code, Some(0));
    assert!(printed.contains("every step held"));
    nothing_is_left(&place).await;
}

#[tokio::test]
async fn a_demo_that_is_kept_can_be_looked_at_and_ended() {
    let scratch = tempfile::tempdir().unwrap();
    // A place that a shell would take apart.
    let place = scratch.path().join("the demo $HOME");
    let _kept = Kept(&place);
    let (code, _) = output(demo(&place, &["--keep"]));
    assert_eq!(code, Some(0));

    let waited = "kubectl wait --for=condition=Ready spotpool/spotpool-sample --timeout=5s";
    assert_eq!(in_shell(&place, waited), "spotpool.demo.aiops.org/spotpool-sample condition met");
    let ready = "kubectl get sp spotpool-sample --output=jsonpath='{.status.readySize}/{.spec.minimum}'";
    assert_eq!(in_shell(&place, ready), "2/2");
    let first_on_path = in_shell(&place, "command -v kubectl");
    assert_eq!(Path::new(&first_on_path), servers::kubectl().unwrap());
    assert_eq!(in_shell(&place, "echo $CVM_SECRET_ID:$CVM_SECRET_KEY"), "xxx:xxx");
    let endpoint = in_shell(&place, "echo $CVM_ENDPOINT");
    let machines: serde_json::Value = admin(&endpoint, "instances");
    let ours = machines.as_array().unwrap().iter().filter(|machine| machine["foreign"] == false);
    assert_eq!(ours.filter(|machine| machine["state"] == "RUNNING").count(), 2, "{machines}");

    // Its operator works: another demo must not start one beside it.
    let kubeconfig = in_shell(&place, "echo \"$KUBECONFIG\"");
    let before = in_shell(&place, "kubectl get namespaces,crd --output=name");
    let (code, printed) =
        output(demo(&scratch.path().join("another"), &["--keep", "--kubeconfig", &kubeconfig]));
    assert_eq!(code, Some(1));
    assert!(printed.contains("an operator works in this cluster already"));
    assert_eq!(in_shell(&place, "kubectl get namespaces,crd --output=name"), before);

    assert!(processes_of(&place).len() >= 4, "{:?}", processes_of(&place));
    let (code, printed) = output(demo(&place, &["--stop"]));
    assert_eq!(code, Some(0));
    for name in ["spotpool-operator", "sim", "kube-apiserver", "etcd"] {
        assert!(printed.contains(&format!("{name} ended\n")), "{name}");
    }
    nothing_is_left(&place).await;
    let (code, printed) = output(demo(&place, &["--stop"]));
    assert_eq!((code, printed.as_str()), (Some(0), "no demo is running\n"));
}

#[tokio::test]
async fn a_demo_that_is_kept_in_a_cluster_that_one_has_leaves_it_as_it_was_when_stopped() {
    let control_plane = ControlPlane::start().await.unwrap();
    let cluster = control_plane.cluster();
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().join("demo");
    let before = (content(cluster), namespaces(cluster));
    assert_eq!(before, Default::default());

    let kubeconfig = cluster.kubeconfig().to_str().unwrap();
    let _kept = Kept(&place);
    let (code, printed) = output(demo(&place, &["--keep", "--kubeconfig", kubeconfig]));
    assert_eq!(code, Some(0));
    assert!(printed.contains("every step held"));
    assert_eq!(in_shell(&place, "realpath \"$KUBECONFIG\""), kubeconfig);
    let namespace = namespaces(cluster).into_iter().find(|name| name.starts_with("spotpool-demo-")).unwrap();
    let sizes = "--output=jsonpath='{.items[*].metadata.name} {.items[*].status.readySize}'";
    let get = format!("kubectl --namespace {namespace} get spotpools {sizes}");
    assert_eq!(in_shell(&place, &get), "spotpool-sample 2");

    let (code, _) = output(demo(&place, &["--stop"]));
    assert_eq!(code, Some(0));
    assert_eq!((content(cluster), namespaces(cluster)), before);
    nothing_is_left(&place).await;
}

#[tokio::test]
async fn a_demo_that_fails_or_is_interrupted_takes_out_what_it_made_and_nothing_else() {
    let control_plane = ControlPlane::start().await.unwrap();
    let cluster = control_plane.cluster();
    cluster.install_crds().unwrap();
    for file in ["0-namespace.yaml", "2-cluster-role.yaml"] {
        let file = own::root().join("deploy/rbac").join(file);
        cluster.kubectl_stdout(["apply", "--filename", file.to_str().unwrap()]).unwrap();
    }
    let versions = || {
        let version = "--output=jsonpath={.metadata.resourceVersion} {.metadata.generation}";
        let of = |kind: &str, name: &str| cluster.kubectl_stdout(["get", kind, name, version]).unwrap();
        [of("namespace", OPERATOR_NAMESPACE), of("clusterrole", "spotpool-operator")]
    };
    let before = (content(cluster), namespaces(cluster), versions());
    assert_eq!(before.0.len(), 3, "{before:?}");

    let scratch = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let place = scratch.path().join("demo");
    let as_guest = ["--kubeconfig", cluster.kubeconfig().to_str().unwrap()];

    // The Lease of an operator that was killed, and one that does not start.
    let lease = elsewhere.path().join("lease.json");
    let text = r#"{"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "spotpool-operator", "namespace": "spotpool-system"},
        "spec": {"holderIdentity": "killed", "leaseDurationSeconds": 2}}"#;
    fs::write(&lease, text).unwrap();
    cluster.kubectl_stdout(["create", "--filename", lease.to_str().unwrap()]).unwrap();
    let with_lease = content(cluster);
    let mut failing = demo(&place, &[&["--keep"], &as_guest[..]].concat());
    failing.env("SPOTPOOL_SWEEP_INTERVAL", "never");
    let (code, printed) = output(failing);
    assert_eq!(code, Some(1));
    assert!(printed.contains("nobody has renewed the Lease") && printed.contains("the cluster is as it was"));
    assert!(printed.contains("spotpool-operator ended"), "the error is told");
    assert_eq!(
        (content(cluster), namespaces(cluster), versions()),
        (with_lease, before.1.clone(), before.2.clone())
    );
    cluster.kubectl_stdout(["delete", "--filename", lease.to_str().unwrap()]).unwrap();

    let log = elsewhere.path().join("log");
    let mut child = demo(&place, &as_guest);
    let mut child = child.stdout(File::create(&log).unwrap()).spawn().unwrap();
    let said = wait::until("a first machine", BEGUN_WITHIN, async || {
        anyhow::ensure!(child.try_wait()?.is_none(), "it ended: {}", fs::read_to_string(&log)?);
        Ok(fs::read_to_string(&log)?.contains("launched as").then_some(()))
    });
    said.await.unwrap();
    let during = content(cluster);
    assert!(during.iter().any(|line| line.ends_with("/tencent-credentials")), "{during:?}");
    assert!(during.contains("Lease/spotpool-system/spotpool-operator"), "{during:?}");

    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let status = wait::until("its end", ENDED_WITHIN, async || Ok(child.try_wait()?)).await.unwrap();
    let printed = fs::read_to_string(&log).unwrap();
    assert_eq!(status.code(), Some(130), "{printed}");
    assert!(printed.contains("interrupted") && printed.contains("the cluster is as it was"), "{printed}");
    assert_eq!((content(cluster), namespaces(cluster), versions()), before);
    for kind in ["spotpools", "spotinstances"] {
        assert_eq!(cluster.kubectl_stdout(["get", kind, "--all-namespaces", "--output=name"]).unwrap(), "");
    }
    nothing_is_left(&place).await;
}
