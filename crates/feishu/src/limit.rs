//! Keeps a webhook under both its rates.
//!
//! Feishu lets a bot post 5 messages a second and 100 a minute ("Custom bot usage guide"). Token buckets in series do
//! not hold that: two quotas of governor's let 9 through in one second and 199 in one minute. This is a sliding window
//! over requests, in which a request takes its place from before it leaves until a window after its *answer* came. As it
//! reached Feishu somewhere between, any two requests that stand in the window for different places reached Feishu at
//! least a window apart, however long each of them took on the way. (One whose answer nobody waits for any more may still
//! be on its way, and is the only exception.)

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::webhook::SecretUrl;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// How many messages a webhook takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    per_second: u32,
    per_minute: u32,
}

impl Rates {
    /// What Feishu documents: 5 a second and 100 a minute, for everything that posts to the bot together.
    pub const DOCUMENTED: Self = Self { per_second: 5, per_minute: 100 };

    /// Other rates, never above the documented ones and never nothing.
    pub fn new(per_second: u32, per_minute: u32) -> Self {
        Self { per_second: per_second.clamp(1, 5), per_minute: per_minute.clamp(1, 100) }
    }
}

impl Default for Rates {
    /// 4 a second and 90 a minute: some room for another program that posts to the same bot.
    fn default() -> Self {
        Self::new(4, 90)
    }
}

/// The windows that several clients share, one for each webhook.
///
/// Two clients of one webhook must share one of these, or together they go over its limits.
#[derive(Default)]
pub struct RateLimits {
    rates: Rates,
    /// By the webhook's fingerprint, so that no secret lies about here.
    limiters: Mutex<HashMap<String, Arc<Limiter>>>,
}

impl RateLimits {
    /// No messages seen yet.
    pub fn new(rates: Rates) -> Self {
        Self { rates, limiters: Mutex::default() }
    }

    pub(crate) fn of(&self, webhook: &SecretUrl) -> Arc<Limiter> {
        let mut limiters = lock(&self.limiters);
        let now = Instant::now();
        // What no client holds and no window remembers goes.
        limiters.retain(|_, limiter| Arc::strong_count(limiter) > 1 || limiter.state().remembers(now));
        Arc::clone(
            limiters.entry(webhook.fingerprint()).or_insert_with(|| Arc::new(Limiter::new(self.rates))),
        )
    }
}

impl fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimits").field("rates", &self.rates).finish_non_exhaustive()
    }
}

/// The window of one webhook.
pub(crate) struct Limiter {
    /// Held while waiting: tokio's mutex is fair, so turns come in the order asked.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    /// A request was answered.
    answered: Notify,
}

/// No room before the deadline, and none before this time has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoRoom {
    pub(crate) wait: Duration,
}

/// A place in the window. Dropped when the answer is there, or when nobody waits for it any more.
pub(crate) struct Place<'a> {
    limiter: &'a Limiter,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.limiter.state().answer(Instant::now());
        self.limiter.answered.notify_one();
    }
}

impl Limiter {
    fn new(rates: Rates) -> Self {
        Self {
            turn: tokio::sync::Mutex::new(()),
            state: Mutex::new(State::new(rates)),
            answered: Notify::new(),
        }
    }

    /// Whether it is certain already that no place will be free by `latest`.
    pub(crate) fn foresee(&self, latest: Instant) -> Result<(), NoRoom> {
        let now = Instant::now();
        match self.state().free_at(now) {
            Some(free) if free > latest => Err(NoRoom { wait: free - now }),
            _ => Ok(()),
        }
    }

    /// Waits for a place, at the latest until `latest`; not at all when it is certain that none will be free by then.
    pub(crate) async fn acquire(&self, latest: Instant) -> Result<Place<'_>, NoRoom> {
        self.foresee(latest)?;
        let Ok(_turn) = timeout_at(latest, self.turn.lock()).await else { return Err(self.no_room()) };
        loop {
            let now = Instant::now();
            let free = self.state().free_at(now);
            match free {
                _ if now > latest => return Err(self.no_room()),
                Some(free) if free <= now => {
                    self.state().in_flight += 1;
                    return Ok(Place { limiter: self });
                }
                Some(free) if free > latest => return Err(NoRoom { wait: free - now }),
                Some(free) => sleep_until(free).await,
                // Only an answer can free one.
                None if timeout_at(latest, self.answered.notified()).await.is_err() => {
                    return Err(self.no_room());
                }
                None => {}
            }
        }
    }

    /// Feishu refused a message as one too many: nothing leaves for `pause`.
    pub(crate) fn throttled(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut state = self.state();
        state.paused_until = Some(state.paused_until.map_or(until, |earlier| earlier.max(until)));
    }

    fn no_room(&self) -> NoRoom {
        let now = Instant::now();
        // While all places are in flight, one of them will be taken for a second at least after its answer.
        let free = self.state().free_at(now).unwrap_or(now + SECOND);
        NoRoom { wait: free.saturating_duration_since(now) }
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
    rates: Rates,
    /// Sent, and not answered.
    in_flight: usize,
    /// When the answers of the last minute came, oldest first.
    answered: VecDeque<Instant>,
    paused_until: Option<Instant>,
}

