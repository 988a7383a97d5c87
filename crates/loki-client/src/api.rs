//! The trait: what one can ask of Loki.

use async_trait::async_trait;

use crate::push::PushStream;
use crate::tail::Tail;
use crate::types::{
    BuildInfo, DetectedField, DetectedLabel, IndexStats, LogQuery, Pattern, RangeQuery, Series, TailQuery,
    Value,
};
use crate::{Entry, Error, Labels, Nanos, Window};

/// Loki, as one tenant sees it.
///
/// Each method is one request (repeated only when passing trouble kept its answer away). What takes several of them
/// stands in [`LokiExt`](crate::LokiExt) and [`Cursor`](crate::Cursor).
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Loki: Send + Sync {
    /// One page of a log query: at most `limit` entries from one end of the window, ordered by time from that end on.
    /// Entries of one nanosecond have no order, and where a page ends within a nanosecond, which of its entries are on it
    /// is Loki's whim: [`LokiExt::pages`](crate::LokiExt::pages) gets them all.
    ///
    /// # Errors
    /// See [`Error`].
    async fn query_range(&self, query: &LogQuery) -> Result<Vec<Entry>, Error>;

    /// A metric query at one time. A range such as `[1m]` is `(at − 1m, at]`, to the nanosecond.
    ///
    /// # Errors
    /// [`Refusal::Query`](crate::Refusal::Query) for a log query, too. See [`Error`].
    async fn instant(&self, query: &str, at: Nanos) -> Result<Value, Error>;

    /// A metric query over time.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the step is none or finer than a millisecond. See [`Error`].
    async fn range(&self, query: &RangeQuery) -> Result<Vec<Series>, Error>;

    /// The names of the labels in use, sorted.
    ///
    /// # Errors
    /// See [`Error`].
    async fn labels(&self, window: Window) -> Result<Vec<String>, Error>;

    /// The values of a label in use, sorted.
    ///
    /// # Errors
    /// See [`Error`].
    async fn label_values(&self, name: &str, window: Window) -> Result<Vec<String>, Error>;

    /// The streams that any of the selectors finds, such as `{app="web"}`: plain matchers only.
    ///
    /// # Errors
    /// [`Refusal::Query`](crate::Refusal::Query) for a selector with a line filter. See [`Error`].
    async fn series(&self, selectors: &[String], window: Window) -> Result<Vec<Labels>, Error>;

    /// The query in Loki's own layout: a check of its syntax that costs nothing.
    ///
    /// # Errors
    /// [`Refusal::Query`](crate::Refusal::Query) with the place of the mistake. See [`Error`].
    async fn format_query(&self, query: &str) -> Result<String, Error>;

    /// Stores entries. Nothing to store is done without a request.
    ///
    /// # Errors
    /// [`Refusal::Entries`](crate::Refusal::Entries) when some are refused and the others stored. See [`Error`].
    async fn push(&self, streams: &[PushStream]) -> Result<(), Error>;

    /// Follows a log query over a WebSocket. A hint that there is something new, and no more: Loki leaves entries out
    /// under load, mostly without a word, closes after an hour (`tail_max_duration`), and gives each tenant 10 of them.
    /// The truth is read with a [`Cursor`](crate::Cursor).
    ///
    /// # Errors
    /// See [`Error`].
    async fn tail(&self, query: &TailQuery) -> Result<Tail, Error>;

    /// Loki is ready to serve. After a start that takes it some 15 s more than it takes to listen.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`](crate::Refusal::Unavailable) while it is not. See [`Error`].
    async fn ready(&self) -> Result<(), Error>;

    /// Which Loki it is.
    ///
    /// # Errors
    /// See [`Error`].
    async fn build_info(&self) -> Result<BuildInfo, Error>;

    /// What the index knows of a selection.
    ///
    /// # Errors
    /// See [`Error`].
    async fn index_stats(&self, selector: &str, window: Window) -> Result<IndexStats, Error>;

    /// The fields in a sample of lines.
    ///
    /// # Errors
    /// See [`Error`].
    async fn detected_fields(&self, query: &str, window: Window) -> Result<Vec<DetectedField>, Error>;

    /// The labels of use for choosing streams.
    ///
    /// # Errors
    /// See [`Error`].
    async fn detected_labels(&self, selector: &str, window: Window) -> Result<Vec<DetectedLabel>, Error>;

    /// The patterns that Loki found by itself, where its pattern ingester is switched on.
    ///
    /// # Errors
    /// See [`Error`].
    async fn patterns(&self, query: &str, window: Window) -> Result<Vec<Pattern>, Error>;
}
