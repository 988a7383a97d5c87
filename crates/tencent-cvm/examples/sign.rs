//! Signs requests given as JSON lines on standard input and prints one `Authorization` value for each.
//!
//! Useful to compare another implementation of TC3-HMAC-SHA256 with this one:
//! ```sh
//! echo '{"secret_id":"AKIDFAKE","secret_key":"fakeSecretKey","service":"cvm","host":"cvm.tencentcloudapi.com",
//!        "timestamp":1733124379,"content_type":"application/json","payload":"{}"}' | tr -d '\n' |
//!   cargo run -q -p tencent-cvm --example sign
//! ```

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use jiff::Timestamp;
use serde::Deserialize;
use tencent_cvm::{Credentials, sign};

/// One line. Fields that are not named here are ignored.
#[derive(Deserialize)]
struct Request {
    secret_id: String,
    secret_key: String,
    service: String,
    host: String,
    timestamp: Seconds,
    content_type: String,
    payload: String,
}

/// Unix seconds, as a number or as the text that a header holds.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(i64),
    Text(String),
}

impl Request {
    fn authorization(&self) -> Result<String, Box<dyn Error>> {
        let seconds = match &self.timestamp {
            Seconds::Number(seconds) => *seconds,
            Seconds::Text(text) => text.trim().parse().map_err(|_| "timestamp is not in Unix seconds")?,
        };
        let parts = sign::Parts {
            service: &self.service,
            host: &self.host,
            content_type: &self.content_type,
            timestamp: Timestamp::from_second(seconds).map_err(|_| "timestamp is not in Unix seconds")?,
            payload: self.payload.as_bytes(),
        };
        Ok(sign::authorization(&Credentials::new(&self.secret_id, &self.secret_key), &parts))
    }
}

fn main() -> ExitCode {
    let mut output = io::stdout().lock();
    for (number, line) in (1_usize..).zip(io::stdin().lock().lines()) {
        if let Err(error) = line.map_err(Into::into).and_then(|line| answer(&line, &mut output)) {
            eprintln!("sign: line {number}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn answer(line: &str, output: &mut impl Write) -> Result<(), Box<dyn Error>> {
    if line.trim().is_empty() {
        return Ok(());
    }
    let request: Request = serde_json::from_str(line)?;
    writeln!(output, "{}", request.authorization()?)?;
    Ok(())
}
