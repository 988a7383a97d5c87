//! Whether a provider is asked at all: one that keeps failing is left alone for a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::{Class, Error};

/// Failures in a row after which a provider rests.
const FAILURES: u32 = 3;
/// The first rest; each one that follows without a success between is twice as long.
const FIRST_REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_secs(10 * 60);
/// A provider that works may need longer than a call in a hurry leaves it. One that was given so long and has not answered
/// is to blame for it.
const FAIR_TIME: Duration = Duration::from_secs(20);

/// What a list thinks of one of its providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerState {
    /// It is asked.
    Closed,
    /// It kept failing, and is not asked for so long.
    Open(Duration),
    /// Its rest is over: the next call, or one that is running, finds out whether it works again.
    HalfOpen,
}

#[derive(Debug, Default)]
pub(crate) struct Breaker {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    failures: u32,
    /// Rests since the last success.
    rests: u32,
    open_until: Option<Instant>,
    /// One call is finding out.
    probing: bool,
}

impl Breaker {
    pub(crate) fn state(&self) -> BreakerState {
        let inner = self.lock();
        match inner.open_until {
            None => BreakerState::Closed,
            Some(until) => match until.saturating_duration_since(Instant::now()) {
                Duration::ZERO => BreakerState::HalfOpen,
                left => BreakerState::Open(left),
            },
        }
    }

    /// Leave for one call, or how long there is none. Once a rest is over, one call at a time gets it.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Admitted, Duration> {
        let mut inner = self.lock();
        let mut probe = false;
        if let Some(until) = inner.open_until {
            let left = until.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                return Err(left);
            }
            if inner.probing {
                // Nobody knows how long it takes; not at once, in any case.
                return Err(Duration::from_secs(1));
            }
            inner.probing = true;
            probe = true;
        }
        Ok(Admitted { breaker: Arc::clone(self), probe, since: Instant::now() })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave for one call. Dropped without a word, it has shown nothing.
#[derive(Debug)]
pub(crate) struct Admitted {
    breaker: Arc<Breaker>,
    probe: bool,
    since: Instant,
}

impl Admitted {
    /// When the call began.
    pub(crate) fn since(&self) -> Instant {
        self.since
    }

    /// The first content came: a rest is over, and the next call need not wait until this one has ended. Whether all of it
    /// comes is another matter: until then what failed before is not forgotten, so that one more failure is enough.
    pub(crate) fn began(&mut self) {
        if std::mem::take(&mut self.probe) {
            let mut inner = self.breaker.lock();
            inner.open_until = None;
            inner.probing = false;
        }
    }

    /// All of the answer came.
    pub(crate) fn succeeded(&self) {
        let mut inner = self.breaker.lock();
        // A call that began before the rest says nothing about what came after.
        if self.probe || inner.open_until.is_none() {
            *inner = Inner { probing: inner.probing, ..Inner::default() };
        }
    }

    /// It ended like this. `given` is how long the caller would wait; without it only the provider's own deadlines held.
    pub(crate) fn failed(&self, error: &Error, given: Option<Duration>) {
        let hurried = given.is_some_and(|given| given < FAIR_TIME && self.since.elapsed() >= given);
        match Fault::of(error, hurried) {
            // It answered, so that it lives.
            Fault::OfTheRequest => self.succeeded(),
            // It was not asked, or not for long enough to tell.
            Fault::None => {}
            Fault::Passing => self.count(1, error.retry_after()),
            Fault::Lasting => self.count(FAILURES, error.retry_after()),
        }
    }

