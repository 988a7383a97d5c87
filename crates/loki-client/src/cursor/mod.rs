//! Following a query, with nothing lost and nothing doubled: a state machine without clock and network.
//!
//! Reading forward alone loses lines: Loki accepts entries up to an hour behind the newest of their stream. So a cursor
//! keeps a ledger. For each bucket of time it remembers which entries it gave out; now and then (a *sweep*) it asks Loki
//! for the counts of all buckets of the last hour, and reads again those whose count has changed.
//!
//! Reading on never waits for a sweep. One that fails is parked (`parking`), and what none has compared lately is read
//! again as a whole before the ledger forgets it (`horizon`), so that late entries are found and the ledger stays as large
//! as the horizon.

mod clock;
mod fingerprints;
mod horizon;
mod job;
mod ledger;
mod parking;
mod request;
mod state;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::time::Duration;

use crate::logql;
use crate::read::CountQuery;
use crate::types::Direction;
use crate::{Entry, Error, Nanos, Operation, PageOptions, Pager, Refusal, Window};
use clock::Leap;
use horizon::Swept;
use job::Job;
use ledger::{Ledger, Number};
pub use parking::Parked;
use parking::Parking;
pub use request::{Answer, Failure, Request};
pub use state::CursorState;

/// Of one metric query.
const MOST_BUCKETS: Number = 10_000;

/// How a query is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorOptions {
    /// Entries of a page; 1,000 by default.
    pub limit: u32,
    /// Entries of the largest page that the server gives (`max_entries_limit_per_query`); 5,000 by default. When the
    /// server says that it is less, that is taken instead for as long as this cursor lives; a [state](CursorState) does
    /// not remember it, so that a restart notices a larger one.
    pub most: u32,
    /// How far behind the present a tick reads, so that what is on its way can arrive; 3 s by default. Sweeps find what
    /// takes longer, at a higher price.
    pub settle: Duration,
    /// How far back sweeps look; 65 minutes by default: Loki accepts entries an hour behind the newest of their stream
    /// (`max_chunk_age` / 2). What comes later than this is not seen; what comes in its last twentieth, if a sweep does.
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
/// of one nanosecond come in any order; late ones come when they are found. So it is whatever the clock does, as soon as it
/// is put right and the log goes on: what was read ahead of the present is read again, behind what was given out. (Only a
/// `start` is taken as it is told.)
///
/// Counting costs Loki more than reading, and can fail where reading works. Then the sweep is parked after three
/// failures in a row, or one that will not pass, for a minute at first and for ten at most by the time that the caller tells;
/// [`failed`](Self::failed) says so, and [`parked`](Self::parked) as long as it lasts. Reading on goes on.
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
    /// Buckets whose count failed by itself: they are counted alone.
    uncountable: BTreeSet<Number>,
    /// Buckets to be read again, with their counts.
    changed: VecDeque<(Number, u64)>,
    late: u64,
    /// The time that the caller told last.
    now: Nanos,
    parking: Parking,
    /// What a sweep was about when it failed, to be gone on with.
    aside: Option<Job>,
    /// Of the buckets that the horizon has passed before they could be compared, everything before is done with.
    checked: Number,
    /// The same as `aside`, of the first of them.
    leaving: Option<Job>,
    /// None of them is read until the caller tells the time again.
    resting: bool,
    unchecked: u64,
    /// Since when none of them could be read.
    overdue: Option<Nanos>,
    /// The sweep that is being done, as it will have been when it has come to its end.
    sweeping: Option<Swept>,
    /// The last one that has.
    swept: Option<Swept>,
    /// Nothing newer has been given out.
    newest: Nanos,
    leap: Option<Leap>,
    /// What was read from here on may have been the future.
    doubted: Option<Nanos>,
    stuck: bool,
}

