//! Prints the signature that a bot with signature checks demands, to compare another implementation with this one.
//!
//! ```sh
//! cargo run -q -p feishu --example sign -- 1599360473 demo
//! ```
//! Arguments can be seen by other users of this machine: do not pass a secret that is in use.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser;
use jiff::Timestamp;

/// Signs a time with a bot's secret.
#[derive(Parser)]
#[command(name = "sign")]
struct Args {
    /// Unix seconds, as in the body's `timestamp`.
    #[arg(value_parser = seconds, allow_negative_numbers = true)]
    timestamp: Timestamp,
    /// The bot's secret.
    secret: String,
}

fn seconds(text: &str) -> Result<Timestamp, String> {
    let seconds = text.parse().map_err(|_| "it is a whole number of seconds".to_owned())?;
    Timestamp::from_second(seconds).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    let args = Args::parse();
    match writeln!(io::stdout(), "{}", feishu::sign::signature(args.timestamp, &args.secret)) {
        // A reader who went away has had what it wanted.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("sign: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}
