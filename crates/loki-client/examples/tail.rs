//! Follows a query: every new line once, also those that come late, also across restarts.
//!
//! ```sh
//! cargo run -p loki-client --example tail -- --state web.json '{app="web"}'
//! ```
//! The lines are read by a `Cursor`; Loki's own tail, which leaves lines out, only says that it is time to look. Lines
//! and state should be stored together. Standard output cannot be, so that a crash between a line and its state prints
//! that line again. Ctrl-C does not, unless the reader of the lines stands still: then it ends all the same, and says so.

mod connect;

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use clap::Parser;
use futures::StreamExt as _;
use jiff::Timestamp;
use loki_client::{
    Cursor, CursorOptions, CursorState, Entry, Failure, HttpLoki, Loki as _, Nanos, Tail, TailQuery,
};
use tokio::sync::{Mutex, oneshot};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep, sleep_until, timeout};

use connect::{Connect, finish, with_causes};

/// Between two looks for late lines.
const SWEEP: Duration = Duration::from_secs(60);
/// After trouble.
const PAUSE: Duration = Duration::from_secs(5);
/// For an answer that is being printed to get out, after Ctrl-C.
const GRACE: Duration = Duration::from_secs(1);
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
    let interrupted = async { drop(tokio::signal::ctrl_c().await) };
    finish(follow_until(interrupted, &args, Output::new(io::stdout())).await)
}

/// Follows until somebody has enough of it.
async fn follow_until(
    interrupted: impl Future<Output = ()>,
    args: &Follow,
    out: Output,
) -> Result<(), Box<dyn Error>> {
    let mut following = pin!(follow(args, &out));
    tokio::select! {
        result = &mut following => return result,
        () = interrupted => {}
    }
    // Between two answers nothing is half printed.
    tokio::select! {
        result = following => result,
        between = timeout(GRACE, out.answer.lock()) => {
            between.map(drop).map_err(|_| "nobody reads the lines: those printed last may come again".into())
        }
    }
}

/// Lines on their way out, written on a thread of their own: a reader who stands still must stop nothing but them.
struct Output {
    texts: mpsc::Sender<(String, oneshot::Sender<io::Result<()>>)>,
    /// Held from the first line of an answer until its state is saved.
    answer: Mutex<()>,
}

impl Output {
    fn new(mut out: impl io::Write + Send + 'static) -> Self {
        let (texts, waiting) = mpsc::channel::<(String, oneshot::Sender<io::Result<()>>)>();
        std::thread::spawn(move || {
            for (text, done) in waiting {
                // Whoever waited for it may have gone.
                let _ = done.send(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
            }
        });
        Self { texts, answer: Mutex::new(()) }
    }

    async fn print(&self, text: String) -> io::Result<()> {
        let gone = || io::Error::other("the thread that prints has gone");
        let (done, printed) = oneshot::channel();
        self.texts.send((text, done)).map_err(|_| gone())?;
        printed.await.map_err(|_| gone())?
    }
}

fn now() -> Nanos {
    Timestamp::now().into()
}

async fn follow(args: &Follow, out: &Output) -> Result<(), Box<dyn Error>> {
    let loki = args.connect.client()?;
    let mut cursor = start(args)?;
    let mut ticks = every(Duration::from_secs(args.every));
    let mut sweeps = every(SWEEP);
    let mut hints = Hints::new(cursor.query());
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = sweeps.tick() => cursor.sweep(now()),
            // What the tail says is there must settle like everything else.
            () = hints.next(&loki) => sleep(Duration::from_secs(args.settle)).await,
        }
        cursor.tick(now());
        catch_up(&loki, &mut cursor, args, out).await?;
    }
}

/// At once, and then again and again. After a standstill, of Loki or of this machine, one look finds all: those that were
/// missed are not made up for.
fn every(time: Duration) -> Interval {
    let mut ticks = interval(time);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
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
async fn catch_up(
    loki: &HttpLoki,
    cursor: &mut Cursor,
    args: &Follow,
    out: &Output,
) -> Result<(), Box<dyn Error>> {
    while let Some(request) = cursor.next_request() {
        match request.send(loki).await {
            Ok(answer) => {
                let late = cursor.late();
                let entries = match cursor.answer(answer) {
                    Ok(entries) => entries,
                    Err(error) if cursor.is_stuck() => return Err(error.into()),
                    Err(error) => {
                        eprintln!("late lines wait, new ones do not: {}", with_causes(&error));
                        continue;
                    }
                };
                let _whole = out.answer.lock().await;
                if !entries.is_empty() {
                    out.print(lines(&entries, cursor.late() > late)).await?;
                }
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

fn lines(entries: &[Entry], late: bool) -> String {
    let late = if late { " (late)" } else { "" };
    let line = |entry: &Entry| format!("{:?}{late} {} {}\n", entry.timestamp, entry.labels, entry.line);
    entries.iter().map(line).collect()
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
    use wiremock::matchers::any;
    use wiremock::{Mock, MockServer, Request, ResponseTemplate};

    use super::*;

    /// A Loki with one line at the end of whatever window is asked for.
    fn one_line(request: &Request) -> ResponseTemplate {
        let params: std::collections::HashMap<_, _> = request.url.query_pairs().into_owned().collect();
        if request.url.path() != "/loki/api/v1/query_range" || params["query"].starts_with("sum") {
            return ResponseTemplate::new(404);
        }
        let at = params["end"].parse::<i64>().unwrap() - 1;
        ResponseTemplate::new(200).set_body_string(format!(
            r#"{{"data":{{"resultType":"streams","result":[{{"stream":{{}},"values":[["{at}","a line"]]}}]}}}}"#
        ))
    }

    /// A reader of lines, who says when there are some and then takes them or not.
    struct Reader(Option<oneshot::Sender<()>>, bool);

    impl io::Write for Reader {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            if let Some(seen) = self.0.take() {
                seen.send(()).unwrap();
            }
            if !self.1 {
                loop {
                    std::thread::park();
                }
            }
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn ctrl_c_ends_it_whether_the_reader_of_the_lines_takes_them_or_stands_still() {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(one_line).mount(&server).await;
        let args = Follow::parse_from(["tail", "--url", &server.uri(), "--settle", "0", "{app=\"web\"}"]);
        for (takes, ends_well) in [(true, true), (false, false)] {
            let (seen, interrupted) = oneshot::channel();
            let out = Output::new(Reader(Some(seen), takes));
            let following = follow_until(async { interrupted.await.unwrap() }, &args, out);
            let outcome = timeout(Duration::from_secs(60), following).await.expect("it ends");
            assert_eq!(outcome.is_ok(), ends_well, "{outcome:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn looks_that_a_standstill_kept_from_being_made_are_made_once() {
        let mut ticks = every(Duration::from_secs(10));
        ticks.tick().await;
        tokio::time::advance(Duration::from_secs(3600)).await;
        ticks.tick().await;
        let start = Instant::now();
        ticks.tick().await;
        assert!(start.elapsed() >= Duration::from_secs(10), "{:?}", start.elapsed());
    }

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