impl Cursor {
    /// Follows a query from an instant on.
    ///
    /// The query is a selector with line filters and label filters. Parsers and formatters are not accepted: behind them
    /// an entry need not look as it is stored, and a line that does not parse can be read but not counted.
    ///
    /// Nor can a line be counted whose value is no number where the query compares with one: with `| status >= 500`, one
    /// with the metadata `status=abc` is read, and keeps late lines of its bucket waiting (see
    /// [`parked`](Self::parked)). `| status >= 500 | __error__=""` leaves such lines out.
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
            uncountable: BTreeSet::new(),
            changed: VecDeque::new(),
            late: 0,
            now: reached,
            parking: Parking::default(),
            aside: None,
            checked: Number::MIN,
            leaving: None,
            resting: false,
            unchecked: 0,
            overdue: None,
            sweeping: None,
            swept: None,
            newest: reached.before(Duration::from_nanos(1)),
            leap: None,
            doubted: None,
            stuck: false,
        }
    }

    /// The query that is followed.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// Everything before this has been read. What is missing to the present is how far the cursor lags. It goes back with a
    /// clock that is put right.
    pub fn reached(&self) -> Nanos {
        self.reached
    }

    /// How many entries sweeps have found since this value was made: those that reading forward alone would have lost.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Whether late entries are waiting because the sweep that would find them fails; until it is answered again.
    pub fn parked(&self) -> Option<Parked> {
        self.parking.report()
    }

    /// Whether reading on cannot go on: what was answered last cannot be used, or was a failure that will not pass by
    /// itself, and the same is asked for again. When [`answer`](Self::answer) fails without it, there is other work.
    pub fn is_stuck(&self) -> bool {
        self.stuck
    }

    /// How many buckets have been forgotten, since this value was made, of which late entries may have been missed: they
    /// could neither be counted nor be read again for several minutes, while newer ones could be read. So none is
    /// forgotten because nobody called, for however long.
    pub fn unchecked(&self) -> u64 {
        self.unchecked
    }

    /// It is `now`: what has come since the last tick shall be read. One tick reads 144 times `span` (a day) at most; what
    /// is missing then, [`reached`](Self::reached) says, and the next ticks read it.
    pub fn tick(&mut self, now: Nanos) {
        self.look_at_the_clock(now);
        self.aim();
    }

    /// It is `now`: what has come late shall be looked for.
    pub fn sweep(&mut self, now: Nanos) {
        self.sweep = true;
        self.look_at_the_clock(now);
    }

    /// What to ask Loki next; `None` until the next [`tick`](Self::tick) or [`sweep`](Self::sweep). Asked again, it says
    /// the same.
    pub fn next_request(&mut self) -> Option<Request> {
        self.step_back();
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
    /// the request's kind. Nothing is skipped: the cursor stays where it was, with the same
    /// [`next_request`](Self::next_request), and [`is_stuck`](Self::is_stuck); or, in a sweep, it is
    /// [`parked`](Self::parked) and goes on with another one.
    pub fn answer(&mut self, answer: Answer) -> Result<Vec<Entry>, Error> {
        let entries = self.take(answer);
        self.stuck = entries.is_err() && self.job.is_some();
        entries
    }

    fn take(&mut self, answer: Answer) -> Result<Vec<Entry>, Error> {
        let late = match (self.job.take(), answer) {
            (Some(Job::Forward(mut pager)), Answer::Page(page)) => {
                let entries = pager.answer(page);
                if entries.is_ok() {
                    self.give_up();
                }
                self.reached = self.reached.max(pager.left().start);
                let done = pager.next_query().is_none();
                self.job = (!done).then_some(Job::Forward(pager));
                let entries = entries?;
                self.ledger.record(&entries);
                self.has_given(&entries);
                self.forget();
                return Ok(self.wanted(entries));
            }
            (Some(Job::Count(buckets)), Answer::Counts(counts)) => {
                self.parking.answered();
                self.compare(buckets, &counts);
                return Ok(Vec::new());
            }
            (Some(Job::Again { number, count, mut pager, mut entries }), Answer::Page(page)) => {
                match pager.answer(page) {
                    Ok(read) => entries.extend(read),
                    Err(error) => {
                        self.sweep_failed(Job::Again { number, count, pager, entries }, &error);
                        return Err(error);
                    }
                }
                if count.is_some() {
                    self.parking.answered();
                }
                if pager.next_query().is_some() {
                    self.job = Some(Job::Again { number, count, pager, entries });
                    return Ok(Vec::new());
                }
                let count_or_read = count.unwrap_or(entries.len() as u64);
                let late = self.ledger.settle(number, count_or_read, entries);
                if count.is_none() {
                    self.has_checked(number);
                }
                self.has_given_late(&late);
                late
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
            Some(Job::Forward(pager) | Job::Again { pager, .. }) => {
                let less = pager.refused(error);
                // The next pages would be refused like this one. (What the client finds too large is no rule.)
                if less && matches!(error.refusal(), Some(Refusal::Limit { .. })) {
                    self.options.most = pager.most();
                    self.options.limit = self.options.limit.min(pager.most());
                }
                less
            }
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
        match self.job.take() {
            Some(job @ (Job::Count(_) | Job::Again { .. })) => self.sweep_failed(job, error),
            job => {
                self.job = job;
                self.stuck = !error.is_retryable();
                if self.stuck { Failure::Stuck } else { Failure::Pause }
            }
        }
    }

    /// Reading on must not wait for what a sweep asks.
    fn sweep_failed(&mut self, job: Job, error: &Error) -> Failure {
        let for_good = !error.is_retryable();
        if let Job::Again { number, count: None, .. } = job {
            self.could_not_check();
            if !for_good {
                self.leaving = Some(job);
                return Failure::Pause;
            }
            // A sweep must not ask the same at once. The next one finds it again.
            self.aside = self.aside.take().filter(|job| !job.is_of(number));
            self.changed.retain(|(other, _)| *other != number);
            self.sweep = true;
            self.parking.failed_beside(self.now);
            return Failure::Parked;
        }
        if !self.parking.failed(self.now, for_good) {
            self.aside = Some(job);
            return Failure::Pause;
        }
        match job {
            Job::Count(buckets) if buckets.end - buckets.start > 1 => {
                self.counted_at_once = (buckets.end - buckets.start) / 2;
                self.uncounted.start = buckets.start;
            }
            // One that cannot be counted must not keep the others from it.
            Job::Count(buckets) => {
                self.uncountable.insert(buckets.start);
                self.sweep = true;
            }
            // Another sweep finds it again, and counts the others first.
            Job::Again { number, .. } => {
                self.sweep = true;
                // Otherwise it would be asked for at once, when the horizon has passed it meanwhile.
                let leaves = self.leaving.as_ref().is_some_and(|job| job.is_of(number));
                self.resting |= leaves || self.passed().contains(&number);
            }
            Job::Forward(_) => {}
        }
        Failure::Parked
    }

    /// What is about to be forgotten goes first, then reading on, then the buckets that are known to have changed.
    fn next_job(&mut self) -> Option<Job> {
        if !self.resting {
            if let Some(job) = self.leaving.take() {
                return Some(job);
            }
            if let Some(number) = self.passed().next() {
                return Some(self.again(number, None));
            }
        }
        let unread = Window::new(self.reached, self.read_on_to());
        if !unread.is_empty() {
            return Some(Job::Forward(self.pager(unread, self.options.limit)));
        }
        if self.parking.lasts(self.now) {
            return None;
        }
        if let Some(job) = self.aside.take() {
            return Some(job);
        }
        if let Some((number, count)) = self.changed.pop_front() {
            return Some(self.again(number, Some(count)));
        }
        if self.uncounted.is_empty() && std::mem::take(&mut self.sweep) {
            self.uncounted = self.ledger.whole(self.reached);
            self.sweeping = Some(Swept { at: self.present(), covered: self.uncounted.end });
        }
        if self.uncounted.is_empty() {
            self.parking.done();
            self.swept = Some(self.sweeping.take()?);
            // Reading on may have waited for what it compared.
            self.forget();
            return self.next_job();
        }
        let start = self.uncounted.start;
        let alone = self.uncountable.range(start..).next().map(|&number| number.max(start.saturating_add(1)));
        let end = self.uncounted.end.min(start + self.counted_at_once).min(alone.unwrap_or(Number::MAX));
        let buckets = start..end;
        self.uncounted.start = end;
        Some(Job::Count(buckets))
    }

    fn again(&self, number: Number, count: Option<u64>) -> Job {
        let pager = self.pager(self.ledger.window(number), self.options.most);
        Job::Again { number, count, pager, entries: Vec::new() }
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
            self.uncountable.remove(&number);
            let count = counts.get(&self.ledger.end(number)).copied().unwrap_or_default();
            if self.ledger.is_compared(number) && self.ledger.must_read(number, count) {
                self.changed.push_back((number, count));
            }
        }
        self.counted_at_once = self.counted_at_once.saturating_mul(2).min(MOST_BUCKETS);
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
