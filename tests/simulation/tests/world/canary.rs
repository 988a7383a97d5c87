//! No key shows in anything that an operator says to whoever listens at level trace: lines, and the fields of
//! spans. What it writes to the store is the judge's to look at, in every seed.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use simulation::judge::Invariant;
use simulation::nature::CANARY;
use simulation::script::Length;
use simulation::seed;
use spotpool_operator::Guards;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Reads every line and keeps those that show a key.
#[derive(Clone, Default)]
struct Reader(Arc<Mutex<Read>>);

#[derive(Default)]
struct Read {
    bytes: usize,
    spans: usize,
    leaks: Vec<String>,
}

impl Write for Reader {
    /// The subscriber writes a line at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let mut read = self.0.lock().unwrap();
        read.bytes += line.len();
        read.spans += usize::from(text.contains("pool.name"));
        if text.contains(CANARY) {
            read.leaks.push(text.into_owned());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn whoever_listens_to_everything_hears_no_key() {
    let reader = Reader::default();
    let writer = reader.clone();
    let listener = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(listener, || {
        // The script of these has a wrong key, a changed one and one that is taken away.
        for seed in 1..=3 {
            let outcome = seed::run(seed, Guards::ALL, Length::SHORT, false);
            let violation = outcome.violation.map(|(violation, _)| violation);
            assert!(
                violation.as_ref().is_none_or(|violation| violation.invariant != Invariant::KeepsSecrets),
                "{violation:?}"
            );
        }
    });
    let read = reader.0.lock().unwrap();
    assert!(
        read.bytes > 100_000 && read.spans > 100,
        "{} bytes, {} spans were heard",
        read.bytes,
        read.spans
    );
    assert_eq!(read.leaks, Vec::<String>::new());
}
