//! Which pool is looked at when: each at most once at a time, and a wake-up during a pass means another pass.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use crate::ports::PoolKey;

/// Pools by the time they are due.
#[derive(Debug, Default)]
pub(crate) struct WakeQueue {
    due: BTreeMap<PoolKey, Instant>,
    running: BTreeSet<PoolKey>,
}

impl WakeQueue {
    /// The pool is due then, or right after the pass that is under way.
    pub(crate) fn wake(&mut self, key: PoolKey, at: Instant) {
        let due = self.due.entry(key).or_insert(at);
        *due = (*due).min(at);
    }

    /// A pool that is due and not under way; it is under way from now on. The longest due comes first, so
    /// that a busy pool never keeps the others waiting.
    pub(crate) fn take(&mut self, now: Instant) -> Option<PoolKey> {
        let idle = self.due.iter().filter(|(key, due)| **due <= now && !self.running.contains(*key));
        let key = idle.min_by_key(|(_, due)| **due)?.0.clone();
        self.due.remove(&key);
        self.running.insert(key.clone());
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

    /// When the next pool that is not under way is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.due.iter().filter(|(key, _)| !self.running.contains(*key)).map(|(_, due)| *due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

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
        assert_eq!(queue.next_due(), Some(now + Duration::from_millis(1)));
        assert_eq!(queue.take(now + Duration::from_millis(1)), Some(b.clone()));
        queue.done(b, None);
        assert_eq!(queue.due.len(), 1, "nothing is kept of a pool of which nothing is left");
    }
}
