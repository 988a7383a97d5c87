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

/// All buckets from `kept` on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ledger {
    step: i64,
    /// The first bucket that is compared with its count. It moves back when a clock that was ahead is put right, but
    /// never behind `kept`.
    floor: Number,
    /// The first bucket of which is known what was given out. What was forgotten must not look new.
    kept: Number,
    buckets: BTreeMap<Number, Bucket>,
}

impl Ledger {
    pub(super) fn new(step: Duration, start: Nanos) -> Self {
        let mut ledger = Self { step: nanos(step), floor: 0, kept: 0, buckets: BTreeMap::new() };
        ledger.floor = ledger.number(start);
        ledger.kept = ledger.floor;
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

    /// What lies before is no longer compared, and forgotten as far as it need not be `remembered`.
    pub(super) fn forget_before(&mut self, number: Number, remembered: Number) {
        self.floor = self.floor.max(number);
        self.kept = self.kept.max(remembered.min(self.floor));
        if self.buckets.first_key_value().is_some_and(|(first, _)| *first < self.kept) {
            self.buckets = self.buckets.split_off(&self.kept);
        }
    }

    /// From this bucket on they are compared again, as far as it is known what was given out.
    pub(super) fn compare_from(&mut self, number: Number) {
        self.floor = self.floor.min(number.max(self.kept));
    }

    /// Reading goes back to within this bucket; what is known of later ones will have changed. Where it goes back behind
    /// `kept`, nothing has been given out that is not forgotten, and the bucket cannot be compared.
    pub(super) fn reopen(&mut self, number: Number) {
        for bucket in self.buckets.range_mut(number..).map(|(_, bucket)| bucket) {
            (bucket.settled, bucket.doubt) = (None, None);
        }
        if number < self.kept {
            self.kept = number.saturating_add(1);
        }
        self.compare_from(number);
    }

    /// The end of the last bucket of which something was given out.
    pub(super) fn last_end(&self) -> Option<Nanos> {
        self.buckets
            .iter()
            .rev()
            .find(|(_, bucket)| bucket.prints.len() > 0)
            .map(|(number, _)| self.end(*number))
    }

    pub(super) fn is_compared(&self, number: Number) -> bool {
        number >= self.floor
    }

    /// The buckets that are compared and lie wholly before `reached`.
    pub(super) fn whole(&self, reached: Nanos) -> Range<Number> {
        self.floor..self.number(reached).max(self.floor)
    }

    /// Writes down entries that are given out for the first time.
    pub(super) fn record(&mut self, entries: &[Entry]) {
        let mut prints: BTreeMap<Number, Vec<u64>> = BTreeMap::new();
        for entry in entries {
            let number = self.number(entry.timestamp);
            if number >= self.kept {
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
    /// Where it is not the same as `floor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kept: Option<Number>,
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
        let kept = Some(self.kept).filter(|kept| *kept != self.floor);
        Stored { step: self.step, floor: self.floor, kept, buckets: buckets.collect() }
    }

    /// # Errors
    /// In words, when the stored ledger was not written by [`Self::store`] or has other buckets.
    pub(super) fn restore(stored: &Stored, step: Duration) -> Result<Self, String> {
        if stored.step != nanos(step) {
            return Err(format!("its buckets are {} ns long, not {step:?}", stored.step));
        }
        let numbers: Vec<_> = stored.buckets.iter().map(|bucket| bucket.number).collect();
        let furthest = i64::MAX / stored.step;
        let kept = stored.kept.unwrap_or(stored.floor);
        let inside = |number: &Number| (kept..=furthest).contains(number);
        if kept < -furthest
            || kept > stored.floor
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
        Ok(Self { step: stored.step, floor: stored.floor, kept, buckets })
    }
}
