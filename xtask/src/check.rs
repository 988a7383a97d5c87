//! `cargo xtask check`: the house rules, as code.

mod directions;
mod files;
mod links;
mod manifests;
pub(crate) mod metadata;

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use servers::own;

use crate::gen_crds;
use crate::test::Count;
use metadata::Workspace;

const LONG: &str = "\
Check what the compiler does not: the rules that keep this repository the way it is.

  files        a source file has at most 500 lines; no module is a drawer for everything; no path of one
               machine; no test is switched off, nothing is left for later
  manifests    versions stand in the root manifest only, every package takes the workspace's lints, what is
               not a library is not published
  directions   who may depend on whom (ARCHITECTURE.md); the libraries know nothing of Kubernetes
  documents    what must exist does, a README and a CHANGELOG per crate, and links between files lead
               somewhere
  generated    deploy/crds, deploy/rbac and docs/metrics.md are what the operator's types say (`cargo xtask
               gen-crds`); each reason of a condition has its runbook, and the queries of deploy/grafana and
               deploy/prometheus ask for metrics that exist; each alert has a test (run where promtool is);
               what deploy/ ships for scraping leads to the pods' metrics

Each broken rule is one line with the place and what to do.";

/// Check the house rules: files, manifests, dependency directions, generated files
#[derive(clap::Args)]
#[command(long_about = LONG)]
pub(crate) struct Arguments {}

/// A broken rule: where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    place: String,
    what: String,
}

impl Broken {
    fn at(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

/// A tracked file of the checkout, with its path from the root.
pub(crate) struct File {
    path: String,
    text: String,
}

pub(crate) fn run(_: &Arguments) -> Result<ExitCode> {
    let count = count()?;
    println!("{} rules hold, {} are broken", count.passed, count.failed);
    Ok(if count.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks every rule and prints what is broken.
pub(crate) fn count() -> Result<Count> {
    let files = tracked_files()?;
    let workspace = Workspace::load()?;
    let groups: [(&str, Vec<Broken>); 4] = [
        ("files", files::check(&files)),
        ("manifests", manifests::check(&files)),
        ("directions", directions::check(&workspace)),
        ("documents", links::check(&files)),
    ];
    let mut count = Count::default();
    for (group, broken) in &groups {
        for Broken { place, what } in broken {
            println!("{group}: {place}: {what}");
        }
        count.add(Count::of_one(broken.is_empty()));
    }
    count.add(Count::of_one(gen_crds::generate(true)?));
    Ok(count)
}

/// All text files that git tracks or would track.
fn tracked_files() -> Result<Vec<File>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(own::root())
        .output()
        .context("starting git")?;
    if !listed.status.success() {
        bail!("git cannot list the files: {}", String::from_utf8_lossy(&listed.stderr).trim());
    }
    let names = String::from_utf8(listed.stdout).context("a file name is not UTF-8")?;
    let mut files = Vec::new();
    for path in names.split('\0').filter(|path| !path.is_empty()) {
        // Deleted but not yet committed, or not text: neither has rules.
        if let Ok(text) = std::fs::read_to_string(own::root().join(path)) {
            files.push(File { path: path.to_owned(), text });
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files.dedup_by(|one, other| one.path == other.path);
    Ok(files)
}
