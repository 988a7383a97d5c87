//! The templates of standard input by count, as a live table.

#[path = "../interrupt/mod.rs"]
mod interrupt;
mod screen;
mod view;

use std::io::{self, Read as _};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use regex::bytes::Regex;
use screen::Screen;
use view::View;

/// Show what a log consists of, while it is written: `kubectl logs -f deploy/web | top`
///
/// One row per template: lines, lines per second since the last picture, its id, and `+` when it is new in this picture.
/// All lines of a stack trace count for the template of its event. At the end of the input, and when it is interrupted, the
/// last table is printed, with the lines per second since the start; where standard output is no terminal, nothing else is.
#[derive(Parser)]
#[command(name = "top")]
struct Arguments {
    /// Seconds between two pictures
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    interval: f64,

    /// How many templates to show: no more than fit on a terminal, and those when not given
    #[arg(long)]
    rows: Option<usize>,

    /// What the first row has most of
    #[arg(long, value_enum, default_value_t = Order::Count)]
    sort: Order,

    /// Take in only what this regular expression is found in: lines, and whole stack traces
    #[arg(long, value_name = "REGEX")]
    filter: Option<Regex>,

    /// Show the last line of each template below it
    #[arg(long)]
    sample: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    /// Lines
    Count,
    /// Lines per second
    Rate,
    /// Novelty: the youngest template first
    New,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.05..=3600.0).contains(&seconds) { Ok(seconds) } else { Err("not between 0.05 and 3600".to_owned()) }
}

/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;
/// Chunks that wait: whoever writes faster than lines are mined is slowed down.
const WAITING: usize = 16;

/// What happens.
enum Happened {
    Read(io::Result<Vec<u8>>),
    Ended,
    /// With what code to end.
    Interrupted(u8),
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code.into(),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<u8> {
    let (sender, happened) = sync_channel(WAITING);
    let interrupted = sender.clone();
    interrupt::watch(move |code| {
        // The table is there already when nobody is told.
        let _ = interrupted.send(Happened::Interrupted(code));
    })?;
    // It ends with the process: a read of standard input cannot be interrupted.
    thread::spawn(move || read(&sender));
    let mut view = View::new(arguments);
    let mut screen = Screen::new();
    let code = watch(&happened, &mut view, &mut screen)?;
    view.finish();
    screen.leave()?;
    screen.print(&mut view)?;
    Ok(code)
}

/// Shows what comes until nothing more does, and says with what code to end.
fn watch(happened: &Receiver<Happened>, view: &mut View<'_>, screen: &mut Screen) -> io::Result<u8> {
    let interval = Duration::from_secs_f64(view.arguments.interval);
    let mut next = Instant::now() + interval;
    loop {
        let wait = next.saturating_duration_since(Instant::now());
        let mut is_idle = false;
        let came = happened.recv_timeout(wait).or_else(|error| {
            // What waits is taken in before a picture is drawn.
            is_idle = error == RecvTimeoutError::Timeout;
            happened.try_recv()
        });
        match came {
            Ok(Happened::Read(chunk)) => view.take(&chunk?),
            Ok(Happened::Interrupted(code)) => return Ok(code),
            Ok(Happened::Ended) => return Ok(0),
            Err(_) if is_idle => view.finish_event(),
            Err(_) => return Ok(0),
        }
        if Instant::now() >= next {
            screen.draw(view)?;
            next = Instant::now() + interval;
        }
    }
}

fn read(happened: &SyncSender<Happened>) {
    let mut input = io::stdin().lock();
    loop {
        let mut chunk = vec![0; CHUNK];
        let next = match input.read(&mut chunk) {
            Ok(0) => Happened::Ended,
            Ok(length) => {
                chunk.truncate(length);
                Happened::Read(Ok(chunk))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Happened::Read(Err(error)),
        };
        let is_last = !matches!(next, Happened::Read(Ok(_)));
        if happened.send(next).is_err() || is_last {
            return;
        }
    }
}
