//! The suites, cheapest first.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use servers::own;

use super::run::{Count, counted, whole};
use crate::check::metadata::Workspace;
use crate::{check, demo, servers as real_servers, simulate, tools};

/// A part of the tests that can be run alone.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) run: fn() -> Result<Count>,
    /// Runs beside the others of which this is said, at the end: one computes, the other mostly waits.
    pub(crate) together: bool,
}

impl Suite {
    const fn new(name: &'static str, what: &'static str, run: fn() -> Result<Count>) -> Self {
        Self { name, what, run, together: false }
    }

    const fn together(self) -> Self {
        Self { together: true, ..self }
    }
}

/// These packages start real servers; they are suites of their own.
const ON_KUBERNETES: [&str; 2] = ["e2e", "testkit"];
const ON_LOKI: &str = "loki-e2e";
const DEMO: &str = "demo";
/// Enough for a change; the whole of it runs before a release.
const SEEDS: &str = "200";
/// On two cores that do nothing else they take no longer.
const SEEDS_WITHIN: Duration = Duration::from_secs(300);
/// Each guard is found within half of these (`docs/simulation.md`).
const SEEDS_PER_GUARD: &str = "100";

pub(crate) const SUITES: [Suite; 12] = [
    Suite::new("format", "cargo fmt --check", format),
    Suite::new("rules", "house rules and generated files", rules),
    Suite::new("lint", "clippy, warnings are errors", lint),
    Suite::new("unit", "unit and wire tests", unit),
    Suite::new("docs", "examples and links in the documentation", docs),
    Suite::new("dependencies", "cargo deny: bans, licences, sources", dependencies),
    Suite::new("package", "each library as it would be published", package),
    Suite::new("e2e", "on a real API server", e2e),
    Suite::new("loki", "loki-client on a real Loki", loki),
    Suite::new("conformance", "the official Python SDKs against the stand-ins", conformance),
    Suite::new("simulation", "200 seeds of faults in virtual time, and each guard switched off", simulation)
        .together(),
    Suite::new("demo", "the README's demo, kept, as a guest, and interrupted", the_demo).together(),
];

/// Looks before anything runs whether the servers of these suites can be had: a suite that cannot be run says so at
/// the start, not after half an hour.
pub(crate) fn servers_of(names: &[&str]) -> Result<()> {
    let of_kubernetes = names.iter().any(|name| ["e2e", "demo"].contains(name));
    ::servers::obtainable(of_kubernetes, names.contains(&"loki"))
}

fn format() -> Result<Count> {
    whole(own::cargo().args(["fmt", "--all", "--check"]))
}

fn rules() -> Result<Count> {
    check::count()
}

fn lint() -> Result<Count> {
    whole(
        own::cargo()
            .args(["clippy", "--workspace", "--all-targets", "--all-features", "--locked"])
            .args(["--", "--deny", "warnings"]),
    )
}

fn unit() -> Result<Count> {
    let mut command = own::cargo();
    command.args(["test", "--workspace", "--all-targets", "--all-features", "--locked"]);
    for package in ON_KUBERNETES.into_iter().chain([ON_LOKI, DEMO]) {
        command.args(["--exclude", package]);
    }
    counted(&mut command)
}

fn docs() -> Result<Count> {
    let mut count =
        counted(own::cargo().args(["test", "--workspace", "--doc", "--all-features", "--locked"]))?;
    let mut rustdoc = own::cargo();
    rustdoc.args(["doc", "--workspace", "--no-deps", "--all-features", "--locked"]);
    count.add(whole(rustdoc.env("RUSTDOCFLAGS", "--deny warnings"))?);
    Ok(count)
}

fn dependencies() -> Result<Count> {
    // Advisories are left to a job that can reach their database.
    whole(Command::new(tools::cargo_deny()?).current_dir(own::root()).args([
        "--all-features",
        "--locked",
        "check",
        "bans",
        "licenses",
        "sources",
    ]))
}

fn package() -> Result<Count> {
    let mut count = Count::default();
    for library in Workspace::load()?.published() {
        println!("packaging {library}");
        count.add(whole(own::cargo().args(["package", "--locked", "--allow-dirty", "--package", library]))?);
    }
    Ok(count)
}

fn e2e() -> Result<Count> {
    real_servers::ensure()?;
    demo::build_own()?;
    let mut command = own::cargo();
    command.args(["test", "--locked"]).env(own::UP_TO_DATE, "1");
    for package in ON_KUBERNETES {
        command.args(["--package", package]);
    }
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        // They mostly wait, for machines to boot and looks to come round: more at once than there are cores. The six of
        // `leading` come one after the other, and all but one of them only hold a place.
        command.env("RUST_TEST_THREADS", "10");
    }
    counted(&mut command)
}

fn loki() -> Result<Count> {
    real_servers::ensure_loki()?;
    counted(own::cargo().args(["test", "--locked", "--package", ON_LOKI]))
}

fn conformance() -> Result<Count> {
    let sim = own::build(own::SIM)?;
    let script = own::root().join("tests/sim/conformance/run.py");
    let run = counted(Command::new("python3").arg(script).arg("--sim").arg(sim).current_dir(own::root()));
    run.context("it needs Python 3.11 or later with venv (Debian: python3 and python3-venv)")
}

fn simulation() -> Result<Count> {
    let program = simulate::build()?;
    let begun = Instant::now();
    let mut count = whole(niced(&program).args(["--seeds", SEEDS])).context("200 seeds")?;
    // Said and not demanded: beside a demo, on a busy machine, they may take longer.
    println!("{SEEDS} seeds took {} s, of {} s", begun.elapsed().as_secs(), SEEDS_WITHIN.as_secs());
    for guard in simulate::guards() {
        let mut run = niced(&program);
        count.add(finds(run.args(["--seeds", SEEDS_PER_GUARD, "--without", guard]), guard)?);
    }
    Ok(count)
}

/// The simulation's own time is virtual: it gives way to the demo beside it, whose time is real.
fn niced(program: &Path) -> Command {
    let mut command = Command::new("nice");
    command.args(["-n", "10"]).arg(program).current_dir(own::root());
    command
}

/// A run without a guard, which must end with a find. Of its story only the headline is shown.
fn finds(run: &mut Command, guard: &str) -> Result<Count> {
    let ended = run.output().with_context(|| format!("starting {run:?}"))?;
    let told = String::from_utf8_lossy(&ended.stdout);
    let found = ended.status.code() == Some(simulate::FOUND);
    let headline = told.lines().find(|line| found && line.starts_with("seed "));
    println!(
        "without {guard}: {}",
        headline.unwrap_or("nothing is found, so nothing shows that it is needed")
    );
    Ok(Count::of_one(headline.is_some()))
}

fn the_demo() -> Result<Count> {
    real_servers::ensure()?;
    demo::build_own()?;
    println!("four demos at once, each on an API server of its own; they take about 3 minutes");
    let mut command = own::cargo();
    command.args(["test", "--locked", "--package", DEMO]).env(own::UP_TO_DATE, "1");
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        // They mostly wait, as those of `e2e`.
        command.env("RUST_TEST_THREADS", "4");
    }
    counted(&mut command)
}
