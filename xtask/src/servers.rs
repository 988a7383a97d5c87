//! `cargo xtask servers`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

const LONG: &str = "\
Find or build kube-apiserver, kubectl, etcd and Loki for the tests and the demo.

The first three come, in this order, from

  1. the directory that KUBEBUILDER_ASSETS names,
  2. PATH, when it has all three and the API server is 1.31 or later,
  3. a cache outside the checkout, $XDG_CACHE_HOME/aiops-operators/servers (by default below
     ~/.cache), into which they are built with Go 1.26 from tests/servers/*/go.mod.

Loki comes from that cache. The first build takes about 5 minutes on two cores and 190 MB in the
cache, and as long and 160 MB again for Loki; Go's own caches take some 5 GB (`go env GOCACHE
GOMODCACHE`). Later runs are instant. `demo` and `test` build by themselves what they need.";

/// Find or build kube-apiserver, kubectl, etcd and Loki for the tests and the demo
#[derive(clap::Args)]
#[command(long_about = LONG)]
pub(crate) struct Arguments {
    /// Print only `name=path`, one line each, for use in a script
    #[arg(long)]
    print: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    ::servers::obtainable(true, true)?;
    let servers = ensure()?;
    let loki = ensure_loki()?;
    if !arguments.print {
        println!("{}:", servers.origin);
    }
    for (name, path) in servers.programs().into_iter().chain([("loki", &loki)]) {
        if arguments.print {
            println!("{name}={}", path.display());
        } else {
            println!("  {name:<15} {}", path.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Finds or builds those of Kubernetes, with progress on standard error.
pub(crate) fn ensure() -> Result<servers::Servers> {
    servers::ensure(&mut |line| eprintln!("{line}"))
}

/// Finds or builds Loki, with progress on standard error.
pub(crate) fn ensure_loki() -> Result<PathBuf> {
    servers::loki::ensure(&mut |line| eprintln!("{line}"))
}
