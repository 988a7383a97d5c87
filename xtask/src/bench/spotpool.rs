//! `cargo xtask bench spotpool`: builds the measurements optimised and becomes them.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use servers::own;

const PAGE: &str = "docs/benchmarks/spotpool.md";

const LONG: &str = "\
Measure the shipped operator in simulated time, each figure beside its floor (what physics and the API's limits
allow) and beside a plain loop as a user would write it, in the same stand-in.

  losses        2,000 machines vanish one by one while others use 30 % of the account's budget
  candidates    24 candidates, stock in one of them, what the cloud advertises being true, old, or a lie
  stock         everything is sold out, and stock returns
  cut           the prober's network is cut for half an hour
  sick          the model server of one machine dies, in pools of 1, 2 and 10
  deletion      a pool of 500 is deleted, also when the operator is killed after some of its effects (--kills)
  side-by-side  ours and the loop through the same hour

The same seed gives the same figures. Exit code 1 when a figure misses what is to be reached.";

/// The operator in simulated time, beside a plain loop
#[derive(clap::Args)]
#[command(long_about = LONG)]
pub(crate) struct Arguments {
    /// Only this row; may be given several times
    #[arg(long, value_name = "ROW")]
    only: Vec<String>,

    /// All chance is drawn from this
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,

    /// Of the pool of 500, the operator is killed after so many of its effects, evenly; after each, if it has no more
    #[arg(long, default_value_t = 24, value_name = "N")]
    kills: u32,

    /// Write the figures to docs/benchmarks/spotpool.md too
    #[arg(long, conflicts_with = "only")]
    write: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    eprintln!("building the measurements, optimised; the first time it takes 3 to 5 minutes on two cores");
    let status = own::cargo()
        .args(["build", "--profile", "simulate", "--locked", "--package", "spotpool-bench"])
        .status()
        .context("starting cargo")?;
    if !status.success() {
        bail!("the measurements do not build");
    }
    let program =
        own::target().join("simulate").join(format!("spotpool-bench{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(program);
    command.current_dir(own::root()).args(["--seed", &arguments.seed.to_string()]);
    command.args(["--kills", &arguments.kills.to_string()]);
    for row in &arguments.only {
        command.args(["--only", row]);
    }
    if arguments.write {
        command.args(["--write", PAGE]);
    }
    let error = command.exec();
    Err(error).context("starting the measurements")
}
