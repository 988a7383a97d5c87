//! What a cursor asks, and what it is told.

use std::collections::BTreeMap;

use crate::read::{CountQuery, LokiExt as _};
use crate::types::LogQuery;
use crate::{Entry, Error, Loki, Nanos};

/// The next thing that a [`Cursor`](super::Cursor) needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// A page of entries.
    Page(LogQuery),
    /// How many entries there are in each bucket.
    Counts(CountQuery),
}

/// The answer to a [`Request`] of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// Entries.
    Page(Vec<Entry>),
    /// Counts by the last instant of each bucket that has entries.
    Counts(BTreeMap<Nanos, u64>),
}

impl Request {
    /// Asks it.
    ///
    /// # Errors
    /// To be given to [`Cursor::failed`](super::Cursor::failed).
    pub async fn send<L: Loki + ?Sized>(&self, loki: &L) -> Result<Answer, Error> {
        match self {
            Self::Page(query) => loki.query_range(query).await.map(Answer::Page),
            Self::Counts(query) => loki.counts(query).await.map(Answer::Counts),
        }
    }
}

/// What to do after a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// Pause, then go on: the same is asked for again, after what has become more urgent.
    Pause,
    /// Go on at once: the next request asks for less.
    Less,
    /// Tell a person that late entries wait, and go on at once: what looks for them has failed several times in a row, or
    /// in a way that will not pass by itself, and is left alone for a while (see
    /// [`Cursor::parked`](super::Cursor::parked)). The next request is about something else.
    Parked,
    /// Tell a person, then pause: reading on has failed in a way that will not pass by itself. Nothing is skipped; what
    /// could not be read is asked for again.
    Stuck,
}
