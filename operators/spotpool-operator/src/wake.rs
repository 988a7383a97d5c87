//! Which pool is looked at when: each at most once at a time, and a wake-up during a pass means another pass.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::ports::PoolKey;

/// So many passes at once, besides those that wait for somebody.
const AT_ONCE: usize = 64;
/// A pass that takes longer waits for somebody who does not answer: it takes nobody's place. So an account that hangs
/// keeps no pool of another one waiting, however many pools it has.
const WAITS_AFTER: Duration = Duration::from_secs(1);

/// Pools by the time they are due.
#[derive(Debug, Default)]
pub(crate) struct WakeQueue {
    due: BTreeMap<PoolKey, Instant>,
    /// Which are under way, since when.
    running: BTreeMap<PoolKey, Instant>,
}

impl WakeQueue {
    /// The pool is due then, or right after the pass that is under way.
    pub(crate) fn wake(&mut self, key: PoolKey, at: Instant) {
        let due = self.due.entry(key).or_insert(at);
        *due = (*due).min(at);
    }

    /// A pool that is due and not under way, if there is room; it is under way from now on. The longest due comes
    /// first, so that a busy pool never keeps the others waiting.
    pub(crate) fn take(&mut self, now: Instant) -> Option<PoolKey> {
        if self.room_at(now) > now {
            return None;
        }
        let idle = self.due.iter().filter(|(key, due)| **due <= now && !self.running.contains_key(*key));
        let key = idle.min_by_key(|(_, due)| **due)?.0.clone();
        self.due.remove(&key);
        self.running.insert(key.clone(), now);
        Some(key)
    }

    /// The pass is over; the pool is due again at `next` unless something woke it before. One of which nothing is left
    /// is due only when something wakes it.
    pub(crate) fn done(&mut self, key: PoolKey, next: Option<Instant>) {
        self.running.remove(&key);
        if let Some(next) = next {
            self.wake(key, next);
        }
    }

    /// When the next pass begins, unless one ends or something wakes a pool before.
    pub(crate) fn next_start(&self, now: Instant) -> Option<Instant> {
        let idle = self.due.iter().filter(|(key, _)| !self.running.contains_key(*key));
        idle.map(|(_, due)| *due).min().map(|due| due.max(self.room_at(now)))
    }

    /// From when on there is room for one more: now, or when the first of too many passes counts no more.
    fn room_at(&self, now: Instant) -> Instant {
        let waits_at = self.running.values().map(|since| *since + WAITS_AFTER).filter(|at| *at > now);
        let (quick, first) = waits_at.fold((0, None), |(quick, first), at| {
            (quick + 1, Some(first.map_or(at, |first: Instant| first.min(at))))
        });
        first.filter(|_| quick >= AT_ONCE).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_never_under_way_twice_and_no_wake_up_is_lost() {
        let (mut queue, now) = (WakeQueue::default(), Instant::now());
        let (a, b) = (PoolKey::new("ns", "a"), PoolKey::new("ns", "b"));
        queue.wake(a.clone(), now);
        queue.wake(a.clone(), now);
        queue.wake(b.clone(), now + Duration::from_millis(1));
        assert_eq!(queue.take(now), Some(a.clone()));
        queue.wake(a.clone(), now);
        assert_eq!(queue.take(now), None, "a is under way and b is not due yet");
        queue.done(a.clone(), Some(now + Duration::from_secs(300)));
        assert_eq!(queue.take(now), Some(a.clone()), "the wake-up during the pass counts");
        queue.done(a, Some(now + Duration::from_secs(300)));
        assert_eq!(queue.next_start(now), Some(now + Duration::from_millis(1)));
        assert_eq!(queue.take(now + Duration::from_millis(1)), Some(b.clone()));
        queue.done(b, None);
        assert_eq!(queue.due.len(), 1, "nothing is kept of a pool of which nothing is left");
    }

    #[test]
    fn passes_that_wait_for_somebody_keep_no_other_from_beginning() {
        let (mut queue, now) = (WakeQueue::default(), Instant::now());
        for n in 0..=AT_ONCE {
            queue.wake(PoolKey::new("hangs", n.to_string()), now);
        }
        let begun = std::iter::from_fn(|| queue.take(now)).count();
        assert_eq!(begun, AT_ONCE);
        let (other, soon) = (PoolKey::new("other", "pool"), now + WAITS_AFTER);
        queue.wake(other.clone(), now);
        assert_eq!(queue.next_start(now), Some(soon), "there is no room");
        assert_eq!(queue.take(soon - Duration::from_millis(1)), None);
        assert_eq!(queue.next_start(soon), Some(soon), "nobody counts who has waited for so long");
        assert!(queue.take(soon).is_some());
        assert_eq!(queue.take(soon), Some(other));
    }
}
