//! Following a query, with nothing lost and nothing doubled: a state machine without clock and network.
//!
//! Reading forward alone loses lines: Loki accepts entries up to an hour behind the newest of their stream. So a cursor
//! keeps a ledger. For each bucket of time it remembers which entries it gave out; now and then (a *sweep*) it asks Loki
//! for the counts of all buckets of the last hour, and reads again those whose count has changed.

mod fingerprints;
mod ledger;
mod request;
mod state;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::time::Duration;

use crate::logql;
use crate::read::CountQuery;
use crate::types::Direction;
use crate::{Entry, Error, Nanos, Operation, PageOptions, Pager, Window};
use ledger::{Ledger, Number};
pub use request::{Answer, Failure, Request};
pub use state::CursorState;

/// Of one metric query.
const MOST_BUCKETS: Number = 10_000;

/// How a query is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorOptions {
    /// Entries of a page; 1,000 by default.
    pub limit: u32,
    /// Entries of the largest page that the server gives (`max_entries_limit_per_query`); 5,000 by default.
    pub most: u32,
    /// How far behind the present a tick reads, so that what is on its way can arrive; 3 s by default. Sweeps find what
    /// takes longer, at a higher price.
    pub settle: Duration,
    /// How far back sweeps look; 65 minutes by default: Loki accepts entries an hour behind the newest of their stream
    /// (`max_chunk_age` / 2). What comes later than this is not seen.
    pub horizon: Duration,
    /// The length of the buckets that are counted; a minute by default, whole seconds. It must not change as long as a
    /// state is used.
    pub bucket: Duration,
    /// The longest window that is asked for at once when there is much to catch up with; 10 minutes by default.
    pub span: Duration,
}

impl Default for CursorOptions {
    fn default() -> Self {
        Self {
            limit: 1000,
            most: 5000,
            settle: Duration::from_secs(3),
            horizon: Duration::from_secs(65 * 60),
            bucket: Duration::from_secs(60),
            span: Duration::from_secs(600),
        }
    }
}

/// Follows a query: says what to ask next, takes the answers, and returns the entries that are new.
///
/// The caller owns the clock, the network and the storage:
///
/// - [`tick`](Self::tick) says that time has passed and new entries shall be read, [`sweep`](Self::sweep) that late ones
///   shall be looked for. Every 10 and every 60 seconds are good values.
/// - As long as [`next_request`](Self::next_request) has one, it is sent, and its answer given to
///   [`answer`](Self::answer) or its error to [`failed`](Self::failed).
/// - Whenever [`answer`](Self::answer) returned entries, they and the [`state`](Self::state) are stored **together**. A
///   cursor that [resumes](Self::resume) a state returns exactly what was not returned before that state was taken.
///
/// What it promises: every entry that Loki shows within `horizon` of its timestamp is returned, and none twice. Entries
/// of one nanosecond come in any order; late ones come when they are found.
#[derive(Debug, Clone)]
pub struct Cursor {
    query: String,
    options: CursorOptions,
    /// Entries before are not returned.
    start: Nanos,
    /// Everything before has been read once.
    reached: Nanos,
    /// Everything before shall be read.
    target: Nanos,
    ledger: Ledger,
    job: Option<Job>,
    /// A sweep is due.
    sweep: bool,
    /// Whole buckets that are still to be counted in this sweep.
    uncounted: Range<Number>,
    /// How many buckets are counted at once.
    counted_at_once: Number,
    /// Buckets to be read again, with their counts.
    changed: VecDeque<(Number, u64)>,
    late: u64,
}

/// What is being done.
#[derive(Debug, Clone)]
enum Job {
    /// Reading on from `reached`.
    Forward(Pager),
    /// Counting buckets.
    Count(Range<Number>),
    /// Reading a bucket again that has so many entries; what of it is there already.
    Again { number: Number, count: u64, pager: Pager, entries: Vec<Entry> },
}

