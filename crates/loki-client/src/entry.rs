//! A log entry, its labels, and what makes it the same entry.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Nanos;
use crate::logql::quote;

/// Loki adds it to a stream that it writes in shards; it says nothing about the entry.
const STREAM_SHARD: &str = "__stream_shard__";

/// Names with values, each name once, ordered by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(BTreeMap<String, String>);

impl Labels {
    /// The value under a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Sets the value under a name.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// Names and values, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn without_shard(mut self) -> Self {
        self.0.remove(STREAM_SHARD);
        self
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// As LogQL writes a stream's labels: `{app="web", pod="web-1"}`.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (turn, (name, value)) in self.iter().enumerate() {
            let comma = if turn == 0 { "" } else { ", " };
            write!(f, "{comma}{name}={}", quote(value))?;
        }
        f.write_str("}")
    }
}

/// One log entry.
///
/// Entries of one nanosecond have no order: Loki gives them in whatever order it finds them, and another one the
/// next time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it happened, as the writer said.
    pub timestamp: Nanos,
    /// The text.
    pub line: String,
    /// The labels of its stream, shared between the entries of one.
    pub labels: Arc<Labels>,
    /// Structured metadata: what the writer and Loki (`detected_level`) attached to this entry alone. Empty when
    /// the server is too old to keep it apart from the labels (before Loki 3.0).
    pub metadata: Labels,
    /// What the query's parser stages took out of the line.
    pub parsed: Labels,
}

impl Entry {
    /// What makes it the same entry, wherever and however often it is read.
    pub fn key(&self) -> EntryKey {
        let mut hash = Sha256::new();
        hash_labels(&mut hash, &self.labels);
        hash_labels(&mut hash, &self.metadata);
        hash.update(self.timestamp.get().to_be_bytes());
        hash_text(&mut hash, &self.line);
        let mut key = [0; 16];
        key.copy_from_slice(&hash.finalize()[..16]);
        EntryKey(key)
    }
}

/// The identity of an entry: a hash of stream labels, timestamp, line and structured metadata.
///
/// Loki keeps an entry once when all four are the same (measured on 3.7.6; 3.4.6 kept it once when the first three
/// were). The hash is cryptographic, since whoever writes a log must not be able to make two entries look like one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKey([u8; 16]);

impl EntryKey {
    /// The hash.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

fn hash_labels(hash: &mut Sha256, labels: &Labels) {
    hash.update((labels.len() as u64).to_be_bytes());
    for (name, value) in labels.iter() {
        hash_text(hash, name);
        hash_text(hash, value);
    }
}

/// The length goes first, so that no two lists of texts hash the same bytes.
fn hash_text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            timestamp: Nanos::new(7),
            line: "started".into(),
            labels: Arc::new(Labels::from_iter([("app", "web")])),
            metadata: Labels::from_iter([("trace_id", "t1")]),
            parsed: Labels::default(),
        }
    }

    #[test]
    fn whatever_makes_another_entry_makes_another_key() {
        let same = entry().key();
        assert_eq!(entry().key(), same);
        let others = [
            Entry { timestamp: Nanos::new(8), ..entry() },
            Entry { line: "starte".into(), ..entry() },
            Entry { labels: Arc::default(), ..entry() },
            Entry { labels: Arc::new(Labels::from_iter([("ap", "pweb")])), ..entry() },
            Entry { metadata: Labels::default(), ..entry() },
            // The same names and values, in the other place.
            Entry {
                metadata: Labels::from_iter([("app", "web")]),
                labels: Arc::new(entry().metadata),
                ..entry()
            },
        ];
        for other in others {
            assert_ne!(other.key(), same, "{other:?}");
        }
    }

    #[test]
    fn what_a_parser_took_out_of_the_line_is_no_part_of_the_identity() {
        let parsed = Entry { parsed: Labels::from_iter([("level", "info")]), ..entry() };
        assert_eq!(parsed.key(), entry().key());
    }

    #[test]
    fn labels_are_written_as_logql_reads_them() {
        let labels = Labels::from_iter([("pod", "a\"b\\c\nd"), ("app", "web")]);
        assert_eq!(labels.to_string(), r#"{app="web", pod="a\"b\\c\nd"}"#);
        assert_eq!(Labels::default().to_string(), "{}");
    }
}
