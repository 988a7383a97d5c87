//! Stores each line of standard input as an entry of one stream.
//!
//! ```sh
//! echo "it works" | cargo run -p loki-client --example push -- --label app=web --label host=laptop
//! tail -f web.log | cargo run -p loki-client --example push -- --label app=web
//! ```
//! Lines are sent as soon as no more of them are waiting, so that nothing waits here for a batch to fill. A line that
//! cannot be stored (it is no UTF-8, or Loki refuses it) is named on standard error and left out, and the exit status is 1
//! at the end. When nothing can be stored any more, such as when Loki refuses the labels, it ends and says from which line
//! on. Lines that are read at the same time get timestamps one nanosecond apart, so that they stay in their order and none
//! is taken for another.

mod connect;

use std::error::Error;
use std::io::{self, BufRead as _};
use std::process::ExitCode;

use clap::Parser;
use jiff::Timestamp;
use loki_client::{HttpLoki, Labels, Loki as _, Nanos, PushEntry, PushStream, Refusal};
use tokio::sync::mpsc;

use connect::{Connect, finish, with_causes};

/// Entries of one push at most.
const BATCH: usize = 1000;
/// Bytes of one push at most, unless one line has more: Loki never takes one over its burst (`ingestion_burst_size_mb`,
/// 6 MB by default), however often it is repeated.
const BATCH_BYTES: usize = 1 << 20;
/// Lines that are read ahead.
const AHEAD: usize = 1000;

type Lines = mpsc::Receiver<io::Result<Vec<u8>>>;

/// Stores each line of standard input as an entry of one stream
#[derive(Debug, Parser)]
struct Push {
    #[command(flatten)]
    connect: Connect,
    /// A label of the stream
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = pair, required = true)]
    labels: Vec<(String, String)>,
    /// Structured metadata of each entry
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("NAME=VALUE is wanted")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    finish(push(Push::parse()).await)
}

async fn push(args: Push) -> Result<(), Box<dyn Error>> {
    let loki = args.connect.client()?;
    let labels: Labels = args.labels.into_iter().collect();
    let mut store =
        Store::new(&loki, &labels, args.metadata.into_iter().collect(), |text| eprintln!("{text}"));
    let outcome = store.all(read_lines()).await;
    eprintln!("{} entries stored in {labels}", store.stored);
    outcome?;
    match store.left_out {
        0 => Ok(()),
        lines => Err(format!("lines that are not stored: {lines}").into()),
    }
}

/// Stores lines as they come.
struct Store<'a, R> {
    loki: &'a HttpLoki,
    labels: &'a Labels,
    metadata: Labels,
    /// Takes what a person must know of a line.
    report: R,
    /// Lines of the next push, by their numbers.
    batch: Vec<(usize, PushEntry)>,
    bytes: usize,
    /// The timestamp of the line before.
    last: Nanos,
    stored: usize,
    left_out: usize,
}

impl<'a, R: FnMut(String)> Store<'a, R> {
    fn new(loki: &'a HttpLoki, labels: &'a Labels, metadata: Labels, report: R) -> Self {
        let (batch, last) = (Vec::new(), Nanos::MIN);
        Self { loki, labels, metadata, report, batch, bytes: 0, last, stored: 0, left_out: 0 }
    }

    async fn all(&mut self, mut lines: Lines) -> Result<(), Box<dyn Error>> {
        for number in 1.. {
            let line = match lines.try_recv() {
                Ok(line) => Some(line),
                Err(_) => {
                    self.send().await?;
                    lines.recv().await
                }
            };
            match line {
                Some(Ok(line)) => self.take(number, line).await?,
                Some(Err(error)) => {
                    self.send().await?;
                    return Err(format!("line {number} and those after it cannot be read: {error}").into());
                }
                None => break,
            }
        }
        self.send().await
    }

    async fn take(&mut self, number: usize, line: Vec<u8>) -> Result<(), Box<dyn Error>> {
        let Ok(line) = String::from_utf8(line) else {
            self.leave_out(number, "it is no UTF-8");
            return Ok(());
        };
        if self.batch.len() == BATCH || self.bytes + line.len() > BATCH_BYTES {
            self.send().await?;
        }
        self.bytes += line.len();
        let metadata = self.metadata.clone();
        let timestamp = self.stamp(Timestamp::now().into());
        self.batch.push((number, PushEntry { timestamp, line, metadata }));
        Ok(())
    }