impl Cursor {
    /// Follows a query from an instant on.
    ///
    /// The query is a selector with line filters and label filters. Parsers and formatters are not accepted: behind them
    /// an entry need not look as it is stored, and a line that does not parse can be read but not counted.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the query is none that can be followed, or an option makes no sense.
    pub fn new(query: impl Into<String>, start: Nanos, options: CursorOptions) -> Result<Self, Error> {
        let query = query.into();
        check(&query, &options)?;
        let ledger = Ledger::new(options.bucket, start);
        // From the beginning of its bucket, so that the bucket can be compared with its count.
        let reached = ledger.window(ledger.number(start)).start;
        Ok(Self::with(query, options, start, reached, ledger))
    }

    fn with(query: String, options: CursorOptions, start: Nanos, reached: Nanos, ledger: Ledger) -> Self {
        Self {
            query,
            options,
            start,
            reached,
            target: reached,
            ledger,
            job: None,
            sweep: false,
            uncounted: 0..0,
            counted_at_once: MOST_BUCKETS,
            changed: VecDeque::new(),
            late: 0,
        }
    }

    /// The query that is followed.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// Everything before this has been read. What is missing to the present is how far the cursor lags.
    pub fn reached(&self) -> Nanos {
        self.reached
    }

    /// How many entries sweeps have found since this value was made: those that reading forward alone would have lost.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// It is `now`: what has come since the last tick shall be read.
    pub fn tick(&mut self, now: Nanos) {
        self.target = self.target.max(now.before(self.options.settle));
        self.forget(now);
    }

    /// It is `now`: what has come late shall be looked for.
    pub fn sweep(&mut self, now: Nanos) {
        self.sweep = true;
        self.forget(now);
    }

    /// What to ask Loki next; `None` until the next [`tick`](Self::tick) or [`sweep`](Self::sweep). Asked again, it says
    /// the same.
    pub fn next_request(&mut self) -> Option<Request> {
        loop {
            if self.job.is_none() {
                self.job = self.next_job();
            }
            let request = match self.job.as_ref()? {
                Job::Forward(pager) | Job::Again { pager, .. } => pager.next_query().map(Request::Page),
                Job::Count(buckets) => Some(Request::Counts(self.count_query(buckets))),
            };
            match request {
                Some(request) => return Some(request),
                // A window without room for an entry.
                None => self.job = None,
            }
        }
    }

    /// Takes the answer to [`Self::next_request`] and returns the entries that are new.
    ///
    /// # Errors
    /// [`Error::Inseparable`] and [`Error::Decode`] as [`Pager::answer`], and [`Error::Invalid`] when the answer is not of
    /// the request's kind. The cursor stays where it was.
    pub fn answer(&mut self, answer: Answer) -> Result<Vec<Entry>, Error> {
        let late = match (self.job.take(), answer) {
            (Some(Job::Forward(mut pager)), Answer::Page(page)) => {
                let entries = pager.answer(page);
                self.reached = self.reached.max(pager.left().start);
                let done = pager.next_query().is_none();
                self.job = (!done).then_some(Job::Forward(pager));
                let entries = entries?;
                self.ledger.record(&entries);
                return Ok(self.wanted(entries));
            }
            (Some(Job::Count(buckets)), Answer::Counts(counts)) => {
                self.compare(buckets, &counts);
                return Ok(Vec::new());
            }
            (Some(Job::Again { number, count, mut pager, mut entries }), Answer::Page(page)) => {
                let read = pager.answer(page);
                let done = pager.next_query().is_none();
                let failed = read.is_err();
                if let Ok(read) = &read {
                    entries.extend_from_slice(read);
                }
                if !done || failed {
                    self.job = Some(Job::Again { number, count, pager, entries });
                    return read.map(|_| Vec::new());
                }
                self.ledger.settle(number, count, entries)
            }
            (job, _) => {
                self.job = job;
                return Err(Error::Invalid {
                    operation: Operation::QueryRange,
                    what: "the answer does not belong to the request".to_owned(),
                });
            }
        };
        let late = self.wanted(late);
        self.late += late.len() as u64;
        Ok(late)
    }

