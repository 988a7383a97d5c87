//! Stores each line of standard input as an entry of one stream.
//!
//! ```sh
//! echo "it works" | cargo run -p loki-client --example push -- --label app=web --label host=laptop
//! ```

mod connect;

use std::error::Error;
use std::io;
use std::process::ExitCode;

use clap::Parser;
use jiff::Timestamp;
use loki_client::{HttpLoki, Labels, Loki as _, PushEntry, PushStream};

use connect::{Connect, finish};

/// Entries of one push: some hundred KB of ordinary lines.
const BATCH: usize = 1000;

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
    let metadata: Labels = args.metadata.into_iter().collect();
    let mut stream = PushStream { labels, entries: Vec::new() };
    let mut lines = 0;
    for line in io::stdin().lines() {
        let line = match line {
            Ok(line) => line,
            Err(error) => {
                send(&loki, &mut stream).await?;
                return Err(format!("line {}: {error}; the lines before it are stored", lines + 1).into());
            }
        };
        stream.entries.push(PushEntry {
            timestamp: Timestamp::now().into(),
            line,
            metadata: metadata.clone(),
        });
        lines += 1;
        if stream.entries.len() == BATCH {
            send(&loki, &mut stream).await?;
        }
    }
    send(&loki, &mut stream).await?;
    eprintln!("{lines} entries stored in {}", stream.labels);
    Ok(())
}

async fn send(loki: &HttpLoki, stream: &mut PushStream) -> Result<(), loki_client::Error> {
    loki.push(std::slice::from_ref(stream)).await?;
    stream.entries.clear();
    Ok(())
}