    /// Later than the line before, also where the clock is coarse or has been set back: Loki has no order for lines of one
    /// nanosecond, and keeps those once that are the same.
    fn stamp(&mut self, now: Nanos) -> Nanos {
        self.last = now.max(self.last.next());
        self.last
    }

    fn leave_out(&mut self, number: usize, why: &str) {
        self.left_out += 1;
        (self.report)(format!("line {number} is not stored: {why}"));
    }

    /// Stores what is there. Where Loki refuses some of it and does not say which, halves of it are pushed, and so on: what
    /// is pushed twice it keeps once.
    async fn send(&mut self) -> Result<(), Box<dyn Error>> {
        self.bytes = 0;
        let mut open = vec![std::mem::take(&mut self.batch)];
        while let Some(mut lines) = open.pop() {
            let Some(&(first, _)) = lines.first() else { continue };
            let entries = lines.iter().map(|(_, entry)| entry.clone()).collect();
            match self.loki.push(&[PushStream { labels: self.labels.clone(), entries }]).await {
                Ok(()) => self.stored += lines.len(),
                Err(error) if !is_about_lines(&error) => {
                    let error = with_causes(&error);
                    return Err(format!("line {first} and those after it are not stored: {error}").into());
                }
                Err(error) if lines.len() == 1 => self.leave_out(first, &with_causes(&error)),
                Err(_) => {
                    let second = lines.split_off(lines.len() / 2);
                    open.extend([second, lines]);
                }
            }
        }
        Ok(())
    }
}

/// Without some of the lines, the others are stored.
fn is_about_lines(error: &loki_client::Error) -> bool {
    matches!(error.refusal(), Some(Refusal::Entries | Refusal::PushTooLarge))
}

/// Standard input, read on a thread of its own: whoever waits for a line there can wait for nothing else.
fn read_lines() -> Lines {
    let (sender, lines) = mpsc::channel(AHEAD);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let read = match input.read_until(b'\n', &mut line) {
                Ok(0) => return,
                Ok(_) => Ok(without_end(line)),
                Err(error) => Err(error),
            };
            let broken = read.is_err();
            if sender.blocking_send(read).is_err() || broken {
                return;
            }
        }
    });
    lines
}

