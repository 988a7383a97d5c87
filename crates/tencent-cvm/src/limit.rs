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
    windows: Mutex<Windows>,
}

#[derive(Default)]
struct Windows {
    limiters: BTreeMap<(SecretId, String, Action), Arc<Limiter>>,
    /// What limiters did that are not kept any more.
    past: BTreeMap<Action, LimitTotals>,
}

/// What the limits of one action did so far, over all keys and regions: counters that only grow.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitTotals {
    /// Requests let through.
    pub admitted: u64,
    /// Of those, how many had to wait for their turn.
    pub delayed: u64,
    /// Requests that were not sent, because their turn would have come after their deadline.
    pub late: u64,
    /// Refusals for too many calls that the cloud answered all the same.
    pub throttled: u64,
    /// The time that requests spent waiting for their turn.
    pub waited: Duration,
}

impl LimitTotals {
    fn add(&mut self, other: Self) {
        self.admitted += other.admitted;
        self.delayed += other.delayed;
        self.late += other.late;
        self.throttled += other.throttled;
        self.waited += other.waited;
    }
}

impl RateLimits {
    /// No calls seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counters for metrics, by action. Cheap: no call waits for it.
    pub fn totals(&self) -> BTreeMap<Action, LimitTotals> {
        let windows = lock(&self.windows);
        let mut totals = windows.past.clone();
        for ((_, _, action), limiter) in &windows.limiters {
            totals.entry(*action).or_default().add(limiter.state().totals);
        }
        totals
    }

    pub(crate) fn limiter(&self, secret_id: &SecretId, region: &str, action: Action) -> Arc<Limiter> {
        let mut windows = lock(&self.windows);
        windows.forget_unused(Instant::now());
        let key = (secret_id.clone(), region.to_owned(), action);
        Arc::clone(
            windows.limiters.entry(key).or_insert_with(|| Arc::new(Limiter::new(action.calls_per_second()))),
        )
    }
}

impl Windows {
    /// Temporary keys come with a new `SecretId` every hour: what no client holds and no window remembers goes.
    fn forget_unused(&mut self, now: Instant) {
        let past = &mut self.past;
        self.limiters.retain(|(_, _, action), limiter| {
            let mut state = limiter.state();
            let used = Arc::strong_count(limiter) > 1 || !state.is_fresh(now);
            if !used {
                past.entry(*action).or_default().add(state.totals);
            }
            used
        });
    }
}

/// The windows of one client, one for each of [`Action::ALL`].
pub(crate) struct Limiters([Arc<Limiter>; Action::ALL.len()]);

impl Limiters {
    pub(crate) fn new(limits: &RateLimits, secret_id: &SecretId, region: &str) -> Self {
        Self(Action::ALL.map(|action| limits.limiter(secret_id, region, action)))
    }

