//! Measures what the documentation claims: grouping, speed, stability, cost. `cargo xtask bench logs` runs it.

mod cost;
mod cpu;
mod drain;
mod fresh;
mod grouping;
#[path = "../../tests/mining/labelled.rs"]
mod labelled;
#[path = "../../tests/mining/score.rs"]
mod score;
mod speed;
mod stability;

use std::io;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Against the labels, beside two baselines, and tuned without each set in turn
    Grouping,
    /// Lines that were never seen before, on one core
    Speed,
    /// Other chunks, restarts, lines that overtake each other
    Stability,
    /// What twice the input costs
    Cost,
}

/// Measure log-template on the labelled sets
#[derive(Parser)]
#[command(name = "measure_template")]
struct Arguments {
    /// What to measure; everything when not given
    parts: Vec<Part>,

    /// How many lines to read for the speed
    #[arg(long, default_value_t = 10_000_000)]
    lines: usize,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything was reached.
fn run(arguments: &Arguments) -> io::Result<bool> {
    let sets = labelled::sets()?;
    if sets.is_empty() {
        return Ok(false);
    }
    let wants = |part: Part| arguments.parts.is_empty() || arguments.parts.contains(&part);
    let mut reached = true;
    // The speed first: its memory is the highest that the process has needed until then.
    if wants(Part::Speed) {
        reached &= speed::measure(&sets, arguments.lines);
    }
    if wants(Part::Grouping) {
        reached &= grouping::measure(&sets)?;
    }
    if wants(Part::Stability) {
        reached &= stability::measure(&sets);
    }
    if wants(Part::Cost) {
        reached &= cost::measure(&sets);
    }
    Ok(reached)
}

/// Prints whether something that was to be reached is.
fn verdict(what: &str, reached: bool) -> bool {
    println!("{}: {what}", if reached { "reached" } else { "NOT REACHED" });
    reached
}
