//! Every entry of a window, in pages: a state machine without IO.
//!
//! Loki has no page token. A page is the `limit` entries nearest to one end of a window, and which of the entries of its
//! last nanosecond are on it is chance: another page size gives others. So a nanosecond is taken whole or not at all: the
//! last one of a full page is left for the next page, which starts with it. When a page is full of one nanosecond, that
//! nanosecond is asked for with the largest page, and when it does not fit into that either, it is taken apart by what
//! its entries look like (`split`).

use std::collections::HashSet;
use std::time::Duration;

use crate::types::{Direction, LogQuery};
use crate::{Entry, Error, Nanos, Operation, Refusal, Window, logql, split};

/// Below this a window that is too much for Loki is not cut any shorter.
const SHORTEST: Duration = Duration::from_secs(1);
/// A page of one entry could not show that there is another one.
const SMALLEST: u32 = 2;
/// Each level of taking a nanosecond apart makes the classes several times smaller.
const DEEPEST: u32 = 64;

/// How a window is paged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageOptions {
    /// Entries of a page; 1,000 by default.
    pub limit: u32,
    /// Entries of the largest page that the server gives (`max_entries_limit_per_query`); 5,000 by default, as the
    /// server's. When the server says that it is less, that is taken instead.
    pub most: u32,
    /// Which end of the window comes first.
    pub direction: Direction,
    /// The longest window that is asked for at once; a day by default. What Loki finds too much is cut by halves down to a
    /// second.
    pub span: Duration,
}

impl Default for PageOptions {
    fn default() -> Self {
        Self { limit: 1000, most: 5000, direction: Direction::Forward, span: Duration::from_secs(24 * 3600) }
    }
}

/// Pages a window: gives the next query, takes its answer, and says which entries are complete.
///
/// ```
/// # use loki_client::{Nanos, PageOptions, Pager, Window};
/// let window = Window::new(Nanos::from_seconds(100), Nanos::from_seconds(200));
/// let mut pager = Pager::new(r#"{app="web"}"#, window, PageOptions::default());
/// while let Some(query) = pager.next_query() {
///     # let ask = |_| Vec::new();
///     let entries = pager.answer(ask(query))?;
///     // … each entry of the window exactly once …
/// }
/// # Ok::<(), loki_client::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Pager {
    query: String,
    /// The query shows entries as they are stored.
    as_stored: bool,
    options: PageOptions,
    /// What has not been given out yet.
    left: Window,
    /// The longest window to ask for now.
    span: Duration,
    /// The size of the next page.
    limit: u32,
    apart: Option<Apart>,
}

/// A nanosecond with more entries than the largest page.
#[derive(Debug, Clone)]
struct Apart {
    at: Nanos,
    /// Queries that together find each of its remaining entries once, with how deep they are.
    open: Vec<(String, u32)>,
    found: Vec<Entry>,
}

impl Pager {
    /// Starts at one end of a window.
    pub fn new(query: impl Into<String>, window: Window, options: PageOptions) -> Self {
        let most = options.most.max(SMALLEST);
        let limit = options.limit.clamp(1, most);
        let span = options.span.max(SHORTEST);
        let options = PageOptions { limit, most, span, ..options };
        let query = query.into();
        let as_stored = logql::only_filters(&query).is_ok();
        Self { query, as_stored, left: window, span, limit, apart: None, options }
    }

    /// What to ask next; `None` when every entry has been given out. Asked again, it says the same.
    pub fn next_query(&self) -> Option<LogQuery> {
        if let Some(Apart { at, open, .. }) = &self.apart {
            let (query, _) = open.last()?;
            return Some(self.log_query(query, Window::instant(*at), self.options.most));
        }
        (!self.left.is_empty()).then(|| self.log_query(&self.query, self.chunk(), self.limit))
    }

    /// The part of the window that has not been given out yet.
    pub fn left(&self) -> Window {
        self.left
    }

    /// Takes the answer to [`Self::next_query`] and returns the entries that are complete with it: ordered by time, each
    /// once. Often there are none, because more of their nanosecond has to be asked for first.
    ///
    /// # Errors
    /// [`Error::Inseparable`] when a nanosecond cannot be taken apart; [`Error::Decode`] when the entries are not from the
    /// window that was asked for. The pager stays where it was.
    pub fn answer(&mut self, page: Vec<Entry>) -> Result<Vec<Entry>, Error> {
        let Some(asked) = self.next_query() else { return Ok(Vec::new()) };
        if page.iter().any(|entry| !asked.window.contains(entry.timestamp)) {
            return Err(Error::Decode {
                operation: Operation::QueryRange,
                excerpt: "entries from outside of the window".to_owned(),
                source: "Loki keeps to the window that it is asked for".into(),
            });
        }
        let full = page.len() >= asked.limit as usize;
        match &self.apart {
            Some(_) => self.class(page, full),
            None => self.page(page, full, asked.window),
        }
    }

    /// Entries of the largest page, as far as is known by now.
    pub(crate) fn most(&self) -> u32 {
        self.options.most
    }

