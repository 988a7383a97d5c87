//! What takes several requests: whole windows, and exact counts.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::stream::{self, Stream, TryStreamExt as _};

use crate::time::nanos;
use crate::{Entry, Error, Loki, Nanos, Operation, PageOptions, Pager, RangeQuery, Value, Window};

/// Counts of right-closed buckets: `(first − step, first]`, …, `(last − step, last]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountQuery {
    /// A LogQL log query.
    pub query: String,
    /// The last instant of the first bucket: a multiple of `step`.
    pub first: Nanos,
    /// The last instant of the last bucket.
    pub last: Nanos,
    /// How long a bucket is: whole milliseconds. At most 11,000 buckets are answered.
    pub step: Duration,
}

impl CountQuery {
    /// The metric query that counts.
    fn range(&self) -> Result<RangeQuery, Error> {
        let Self { query, first, last, step } = self;
        if step.is_zero() || step.subsec_nanos() % 1_000_000 != 0 || first.get() % nanos(*step) != 0 {
            // Loki would move the buckets without a word.
            let what = "a bucket is whole milliseconds long and ends at a multiple of its length".to_owned();
            return Err(Error::Invalid { operation: Operation::QueryRange, what });
        }
        let query = format!("sum(count_over_time({query}\n[{}ms]))", step.as_millis());
        Ok(RangeQuery { query, start: *first, end: *last, step: *step, cached: false })
    }
}

/// What is made of the calls of [`Loki`].
pub trait LokiExt: Loki {
    /// Every entry of a window, in batches: ordered by time, each entry once, a nanosecond never divided between two
    /// batches. Entries that come into the window while it is read may be missed when they are older than what has been
    /// read: a [`Cursor`](crate::Cursor) finds those too.
    ///
    /// The stream ends after its first error. A window that is too much for Loki is read in shorter pieces by itself.
    fn pages(
        &self,
        query: &str,
        window: Window,
        options: PageOptions,
    ) -> impl Stream<Item = Result<Vec<Entry>, Error>> + Send {
        stream::try_unfold(Pager::new(query, window, options), move |mut pager| async move {
            while let Some(query) = pager.next_query() {
                match self.query_range(&query).await {
                    Ok(page) => {
                        let entries = pager.answer(page)?;
                        if !entries.is_empty() {
                            return Ok(Some((entries, pager)));
                        }
                    }
                    Err(error) if pager.refused(&error) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(None)
        })
    }

    /// Every entry of a window, one by one; as [`Self::pages`].
    fn entries(
        &self,
        query: &str,
        window: Window,
        options: PageOptions,
    ) -> impl Stream<Item = Result<Entry, Error>> + Send {
        let one_by_one = |entries: Vec<Entry>| stream::iter(entries.into_iter().map(Ok));
        self.pages(query, window, options).map_ok(one_by_one).try_flatten()
    }

    /// How many entries a window holds, exactly.
    ///
    /// LogQL has no smaller unit than the millisecond; when the window is not a whole number of them, the entries of its last
    /// part are read. (Behind a formatter that makes entries equal Loki counts more than it gives.)
    ///
    /// # Errors
    /// See [`Error`].
    fn count(&self, query: &str, window: Window) -> impl Future<Output = Result<u64, Error>> + Send {
        async move {
            if window.is_empty() {
                return Ok(0);
            }
            let millis = u64::try_from(window.length().as_millis()).unwrap_or(u64::MAX);
            let middle = window.start.after(Duration::from_millis(millis));
            let mut count = 0;
            if millis > 0 {
                // `(T − range, T]` is the window when T is its last nanosecond.
                let expression = format!("sum(count_over_time({query}\n[{millis}ms]))");
                count = total(self.instant(&expression, middle.before(Duration::from_nanos(1))).await?)?;
            }
            let rest = Window::new(middle, window.end);
            let mut pages = std::pin::pin!(self.pages(query, rest, PageOptions::default()));
            while let Some(page) = pages.try_next().await? {
                count += page.len() as u64;
            }
            Ok(count)
        }
    }

    /// How many entries each bucket holds, by its last instant; buckets without entries are left out. Loki's caches are
    /// passed by.
    ///
    /// # Errors
    /// See [`Error`].
    fn counts(&self, query: &CountQuery) -> impl Future<Output = Result<BTreeMap<Nanos, u64>, Error>> + Send {
        async move {
            let samples = self.range(&query.range()?).await?.into_iter().flat_map(|series| series.samples);
            samples
                .map(|sample| {
                    let end = Nanos::new(sample.millis.saturating_mul(1_000_000));
                    whole(sample.value).map(|count| (end, count)).ok_or_else(no_count)
                })
                .collect()
        }
    }
}

impl<L: Loki + ?Sized> LokiExt for L {}

/// The one number of `sum(…)`; no number when there was nothing to sum.
fn total(value: Value) -> Result<u64, Error> {
    let sample = match value {
        Value::Scalar(sample) => Some(sample),
        Value::Vector(vector) => vector.into_iter().next().map(|(_, sample)| sample),
        Value::Matrix(_) => return Err(no_count()),
    };
    sample.map_or(Some(0), |sample| whole(sample.value)).ok_or_else(no_count)
}

/// A count from a number, exact up to 2⁵³.
fn whole(value: f64) -> Option<u64> {
    (value >= 0.0 && value.fract() == 0.0 && value < 9_007_199_254_740_992.0).then_some(value as u64)
}

fn no_count() -> Error {
    Error::Decode {
        operation: Operation::Query,
        excerpt: "a number that is no count".to_owned(),
        source: "counts are whole numbers".into(),
    }
}
