//! A number of tokens that must not be exceeded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Tokens that may be spent until the caller resets it; share it between clients to give them one budget.
///
/// A call sets aside the most that it can cost before anything is sent (the bytes of its request, since a token is
/// never less than a byte, and the most tokens that the answer may have), and is refused when that is not there.
/// Afterwards it is charged what the endpoint counted: nothing when it refused the call, everything set aside when
/// the outcome is not known, as after a gateway's 504. So the limit holds, as long as endpoints respect the most tokens
/// they were given.
#[derive(Debug)]
pub struct TokenBudget {
    limit: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    spent: u64,
    set_aside: u64,
}

impl TokenBudget {
    /// A budget of `limit` tokens, none of them spent.
    pub fn new(limit: u64) -> Self {
        Self { limit, state: Mutex::default() }
    }

    /// All of it.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// What was charged since the last reset.
    pub fn spent(&self) -> u64 {
        self.lock().spent
    }

    /// What a new call can still have: the limit without what is spent and what running calls have set aside.
    pub fn available(&self) -> u64 {
        let state = self.lock();
        self.limit.saturating_sub(state.spent).saturating_sub(state.set_aside)
    }

    /// A new day: nothing is spent. What running calls have set aside stays so, and is charged to the new day.
    pub fn reset(&self) {
        self.lock().spent = 0;
    }

    /// Sets `tokens` aside; when they are not there, says what is.
    pub(crate) fn set_aside(self: &Arc<Self>, tokens: u64) -> Result<SetAside, u64> {
        let mut state = self.lock();
        let available = self.limit.saturating_sub(state.spent).saturating_sub(state.set_aside);
        if tokens > available {
            return Err(available);
        }
        state.set_aside += tokens;
        Ok(SetAside { budget: Arc::clone(self), tokens, charge: 0 })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tokens set aside for one request. Dropping it charges what is known by then: a call that its caller gives up
/// while it runs is charged in full.
#[derive(Debug)]
pub(crate) struct SetAside {
    budget: Arc<TokenBudget>,
    tokens: u64,
    charge: u64,
}

impl SetAside {
    /// From here on the endpoint may count.
    pub(crate) fn sent(&mut self) {
        self.charge = self.tokens;
    }

    /// What the endpoint counted.
    pub(crate) fn counted(&mut self, tokens: u64) {
        self.charge = tokens;
    }
}

impl Drop for SetAside {
    fn drop(&mut self) {
        let mut state = self.budget.lock();
        state.set_aside = state.set_aside.saturating_sub(self.tokens);
        state.spent = state.spent.saturating_add(self.charge);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_aside_is_not_there_for_others_and_comes_back_when_nothing_was_sent() {
        let budget = Arc::new(TokenBudget::new(100));
        let first = budget.set_aside(60).unwrap();
        assert_eq!(budget.set_aside(41).unwrap_err(), 40);
        drop(first);
        assert_eq!((budget.available(), budget.spent()), (100, 0));
    }

    #[test]
    fn an_unknown_outcome_is_charged_in_full_and_a_known_one_as_counted() {
        let budget = Arc::new(TokenBudget::new(100));
        let mut unknown = budget.set_aside(30).unwrap();
        unknown.sent();
        drop(unknown);
        let mut known = budget.set_aside(50).unwrap();
        known.sent();
        known.counted(12);
        drop(known);
        assert_eq!((budget.spent(), budget.available()), (42, 58));
    }

    #[test]
    fn a_reset_begins_anew_and_running_calls_count_for_the_new_day() {
        let budget = Arc::new(TokenBudget::new(100));
        let mut running = budget.set_aside(30).unwrap();
        running.sent();
        budget.reset();
        assert_eq!(budget.available(), 70);
        drop(running);
        assert_eq!(budget.spent(), 30);
    }
}