impl State {
    fn new(rates: Rates) -> Self {
        Self { rates, in_flight: 0, answered: VecDeque::new(), paused_until: None }
    }

    fn answer(&mut self, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.answered.push_back(now);
    }

    /// When the next message may leave: `now`, or later; `None` when that depends on answers still to come.
    fn free_at(&mut self, now: Instant) -> Option<Instant> {
        while self.answered.front().is_some_and(|at| *at + MINUTE <= now) {
            self.answered.pop_front();
        }
        let by_second = self.room(self.rates.per_second, SECOND)?;
        let by_minute = self.room(self.rates.per_minute, MINUTE)?;
        [Some(now), by_second, by_minute, self.paused_until].into_iter().flatten().max()
    }

    /// When one window has a place: `Some(None)` for always, `None` when all its places are in flight.
    fn room(&self, places: u32, window: Duration) -> Option<Option<Instant>> {
        let free = usize::try_from(places).unwrap_or(usize::MAX).checked_sub(self.in_flight)?;
        if free == 0 {
            return None;
        }
        // There is room again when the oldest of the last `free` answers has left the window.
        Some(self.answered.len().checked_sub(free).map(|oldest| self.answered[oldest] + window))
    }

    /// Whether it would hold anything back now or later.
    fn remembers(&mut self, now: Instant) -> bool {
        self.free_at(now) != Some(now) || self.in_flight > 0 || !self.answered.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter() -> Limiter {
        Limiter::new(Rates::DOCUMENTED)
    }

    #[tokio::test(start_paused = true)]
    async fn five_leave_at_once_and_the_sixth_a_second_after_the_first_answer() {
        let limiter = limiter();
        let start = Instant::now();
        let latest = start + MINUTE;
        for _ in 0..5 {
            drop(limiter.acquire(latest).await.expect("room"));
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        drop(limiter.acquire(latest).await.expect("room"));
        assert_eq!(start.elapsed(), SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_answer_keeps_its_place() {
        let limiter = limiter();
        let start = Instant::now();
        let mut places = Vec::new();
        for _ in 0..5 {
            places.push(limiter.acquire(start + MINUTE).await.expect("room"));
        }
        let (sixth, ()) = tokio::join!(limiter.acquire(start + MINUTE), async {
            tokio::time::sleep(3 * SECOND).await;
            places.pop();
        });
        drop(sixth.expect("room"));
        assert_eq!(start.elapsed(), 4 * SECOND, "a second after the answer, not after the request");
    }

    #[tokio::test(start_paused = true)]
    async fn a_minute_has_a_hundred_places() {
        let limiter = limiter();
        let start = Instant::now();
        for _ in 0..100 {
            drop(limiter.acquire(start + MINUTE).await.expect("room"));
        }
        assert_eq!(start.elapsed(), 19 * SECOND);
        let no_room = limiter.acquire(start + MINUTE - SECOND).await.err().expect("none");
        assert_eq!(no_room.wait, 41 * SECOND);
        assert_eq!(start.elapsed(), 19 * SECOND, "who cannot be served in time is told so at once");
        drop(limiter.acquire(start + MINUTE).await.expect("room"));
        assert_eq!(start.elapsed(), MINUTE);
    }

    #[tokio::test(start_paused = true)]
    async fn who_stands_in_line_gives_up_at_the_deadline() {
        let limiter = limiter();
        let start = Instant::now();
        let mut places = Vec::new();
        for _ in 0..5 {
            places.push(limiter.acquire(start + MINUTE).await.expect("room"));
        }
        let waits = tokio::join!(limiter.acquire(start + 2 * SECOND), limiter.acquire(start + 2 * SECOND));
        assert_eq!(start.elapsed(), 2 * SECOND);
        for wait in [waits.0, waits.1] {
            assert_eq!(wait.err().expect("none").wait, SECOND);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_everything_back() {
        let limiter = limiter();
        let start = Instant::now();
        limiter.throttled(2 * SECOND);
        limiter.throttled(SECOND);
        drop(limiter.acquire(start + MINUTE).await.expect("room"));
        assert_eq!(start.elapsed(), 2 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn clients_of_one_webhook_share_a_window_and_others_do_not() {
        let limits = RateLimits::new(Rates::new(1, 100));
        let webhook = |token: &str| {
            format!("https://h/open-apis/bot/v2/hook/{token}")
                .parse::<crate::BotWebhook>()
                .expect("a webhook")
                .0
        };
        let latest = Instant::now() + SECOND / 2;
        drop(limits.of(&webhook("EXAMPLE-1")).acquire(latest).await.expect("room"));
        assert!(
            limits.of(&webhook("EXAMPLE-1")).acquire(latest).await.is_err(),
            "a new client knows the window"
        );
        drop(limits.of(&webhook("EXAMPLE-2")).acquire(latest).await.expect("another webhook"));
        tokio::time::sleep(2 * MINUTE).await;
        drop(limits.of(&webhook("EXAMPLE-2")));
        assert_eq!(lock(&limits.limiters).len(), 1, "what nobody uses is forgotten");
    }

    #[test]
    fn no_rate_is_above_the_documented_one() {
        assert_eq!(Rates::new(1000, 1000), Rates::DOCUMENTED);
        assert_eq!(Rates::new(0, 0), Rates { per_second: 1, per_minute: 1 });
    }
}
