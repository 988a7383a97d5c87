//! What Loki answers, read into values, for those who fetch it by themselves. Every function takes bytes that may be
//! anything.

use std::fmt;
use std::sync::Arc;

use serde::de::{self, DeserializeOwned, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::types::{Sample, Series, TailFrame, Value};
use crate::{Dropped, Entry, Labels, Nanos};

/// Why an answer that is no refusal gives no result.
pub(crate) enum Unread {
    /// It is not the JSON that was expected.
    Json(serde_json::Error),
    /// It answers a query of the other kind.
    OtherKind(&'static str),
    /// What Loki answers instead.
    Other(&'static str),
}

impl Unread {
    /// For whoever has made the call without us.
    fn into_json(self) -> serde_json::Error {
        match self {
            Self::Json(error) => error,
            Self::OtherKind(what) | Self::Other(what) => de::Error::custom(what),
        }
    }
}

impl From<serde_json::Error> for Unread {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

/// A push that is stored: 204, or 200 from a gateway, and never a word.
pub(crate) fn nothing(body: &[u8]) -> Result<(), Unread> {
    match body.trim_ascii() {
        [] => Ok(()),
        _ => Err(Unread::Other("Loki answers nothing when it has stored a push")),
    }
}

/// A Loki that is ready.
pub(crate) fn ready(body: &[u8]) -> Result<(), Unread> {
    match body.trim_ascii() {
        b"ready" => Ok(()),
        _ => Err(Unread::Other("Loki answers `ready` when it is")),
    }
}

pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(body)
}

/// `data` of `{"status":"success","data":…}`, with whatever else stands beside them.
pub(crate) fn data<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    #[derive(Deserialize)]
    struct Envelope<T> {
        data: T,
    }
    json::<Envelope<T>>(body).map(|envelope| envelope.data)
}

/// The entries of a log query, in the order of the answer: streams in any order, each sorted by time.
///
/// # Errors
/// When the body is no answer to a log query.
pub fn entries(body: &[u8]) -> Result<Vec<Entry>, serde_json::Error> {
    streams(body).map_err(Unread::into_json)
}

/// The same for a call, whose caller can make another one.
pub(crate) fn streams(body: &[u8]) -> Result<Vec<Entry>, Unread> {
    match data(body)? {
        QueryData::Streams(streams) => Ok(flatten(streams)),
        QueryData::Matrix(_) | QueryData::Vector(_) | QueryData::Scalar(_) => Err(Unread::OtherKind(
            "this is a metric query, which has no entries: `instant` and `range` answer it",
        )),
    }
}

/// The result of a metric query.
///
/// # Errors
/// When the body is no answer to a metric query.
pub fn value(body: &[u8]) -> Result<Value, serde_json::Error> {
    numbers(body).map_err(Unread::into_json)
}

/// The same for a call, whose caller can make another one.
pub(crate) fn numbers(body: &[u8]) -> Result<Value, Unread> {
    match data(body)? {
        QueryData::Scalar(sample) => Ok(Value::Scalar(sample.0)),
        QueryData::Vector(vector) => {
            Ok(Value::Vector(vector.into_iter().map(|one| (one.metric, one.value.0)).collect()))
        }
        QueryData::Matrix(matrix) => Ok(Value::Matrix(
            matrix
                .into_iter()
                .map(|one| Series {
                    labels: one.metric,
                    samples: one.values.into_iter().map(|sample| sample.0).collect(),
                })
                .collect(),
        )),
        QueryData::Streams(_) => Err(Unread::OtherKind(
            "this is a log query, which has entries and no numbers: `query_range`, `pages` and `entries` answer it",
        )),
    }
}

/// The result of a metric query over time.
pub(crate) fn matrix(body: &[u8]) -> Result<Vec<Series>, Unread> {
    match numbers(body)? {
        Value::Matrix(matrix) => Ok(matrix),
        Value::Vector(_) | Value::Scalar(_) => Err(Unread::Other("Loki answers `query_range` with a matrix")),
    }
}

/// `data` that is a list; Loki writes an empty one as null or leaves it out.
pub(crate) fn list<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Listing<T> {
        data: Option<Vec<T>>,
    }
    json::<Listing<T>>(body).map(|listing| listing.data.unwrap_or_default())
}

/// One message of a tail.
///
/// # Errors
/// When the text is no such message.
pub fn tail_frame(text: &[u8]) -> Result<TailFrame, serde_json::Error> {
    #[derive(Deserialize)]
    struct Frame {
        #[serde(default)]
        streams: Option<Vec<RawStream>>,
        #[serde(default)]
        dropped_entries: Option<Vec<RawDropped>>,
    }
    #[derive(Deserialize)]
    struct RawDropped {
        labels: Labels,
        timestamp: RawNanos,
    }
    let frame: Frame = json(text)?;
    let dropped = frame.dropped_entries.unwrap_or_default().into_iter();
    Ok(TailFrame {
        entries: flatten(frame.streams.unwrap_or_default()),
        dropped: dropped
            .map(|one| Dropped { labels: one.labels.without_shard(), timestamp: one.timestamp.0 })
            .collect(),
    })
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum QueryData {
    Streams(Vec<RawStream>),
    Matrix(Vec<RawSeries>),
    Vector(Vec<RawVectorSample>),
    Scalar(RawSample),
}

#[derive(Deserialize)]
struct RawStream {
    stream: Labels,
    values: Vec<RawEntry>,
}

#[derive(Deserialize)]
struct RawSeries {
    metric: Labels,
    values: Vec<RawSample>,
}

#[derive(Deserialize)]
struct RawVectorSample {
    metric: Labels,
    value: RawSample,
}

fn flatten(streams: Vec<RawStream>) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(streams.iter().map(|stream| stream.values.len()).sum());
    for stream in streams {
        let labels = Arc::new(stream.stream.without_shard());
        entries.extend(stream.values.into_iter().map(|entry| Entry {
            timestamp: entry.timestamp,
            line: entry.line,
            labels: Arc::clone(&labels),
            metadata: entry.attached.structured_metadata,
            parsed: entry.attached.parsed,
        }));
    }
    entries
}

/// Nanoseconds as a string of digits.
struct RawNanos(Nanos);

impl<'de> Deserialize<'de> for RawNanos {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = RawNanos;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("nanoseconds as a string")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<RawNanos, E> {
                let nanos = text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str("…"), &self))?;
                Ok(RawNanos(Nanos::new(nanos)))
            }
        }
        deserializer.deserialize_str(Digits)
    }
}