/// A line without what ends it.
fn without_end(mut line: Vec<u8>) -> Vec<u8> {
    if line.pop_if(|last| *last == b'\n').is_some() {
        line.pop_if(|last| *last == b'\r');
    }
    line
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use wiremock::matchers::any;
    use wiremock::{Mock, MockServer, Request, ResponseTemplate};

    use super::*;

    #[test]
    fn help_does_not_show_where_loki_is() {
        let url = Push::command().get_arguments().find(|argument| argument.get_id() == "url").cloned();
        assert!(url.unwrap().is_hide_env_values_set());
    }

    #[tokio::test]
    async fn lines_wait_for_no_others_and_a_push_has_an_end() {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(204)).mount(&server).await;
        let requests = async || server.received_requests().await.unwrap().len();
        let args = Push::parse_from(["push", "--url", &server.uri(), "--label", "app=web"]);
        let loki = args.connect.client().unwrap();
        let labels = args.labels.into_iter().collect();
        let (sender, lines) = mpsc::channel(AHEAD);
        let typing = async {
            sender.send(Ok(b"one".to_vec())).await.unwrap();
            while requests().await == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            // 12 MB: more than any Loki takes at once.
            for _ in 0..1000 {
                sender.send(Ok(vec![b'x'; 12_000])).await.unwrap();
            }
            drop(sender);
        };
        let mut store = Store::new(&loki, &labels, Labels::default(), |text| panic!("{text}"));
        let (outcome, ()) = tokio::join!(store.all(lines), typing);
        outcome.unwrap();
        assert_eq!((store.stored, store.left_out), (1001, 0));
        assert!(requests().await > 12, "{}", requests().await);
    }

    /// Takes what a Loki would that takes lines of ten bytes at most, and keeps the others.
    fn short_lines_only(request: &Request) -> ResponseTemplate {
        let body = snap::raw::Decoder::new().decompress_vec(&request.body).unwrap();
        let text = String::from_utf8_lossy(&body);
        if text.contains("down") {
            return ResponseTemplate::new(403).set_body_string("forbidden");
        }
        match text.contains("much too long") {
            true => ResponseTemplate::new(400).set_body_string("max entry size '10' bytes exceeded"),
            false => ResponseTemplate::new(204),
        }
    }

    #[tokio::test]
    async fn a_line_that_cannot_be_stored_is_named_and_the_others_are_stored() {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(short_lines_only).mount(&server).await;
        let args = Push::parse_from(["push", "--url", &server.uri(), "--label", "app=web"]);
        let loki = args.connect.client().unwrap();
        let labels = args.labels.into_iter().collect();
        let told = std::cell::RefCell::new(Vec::new());
        let mut store = Store::new(&loki, &labels, Labels::default(), |text| told.borrow_mut().push(text));

        let (sender, lines) = mpsc::channel(AHEAD);
        for line in [&b"one"[..], b"tw\xffo", b"three", b"much too long", b"five", b"six", b"seven"] {
            sender.send(Ok(line.to_vec())).await.unwrap();
        }
        drop(sender);
        store.all(lines).await.unwrap();
        assert_eq!((store.stored, store.left_out), (5, 2));
        {
            let told = told.borrow();
            assert_eq!(told[0], "line 2 is not stored: it is no UTF-8");
            assert!(told[1].starts_with("line 4 is not stored: Loki push: 400"), "{told:?}");
            assert_eq!(told.len(), 2);
        }

        // What is not about a line ends it, and says from where on.
        let (sender, lines) = mpsc::channel(AHEAD);
        for line in ["one", "down"] {
            sender.send(Ok(line.as_bytes().to_vec())).await.unwrap();
        }
        drop(sender);
        let error = store.all(lines).await.unwrap_err().to_string();
        assert!(error.starts_with("line 1 and those after it are not stored: Loki push: 403"), "{error}");
    }

    #[tokio::test]
    async fn labels_that_are_refused_end_it_and_are_said_once() {
        let server = MockServer::start().await;
        let refused = "stream '{app=\"web\"}' has label value too long: 'web'";
        let answer = ResponseTemplate::new(400).set_body_string(refused);
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let args = Push::parse_from(["push", "--url", &server.uri(), "--label", "app=web"]);
        let loki = args.connect.client().unwrap();
        let labels = args.labels.into_iter().collect();
        let mut store = Store::new(&loki, &labels, Labels::default(), |text| panic!("{text}"));
        let (sender, lines) = mpsc::channel(AHEAD);
        for line in ["one", "two", "three"] {
            sender.send(Ok(line.as_bytes().to_vec())).await.unwrap();
        }
        drop(sender);
        let error = store.all(lines).await.unwrap_err().to_string();
        assert!(error.starts_with("line 1 and those after it are not stored: Loki push: 400"), "{error}");
        assert!(error.contains(refused) && error.contains("change that stream's labels"), "{error}");
        assert_eq!((store.stored, server.received_requests().await.unwrap().len()), (0, 1));
    }

    #[test]
    fn each_line_is_later_than_the_one_before_whatever_the_clock_says() {
        let args = Push::parse_from(["push", "--label", "app=web"]);
        let loki = args.connect.client().unwrap();
        let labels = Labels::default();
        let mut store = Store::new(&loki, &labels, Labels::default(), |text| panic!("{text}"));
        let stamps = [5, 5, 5, 3, 7, 6, 100].map(|now| store.stamp(Nanos::new(now)).get());
        assert_eq!(stamps, [5, 6, 7, 8, 9, 10, 100]);
    }

    #[test]
    fn a_line_is_what_stands_before_its_end() {
        for (read, line) in [("a\n", "a"), ("a\r\n", "a"), ("a\r", "a\r"), ("a", "a"), ("\n", "")] {
            assert_eq!(without_end(read.into()), line.as_bytes());
        }
    }
}
