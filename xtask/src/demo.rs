//! `cargo xtask demo`: gets everything it needs, then becomes the demo.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use servers::own;

use crate::servers::ensure;

const LONG: &str = "\
Show the product doing its main job, on a real Kubernetes API server.

Starts kube-apiserver and etcd, a stand-in for Tencent's CVM that checks every signature, and the shipped
operator under its own role. Then it lives through a bad week in less than 3 minutes: a pool is filled, a
machine vanishes and is replaced, a stranger's machine in the same account is left alone, a lost answer is
adopted, a sold-out candidate is passed over, a pool is scaled by kubectl, its key rotated, a sick machine
replaced, two pools are deleted and leave nothing behind. Each step is checked against the cloud's own
ledger; the exit code is 1 when one fails, and 130 after Ctrl-C.

The first run builds the servers with Go (about 5 minutes) and the operator (about 3 minutes). Later runs
start in seconds. Everything listens on loopback, and everything is gone at the end unless --keep is given.

With --kubeconfig it plays in a namespace of its own. CRDs and roles that the cluster has stay as they are;
what it had not is taken out again at the end, after Ctrl-C and after an error. It refuses a cluster that
has SpotPools, or an operator at work.

  cargo xtask demo --keep && . target/demo/env && kubectl get sp,si
  cargo xtask demo --stop";

/// Show the product doing its main job, on a real Kubernetes API server
#[derive(clap::Args)]
#[command(long_about = LONG)]
pub(crate) struct Arguments {
    /// Leave the sample pool Ready and everything running, and write target/demo/env
    #[arg(long)]
    keep: bool,

    /// End what --keep left running
    #[arg(long, conflicts_with_all = ["keep", "kubeconfig"])]
    stop: bool,

    /// Use this cluster's current context instead of starting an API server. What it lacks of the CRDs and
    /// the role is applied to it, and removed at the end unless --keep is given
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let error = command(arguments)?.exec();
    Err(error).context("starting the demo")
}

/// The demo, with all it needs in place.
fn command(arguments: &Arguments) -> Result<Command> {
    if let Some(file) = arguments.kubeconfig.as_ref().filter(|file| !file.exists()) {
        bail!("--kubeconfig {}: there is no such file", file.display());
    }
    if !arguments.stop {
        if arguments.kubeconfig.is_none() || servers::kubectl().is_err() {
            ensure()?;
        }
        build_own()?;
    }
    let status = own::cargo()
        .args(["build", "--quiet", "--package", "demo", "--bin", "demo"])
        .status()
        .context("starting cargo")?;
    if !status.success() {
        bail!("the demo does not build");
    }
    let mut command = Command::new(own::target().join("debug").join("demo"));
    command.env(own::UP_TO_DATE, "1");
    servers::proxy::not_for_loopback(&mut command);
    if arguments.keep {
        command.arg("--keep");
    }
    if arguments.stop {
        command.arg("--stop");
    }
    if let Some(kubeconfig) = &arguments.kubeconfig {
        command.arg("--kubeconfig").arg(kubeconfig);
    }
    Ok(command)
}

/// Builds the operator and the stand-in, each alone.
pub(crate) fn build_own() -> Result<()> {
    eprintln!("building the operator and the stand-in; the first time it takes about 3 minutes on two cores");
    own::build(own::SIM)?;
    own::build(own::OPERATOR)?;
    Ok(())
}
