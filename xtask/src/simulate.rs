//! `cargo xtask simulate`: builds the simulation optimised and becomes it.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::builder::PossibleValuesParser;
use servers::own;

/// The operator's own table without the operator, since a name is refused before anything is built.
#[path = "../../operators/spotpool-operator/src/guards.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is the operator's; only the names are used here")]
mod guards;

const LONG: &str = "\
Replay days of faults in virtual time and check every invariant after every event.

Runs the shipped operator code against the stand-in's core: seeds S to S+N-1, one thread per core, built
with optimisation and with checks on. One seed is at least 3 pools, 2 virtual hours, 40 faults, 2 crashes
and one spell of two leaders.

  cargo xtask simulate --seeds 200                   what CI runs
  cargo xtask simulate --seeds 1 --seed 4711         one seed again, exactly
  cargo xtask simulate --seeds 1000 --without intent
                                                     shows that a guard is needed; stops at the first find

Exit codes: 0 no invariant was broken; 3 one was (seed, invariant and a short trace are printed); 4 with
N >= 100 and no --without, a kind of fault never happened. The last line sums up.";

/// Replay days of faults in virtual time and check every invariant
#[derive(clap::Args)]
#[command(long_about = LONG)]
pub(crate) struct Arguments {
    /// How many seeds to run
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,

    /// The first seed; `--seeds 1` replays this one and prints its trace
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,

    /// Run with this guard switched off
    #[arg(long, value_name = "GUARD", value_parser = PossibleValuesParser::new(guards::Guards::NAMES))]
    without: Option<String>,

    /// Keep the state of the run in this file, and go on from it when it exists
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,

    /// Threads to run on; one per core when not given
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { seeds, seed, without, resume, threads } = arguments;
    let mut command = command(&build()?);
    command.args(["--seeds", &seeds.to_string(), "--seed", &seed.to_string()]);
    if let Some(guard) = without {
        command.args(["--without", guard]);
    }
    if let Some(file) = resume {
        // The caller's, not the checkout's, directory counts.
        command.arg("--resume").arg(std::path::absolute(file).context("the file of --resume")?);
    }
    if let Some(threads) = threads {
        command.args(["--threads", &threads.to_string()]);
    }
    let error = command.exec();
    Err(error).context("starting the simulation")
}

/// Its exit code when an invariant was broken.
pub(crate) const FOUND: i32 = 3;

/// Every guard's name.
pub(crate) fn guards() -> &'static [&'static str] {
    guards::Guards::NAMES
}

/// Builds the simulation.
pub(crate) fn build() -> Result<PathBuf> {
    eprintln!("building the simulation, optimised; the first time it takes 3 to 5 minutes on two cores");
    let status = own::cargo()
        .args(["build", "--profile", "simulate", "--package", "simulation", "--bin", "simulation"])
        .status()
        .context("starting cargo")?;
    if !status.success() {
        bail!("the simulation does not build");
    }
    Ok(own::target().join("simulate").join(format!("simulation{}", std::env::consts::EXE_SUFFIX)))
}

/// The simulation, ready to take arguments.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(own::root());
    command
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;
    use clap::{CommandFactory as _, Parser};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn help_names_every_guard() {
        let help = Line::command().render_help().to_string();
        assert!(guards::Guards::NAMES.len() > 10);
        for name in guards::Guards::NAMES {
            assert!(help.contains(name), "{name} is not in\n{help}");
        }
    }

    #[test]
    fn no_seeds_at_all_are_refused_before_anything_is_built() {
        assert!(Line::try_parse_from(["simulate", "--seeds", "0"]).is_err());
    }

    #[test]
    fn a_name_that_is_no_guards_is_bad_usage() {
        let Err(error) = Line::try_parse_from(["simulate", "--without", "intend"]) else {
            panic!("taken for a guard")
        };
        assert_eq!((error.kind(), error.exit_code()), (ErrorKind::InvalidValue, 2));
        let line = Line::try_parse_from(["simulate", "--without", "intent"]).expect("a guard");
        assert_eq!(line.arguments.without.as_deref(), Some("intent"));
    }
}
