//! What is asked and answered, beside the entries themselves.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::{Entry, Labels, Nanos, Window};

/// Which end of a window comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The oldest entries first.
    #[default]
    Forward,
    /// The newest entries first.
    Backward,
}

impl Direction {
    /// The word that Loki takes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
        }
    }
}

/// One page of a log query: at most `limit` entries from one end of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogQuery {
    /// A LogQL log query.
    pub query: String,
    /// Where entries are taken from.
    pub window: Window,
    /// The most entries; the server has a limit for it (`max_entries_limit_per_query`, 5,000 by default).
    pub limit: u32,
    /// From which end of the window.
    pub direction: Direction,
}

/// A metric query, evaluated at `start`, `start + step`, … up to and including `end`.
///
/// Loki moves `start` down to a multiple of `step`. A range such as `[1m]` reaches back from each of these times, which it
/// includes: `(T − 1m, T]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeQuery {
    /// A LogQL metric query.
    pub query: String,
    /// The first time.
    pub start: Nanos,
    /// The last time, if a step falls on it.
    pub end: Nanos,
    /// Between two times: whole milliseconds, which is as fine as Loki takes it. At most 11,000 of them are answered.
    pub step: Duration,
    /// Whether an answer from Loki's results cache will do. It does for a dashboard; not for finding what came late.
    pub cached: bool,
}

/// The result of an instant query.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// One number, of no stream.
    Scalar(Sample),
    /// One number for each set of labels.
    Vector(Vec<(Labels, Sample)>),
    /// Numbers over time for each set of labels.
    Matrix(Vec<Series>),
}

/// Numbers over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Whose.
    pub labels: Labels,
    /// In order of time.
    pub samples: Vec<Sample>,
}

/// A number at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Milliseconds since the Unix epoch: as exact as Loki writes the times of samples.
    pub millis: i64,
    /// The number. Counts are exact up to 2⁵³.
    pub value: f64,
}

/// A stream to follow over a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TailQuery {
    /// A LogQL log query.
    pub query: String,
    /// Entries from here on are sent first, as far as Loki likes to; `None`: an hour back.
    pub start: Option<Nanos>,
    /// The most entries of the past.
    pub limit: u32,
}

/// One message of a tail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TailFrame {
    /// Entries, by stream.
    pub entries: Vec<Entry>,
    /// Entries that Loki admits to have left out. It leaves out many more without a word (measured on 3.4.6: of 4,000
    /// lines in a second 1,400 arrived, and none was said to be missing).
    pub dropped: Vec<Dropped>,
}

/// An entry that a tail left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// Its stream.
    pub labels: Labels,
    /// Its time.
    pub timestamp: Nanos,
}

/// Which Loki it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct BuildInfo {
    /// Its version; empty when it was built without.
    pub version: String,
    /// The commit it was built from.
    pub revision: String,
}

/// What the index knows of a selection. Entries that are still in an ingester do not count, so that all of it is zero for
/// fresh data (measured on 3.7.6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct IndexStats {
    /// Streams.
    pub streams: u64,
    /// Chunks.
    pub chunks: u64,
    /// Bytes.
    pub bytes: u64,
    /// Entries.
    pub entries: u64,
}

/// A field that Loki sees in the lines or the structured metadata of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DetectedField {
    /// Its name.
    #[serde(rename = "label")]
    pub name: String,
    /// What its values look like: `string`, `int`, `float`, `boolean`, `duration`, `bytes`.
    #[serde(rename = "type")]
    pub kind: String,
    /// About how many values it has.
    pub cardinality: u64,
    /// The parsers that find it; empty for structured metadata.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub parsers: Vec<String>,
}

/// A stream label that is of use for choosing streams.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DetectedLabel {
    /// Its name.
    #[serde(rename = "label")]
    pub name: String,
    /// About how many values it has.
    pub cardinality: u64,
}

/// A pattern that Loki's own pattern ingester found, where that is switched on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Pattern {
    /// The text, with `<_>` for what varies.
    pub pattern: String,
    /// Seconds since the Unix epoch, and lines then.
    pub samples: Vec<(i64, u64)>,
}

pub(crate) fn null_is_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
