//! A cursor at rest.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::Leap;
use super::horizon::Swept;
use super::ledger::{Ledger, Stored};
use super::parking::Parking;
use super::{Cursor, CursorOptions, check};
use crate::{Error, Nanos, Operation};

const VERSION: u32 = 1;

/// All that a [`Cursor`] must remember, to be stored with the entries that it returned.
///
/// In JSON it takes some 5 bytes for each entry of the horizon: 0.95 MiB at 50 lines a second over 65 minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorState {
    version: u32,
    query: String,
    start: Nanos,
    reached: Nanos,
    /// Since when sweeps have failed; states of before this field was there have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    behind: Option<Nanos>,
    /// The last sweep that came to its end; without it, everything is read again before it is forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    swept: Option<Swept>,
    /// Since when what is about to be forgotten could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    overdue: Option<Nanos>,
    /// Nothing newer has been given out; states of before this field was there have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<Nanos>,
    /// The time that the caller told last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<Nanos>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leap: Option<Leap>,
    /// What was read from here on is to be read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    doubted: Option<Nanos>,
    ledger: Stored,
}

impl CursorState {
    /// The query that it belongs to.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// Everything before this has been read.
    pub fn reached(&self) -> Nanos {
        self.reached
    }
}

impl Cursor {
    /// What to store. Can be taken at any time; what is half done is done again after [`Self::resume`].
    pub fn state(&self) -> CursorState {
        CursorState {
            version: VERSION,
            query: self.query.clone(),
            start: self.start,
            reached: self.reached,
            behind: self.parking.behind(),
            swept: self.swept,
            overdue: self.overdue,
            newest: Some(self.newest),
            told: Some(self.now),
            leap: self.leap,
            doubted: self.doubted,
            ledger: self.ledger.store(),
        }
    }

    /// Goes on where a state was taken.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the state is damaged, of another version, or of other buckets than the options say.
    pub fn resume(state: &CursorState, options: CursorOptions) -> Result<Self, Error> {
        let invalid = |what: String| Error::Invalid {
            operation: Operation::QueryRange,
            what: format!("the stored state cannot be used: {what}"),
        };
        if state.version != VERSION {
            return Err(invalid(format!("it is of version {}, not {VERSION}", state.version)));
        }
        check(&state.query, &options)?;
        let ledger = Ledger::restore(&state.ledger, options.bucket).map_err(invalid)?;
        let mut cursor = Self::with(state.query.clone(), options, state.start, state.reached, ledger);
        cursor.parking = Parking::behind_since(state.behind);
        (cursor.swept, cursor.overdue) = (state.swept, state.overdue);
        cursor.now = state.told.unwrap_or(state.reached);
        (cursor.leap, cursor.doubted) = (state.leap, state.doubted);
        // Of an older state is only known in which bucket it was, and not even that when the ledger is empty.
        let newest = state.newest.unwrap_or_else(|| cursor.ledger.last_end().unwrap_or(Nanos::MIN));
        cursor.newest = newest.min(state.reached.before(Duration::from_nanos(1)));
        // The sweep that failed is still to be done.
        cursor.sweep = state.behind.is_some();
        Ok(cursor)
    }
}
