//! `cargo xtask simulate`: builds the simulation optimised and becomes it.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use servers::own;

const LONG: &str = "\
Replay days of faults in virtual time and check every invariant after every event.

Runs the shipped operator code against the stand-in's core: seeds S to S+N-1, one thread per core, built
with optimisation and with checks on. One seed is at least 3 pools, 2 virtual hours, 40 faults, 2 crashes
and one spell of two leaders.

  cargo xtask simulate --seeds 200                   what CI runs
  cargo xtask simulate --seeds 1 --seed 4711         one seed again, exactly
  cargo xtask simulate --seeds 1000 --without intent shows that a guard is needed: stops at the first find

Exit codes: 0 no invariant was broken; 3 one was (seed, invariant and a short trace are printed); 4 with
N >= 100 and no --without, a kind of fault never happened. The last line sums up.

All arguments go to the simulation; `cargo xtask simulate -- --help` prints its own list, once built.";

/// Replay days of faults in virtual time and check every invariant
#[derive(clap::Args)]
#[command(long_about = LONG)]
pub(crate) struct Arguments {
    /// `--seeds N [--seed S] [--without GUARD]` and whatever else the simulation takes
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    rest: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let error = command()?.args(&arguments.rest).exec();
    Err(error).context("starting the simulation")
}

/// The simulation, built and ready to take arguments.
pub(crate) fn command() -> Result<Command> {
    eprintln!("building the simulation, optimised; the first time it takes 3 to 5 minutes on two cores");
    let status = own::cargo()
        .args(["build", "--profile", "simulate", "--package", "simulation", "--bin", "simulation"])
        .status()
        .context("starting cargo")?;
    if !status.success() {
        bail!("the simulation does not build");
    }
    let program = own::target().join("simulate").join(format!("simulation{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(program);
    command.current_dir(own::root());
    Ok(command)
}