    /// Takes a failure of [`Self::next_query`]. When it asks for less (a shorter window, a smaller page), the next query
    /// asks for less and `true` is returned; otherwise nothing changes.
    pub fn refused(&mut self, error: &Error) -> bool {
        let asked = if self.apart.is_some() { self.options.most } else { self.limit };
        let fewer = match error {
            Error::Refused { refusal: Refusal::Limit { most }, .. } => most.unwrap_or(asked / 2),
            Error::TooLarge { .. } => asked / 2,
            _ => return error.asks_for_less() && self.shorter(),
        };
        if fewer < SMALLEST || fewer >= asked {
            return false;
        }
        self.options.most = fewer;
        self.options.limit = self.options.limit.min(fewer);
        self.limit = self.limit.min(fewer);
        true
    }

    fn shorter(&mut self) -> bool {
        let length = self.chunk().length();
        if self.apart.is_some() || length <= SHORTEST {
            return false;
        }
        self.span = (length / 2).max(SHORTEST);
        true
    }

    fn log_query(&self, query: &str, window: Window, limit: u32) -> LogQuery {
        LogQuery { query: query.to_owned(), window, limit, direction: self.options.direction }
    }

    /// The window of the next page.
    fn chunk(&self) -> Window {
        let Window { start, end } = self.left;
        match self.options.direction {
            Direction::Forward => Window::new(start, end.min(start.after(self.span))),
            Direction::Backward => Window::new(start.max(end.before(self.span)), end),
        }
    }

    /// Everything before `at` (forward; after it, backward) has been given out.
    fn reach(&mut self, at: Nanos) {
        match self.options.direction {
            Direction::Forward => self.left.start = at,
            Direction::Backward => self.left.end = at.next(),
        }
    }

    /// The whole of `window` has been given out.
    fn pass(&mut self, window: Window) {
        match self.options.direction {
            Direction::Forward => self.left.start = window.end,
            Direction::Backward => self.left.end = window.start,
        }
        self.limit = self.options.limit;
    }

    fn page(&mut self, mut page: Vec<Entry>, full: bool, window: Window) -> Result<Vec<Entry>, Error> {
        match self.options.direction {
            Direction::Forward => page.sort_by_key(|entry| entry.timestamp),
            Direction::Backward => page.sort_by_key(|entry| std::cmp::Reverse(entry.timestamp)),
        }
        let Some(last) = page.last().map(|entry| entry.timestamp).filter(|_| full) else {
            self.pass(window);
            self.span = self.span.saturating_mul(2).min(self.options.span);
            return Ok(self.once(page));
        };
        let complete = page.iter().take_while(|entry| entry.timestamp != last).count();
        if complete > 0 {
            self.reach(last);
            self.limit = self.options.limit;
            page.truncate(complete);
            return Ok(self.once(page));
        }
        if self.limit < self.options.most {
            self.reach(last);
            self.limit = self.options.most;
            return Ok(Vec::new());
        }
        let open = self.classes(&page, &self.query, 0)?;
        self.reach(last);
        self.apart = Some(Apart { at: last, open, found: Vec::new() });
        Ok(Vec::new())
    }

    /// Takes the answer to the last open query of a nanosecond that is being taken apart.
    fn class(&mut self, page: Vec<Entry>, full: bool) -> Result<Vec<Entry>, Error> {
        let Some(mut apart) = self.apart.take() else { return Ok(Vec::new()) };
        if let Some((query, depth)) = apart.open.pop() {
            if full {
                match self.classes(&page, &query, depth) {
                    Ok(classes) => apart.open.extend(classes),
                    Err(error) => {
                        apart.open.push((query, depth));
                        self.apart = Some(apart);
                        return Err(error);
                    }
                }
            } else {
                apart.found.extend(page);
            }
        }
        if apart.open.is_empty() {
            self.pass(Window::instant(apart.at));
            return Ok(self.once(apart.found));
        }
        self.apart = Some(apart);
        Ok(Vec::new())
    }

    /// Queries that each find a part of what `query` finds, and all of it together.
    fn classes(&self, sample: &[Entry], query: &str, depth: u32) -> Result<Vec<(String, u32)>, Error> {
        let stages = split::stages(sample).filter(|_| depth < DEEPEST).ok_or_else(|| Error::Inseparable {
            operation: Operation::QueryRange,
            at: sample.first().map(|entry| entry.timestamp).unwrap_or_default(),
            limit: self.options.most,
        })?;
        // On a line of its own: the query may end in a comment.
        Ok(stages.into_iter().map(|stage| (format!("{query}\n{stage}"), depth + 1)).collect())
    }

    /// Entries in order of time, without those that are there twice. Pages never overlap, so that none comes twice by
    /// paging; but what was pushed twice may stand in two shards of its stream, whose label is taken off. Behind a
    /// formatter or a parser, entries that look the same need not be the same: there all are kept.
    fn once(&self, mut entries: Vec<Entry>) -> Vec<Entry> {
        if !self.as_stored {
            return entries;
        }
        let crowded: HashSet<Nanos> = entries
            .windows(2)
            .filter(|pair| pair[0].timestamp == pair[1].timestamp)
            .map(|pair| pair[0].timestamp)
            .collect();
        if !crowded.is_empty() {
            let mut seen = HashSet::new();
            entries.retain(|entry| !crowded.contains(&entry.timestamp) || seen.insert(entry.key()));
        }
        entries
    }
}
