//! What tokens cost. Prices change and differ by contract: the caller brings them.

use std::fmt;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::Usage;

/// A price list for one model, in any currency.
///
/// ```
/// use llm_client::{Decimal, Prices};
/// // 2 yuan for a million tokens of prompt (0.50 from the cache), 8 for a million of answer.
/// let prices = Prices::per_million("CNY", Decimal::TWO, Decimal::from(8)).cached("0.50".parse()?);
/// # Ok::<(), rust_decimal::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    currency: Arc<str>,
    prompt: Decimal,
    cached: Decimal,
    completion: Decimal,
}

impl Prices {
    /// For a million tokens of prompt and of answer. Cached tokens cost what others do.
    pub fn per_million(currency: impl Into<Arc<str>>, prompt: Decimal, completion: Decimal) -> Self {
        Self { currency: currency.into(), prompt, cached: prompt, completion }
    }

    /// For a million tokens of prompt that come from the endpoint's cache.
    #[must_use]
    pub fn cached(mut self, price: Decimal) -> Self {
        self.cached = price;
        self
    }

    /// What these tokens cost: decimal arithmetic, exact to 28 digits. `None` when the numbers are beyond that.
    pub fn cost(&self, usage: &Usage) -> Option<Cost> {
        // An endpoint that counts more cached tokens than tokens does not make the rest negative.
        let cached = usage.cached_tokens.min(usage.prompt_tokens);
        let amount = [
            (usage.prompt_tokens - cached, self.prompt),
            (cached, self.cached),
            (usage.completion_tokens, self.completion),
        ]
        .into_iter()
        .try_fold(Decimal::ZERO, |sum, (tokens, price)| {
            let millions = Decimal::try_from_i128_with_scale(i128::from(tokens), 6).ok()?;
            sum.checked_add(millions.checked_mul(price)?)
        })?;
        Some(Cost { amount: amount.normalize(), currency: Arc::clone(&self.currency) })
    }
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cost {
    /// How much.
    pub amount: Decimal,
    /// Of what: as in the [`Prices`].
    pub currency: Arc<str>,
}

impl Cost {
    /// Both amounts together; `None` when they are of different currencies.
    pub fn plus(&self, other: &Self) -> Option<Self> {
        let amount = self.amount.checked_add(other.amount)?;
        (self.currency == other.currency).then(|| Self { amount, currency: Arc::clone(&self.currency) })
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices() -> Prices {
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        Prices::per_million("CNY", decimal("2.1"), decimal("8.3")).cached(decimal("0.5"))
    }

    #[test]
    fn a_cost_is_exact() {
        let usage =
            Usage { prompt_tokens: 1003, completion_tokens: 7, cached_tokens: 1000, reasoning_tokens: 2 };
        // 3 * 2.1 + 1000 * 0.5 + 7 * 8.3 = 564.4 millionths.
        assert_eq!(prices().cost(&usage).unwrap().to_string(), "0.0005644 CNY");
    }

    #[test]
    fn a_thousand_small_costs_are_the_large_one() {
        let one = Usage { prompt_tokens: 1, completion_tokens: 1, ..Usage::default() };
        let all = Usage { prompt_tokens: 1000, completion_tokens: 1000, ..Usage::default() };
        let small = prices().cost(&one).unwrap();
        let sum = (1..1000).fold(small.clone(), |sum, _| sum.plus(&small).unwrap());
        assert_eq!(sum.amount, prices().cost(&all).unwrap().amount);
    }

    #[test]
    fn absurd_counts_have_no_cost_and_no_panic() {
        let usage = Usage { prompt_tokens: 5, cached_tokens: u64::MAX, ..Usage::default() };
        assert_eq!(prices().cost(&usage).unwrap().to_string(), "0.0000025 CNY");
        let usage = Usage { completion_tokens: u64::MAX, ..Usage::default() };
        let dear = Prices::per_million("X", Decimal::ZERO, Decimal::MAX);
        assert_eq!(dear.cost(&usage), None);
    }

    #[test]
    fn two_currencies_are_not_added() {
        let usage = Usage { prompt_tokens: 1, ..Usage::default() };
        let dollars = Prices::per_million("USD", Decimal::ONE, Decimal::ONE).cost(&usage).unwrap();
        assert_eq!(prices().cost(&usage).unwrap().plus(&dollars), None);
    }
}
