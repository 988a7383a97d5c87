//! `cargo xtask test`: every suite, most of them one after the other, and a plain summary.

mod run;
mod suites;

use std::panic;
use std::process::ExitCode;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

pub(crate) use run::{Count, whole};
use suites::{SUITES, Suite, servers_of};

const LONG: &str = "\
Run what a change has to pass. CI runs exactly this.

  format        cargo fmt --check
  rules         the house rules and the generated files (`cargo xtask check`)
  lint          clippy on everything, warnings are errors
  unit          unit and wire tests of every package, no server needed
  docs          examples in the documentation, and its links
  dependencies  cargo deny: bans, licences, sources
  package       each library as it would be published
  e2e           the operator and the test kit on a real API server
  loki          the Loki client on a real Loki
  conformance   the official Python SDKs against the stand-ins
  simulation    200 seeds of faults in virtual time
  demo          the README's demo: alone, kept and ended, in a cluster that one has, interrupted

What is missing is fetched or built once and kept outside the checkout: the servers (`cargo xtask servers`),
cargo-deny, a Python environment. Needs Go 1.26 and Python 3.11. On two cores some 40 minutes the first
time and 15 the next. Nothing is skipped unless you say so, and the summary says so too.";

/// Run what a change has to pass
#[derive(clap::Args)]
#[command(long_about = LONG)]
pub(crate) struct Arguments {
    /// Run only this suite; may be repeated
    #[arg(long, value_name = "SUITE", conflicts_with = "skip")]
    only: Vec<String>,

    /// Leave this suite out; may be repeated
    #[arg(long, value_name = "SUITE")]
    skip: Vec<String>,
}

/// What became of one suite.
struct Line {
    suite: &'static Suite,
    count: Count,
    took: Duration,
    /// Why it failed, when no test of its own says so.
    error: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    for name in arguments.only.iter().chain(&arguments.skip) {
        if !SUITES.iter().any(|suite| suite.name == name) {
            let known: Vec<_> = SUITES.iter().map(|suite| suite.name).collect();
            bail!("there is no suite `{name}`; the suites are {}", known.join(", "));
        }
    }
    let started = Instant::now();
    let chosen = |suite: &&Suite| {
        (arguments.only.is_empty() || arguments.only.iter().any(|name| name == suite.name))
            && !arguments.skip.iter().any(|name| name == suite.name)
    };
    let names: Vec<_> = SUITES.iter().filter(chosen).map(|suite| suite.name).collect();
    if let Err(error) = servers_of(&names) {
        eprintln!("error: {error:#}");
        println!("0 passed, 1 failed");
        return Ok(ExitCode::FAILURE);
    }
    let (together, alone): (Vec<_>, Vec<_>) = SUITES.iter().filter(chosen).partition(|suite| suite.together);
    let mut lines: Vec<_> = alone.into_iter().map(one).collect();
    lines.extend(side_by_side(&together));
    let left_out: Vec<_> = SUITES.iter().filter(|suite| !chosen(suite)).map(|suite| suite.name).collect();
    Ok(summary(&lines, &left_out, started.elapsed()))
}

/// What they print stands side by side as well.
fn side_by_side(suites: &[&'static Suite]) -> Vec<Line> {
    thread::scope(|scope| {
        let running: Vec<_> = suites.iter().map(|suite| scope.spawn(|| one(suite))).collect();
        // A suite that panics ends all: its own message says where.
        let line = |ended: thread::Result<Line>| ended.unwrap_or_else(|panic| panic::resume_unwind(panic));
        running.into_iter().map(ScopedJoinHandle::join).map(line).collect()
    })
}

fn one(suite: &'static Suite) -> Line {
    println!("\n==== {}: {}", suite.name, suite.what);
    let started = Instant::now();
    let (count, error) = match (suite.run)() {
        Ok(count) if count.is_nothing() => (Count::of_one(false), Some("it ran no test at all".to_owned())),
        Ok(count) => (count, None),
        Err(error) => (Count::of_one(false), Some(format!("{error:#}"))),
    };
    if let Some(error) = &error {
        eprintln!("{}: {error}", suite.name);
    }
    Line { suite, count, took: started.elapsed(), error }
}

fn summary(lines: &[Line], left_out: &[&str], took: Duration) -> ExitCode {
    println!("\n==== summary");
    let mut total = Count::default();
    for Line { suite, count, took, error } in lines {
        let verdict = if count.failed == 0 { "ok    " } else { "FAILED" };
        let ignored = match count.ignored {
            0 => String::new(),
            ignored => format!(", {ignored} ignored"),
        };
        let error = error.as_ref().and_then(|error| error.lines().next()).unwrap_or_default();
        println!(
            "{verdict} {:<13} {:>5} passed, {} failed{ignored} in {} {error}",
            suite.name,
            count.passed,
            count.failed,
            clock(*took),
        );
        total.add(*count);
    }
    if !left_out.is_empty() {
        println!("not run, as asked: {}", left_out.join(", "));
    }
    println!("took {}", clock(took));
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Minutes and seconds.
fn clock(took: Duration) -> String {
    format!("{}:{:02}", took.as_secs() / 60, took.as_secs() % 60)
}
