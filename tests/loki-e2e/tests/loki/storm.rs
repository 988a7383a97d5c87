//! Ten minutes of logs: 50 lines a second, 5 % of them late, and 12,000 lines in one nanosecond.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use loki_client::{Entry, HttpLoki, Labels, Loki as _, Nanos, PushEntry, PushStream, Window};
use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

pub(crate) const SELECTOR: &str = r#"{app="storm"}"#;
pub(crate) const SECONDS: i64 = 600;
/// The longest that a line is late. Loki takes it an hour behind the newest of its stream.
pub(crate) const LATEST: i64 = 55 * 60;
const RATE: usize = 50;
const BURST: usize = 12_000;
/// So many of the burst's lines differ in nothing but their trace id.
const ALIKE: usize = 3000;
const PODS: [&str; 3] = ["web-0", "web-1", "web-2"];

/// A line, by all that makes it another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Line {
    pub(crate) at: Nanos,
    pod: String,
    text: String,
    trace: Option<String>,
}

impl From<Entry> for Line {
    fn from(entry: Entry) -> Self {
        Self {
            at: entry.timestamp,
            pod: entry.labels.get("pod").unwrap_or_default().to_owned(),
            text: entry.line,
            trace: entry.metadata.get("trace_id").map(str::to_owned),
        }
    }
}

pub(crate) struct Storm {
    pub(crate) start: Nanos,
    /// The nanosecond with 12,000 lines.
    pub(crate) burst: Nanos,
    /// Lines by the second, after the start, in which they arrive.
    arrivals: BTreeMap<i64, Vec<Line>>,
}

impl Storm {
    pub(crate) fn new(seed: u64) -> Self {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        // A minute's beginning, so that a bucket of the ledger is a minute of the storm; recent enough that the
        // ingester still answers for it.
        let now = Timestamp::now().as_second();
        let start = Nanos::from_seconds((now - 80 * 60).div_euclid(60) * 60);
        let burst = start.after(Duration::from_nanos(300_500_000_000));
        let mut arrivals: BTreeMap<i64, Vec<Line>> = BTreeMap::new();
        let pod = |chance: &mut ChaCha8Rng| PODS[chance.random_range(0..PODS.len())].to_owned();
        for n in 0..SECONDS as usize * RATE {
            let after = chance.random_range(0..SECONDS * 1_000_000_000);
            // Some in the same millisecond, as programs write them that know no better.
            let after = if n % 5 == 0 { after - after % 1_000_000 } else { after };
            let delay = if chance.random_bool(0.05) { delay(&mut chance) } else { 0 };
            let line = Line {
                at: Nanos::new(start.get() + after),
                pod: pod(&mut chance),
                text: format!(
                    "GET /items/{n} {} in {} ms",
                    [200, 404, 500][n % 3],
                    chance.random_range(1..900)
                ),
                trace: chance.random_bool(0.3).then(|| format!("{:016x}", chance.random::<u64>())),
            };
            arrivals.entry(after / 1_000_000_000 + 1 + delay).or_default().push(line);
        }
        for n in 0..BURST {
            let (text, trace) = match n {
                ..ALIKE => ("connection lost".to_owned(), Some(format!("{n:06}"))),
                _ => (format!("retry {n} of the connection"), None),
            };
            let line = Line { at: burst, pod: pod(&mut chance), text, trace };
            arrivals.entry(301).or_default().push(line);
        }
        Self { start, burst, arrivals }
    }

    pub(crate) fn at(&self, second: i64) -> Nanos {
        Nanos::new(self.start.get() + second * 1_000_000_000)
    }

    /// Without the burst and whatever is late.
    pub(crate) fn be_calm(&mut self) {
        let (start, burst) = (self.start, self.burst);
        for (second, lines) in &mut self.arrivals {
            lines.retain(|line| {
                line.at != burst && line.at.since(start).as_secs() + 1 == second.unsigned_abs()
            });
        }
    }

    /// Takes what has arrived up to a second.
    pub(crate) fn arrived(&mut self, second: i64) -> Vec<Line> {
        let later = self.arrivals.split_off(&(second + 1));
        std::mem::replace(&mut self.arrivals, later).into_values().flatten().collect()
    }

    /// All lines in the order in which they arrive.
    pub(crate) fn as_it_came(&self) -> Vec<Line> {
        self.arrivals.values().flatten().cloned().collect()
    }

    /// All lines, sorted.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let mut lines = self.as_it_came();
        lines.sort();
        lines
    }
}

/// In seconds: mostly some minutes, sometimes most of an hour.
fn delay(chance: &mut impl Rng) -> i64 {
    if chance.random_bool(0.5) {
        let waited = -60.0 * chance.random::<f64>().max(1e-9).ln();
        (waited as i64).min(480)
    } else {
        chance.random_range(0..LATEST)
    }
}

/// Of sorted lines those in a window.
pub(crate) fn within(lines: &[Line], window: Window) -> &[Line] {
    let before = |at: Nanos| lines.partition_point(|line| line.at < at);
    let start = before(window.start);
    &lines[start..before(window.end).max(start)]
}

/// Stores lines, as their pods would.
pub(crate) async fn push(client: &HttpLoki, lines: &[Line]) {
    for lines in lines.chunks(2000) {
        let mut streams: BTreeMap<&str, PushStream> = BTreeMap::new();
        for line in lines {
            let labels = || Labels::from_iter([("app", "storm"), ("pod", &line.pod)]);
            let stream = streams
                .entry(&line.pod)
                .or_insert_with(|| PushStream { labels: labels(), entries: Vec::new() });
            stream.entries.push(PushEntry {
                timestamp: line.at,
                line: line.text.clone(),
                metadata: line.trace.iter().map(|id| ("trace_id", id)).collect(),
            });
        }
        client.push(&streams.into_values().collect::<Vec<_>>()).await.unwrap();
    }
}
