//! Keeps calls under the documented rates, and learns when the cloud wants fewer.
//!
//! The cloud counts the calls of a second per account, region and action. A token bucket or GCRA of 40 a second
//! lets 79 through in one second, so this is a sliding window: it remembers when the last calls went out. It
//! waits on tokio's clock only, so a paused runtime simulates it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use crate::{Action, SecretId};

/// A little more than the cloud's second, because requests reach it with unequal delay: what left 1.0 s apart
/// may arrive closer.
const WINDOW: Duration = Duration::from_millis(1050);
/// After a refusal for too many calls nothing goes out for at least this long.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// A `Retry-After` is honoured up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// From half the documented rate back to all of it.
const RECOVERY: Duration = Duration::from_secs(20);

/// The rate limits that several clients share: one window per (`SecretId`, region, action).
///
/// Two clients of one key pair and region must share one of these, or together they go over the limit.
#[derive(Default)]
pub struct RateLimits {
    limiters: Mutex<BTreeMap<Key, Arc<Limiter>>>,
}

type Key = (SecretId, String, Action);

/// What the limits of one action did so far, over all keys and regions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitTotals {
    /// Requests let through.
    pub admitted: u64,
    /// Refusals for too many calls that the cloud answered all the same.
    pub throttled: u64,
    /// The time that requests spent waiting for their turn.
    pub waited: Duration,
}

impl RateLimits {
    /// No calls seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counters for metrics, by action. Cheap: no call waits for it.
    pub fn totals(&self) -> BTreeMap<Action, LimitTotals> {
        let mut totals: BTreeMap<Action, LimitTotals> = BTreeMap::new();
        for ((_, _, action), limiter) in &*lock(&self.limiters) {
            let seen = limiter.state().totals;
            let sum = totals.entry(*action).or_default();
            sum.admitted += seen.admitted;
            sum.throttled += seen.throttled;
            sum.waited += seen.waited;
        }
        totals
    }

    pub(crate) fn limiter(&self, secret_id: &SecretId, region: &str, action: Action) -> Arc<Limiter> {
        let key = (secret_id.clone(), region.to_owned(), action);
        let mut limiters = lock(&self.limiters);
        Arc::clone(limiters.entry(key).or_insert_with(|| Arc::new(Limiter::new(action.calls_per_second()))))
    }
}

impl std::fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimits").field("totals", &self.totals()).finish()
    }
}

/// The turn would come too late.
#[derive(Debug, thiserror::Error)]
#[error("the rate limit leaves no room before the deadline")]
pub(crate) struct TooLate;

/// One window.
pub(crate) struct Limiter {
    /// Held while waiting: tokio's mutex is fair, so turns come in the order asked.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

impl Limiter {
    fn new(documented: u32) -> Self {
        Self { turn: tokio::sync::Mutex::new(()), state: Mutex::new(State::new(documented)) }
    }

    /// Waits for a turn, at the latest until `latest`. A caller that gives up while waiting uses none.
    pub(crate) async fn acquire(&self, latest: Instant) -> Result<(), TooLate> {
        let asked = Instant::now();
        let _turn = timeout_at(latest, self.turn.lock()).await.map_err(|_| TooLate)?;
        loop {
            let now = Instant::now();
            let ready = self.state().ready_at(now);
            if ready > latest || now > latest {
                return Err(TooLate);
            }
            if ready <= now {
                self.state().admit(now, now - asked);
                return Ok(());
            }
            sleep_until(ready).await;
        }
    }

    /// The cloud refused a call as one too many. `jitter` spreads several processes of one account.
    pub(crate) fn throttled(&self, retry_after: Option<Duration>, jitter: Duration) {
        let pause = retry_after.unwrap_or(SHORTEST_PAUSE).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        self.state().throttle(Instant::now(), pause + jitter);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// The data in here is whole after every statement, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The window itself, without waiting.
struct State {
    documented: u32,
    /// Calls a window at `changed`, when the cloud last asked for fewer.
    lowered: Option<Lowered>,
    /// When the calls of the last window went out, oldest first.
    admitted: VecDeque<Instant>,
    totals: LimitTotals,
}

/// What a refusal leaves behind until it is forgotten.
#[derive(Clone, Copy)]
struct Lowered {
    calls: f64,
    changed: Instant,
    paused_until: Instant,
}

impl State {
    fn new(documented: u32) -> Self {
        Self { documented, lowered: None, admitted: VecDeque::new(), totals: LimitTotals::default() }
    }

    /// When the next call may go out: `now`, or later.
    fn ready_at(&mut self, now: Instant) -> Instant {
        while self.admitted.front().is_some_and(|&sent| sent + WINDOW <= now) {
            self.admitted.pop_front();
        }
        let allowed = self.allowed(now);
        let free = match self.admitted.len().checked_sub(allowed) {
            // The window has room again when the oldest of the last `allowed` calls has left it.
            Some(oldest) => self.admitted[oldest] + WINDOW,
            None => now,
        };
        self.lowered.map_or(free, |lowered| free.max(lowered.paused_until))
    }

    /// Calls a window now: what was left after the last refusal, growing back with time.
    fn allowed(&mut self, now: Instant) -> usize {
        let calls = self.calls(now);
        if calls >= f64::from(self.documented) {
            self.lowered = None;
        }
        // At least one, or nothing would ever find out that the cloud has room again.
        (calls as usize).max(1)
    }

    fn calls(&self, now: Instant) -> f64 {
        let documented = f64::from(self.documented);
        let Some(lowered) = self.lowered else { return documented };
        let quiet = now.saturating_duration_since(lowered.paused_until);
        let grown = documented / 2.0 * (quiet.as_secs_f64() / RECOVERY.as_secs_f64());
        (lowered.calls + grown).min(documented)
    }

    fn admit(&mut self, now: Instant, waited: Duration) {
        self.admitted.push_back(now);
        self.totals.admitted += 1;
        self.totals.waited += waited;
    }

    fn throttle(&mut self, now: Instant, pause: Duration) {
        self.totals.throttled += 1;
        let calls = self.calls(now);
        let paused_until = now + pause;
        self.lowered = Some(match self.lowered {
            // One burst is refused many times over; it halves the rate once.
            Some(before) if now < before.changed + WINDOW => {
                Lowered { paused_until: before.paused_until.max(paused_until), ..before }
            }
            _ => Lowered { calls: (calls / 2.0).max(1.0), changed: now, paused_until },
        });
    }
}
