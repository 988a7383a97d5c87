//! Entries on their way into Loki.

use bytes::Bytes;
use http::HeaderValue;
use prost::Message as _;
use serde::Serialize;
use serde::ser::{SerializeSeq as _, Serializer};

use crate::{Error, Labels, Nanos, Operation};

/// How entries are written on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PushEncoding {
    /// Protobuf, compressed with snappy: what Loki's own agents send.
    #[default]
    SnappyProtobuf,
    /// JSON, uncompressed: what a person can read on the way.
    Json,
}

impl PushEncoding {
    pub(crate) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::SnappyProtobuf => "application/x-protobuf",
            Self::Json => "application/json",
        })
    }
}

/// Entries of one stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushStream {
    /// What makes the stream. At least one, or nobody finds it again: every query needs a label to match.
    pub labels: Labels,
    /// Its entries, in any order.
    pub entries: Vec<PushEntry>,
}

/// One entry to store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushEntry {
    /// When it happened. Loki refuses what is more than 10 minutes ahead (`creation_grace_period`), more than a week old
    /// (`reject_old_samples_max_age`), or more than an hour behind the newest entry of its stream (`max_chunk_age` / 2).
    pub timestamp: Nanos,
    /// The text; 256 KiB at most (`max_line_size`).
    pub line: String,
    /// What is known of this entry alone, such as a trace id.
    pub metadata: Labels,
}

/// The body of a push, or nothing when there is nothing to store: Loki refuses an empty one (422).
pub(crate) fn encode(streams: &[PushStream], encoding: PushEncoding) -> Result<Option<Bytes>, Error> {
    let invalid = |what: String| Error::Invalid { operation: Operation::Push, what };
    let streams: Vec<_> = streams.iter().filter(|stream| !stream.entries.is_empty()).collect();
    if streams.is_empty() {
        return Ok(None);
    }
    if streams.iter().any(|stream| stream.labels.is_empty()) {
        return Err(invalid("a stream without a label can never be found again".to_owned()));
    }
    let body = match encoding {
        PushEncoding::SnappyProtobuf => {
            let message = protobuf::PushRequest { streams: streams.into_iter().map(Into::into).collect() };
            snap::raw::Encoder::new()
                .compress_vec(&message.encode_to_vec())
                .map_err(|error| invalid(format!("too large to compress ({error}): push less at once")))?
        }
        PushEncoding::Json => {
            let body = JsonRequest { streams: streams.into_iter().map(JsonStream).collect() };
            serde_json::to_vec(&body).map_err(|error| invalid(format!("no JSON: {error}")))?
        }
    };
    Ok(Some(body.into()))
}

#[derive(Serialize)]
struct JsonRequest<'a> {
    streams: Vec<JsonStream<'a>>,
}

struct JsonStream<'a>(&'a PushStream);

impl Serialize for JsonStream<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Stream<'a> {
            stream: &'a Labels,
            values: Vec<JsonEntry<'a>>,
        }
        let values = self.0.entries.iter().map(JsonEntry).collect();
        Stream { stream: &self.0.labels, values }.serialize(serializer)
    }
}

/// `["<ns>", "line"]`, and what is attached, if something is.
struct JsonEntry<'a>(&'a PushEntry);

impl Serialize for JsonEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut values = serializer.serialize_seq(None)?;
        values.serialize_element(&self.0.timestamp.to_string())?;
        values.serialize_element(&self.0.line)?;
        if !self.0.metadata.is_empty() {
            values.serialize_element(&self.0.metadata)?;
        }
        values.end()
    }
}