    pub(crate) fn of(&self, action: Action) -> &Limiter {
        &self.0[action as usize]
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
    queue: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

impl Limiter {
    fn new(documented: u32) -> Self {
        Self { queue: tokio::sync::Mutex::new(()), state: Mutex::new(State::new(documented)) }
    }

    /// Waits for a turn, at the latest until `latest`. A caller that gives up while waiting uses none.
    pub(crate) async fn acquire(&self, latest: Instant) -> Result<(), TooLate> {
        let turn = self.turn(latest).await;
        if turn.is_err() {
            self.state().totals.late += 1;
        }
        turn
    }

    async fn turn(&self, latest: Instant) -> Result<(), TooLate> {
        let asked = Instant::now();
        let _turn = timeout_at(latest, self.queue.lock()).await.map_err(|_| TooLate)?;
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
        self.slide(now);
        let allowed = self.allowed(now);
        let free = match self.admitted.len().checked_sub(allowed) {
            // The window has room again when the oldest of the last `allowed` calls has left it.
            Some(oldest) => self.admitted[oldest] + WINDOW,
            None => now,
        };
        self.lowered.map_or(free, |lowered| free.max(lowered.paused_until))
    }

    fn slide(&mut self, now: Instant) {
        while self.admitted.front().is_some_and(|&sent| sent + WINDOW <= now) {
            self.admitted.pop_front();
        }
    }

    /// Whether it differs in nothing from a new one.
    fn is_fresh(&mut self, now: Instant) -> bool {
        self.slide(now);
        self.admitted.is_empty() && self.allowed(now) == self.documented as usize
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
        self.totals.delayed += u64::from(!waited.is_zero());
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::task::JoinSet;
    use tokio::time::sleep;

    const SECOND: Duration = Duration::from_secs(1);

    fn paused() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("runtime")
    }

    /// Asks for a turn at each of these milliseconds and returns when each was admitted, in the order asked.
    fn admissions(limiter: &Arc<Limiter>, asked: &[u64]) -> Vec<Duration> {
        paused().block_on(async {
            let start = Instant::now();
            let mut calls = JoinSet::new();
            for (number, &at) in asked.iter().enumerate() {
                let limiter = Arc::clone(limiter);
                calls.spawn(async move {
                    sleep(Duration::from_millis(at)).await;
                    limiter.acquire(start + 3600 * SECOND).await.expect("an hour is enough");
                    (number, start.elapsed())
                });
            }
            let mut admitted = calls.join_all().await;
            admitted.sort();
            admitted.into_iter().map(|(_, at)| at).collect()
        })
    }

    /// The most admissions that any second holds, its two ends included.
    fn busiest_second(admitted: &[Duration]) -> usize {
        let mut admitted = admitted.to_vec();
        admitted.sort();
        (0..admitted.len())
            .map(|first| admitted[first..].iter().take_while(|&&at| at <= admitted[first] + SECOND).count())
            .max()
            .unwrap_or_default()
    }

    proptest! {
        #[test]
        fn no_second_ever_sees_more_than_the_documented_rate(
            rate in prop::sample::select(vec![1_u32, 10, 40]),
            mut asked in prop::collection::vec(0_u64..4000, 1..150),
        ) {
            asked.sort_unstable();
            let admitted = admissions(&Arc::new(Limiter::new(rate)), &asked);
            prop_assert!(busiest_second(&admitted) <= rate as usize);
            // Nor is the rate wasted: each is admitted when the window before it has room.
            for (number, at) in admitted.iter().enumerate() {
                let unhindered = Duration::from_millis(asked[number]);
                let behind = number.checked_sub(rate as usize).map(|before| admitted[before] + WINDOW);
                let previous = number.checked_sub(1).map(|before| admitted[before]);
                let due = [Some(unhindered), behind, previous].into_iter().flatten().max().expect("one");
                prop_assert!(*at <= due + Duration::from_millis(2), "{at:?} is later than {due:?}");
            }
        }
    }

    #[test]
    fn turns_come_in_the_order_asked() {
        let asked: Vec<u64> = (0..100).collect();
        let admitted = admissions(&Arc::new(Limiter::new(10)), &asked);
        assert!(admitted.is_sorted(), "{admitted:?}");
    }

    #[test]
    fn a_burst_after_a_quiet_spell_is_no_larger_than_any_other() {
        // Where a token bucket would let 40 saved-up calls and 39 new ones through.
        let mut asked = vec![0];
        asked.extend([5000; 100]);
        let admitted = admissions(&Arc::new(Limiter::new(40)), &asked);
        assert_eq!(busiest_second(&admitted), 40);
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_would_come_too_late_is_refused_at_once() {
        let limiter = Limiter::new(1);
        let start = Instant::now();
        limiter.acquire(start).await.expect("room");
        assert!(limiter.acquire(start + SECOND).await.is_err());
        assert_eq!(start.elapsed(), Duration::ZERO, "it waited for nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_gives_up_holds_nobody_up() {
        let limiter = Arc::new(Limiter::new(1));
        let start = Instant::now();
        limiter.acquire(start).await.expect("room");
        let impatient = tokio::time::timeout(SECOND / 10, limiter.acquire(start + 60 * SECOND));
        let (gave_up, next) = tokio::join!(impatient, limiter.acquire(start + 60 * SECOND));
        assert!(gave_up.is_err());
        next.expect("a turn");
        assert!(start.elapsed() < 2 * WINDOW, "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_refusal_nothing_goes_out_for_the_time_asked() {
        let limiter = Limiter::new(40);
        let start = Instant::now();
        limiter.throttled(Some(3 * SECOND), Duration::ZERO);
        limiter.acquire(start + 60 * SECOND).await.expect("a turn");
        assert_eq!(start.elapsed(), 3 * SECOND);

        limiter.throttled(Some(Duration::from_secs(86_400)), Duration::ZERO);
        let start = Instant::now();
        limiter.acquire(start + 60 * SECOND).await.expect("a turn");
        assert_eq!(start.elapsed(), LONGEST_PAUSE, "a day is not honoured");
    }

    #[test]
    fn a_refused_burst_halves_the_rate_once_and_it_grows_back_slowly() {
        let start = Instant::now();
        let mut state = State::new(40);
        for _ in 0..7 {
            state.throttle(start, SECOND);
        }
        let resumed = start + SECOND;
        assert_eq!(state.allowed(resumed), 20);
        assert_eq!(state.allowed(resumed + RECOVERY / 2), 30);
        assert_eq!(state.allowed(resumed + RECOVERY), 40);
        assert!(state.lowered.is_none(), "all is forgotten");

        for round in 0..20 {
            state.throttle(start + 2 * round * SECOND, SECOND);
        }
        assert_eq!(state.allowed(start + 39 * SECOND), 1, "never nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn clients_of_one_key_and_region_share_a_window_and_others_do_not() {
        let limits = RateLimits::new();
        let id = SecretId::new("AKIDFAKE");
        let latest = Instant::now() + SECOND / 2;
        for _ in 0..10 {
            limits.limiter(&id, "ap-a", Action::RunInstances).acquire(latest).await.expect("room");
        }
        assert!(limits.limiter(&id, "ap-a", Action::RunInstances).acquire(latest).await.is_err());
        limits
            .limiter(&id, "ap-a", Action::TerminateInstances)
            .acquire(latest)
            .await
            .expect("another action");
        limits.limiter(&id, "ap-b", Action::RunInstances).acquire(latest).await.expect("another region");
        let other = SecretId::new("AKIDOTHER");
        limits.limiter(&other, "ap-a", Action::RunInstances).acquire(latest).await.expect("another key");

        let totals = limits.totals();
        assert_eq!(totals[&Action::RunInstances].admitted, 12);
        assert_eq!(totals[&Action::TerminateInstances].admitted, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_window_of_a_key_outlives_its_clients_and_then_goes() {
        let limits = RateLimits::new();
        let limiter = |id: &str| limits.limiter(&SecretId::new(id), "ap-a", Action::RunInstances);
        let latest = Instant::now() + SECOND / 2;
        for _ in 0..10 {
            limiter("AKIDFAKE").acquire(latest).await.expect("room");
            drop(limiter("AKIDOTHER"));
        }
        assert!(
            limiter("AKIDFAKE").acquire(latest).await.is_err(),
            "a new client of the key knows its window"
        );

        sleep(2 * SECOND).await;
        drop(limiter("AKIDOTHER"));
        assert_eq!(lock(&limits.windows).limiters.len(), 1);
        assert_eq!(limits.totals()[&Action::RunInstances].admitted, 10, "but what it did is still counted");
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_spent_waiting_is_counted_and_who_waited_in_vain() {
        let limits = RateLimits::new();
        let limiter = limits.limiter(&SecretId::new("AKIDFAKE"), "ap-a", Action::RunInstances);
        let latest = Instant::now() + 60 * SECOND;
        for _ in 0..20 {
            limiter.acquire(latest).await.expect("a turn");
        }
        limiter.acquire(Instant::now()).await.expect_err("no turn at once");
        limiter.throttled(None, Duration::ZERO);
        let totals = limits.totals()[&Action::RunInstances];
        let expected = LimitTotals { admitted: 20, delayed: 1, late: 1, throttled: 1, waited: WINDOW };
        assert_eq!(totals, expected);
    }
}