    /// Takes the failure of [`Self::next_request`], and says how to go on.
    pub fn failed(&mut self, error: &Error) -> Failure {
        let less = match &mut self.job {
            Some(Job::Forward(pager) | Job::Again { pager, .. }) => pager.refused(error),
            Some(Job::Count(buckets)) if error.asks_for_less() && buckets.end - buckets.start > 1 => {
                self.counted_at_once = (buckets.end - buckets.start) / 2;
                self.uncounted.start = buckets.start;
                self.job = None;
                true
            }
            _ => false,
        };
        if less {
            return Failure::Less;
        }
        if error.is_retryable() {
            return Failure::Pause;
        }
        // Reading on must not wait for a bucket that cannot be read: the next sweep finds it again.
        if !matches!(self.job, Some(Job::Forward(_))) {
            self.job = None;
            self.uncounted = 0..0;
        }
        Failure::Stuck
    }

    /// Reading on goes first, then the buckets that are known to have changed.
    fn next_job(&mut self) -> Option<Job> {
        let unread = Window::new(self.reached, self.target);
        if !unread.is_empty() {
            return Some(Job::Forward(self.pager(unread, self.options.limit)));
        }
        if let Some((number, count)) = self.changed.pop_front() {
            let pager = self.pager(self.ledger.window(number), self.options.most);
            return Some(Job::Again { number, count, pager, entries: Vec::new() });
        }
        if std::mem::take(&mut self.sweep) {
            self.uncounted = self.ledger.whole(self.reached);
        }
        if self.uncounted.is_empty() {
            return None;
        }
        let end = self.uncounted.end.min(self.uncounted.start + self.counted_at_once);
        let buckets = self.uncounted.start..end;
        self.uncounted.start = end;
        Some(Job::Count(buckets))
    }

    fn pager(&self, window: Window, limit: u32) -> Pager {
        let CursorOptions { most, span, .. } = self.options;
        Pager::new(&self.query, window, PageOptions { limit, most, direction: Direction::Forward, span })
    }

    fn count_query(&self, buckets: &Range<Number>) -> CountQuery {
        CountQuery {
            query: self.query.clone(),
            first: self.ledger.end(buckets.start),
            last: self.ledger.end(buckets.end - 1),
            step: self.options.bucket,
        }
    }

    fn compare(&mut self, buckets: Range<Number>, counts: &BTreeMap<Nanos, u64>) {
        for number in buckets {
            let count = counts.get(&self.ledger.end(number)).copied().unwrap_or_default();
            if self.ledger.is_kept(number) && self.ledger.must_read(number, count) {
                self.changed.push_back((number, count));
            }
        }
        self.counted_at_once = self.counted_at_once.saturating_mul(2).min(MOST_BUCKETS);
    }

    /// What lies behind the horizon is forgotten, and what was to be done about it.
    fn forget(&mut self, now: Nanos) {
        self.ledger.forget_before(self.ledger.number(now.before(self.options.horizon)));
        let ledger = &self.ledger;
        self.changed.retain(|(number, _)| ledger.is_kept(*number));
        if matches!(&self.job, Some(Job::Again { number, .. }) if !ledger.is_kept(*number)) {
            self.job = None;
        }
    }

    /// Without what lies before the start: it was read for the sake of the first bucket's count.
    fn wanted(&self, mut entries: Vec<Entry>) -> Vec<Entry> {
        entries.retain(|entry| entry.timestamp >= self.start);
        entries
    }
}

fn check(query: &str, options: &CursorOptions) -> Result<(), Error> {
    let invalid = |what: String| Error::Invalid { operation: Operation::QueryRange, what };
    logql::only_filters(query).map_err(invalid)?;
    let bucket = options.bucket;
    if bucket.is_zero() || bucket.subsec_nanos() != 0 || bucket > options.horizon {
        return Err(invalid(format!("a bucket of {bucket:?} is not whole seconds within the horizon")));
    }
    Ok(())
}
