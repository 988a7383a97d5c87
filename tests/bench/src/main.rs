//! `spotpool-bench`: measures what docs/benchmarks/spotpool.md claims. `cargo xtask bench spotpool` builds and starts it.

mod figures;
mod line;
mod plain_loop;
mod report;
mod rows;
mod stage;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;

use crate::figures::{Measured, table};
use crate::rows::{ROWS, Row};

/// As in the simulation: most of it is small JSON.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measure SpotPool in simulated time: the shipped operator in the stand-in, each figure beside its floor and beside a
/// plain loop.
///
/// The same seed gives the same figures. Exit code 1 when a figure misses what is to be reached.
#[derive(Parser)]
#[command(name = "spotpool-bench", version)]
struct Arguments {
    /// Only this row; may be given several times
    #[arg(long, value_name = "ROW", value_parser = row)]
    only: Vec<String>,
    /// All chance is drawn from this
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Of the pool of 500, the operator is killed after so many of its effects, evenly; after each, if it has no more
    #[arg(long, default_value_t = 24, value_name = "N")]
    kills: u32,
    /// Write the figures of the rows that were measured to this file too, as Markdown
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Threads to measure on; one per core when not given
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
}

/// What the rows are told.
#[derive(Clone, Copy)]
pub(crate) struct Ask {
    pub(crate) seed: u64,
    /// Kills of the large pool's operator.
    pub(crate) kills: u32,
}

fn row(name: &str) -> Result<String, String> {
    if ROWS.iter().any(|row| row.name == name) {
        return Ok(name.to_owned());
    }
    let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
    Err(format!("there is no row of this name; the rows are {}", names.join(", ")))
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let rows: Vec<&'static Row> = ROWS
        .iter()
        .filter(|row| arguments.only.is_empty() || arguments.only.iter().any(|name| name == row.name))
        .collect();
    let threads = arguments.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let ask = Ask { seed: arguments.seed, kills: arguments.kills.max(1) };
    let measured = measure(&rows, ask, threads)?;
    for (row, Measured { figures, how }) in &measured {
        println!("\n## {}\n\n{how}\n\n{}", row.title, table(figures));
    }
    if let Some(path) = &arguments.write {
        let text = report::markdown(&measured, arguments.seed)?;
        std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
        eprintln!("written to {}", path.display());
    }
    let missed: usize = measured.iter().map(|(_, measured)| measured.missed()).sum();
    let asked: usize = measured
        .iter()
        .flat_map(|(_, measured)| &measured.figures)
        .filter(|figure| figure.reached.is_some())
        .count();
    println!("{} of {asked} figures reached", asked - missed);
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Measures the rows, as many at once as there are threads; they are given in their order.
fn measure(rows: &[&'static Row], ask: Ask, threads: usize) -> Result<Vec<(&'static Row, Measured)>> {
    let queue = Mutex::new(rows.iter().copied().enumerate().collect::<VecDeque<_>>());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let work = || {
        let mut done = Vec::new();
        while let Some((place, row)) = next() {
            eprintln!("{}: {} ...", row.name, row.title);
            let begun = Instant::now();
            let measured = (row.measure)(ask).with_context(|| format!("row {}", row.name));
            eprintln!("{}: measured in {:.0} s", row.name, begun.elapsed().as_secs_f64());
            done.push((place, row, measured));
        }
        done
    };
    let mut all = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let finished =
            workers.into_iter().map(|worker| worker.join().map_err(|_| anyhow::anyhow!("a row panicked")));
        finished.collect::<Result<Vec<_>>>()
    })?
    .into_iter()
    .flatten()
    .collect::<Vec<_>>();
    all.sort_by_key(|(place, _, _)| *place);
    all.into_iter().map(|(_, row, measured)| Ok((row, measured?))).collect()
}
