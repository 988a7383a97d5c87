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
use tokio::time::{Instant, interval, sleep, sleep_until};

use connect::{Connect, finish, with_causes};

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
    let state = std::fs::read(path).map_err(|error| format!("read the state {}: {error}", path.display()))?;
    let state: CursorState =
        serde_json::from_slice(&state).map_err(|error| format!("{} is no state: {error}", path.display()))?;
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
                let entries = match cursor.answer(answer) {
                    Ok(entries) => entries,
                    Err(error) if cursor.next_request().as_ref() == Some(&request) => {
                        return Err(error.into());
                    }
                    Err(error) => {
                        eprintln!("late lines wait, new ones do not: {}", with_causes(&error));
                        continue;
                    }
                };
                print(&entries, cursor.late() > late)?;
                save(cursor, args)?;
            }
            Err(error) => match cursor.failed(&error) {
                Failure::Less => {}
                Failure::Parked => eprintln!("late lines wait, new ones do not: {}", with_causes(&error)),
                Failure::Pause => {
                    eprintln!("{}", with_causes(&error));
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
    let mut beside = path.clone().into_os_string();
    beside.push(".new");
    let state = serde_json::to_vec(&cursor.state())?;
    std::fs::write(&beside, state)
        .and_then(|()| std::fs::rename(&beside, path))
        .map_err(|error| format!("write the state {}: {error}", path.display()).into())
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

    /// Returns when the tail has shown something. What keeps it waiting is remembered when it is dropped before.
    async fn next(&mut self, loki: &HttpLoki) {
        loop {
            sleep_until(self.next).await;
            let Some(tail) = &mut self.tail else {
                self.query.start = Some(now());
                match loki.tail(&self.query).await {
                    Ok(tail) => self.tail = Some(tail),
                    Err(error) => self.failed(&error),
                }
                continue;
            };
            match tail.next().await {
                Some(Ok(_)) => {
                    self.next = Instant::now() + BREATH;
                    return;
                }
                // Loki also accepts those that are too many, and then closes them.
                Some(Err(error)) => self.failed(&error),
                None => (self.tail, self.next) = (None, Instant::now() + BREATH),
            }
        }
    }

    /// The next look does not depend on it, so that there is no hurry.
    fn failed(&mut self, error: &loki_client::Error) {
        eprintln!("no hints for now: {}", with_causes(error));
        (self.tail, self.next) = (None, Instant::now() + SWEEP);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::net::TcpListener;
    use tokio_tungstenite::tungstenite::protocol::CloseFrame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

    use super::*;

    #[tokio::test]
    async fn a_tail_that_is_closed_at_once_is_not_opened_again_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let opened = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&opened);
        tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                counter.fetch_add(1, Ordering::Relaxed);
                let mut socket = tokio_tungstenite::accept_async(connection).await.unwrap();
                let reason = "max concurrent tail requests limit exceeded".into();
                socket.close(Some(CloseFrame { code: CloseCode::Error, reason })).await.unwrap();
                while socket.next().await.is_some() {}
            }
        });
        let args = Follow::parse_from(["tail", "--url", &url, "{app=\"web\"}"]);
        let loki = args.connect.client().unwrap();
        let mut hints = Hints::new(&args.query);
        // As in `follow`, where something else is more urgent again and again.
        for _ in 0..5 {
            tokio::time::timeout(Duration::from_millis(200), hints.next(&loki)).await.unwrap_err();
        }
        assert_eq!(opened.load(Ordering::Relaxed), 1);
    }
}
