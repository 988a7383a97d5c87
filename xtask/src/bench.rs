//! `cargo xtask bench`: measures what the documentation claims, one module per subject.

mod log_redact;
mod log_template;
mod spotpool;

use std::process::ExitCode;

use anyhow::Result;

use crate::test::Count;

const LOGS: &str = "\
Measure the crates that read logs: grouping against labels beside two baselines, tuned without each set in turn;
lines that were never seen before, on one core; other chunks, restarts, shuffled lines; what twice the input
costs. Secrets planted and missed, false alarms, the speed of redaction.

The public sets are looked for in ../shared/loghub beside the checkout. Times are CPU time of one thread, so
that other programs count little. Fuzzing takes hours and is no part of it: docs/benchmarks say how to run it and
what was run. Exit code 1 when something that was to be reached is not.";

/// Measure what the documentation claims
#[derive(clap::Args)]
#[command(long_about = "Measure what docs/benchmarks claims, built with optimisation, on this machine.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(clap::Subcommand)]
enum Subject {
    /// The crates that read logs
    #[command(long_about = LOGS)]
    Logs,
    /// The operator in simulated time, beside a plain loop
    Spotpool(spotpool::Arguments),
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let measurements: &[fn() -> Result<Count>] = match &arguments.subject {
        Subject::Logs => &[log_template::measure, log_redact::measure],
        Subject::Spotpool(arguments) => return spotpool::run(arguments),
    };
    let mut count = Count::default();
    for measure in measurements {
        count.add(measure()?);
    }
    Ok(if count.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
