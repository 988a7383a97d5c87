//! `simulation`: runs seeds and says what they found. `cargo xtask simulate` builds and starts it.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use anyhow::Result;
use clap::Parser;
use clap::builder::PossibleValuesParser;
use simulation::kind::Kind;
use simulation::progress::Sums;
use simulation::runner::{self, Run};
use simulation::script::Length;
use simulation::seed::Outcome;
use spotpool_operator::Guards;

/// A seed is mostly small JSON: with the system's allocator a quarter of its time goes there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// So many seeds draw every kind of fault.
const ENOUGH_FOR_EVERY_KIND: u64 = 100;

/// Replay days of faults in virtual time and check every invariant after every event.
///
/// One seed is at least 3 pools, 2 virtual hours, 40 faults, 2 crashes between effects and one spell of two
/// leaders. Exit codes: 0 no invariant was broken; 3 one was (seed, invariant and a short trace are printed);
/// 4 with 100 seeds or more and every guard on, a kind of fault never happened.
#[derive(Parser)]
#[command(name = "simulation", version)]
struct Arguments {
    /// How many seeds to run
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The first seed; `--seeds 1` replays this one and prints its trace
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// Run with this guard switched off
    #[arg(long, value_name = "GUARD", value_parser = PossibleValuesParser::new(Guards::NAMES))]
    without: Option<String>,
    /// Keep the state of the run in this file, and go on from it when it exists
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Threads to run on; one per core when not given
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let guards = arguments.without.as_deref().and_then(Guards::without).unwrap_or(Guards::ALL);
    let threads = arguments.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    runner::quiet_panics();
    let run = Run {
        first: arguments.seed,
        seeds: arguments.seeds,
        guards,
        without: arguments.without,
        resume: arguments.resume,
        length: Length::FULL,
        threads,
        echo: arguments.seeds == 1,
    };
    let (sums, find) = runner::run(&run)?;
    let mut out = Vec::new();
    let code = if let Some(find) = &find {
        tell(&mut out, &run, find)?;
        3
    } else {
        let missing = missing(&run, &sums);
        if !missing.is_empty() {
            writeln!(out, "never happened: {}", missing.join(", "))?;
        }
        if missing.is_empty() { 0 } else { 4 }
    };
    writeln!(out, "trace hash {:016x}", sums.hash)?;
    writeln!(out, "{sums}")?;
    say(&out)?;
    Ok(ExitCode::from(code))
}

/// To stdout. Whoever reads there may have seen enough (`| head`): the exit code tells the rest.
fn say(text: &[u8]) -> io::Result<()> {
    match io::stdout().lock().write_all(text) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        said => said,
    }
}

/// Kinds of fault that so many seeds should have seen and have not. Without a guard the run ends too early to tell.
fn missing(run: &Run, sums: &Sums) -> Vec<&'static str> {
    if run.seeds < ENOUGH_FOR_EVERY_KIND || run.without.is_some() {
        return Vec::new();
    }
    sums.counts.missing().into_iter().map(Kind::name).collect()
}

fn tell(out: &mut impl io::Write, run: &Run, find: &Outcome) -> Result<()> {
    let Some((violation, story)) = &find.violation else { return Ok(()) };
    let at = violation.at.as_secs();
    writeln!(
        out,
        "seed {} breaks {} after {} seeds",
        find.seed,
        violation.invariant,
        find.seed - run.first + 1
    )?;
    writeln!(out, "at {}:{:02}:{:02}: {}", at / 3600, at / 60 % 60, at % 60, violation.text)?;
    writeln!(out, "what led to it:\n{story}")?;
    let without = run.without.as_ref().map(|guard| format!(" --without {guard}")).unwrap_or_default();
    writeln!(out, "replay it with: cargo xtask simulate --seeds 1 --seed {}{without}\n", find.seed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(seeds: u64, without: Option<&str>) -> Run {
        Run {
            first: 1,
            seeds,
            guards: Guards::ALL,
            without: without.map(str::to_owned),
            resume: None,
            length: Length::FULL,
            threads: 1,
            echo: false,
        }
    }

    #[test]
    fn a_kind_that_never_happened_is_named_from_100_seeds_on_with_every_guard_on() {
        let mut sums = Sums::default();
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::TagLag) {
            sums.counts.set(kind.name(), 1);
        }
        assert_eq!(missing(&run(100, None), &sums), ["tag-lag"]);
        assert!(missing(&run(99, None), &sums).is_empty());
        assert!(missing(&run(100, Some("twin")), &sums).is_empty());
        sums.counts.set("tag-lag", 1);
        assert!(missing(&run(100, None), &sums).is_empty());
    }
}
