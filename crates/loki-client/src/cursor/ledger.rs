//! What has been given out, bucket by bucket.
//!
//! Buckets are right-closed, `(n·step, (n+1)·step]`, since that is what Loki's metric queries count.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::fingerprints::{Fingerprints, fingerprint};
use crate::time::nanos;
use crate::{Entry, Nanos, Window};

/// After this many readings that brought less than the count, the pause between two grows no more.
const MOST_DOUBTS: u32 = 5;

/// The number of a bucket.
pub(super) type Number = i64;

/// What is known of one bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    prints: Fingerprints,
    /// What Loki counted, and what was read then, when the two were at peace.
    settled: Option<(u64, u64)>,
    doubt: Option<Doubt>,
}

/// Loki counts more than it gives out: perhaps one of its parts did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Doubt {
    count: u64,
    tries: u32,
    /// Sweeps until the next try.
    wait: u32,
}

/// All buckets from `floor` on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ledger {
    step: i64,
    /// The first bucket that is kept account of. It never moves back, whatever a clock does: what was forgotten must not
    /// look new.
    floor: Number,
    buckets: BTreeMap<Number, Bucket>,
}

impl Ledger {
    pub(super) fn new(step: Duration, start: Nanos) -> Self {
        let mut ledger = Self { step: nanos(step), floor: 0, buckets: BTreeMap::new() };
        ledger.floor = ledger.number(start);
        ledger
    }

    /// The bucket that an instant is in.
    pub(super) fn number(&self, at: Nanos) -> Number {
        at.get().saturating_sub(1).div_euclid(self.step)
    }

    /// The last instant of a bucket.
    pub(super) fn end(&self, number: Number) -> Nanos {
        Nanos::new(number.saturating_add(1).saturating_mul(self.step))
    }

    pub(super) fn window(&self, number: Number) -> Window {
        Window::new(self.end(number.saturating_sub(1)).next(), self.end(number).next())
    }

    /// Forgets what lies before.
    pub(super) fn forget_before(&mut self, number: Number) {
        self.floor = self.floor.max(number);
        self.buckets = self.buckets.split_off(&self.floor);
    }

    pub(super) fn is_kept(&self, number: Number) -> bool {
        number >= self.floor
    }

    /// The buckets that are kept account of and lie wholly before `reached`.
    pub(super) fn whole(&self, reached: Nanos) -> Range<Number> {
        self.floor..self.number(reached).max(self.floor)
    }

    /// Writes down entries that are given out for the first time.
    pub(super) fn record(&mut self, entries: &[Entry]) {
        let mut prints: BTreeMap<Number, Vec<u64>> = BTreeMap::new();
        for entry in entries {
            let number = self.number(entry.timestamp);
            if self.is_kept(number) {
                prints.entry(number).or_default().push(fingerprint(entry.key()));
            }
        }
        for (number, prints) in prints {
            self.buckets.entry(number).or_default().prints.extend(prints.into_iter());
        }
    }

    /// Whether a whole bucket must be read again, since Loki counts so many entries in it.
    pub(super) fn must_read(&mut self, number: Number, count: u64) -> bool {
        let Some(bucket) = self.buckets.get_mut(&number) else { return count > 0 };
        let at_peace = match bucket.settled {
            None => count == bucket.prints.len() as u64,
            Some((counted, read)) => count == counted || count == read,
        };
        if at_peace {
            bucket.doubt = None;
            return false;
        }
        match &mut bucket.doubt {
            Some(doubt) if doubt.count == count && doubt.wait > 0 => {
                doubt.wait -= 1;
                false
            }
            _ => true,
        }
    }

    /// Takes all entries of a whole bucket, read after Loki had counted them, and returns those that have not been given
    /// out.
    pub(super) fn settle(&mut self, number: Number, count: u64, entries: Vec<Entry>) -> Vec<Entry> {
        let bucket = self.buckets.entry(number).or_default();
        let read = entries.len() as u64;
        let mut alike: HashMap<u64, usize> = HashMap::new();
        for entry in &entries {
            *alike.entry(fingerprint(entry.key())).or_default() += 1;
        }
        // When of several with one fingerprint only some were given out, nobody knows which: all of them are given
        // out, since one too many is better than one too few.
        let is_new = |print| bucket.prints.count(print) < alike.get(&print).copied().unwrap_or_default();
        let new: Vec<_> = entries.into_iter().filter(|entry| is_new(fingerprint(entry.key()))).collect();
        let missing = alike.iter().flat_map(|(print, &here)| {
            std::iter::repeat_n(*print, here.saturating_sub(bucket.prints.count(*print)))
        });
        let missing: Vec<_> = missing.collect();
        bucket.prints.extend(missing.into_iter());
        if read >= count {
            bucket.settled = Some((count, read));
            bucket.doubt = None;
        } else {
            let before = bucket.doubt.filter(|doubt| doubt.count == count && new.is_empty());
            let tries = before.map_or(0, |doubt| doubt.tries.saturating_add(1)).min(MOST_DOUBTS);
            bucket.doubt = Some(Doubt { count, tries, wait: (1 << tries) - 1 });
        }
        new
    }
}

/// The ledger as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stored {
    step: i64,
    floor: Number,
    buckets: Vec<StoredBucket>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct StoredBucket {
    number: Number,
    lines: usize,
    prints: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settled: Option<(u64, u64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    doubt: Option<Doubt>,
}

impl Ledger {
    pub(super) fn store(&self) -> Stored {
        let buckets = self.buckets.iter().map(|(number, bucket)| StoredBucket {
            number: *number,
            lines: bucket.prints.len(),
            prints: bucket.prints.encode(),
            settled: bucket.settled,
            doubt: bucket.doubt,
        });
        Stored { step: self.step, floor: self.floor, buckets: buckets.collect() }
    }

    /// # Errors
    /// In words, when the stored ledger was not written by [`Self::store`] or has other buckets.
    pub(super) fn restore(stored: &Stored, step: Duration) -> Result<Self, String> {
        if stored.step != nanos(step) {
            return Err(format!("its buckets are {} ns long, not {step:?}", stored.step));
        }
        let numbers: Vec<_> = stored.buckets.iter().map(|bucket| bucket.number).collect();
        let furthest = i64::MAX / stored.step;
        let inside = |number: &Number| (stored.floor..=furthest).contains(number);
        if stored.floor < -furthest
            || !numbers.is_sorted_by(|one, next| one < next)
            || !numbers.iter().all(inside)
        {
            return Err("its buckets are out of order".to_owned());
        }
        let bucket = |stored: &StoredBucket| {
            let prints = Fingerprints::decode(&stored.prints, stored.lines)
                .ok_or_else(|| format!("bucket {} is damaged", stored.number))?;
            Ok((stored.number, Bucket { prints, settled: stored.settled, doubt: stored.doubt }))
        };
        let buckets = stored.buckets.iter().map(bucket).collect::<Result<_, String>>()?;
        Ok(Self { step: stored.step, floor: stored.floor, buckets })
    }
}
