//! Measures what the crate promises: how much of what is planted is found, how often harmless text is taken for a
//! secret, and how fast it is. Ends with 1 when a figure is missed.
//!
//! `cargo run --release -p log-redact --example measure_redact -- --help`

mod clock;
mod false_alarms;
mod growth;
mod letters;
mod logs;
mod planted;
mod recall;
mod speed;
mod surroundings;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use log_redact::{Key, Redactor};

#[derive(Parser)]
struct Args {
    /// What all chance is drawn from; a new one each time if not given.
    #[arg(long)]
    seed: Option<u64>,
    /// How often each class is planted in each surrounding.
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// How many MB the speed is measured over.
    #[arg(long, default_value_t = 512)]
    megabytes: usize,
    /// Prints what was missed or wrong, instead of counting only: all of it was made up here, or is public.
    #[arg(long)]
    show: bool,
}

/// A row of the table: what was measured, what is to be reached.
struct Row {
    what: &'static str,
    measured: String,
    wanted: &'static str,
    reached: bool,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(rand::random);
    println!("seed {seed}");
    let key = Key::from_bytes(b"of no use outside of measurements")?;
    let everything = Redactor::builder().key(key.clone()).enable("all").build()?;
    let as_shipped = Redactor::builder().key(key).build()?;

    let mut rows = vec![recall::measure(&as_shipped, seed, args.rounds, args.show)];
    match logs::load()? {
        Some(logs) => {
            rows.push(false_alarms::measure(&everything, &logs, args.show));
            rows.push(speed::measure(&as_shipped, "speed of redaction", &logs, seed, args.megabytes, 80.0));
            rows.push(speed::measure(&everything, "speed, all classes on", &logs, seed, args.megabytes, 0.0));
        }
        None => println!("false alarms and speed are SKIPPED: no logs in {}", logs::folder().display()),
    }

    rows.push(growth::measure(&everything, args.show));

    println!("\n{:<24} {:<58} {:<14} reached", "what", "measured", "to reach");
    for row in &rows {
        println!(
            "{:<24} {:<58} {:<14} {}",
            row.what,
            row.measured,
            row.wanted,
            if row.reached { "yes" } else { "NO" }
        );
    }
    Ok(ExitCode::from(u8::from(!rows.iter().all(|row| row.reached))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_is_planted_one_in_a_thousand_stays_at_most() {
        let row = recall::measure(&Redactor::new().unwrap(), 7, 1, true);
        assert!(row.measured.starts_with("99.9") || row.measured.starts_with("100"), "{}", row.measured);
    }

    #[test]
    fn clean_logs_stay_clean() {
        let redactor = Redactor::builder().enable("all").build().unwrap();
        match logs::load().unwrap() {
            Some(logs) => {
                let row = false_alarms::measure(&redactor, &logs, true);
                assert!(row.reached, "{}", row.measured);
            }
            None => println!("SKIPPED: no logs in {}", logs::folder().display()),
        }
    }
}
