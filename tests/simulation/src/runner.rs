//! Many seeds on many threads, each seed on one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use spotpool_operator::Guards;

use crate::progress::{Asked, Sums};
use crate::script::Length;
use crate::seed::{self, Outcome};

/// How often the state is written and progress is told.
const REPORT: Duration = Duration::from_secs(5);

/// What to run.
#[derive(Debug, Clone)]
pub struct Run {
    /// The first seed.
    pub first: u64,
    /// How many.
    pub seeds: u64,
    /// Which rules hold.
    pub guards: Guards,
    /// The guard that is off, by name.
    pub without: Option<String>,
    /// Where the state is kept.
    pub resume: Option<PathBuf>,
    /// How long each is.
    pub length: Length,
    /// Threads.
    pub threads: usize,
    /// Print the trace as it comes.
    pub echo: bool,
}

/// Runs the seeds up to the first find: the one of the lowest seed, however many threads there are.
///
/// # Errors
/// When the state cannot be read or written.
pub fn run(run: &Run) -> Result<(Sums, Option<Outcome>)> {
    let asked = Asked::of_this_build(run.first, run.without.clone())?;
    let mut sums = match &run.resume {
        Some(path) => Sums::load(path, &asked)?,
        None => Sums::default(),
    };
    if sums.seeds > 0 {
        eprintln!("going on after {} seeds", sums.seeds);
    }
    let next = AtomicU64::new(sums.seeds);
    // No index from here on is of interest any more: everything, or what comes after a find.
    let end = AtomicU64::new(run.seeds);
    let (send, receive) = mpsc::channel::<(u64, Outcome)>();
    let mut find = None;
    let mut saved: Result<()> = Ok(());
    thread::scope(|scope| {
        for _ in 0..run.threads.max(1) {
            let (send, next, end) = (send.clone(), &next, &end);
            scope.spawn(move || work(run, next, end, &send));
        }
        drop(send);
        let (found, state) = collect(run, &asked, &receive, &end, &mut sums);
        find = found;
        saved = state;
        if saved.is_err() {
            end.store(0, Ordering::Relaxed);
        }
    });
    saved?;
    Ok((sums, find))
}

fn work(run: &Run, next: &AtomicU64, end: &AtomicU64, send: &mpsc::Sender<(u64, Outcome)>) {
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        if index >= end.load(Ordering::Relaxed) {
            return;
        }
        let outcome = seed::run(run.first.wrapping_add(index), run.guards, run.length, run.echo);
        if outcome.violation.is_some() {
            end.fetch_min(index, Ordering::Relaxed);
        }
        if send.send((index, outcome)).is_err() {
            return;
        }
    }
}

/// Adds the outcomes up in the order of the seeds.
fn collect(
    run: &Run,
    asked: &Asked,
    receive: &mpsc::Receiver<(u64, Outcome)>,
    end: &AtomicU64,
    sums: &mut Sums,
) -> (Option<Outcome>, Result<()>) {
    let started = Instant::now();
    let before = sums.seeds;
    let mut reported = Instant::now();
    let mut early: BTreeMap<u64, Outcome> = BTreeMap::new();
    let mut find: Option<Outcome> = None;
    for (index, outcome) in receive {
        early.insert(index, outcome);
        while find.is_none()
            && let Some(outcome) = early.remove(&sums.seeds)
        {
            sums.add(&outcome);
            if outcome.violation.is_some() {
                find = Some(outcome);
            }
        }
        if reported.elapsed() < REPORT {
            continue;
        }
        reported = Instant::now();
        let pace = (sums.seeds - before) as f64 / started.elapsed().as_secs_f64();
        let end = end.load(Ordering::Relaxed);
        eprintln!("{} of {end} seeds, {pace:.1} a second, {} faults", sums.seeds, sums.counts.total());
        if let Err(error) = save(run, asked, sums, find.is_some()) {
            return (find, Err(error));
        }
    }
    let saved = save(run, asked, sums, find.is_some());
    (find, saved)
}

/// A run that found something is not gone on with.
fn save(run: &Run, asked: &Asked, sums: &Sums, found: bool) -> Result<()> {
    match &run.resume {
        Some(path) if !found => sums.save(path, asked),
        _ => Ok(()),
    }
}

/// Panics of a seed's tasks are told once, with the seed's find, not by every thread's default hook.
pub fn quiet_panics() {
    let last: Mutex<Option<String>> = Mutex::new(None);
    std::panic::set_hook(Box::new(move |info| {
        let text = info.to_string();
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref() != Some(&text) {
            eprintln!("{text}");
            *last = Some(text);
        }
    }));
}