/// `pkg/push/push.proto` of Loki.
mod protobuf {
    use crate::push::{PushEntry, PushStream};

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct PushRequest {
        #[prost(message, repeated, tag = "1")]
        pub(super) streams: Vec<Stream>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Stream {
        /// As LogQL writes them.
        #[prost(string, tag = "1")]
        labels: String,
        #[prost(message, repeated, tag = "2")]
        entries: Vec<Entry>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct Entry {
        #[prost(message, optional, tag = "1")]
        timestamp: Option<Timestamp>,
        #[prost(string, tag = "2")]
        line: String,
        #[prost(message, repeated, tag = "3")]
        structured_metadata: Vec<LabelPair>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct LabelPair {
        #[prost(string, tag = "1")]
        name: String,
        #[prost(string, tag = "2")]
        value: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct Timestamp {
        #[prost(int64, tag = "1")]
        seconds: i64,
        #[prost(int32, tag = "2")]
        nanos: i32,
    }

    impl From<&PushStream> for Stream {
        fn from(stream: &PushStream) -> Self {
            Self {
                labels: stream.labels.to_string(),
                entries: stream.entries.iter().map(Into::into).collect(),
            }
        }
    }

    impl From<&PushEntry> for Entry {
        fn from(entry: &PushEntry) -> Self {
            let nanos = entry.timestamp.get();
            let (seconds, rest) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
            Self {
                timestamp: Some(Timestamp { seconds, nanos: i32::try_from(rest).unwrap_or_default() }),
                line: entry.line.clone(),
                structured_metadata: entry
                    .metadata
                    .iter()
                    .map(|(name, value)| LabelPair { name: name.to_owned(), value: value.to_owned() })
                    .collect(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams() -> Vec<PushStream> {
        vec![PushStream {
            labels: Labels::from_iter([("app", "web")]),
            entries: vec![
                PushEntry { timestamp: Nanos::new(-1), line: "a".into(), metadata: Labels::default() },
                PushEntry {
                    timestamp: Nanos::new(1_500_000_000),
                    line: "b\n".into(),
                    metadata: Labels::from_iter([("trace_id", "t1")]),
                },
            ],
        }]
    }

    #[test]
    fn json_holds_times_as_strings_and_metadata_where_there_is_some() {
        let body = encode(&streams(), PushEncoding::Json).unwrap().unwrap();
        assert_eq!(
            String::from_utf8(body.to_vec()).unwrap(),
            r#"{"streams":[{"stream":{"app":"web"},"values":[["-1","a"],["1500000000","b\n",{"trace_id":"t1"}]]}]}"#
        );
    }

    #[test]
    fn protobuf_is_loki_s_message_compressed() {
        let body = encode(&streams(), PushEncoding::SnappyProtobuf).unwrap().unwrap();
        let bytes = snap::raw::Decoder::new().decompress_vec(&body).unwrap();
        // Written by hand from pkg/push/push.proto: field numbers, wire types and lengths.
        let labels = br#"{app="web"}"#;
        // One second before the epoch, and almost a second after that.
        let time = [&[0x08], &[0xff; 9][..], &[0x01, 0x10, 0xff, 0x93, 0xeb, 0xdc, 0x03]].concat();
        let first = [&[0x0a, 17][..], &time, &[0x12, 1, b'a']].concat();
        let pair = [&[0x0a, 8][..], b"trace_id", &[0x12, 2], b"t1"].concat();
        let second = [
            &[0x0a, 8, 0x08, 0x01, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01, 0x12, 2, b'b', b'\n', 0x1a, 14][..],
            &pair,
        ]
        .concat();
        let entry = |bytes: &[u8]| [&[0x12, u8::try_from(bytes.len()).unwrap()], bytes].concat();
        let stream = [&[0x0a, 11], &labels[..], &entry(&first), &entry(&second)].concat();
        let expected = [&[0x0a, u8::try_from(stream.len()).unwrap()][..], &stream].concat();
        assert_eq!(bytes, expected);
    }

    #[test]
    fn nothing_is_not_sent_and_a_nameless_stream_is_refused() {
        assert_eq!(encode(&[PushStream::default()], PushEncoding::Json).unwrap(), None);
        let nameless = PushStream { entries: vec![PushEntry::default()], ..PushStream::default() };
        assert!(encode(&[nameless], PushEncoding::Json).is_err());
    }
}
