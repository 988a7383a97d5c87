//! Stores each line of standard input as an entry of one stream.
//!
//! ```sh
//! echo "it works" | cargo run -p loki-client --example push -- --label app=web --label host=laptop
//! tail -f web.log | cargo run -p loki-client --example push -- --label app=web
//! ```
//! Lines are sent as soon as no more of them are waiting, so that nothing waits here for a batch to fill.

mod connect;

use std::error::Error;
use std::io;
use std::process::ExitCode;

use clap::Parser;
use jiff::Timestamp;
use loki_client::{HttpLoki, Labels, Loki as _, PushEntry, PushStream};
use tokio::sync::mpsc;

use connect::{Connect, finish};

/// Entries of one push at most.
const BATCH: usize = 1000;
/// Bytes of one push at most, unless one line has more: Loki never takes one over its burst (`ingestion_burst_size_mb`,
/// 6 MB by default), however often it is repeated.
const BATCH_BYTES: usize = 1 << 20;
/// Lines that are read ahead.
const AHEAD: usize = 1000;

type Lines = mpsc::Receiver<io::Result<String>>;

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
    let stored = store(&loki, &labels, &args.metadata.into_iter().collect(), read_lines()).await?;
    eprintln!("{stored} entries stored in {labels}");
    Ok(())
}

/// Stores lines as they come, and says how many they were.
async fn store(
    loki: &HttpLoki,
    labels: &Labels,
    metadata: &Labels,
    mut lines: Lines,
) -> Result<usize, Box<dyn Error>> {
    let mut stream = PushStream { labels: labels.clone(), entries: Vec::new() };
    let (mut bytes, mut stored) = (0, 0);
    loop {
        let line = match lines.try_recv() {
            Ok(line) => Some(line),
            Err(_) => {
                stored += send(loki, &mut stream).await?;
                bytes = 0;
                lines.recv().await
            }
        };
        let line = match line {
            Some(Ok(line)) => line,
            Some(Err(error)) => {
                stored += send(loki, &mut stream).await?;
                return Err(format!("line {}: {error}; the lines before it are stored", stored + 1).into());
            }
            None => break,
        };
        if stream.entries.len() == BATCH || bytes + line.len() > BATCH_BYTES {
            stored += send(loki, &mut stream).await?;
            bytes = 0;
        }
        bytes += line.len();
        stream.entries.push(PushEntry {
            timestamp: Timestamp::now().into(),
            line,
            metadata: metadata.clone(),
        });
    }
    Ok(stored)
}

/// Standard input, read on a thread of its own: whoever waits for a line there can wait for nothing else.
fn read_lines() -> Lines {
    let (sender, lines) = mpsc::channel(AHEAD);
    std::thread::spawn(move || {
        for line in io::stdin().lines() {
            let broken = line.is_err();
            if sender.blocking_send(line).is_err() || broken {
                return;
            }
        }
    });
    lines
}

/// Stores what is there, and says how much that was.
async fn send(loki: &HttpLoki, stream: &mut PushStream) -> Result<usize, loki_client::Error> {
    loki.push(std::slice::from_ref(stream)).await?;
    Ok(stream.entries.drain(..).count())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use wiremock::matchers::any;
    use wiremock::{Mock, MockServer, ResponseTemplate};

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
            sender.send(Ok("one".to_owned())).await.unwrap();
            while requests().await == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            // 12 MB: more than any Loki takes at once.
            for _ in 0..1000 {
                sender.send(Ok("x".repeat(12_000))).await.unwrap();
            }
            drop(sender);
        };
        let none = Labels::default();
        let (stored, ()) = tokio::join!(store(&loki, &labels, &none, lines), typing);
        assert_eq!(stored.unwrap(), 1001);
        assert!(requests().await > 12, "{}", requests().await);
    }
}