    fn count(&self, failures: u32, retry_after: Option<Duration>) {
        let mut inner = self.breaker.lock();
        if inner.open_until.is_some() && !self.probe {
            return;
        }
        inner.failures = inner.failures.saturating_add(failures);
        // When it says itself how long it wants to be left alone, there is no point in asking before.
        let told = retry_after.filter(|time| !time.is_zero()).map(|time| time.min(LONGEST_REST));
        let enough = inner.failures >= FAILURES || self.probe;
        let own = enough.then(|| (FIRST_REST * 2_u32.saturating_pow(inner.rests.min(8))).min(LONGEST_REST));
        if let Some(rest) = told.max(own) {
            inner.rests += u32::from(enough);
            inner.open_until = Some(Instant::now() + rest);
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        if self.probe {
            self.breaker.lock().probing = false;
        }
    }
}

/// Whose fault an error is, seen from the list.
enum Fault {
    /// Nobody's: nothing was sent, or the caller was in too much of a hurry.
    None,
    /// The request's: the provider works.
    OfTheRequest,
    /// The provider's, for now.
    Passing,
    /// The provider's, until somebody acts.
    Lasting,
}

impl Fault {
    /// `hurried` when the time ran out that the caller gave, and it was short.
    fn of(error: &Error, hurried: bool) -> Self {
        match error {
            Error::Late { .. } if hurried => Self::None,
            Error::Api { class: Class::BadRequest | Class::ContextTooLong | Class::Moderated, .. }
            | Error::Truncated { .. }
            | Error::Withheld { .. }
            | Error::Unfit { .. } => Self::OfTheRequest,
            Error::Api { class, .. } if class.is_lasting() => Self::Lasting,
            Error::NotTheApi { retryable: false, .. } | Error::Tls { .. } => Self::Lasting,
            Error::BudgetSpent { .. }
            | Error::PromptTooLong { .. }
            | Error::Resting { .. }
            | Error::Invalid { .. }
            | Error::Config { .. } => Self::None,
            // A list in a list answers for its own.
            Error::AllFailed { failures, .. } => {
                let is_to_blame =
                    |failure| matches!(Self::of(failure, hurried), Self::Passing | Self::Lasting);
                if failures.iter().any(is_to_blame) { Self::Passing } else { Self::None }
            }
            Error::NotSent { .. }
            | Error::Broken { .. }
            | Error::Late { .. }
            | Error::Api { .. }
            | Error::NotTheApi { .. }
            | Error::Decode { .. }
            | Error::Empty { .. } => Self::Passing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Call;

    fn call() -> Call {
        Call::new("test", "complete")
    }

    fn passing() -> Error {
        Error::Empty { call: call() }
    }

    fn api(class: Class, retry_after: Option<u64>) -> Error {
        Error::Api {
            call: call(),
            status: Some(400),
            class,
            code: None,
            message: String::new(),
            request_id: None,
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    fn fail(breaker: &Arc<Breaker>, error: &Error) {
        breaker.admit().unwrap().failed(error, None);
    }

    #[tokio::test(start_paused = true)]
    async fn three_failures_in_a_row_open_it_and_a_success_between_does_not() {
        let breaker = Arc::new(Breaker::default());
        fail(&breaker, &passing());
        fail(&breaker, &passing());
        breaker.admit().unwrap().succeeded();
        fail(&breaker, &passing());
        fail(&breaker, &passing());
        assert_eq!(breaker.state(), BreakerState::Closed);
        fail(&breaker, &passing());
        assert_eq!(breaker.admit().unwrap_err(), FIRST_REST);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_rest_one_call_at_a_time_finds_out() {
        let breaker = Arc::new(Breaker::default());
        fail(&breaker, &api(Class::Unauthorized, None));
        tokio::time::advance(FIRST_REST).await;
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        let probe = breaker.admit().unwrap();
        assert!(breaker.admit().is_err());
        // Its caller gave up: the next one finds out.
        drop(probe);
        let probe = breaker.admit().unwrap();
        probe.succeeded();
        drop(probe);
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn who_begins_to_answer_is_asked_again_and_rests_longer_if_no_more_comes() {
        let breaker = Arc::new(Breaker::default());
        fail(&breaker, &api(Class::OutOfCredit, None));
        tokio::time::advance(FIRST_REST).await;
        let mut probe = breaker.admit().unwrap();
        probe.began();
        assert_eq!(breaker.state(), BreakerState::Closed);
        breaker.admit().unwrap();
        probe.failed(&passing(), None);
        assert_eq!(breaker.state(), BreakerState::Open(FIRST_REST * 2));
        tokio::time::advance(FIRST_REST * 2).await;
        let mut probe = breaker.admit().unwrap();
        probe.began();
        probe.succeeded();
        fail(&breaker, &passing());
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn each_rest_is_twice_as_long_up_to_ten_minutes() {
        let breaker = Arc::new(Breaker::default());
        fail(&breaker, &api(Class::OutOfCredit, None));
        let mut rests = Vec::new();
        for _ in 0..7 {
            let BreakerState::Open(rest) = breaker.state() else { panic!("{breaker:?}") };
            rests.push(rest.as_secs());
            tokio::time::advance(rest).await;
            fail(&breaker, &passing());
        }
        assert_eq!(rests, [30, 60, 120, 240, 480, 600, 600]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_after_is_a_rest_at_once() {
        let breaker = Arc::new(Breaker::default());
        fail(&breaker, &api(Class::RateLimited, Some(7)));
        assert_eq!(breaker.state(), BreakerState::Open(Duration::from_secs(7)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_fault_of_the_request_is_none_of_the_provider() {
        let breaker = Arc::new(Breaker::default());
        for class in [Class::BadRequest, Class::ContextTooLong, Class::Moderated] {
            for _ in 0..5 {
                fail(&breaker, &api(class, None));
            }
        }
        for _ in 0..5 {
            fail(&breaker, &Error::BudgetSpent { call: call(), needed: 2, available: 1 });
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_from_before_the_rest_does_not_end_it() {
        let breaker = Arc::new(Breaker::default());
        let early = breaker.admit().unwrap();
        fail(&breaker, &api(Class::Forbidden, None));
        early.succeeded();
        early.failed(&passing(), None);
        assert_eq!(breaker.state(), BreakerState::Open(FIRST_REST));
    }
}
