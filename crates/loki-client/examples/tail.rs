//! Follows a query: every new line once, also those that come late, also across restarts.
//!
//! ```sh
//! cargo run -p loki-client --example tail -- --state web.json '{app="web"}'
//! ```
//! The lines are read by a `Cursor`; Loki's own tail, which leaves lines out, only says that it is time to look. Lines
//! and state should be stored together. Standard output cannot be, so that a crash between a line and its state prints
//! that line again; Ctrl-C does not.

mod connect;

use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use futures::StreamExt as _;
use jiff::Timestamp;
use loki_client::{
    Cursor, CursorOptions, CursorState, Entry, Failure, HttpLoki, Loki as _, Nanos, Tail, TailQuery,
};
use tokio::time::{Instant, interval, sleep};

use connect::{Connect, finish};

/// Between two looks for late lines.
const SWEEP: Duration = Duration::from_secs(60);
/// After trouble.
const PAUSE: Duration = Duration::from_secs(5);
/// A tail that wakes more often than this is not listened to.
const BREATH: Duration = Duration::from_secs(1);

/// Follows a query: every new line once
#[derive(Debug, Parser)]
struct Follow {
    #[command(flatten)]
    connect: Connect,
    /// Where to remember what has been printed; in a new file it starts now
    #[arg(long)]
    state: Option<PathBuf>,
    /// Seconds between two looks when the tail says nothing
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Seconds by which lines may be on their way; late ones are found once a minute
    #[arg(long, default_value_t = 3)]
    settle: u64,
    /// A selector with filters, such as '{app="web"} |= "error"'
    query: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Follow::parse();
    tokio::select! {
        result = follow(&args) => finish(result),
        // Between two answers: nothing is half printed.
        _ = tokio::signal::ctrl_c() => ExitCode::SUCCESS,
    }
}

fn now() -> Nanos {
    Timestamp::now().into()
}

async fn follow(args: &Follow) -> Result<(), Box<dyn Error>> {
    let loki = args.connect.client()?;
    let mut cursor = start(args)?;
    let mut ticks = interval(Duration::from_secs(args.every));
    let mut sweeps = interval(SWEEP);
    let mut hints = Hints::new(cursor.query());
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = sweeps.tick() => cursor.sweep(now()),
            // What the tail says is there must settle like everything else.
            () = hints.next(&loki) => sleep(Duration::from_secs(args.settle)).await,
        }
        cursor.tick(now());
        catch_up(&loki, &mut cursor, args).await?;
    }
}

fn start(args: &Follow) -> Result<Cursor, Box<dyn Error>> {
    let options = CursorOptions { settle: Duration::from_secs(args.settle), ..CursorOptions::default() };
    let Some(path) = args.state.as_ref().filter(|path| path.exists()) else {
        return Ok(Cursor::new(&args.query, now(), options)?);
    };
    let state: CursorState = serde_json::from_slice(&std::fs::read(path)?)
        .map_err(|error| format!("{} is no state: {error}", path.display()))?;
    if state.query() != args.query {
        return Err(format!("the state is that of another query: {}", state.query()).into());
    }
    eprintln!("going on at {:?}", state.reached());
    Ok(Cursor::resume(&state, options)?)
}

/// Asks until there is nothing left to ask.
async fn catch_up(loki: &HttpLoki, cursor: &mut Cursor, args: &Follow) -> Result<(), Box<dyn Error>> {
    while let Some(request) = cursor.next_request() {
        match request.send(loki).await {
            Ok(answer) => {
                let late = cursor.late();
                let entries = cursor.answer(answer)?;
                print(&entries, cursor.late() > late)?;
                save(cursor, args)?;
            }
            Err(error) => match cursor.failed(&error) {
                Failure::Less => {}
                Failure::Parked => eprintln!("late lines wait, new ones do not: {error}"),
                Failure::Pause => {
                    eprintln!("{error}");
                    sleep(PAUSE).await;
                }
                _ => return Err(error.into()),
            },
        }
    }
    Ok(())
}

fn print(entries: &[Entry], late: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for entry in entries {
        let late = if late { " (late)" } else { "" };
        writeln!(out, "{:?}{late} {} {}", entry.timestamp, entry.labels, entry.line)?;
    }
    out.flush()
}

/// Beside the file first, so that it is never half written.
fn save(cursor: &Cursor, args: &Follow) -> Result<(), Box<dyn Error>> {
    let Some(path) = &args.state else { return Ok(()) };
    let beside = path.with_extension("new");
    std::fs::write(&beside, serde_json::to_vec(&cursor.state())?)?;
    std::fs::rename(beside, path)?;
    Ok(())
}

/// Loki's tail, opened again whenever it ends.
struct Hints {
    query: TailQuery,
    tail: Option<Tail>,
    /// Not before.
    next: Instant,
}

impl Hints {
    fn new(query: &str) -> Self {
        let query = TailQuery { query: query.to_owned(), start: Some(now()), limit: 1 };
        Self { query, tail: None, next: Instant::now() }
    }

    /// Returns when the tail has shown something.
    async fn next(&mut self, loki: &HttpLoki) {
        tokio::time::sleep_until(self.next).await;
        loop {
            if self.tail.is_none() {
                self.query.start = Some(now());
                match loki.tail(&self.query).await {
                    Ok(tail) => self.tail = Some(tail),
                    Err(error) => {
                        eprintln!("no hints for now: {error}");
                        sleep(SWEEP).await;
                        continue;
                    }
                }
            }
            let Some(tail) = &mut self.tail else { continue };
            match tail.next().await {
                Some(Ok(_)) => {
                    self.next = Instant::now() + BREATH;
                    return;
                }
                // The next look does not depend on it.
                Some(Err(_)) | None => self.tail = None,
            }
        }
    }
}
