//! `cargo xtask gen-crds`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use servers::own;

const LONG: &str = "\
Write deploy/crds, deploy/rbac and docs/metrics.md from the operator's own types.

The schema, the CEL rules, the columns, the operator's ClusterRole and its metrics are written once, in Rust; these
files are what users apply and read. CI runs `gen-crds --check`, which writes nothing and fails when a file differs.
Either way it fails when a condition's reason has no page in docs/runbooks (or a page no reason), and when a query
in deploy/grafana or deploy/prometheus asks for a metric that does not exist, or when what deploy/ ships for scraping
does not lead to the pods' metrics.";

/// Write deploy/crds, deploy/rbac and docs/metrics.md from the operator's own types
#[derive(clap::Args)]
#[command(long_about = LONG)]
pub(crate) struct Arguments {
    /// Write nothing; fail when a file differs from what would be written
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    Ok(if generate(arguments.check)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether all files are as they should be. A program of its own, because it compiles Kubernetes' types.
pub(crate) fn generate(check: bool) -> Result<bool> {
    let mut command = own::cargo();
    command.args(["run", "--quiet", "--package", "spotpool-operator", "--example", "gen-manifests", "--"]);
    if check {
        command.arg("--check");
    }
    Ok(command.status().context("starting cargo")?.success())
}