/// What categorize-labels puts beside a line.
#[derive(Deserialize, Default)]
struct Attached {
    #[serde(default, rename = "structuredMetadata")]
    structured_metadata: Labels,
    #[serde(default)]
    parsed: Labels,
}

/// `["<ns>", "line"]`, or with a third value when labels are categorised.
struct RawEntry {
    timestamp: Nanos,
    line: String,
    attached: Attached,
}

impl<'de> Deserialize<'de> for RawEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tuple;
        impl<'de> Visitor<'de> for Tuple {
            type Value = RawEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of nanoseconds, line and perhaps what is attached")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<RawEntry, A::Error> {
                let RawNanos(timestamp) =
                    seq.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
                let line = seq.next_element()?.ok_or_else(|| de::Error::invalid_length(1, &self))?;
                let attached = seq.next_element()?.unwrap_or_default();
                // Whatever a later Loki may add.
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(RawEntry { timestamp, line, attached })
            }
        }
        deserializer.deserialize_seq(Tuple)
    }
}

/// `[<seconds>, "<number>"]`.
struct RawSample(Sample);

impl<'de> Deserialize<'de> for RawSample {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (seconds, text) = <(f64, String)>::deserialize(deserializer)?;
        let value = text
            .parse()
            .map_err(|_| de::Error::invalid_value(de::Unexpected::Str("…"), &"a number as a string"))?;
        // Loki rounds to milliseconds, which are exact here; the cast stops at the ends of the range.
        Ok(Self(Sample { millis: (seconds * 1000.0).round() as i64, value }))
    }
}
