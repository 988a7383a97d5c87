//! Writes every entry of a window to standard output, as JSON lines, each entry once.
//!
//! ```sh
//! cargo run -p loki-client --example export -- --from 2026-11-20T10:00:00Z --to 2026-11-20T11:00:00Z '{app="web"}' > web.jsonl
//! ```
//! An object has the entry's `timestamp` in nanoseconds, the `labels` of its stream, its `line`, its `metadata`, and as
//! `parsed` what a parser in the query, such as `| json`, took out of the line. How far it is stands on standard error.

mod connect;

use std::error::Error;
use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use jiff::Timestamp;
use loki_client::{Entry, Loki as _, Nanos, PageOptions, Pager, Window};
use serde_json::{Value, json};
use tokio::time::Instant;

use connect::{Connect, finish};

/// Between two lines of progress.
const PULSE: Duration = Duration::from_secs(1);

/// Writes every entry of a window as JSON lines
#[derive(Debug, Parser)]
struct Export {
    #[command(flatten)]
    connect: Connect,
    /// The first instant of the window, such as 2026-11-20T10:00:00Z
    #[arg(long)]
    from: Timestamp,
    /// The first instant after it; now, when it is left out
    #[arg(long)]
    to: Option<Timestamp>,
    /// Entries of a page
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// A LogQL log query, such as '{app="web"} |= "error"'
    query: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    finish(export(Export::parse()).await)
}

async fn export(args: Export) -> Result<(), Box<dyn Error>> {
    let loki = args.connect.client()?;
    let window = Window::new(args.from.into(), args.to.unwrap_or_else(Timestamp::now).into());
    if window.is_empty() {
        return Err("the window ends before it starts".into());
    }
    let options = PageOptions { limit: args.limit, ..PageOptions::default() };
    // What `LokiExt::pages` does, with a word where there is nothing for a long time.
    let mut pager = Pager::new(&args.query, window, options);
    let mut out = BufWriter::new(io::stdout().lock());
    let (mut lines, mut said) = (0, Instant::now());
    while let Some(query) = pager.next_query() {
        let entries = match loki.query_range(&query).await {
            Ok(page) => pager.answer(page)?,
            Err(error) if pager.refused(&error) => continue,
            Err(error) => return Err(error.into()),
        };
        for entry in &entries {
            writeln!(out, "{}", object(entry))?;
        }
        lines += entries.len();
        if said.elapsed() >= PULSE {
            let reached = pager.left().start;
            eprintln!("{lines} entries up to {reached:?}, {:.0} %", percent(window, reached));
            said = Instant::now();
        }
    }
    out.flush()?;
    eprintln!("{lines} entries, all of {:?} to {:?}", window.start, window.end);
    Ok(())
}

fn object(entry: &Entry) -> Value {
    json!({
        "timestamp": entry.timestamp.to_string(),
        "labels": *entry.labels,
        "line": entry.line,
        "metadata": entry.metadata,
        // Apart from the labels: a line may say anything under a label's name.
        "parsed": entry.parsed,
    })
}

fn percent(window: Window, at: Nanos) -> f64 {
    100.0 * at.since(window.start).as_secs_f64() / window.length().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_written_with_all_that_is_known_of_it() {
        let answer = r#"{"data": {"resultType": "streams", "result": [{"stream": {"app": "web"}, "values": [
            ["7", "{\"code\": 500}", {"structuredMetadata": {"trace_id": "t1"}, "parsed": {"code": "500"}}]
        ]}]}}"#;
        let entries = loki_client::decode::entries(answer.as_bytes()).unwrap();
        let expected = json!({
            "timestamp": "7",
            "labels": {"app": "web"},
            "line": "{\"code\": 500}",
            "metadata": {"trace_id": "t1"},
            "parsed": {"code": "500"},
        });
        assert_eq!(object(&entries[0]), expected);
    }
}
