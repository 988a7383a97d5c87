//! `cargo xtask bench`: measures what the documentation claims, one module per crate.

mod log_redact;
mod log_template;

use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;

use crate::test::Count;

const LONG: &str = "\
Measure what docs/benchmarks claims, built with optimisation, on this machine.

  cargo xtask bench logs    the crates that read logs: grouping against labels beside two baselines, tuned
                            without each set in turn; lines that were never seen before, on one core;
                            other chunks, restarts, shuffled lines; what twice the input costs. Secrets
                            planted and missed, false alarms, the speed of redaction

The public sets are looked for in ../shared/loghub beside the checkout. Times are CPU time of one thread, so
that other programs count little. Exit code 1 when something that was to be reached is not.";

/// Measure what the documentation claims
#[derive(clap::Args)]
#[command(long_about = LONG)]
pub(crate) struct Arguments {
    /// What to measure
    subject: Subject,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Subject {
    /// The crates that read logs
    Logs,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let measurements: &[fn() -> Result<Count>] = match arguments.subject {
        Subject::Logs => &[log_template::measure, log_redact::measure],
    };
    let mut count = Count::default();
    for measure in measurements {
        count.add(measure()?);
    }
    Ok(if count.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
