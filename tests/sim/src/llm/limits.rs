//! Requests and tokens in any minute.

use std::collections::VecDeque;
use std::time::Duration;

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use tokio::time::Instant;

use super::Settings;

const MINUTE: Duration = Duration::from_secs(60);

/// What was taken in the last minute.
#[derive(Debug, Default)]
pub(super) struct Window {
    taken: VecDeque<(Instant, u64)>,
}

/// Why nothing more is taken for now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full {
    pub(super) what: &'static str,
    pub(super) limit: u64,
    pub(super) wait: Duration,
}

impl Window {
    /// Takes a request that may use so many tokens, if it fits.
    pub(super) fn take(&mut self, settings: &Settings, tokens: u64, now: Instant) -> Result<(), Full> {
        self.forget(now);
        let full = |what, limit, wait| Err(Full { what, limit, wait });
        let (requests, used) = self.used();
        if settings.requests_per_minute > 0 && requests >= settings.requests_per_minute {
            return full("requests", settings.requests_per_minute, self.until_fewer(0, now));
        }
        if settings.tokens_per_minute > 0 && used.saturating_add(tokens) > settings.tokens_per_minute {
            let excess = used.saturating_add(tokens) - settings.tokens_per_minute;
            return full("tokens", settings.tokens_per_minute, self.until_fewer(excess, now));
        }
        self.taken.push_back((now, tokens));
        Ok(())
    }

    /// The headers in which OpenAI tells what is left.
    pub(super) fn headers(&mut self, settings: &Settings, now: Instant) -> HeaderMap {
        self.forget(now);
        let (requests, tokens) = self.used();
        let mut headers = HeaderMap::new();
        for (what, limit, used) in [
            ("requests", settings.requests_per_minute, requests),
            ("tokens", settings.tokens_per_minute, tokens),
        ] {
            if limit == 0 {
                continue;
            }
            let reset = format!("{}s", self.until_fewer(used, now).as_secs());
            for (name, value) in [
                ("limit", limit.to_string()),
                ("remaining", limit.saturating_sub(used).to_string()),
                ("reset", reset),
            ] {
                let name = HeaderName::try_from(format!("x-ratelimit-{name}-{what}"));
                if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
                    headers.insert(name, value);
                }
            }
        }
        headers
    }

    fn forget(&mut self, now: Instant) {
        while self.taken.front().is_some_and(|(at, _)| now.duration_since(*at) >= MINUTE) {
            self.taken.pop_front();
        }
    }

    fn used(&self) -> (u64, u64) {
        let tokens = self.taken.iter().map(|(_, tokens)| tokens).sum();
        (u64::try_from(self.taken.len()).unwrap_or(u64::MAX), tokens)
    }

    /// Until at least one request and `tokens` tokens have left the window.
    fn until_fewer(&self, tokens: u64, now: Instant) -> Duration {
        let mut left = 0;
        for (at, taken) in &self.taken {
            left += taken;
            if left >= tokens {
                return MINUTE.saturating_sub(now.duration_since(*at));
            }
        }
        MINUTE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::Dialect;

    #[tokio::test(start_paused = true)]
    async fn a_request_beyond_the_limit_waits_until_the_oldest_is_a_minute_old() {
        let settings = Settings { requests_per_minute: 2, ..Settings::new(Dialect::OpenAi) };
        let mut window = Window::default();
        let start = Instant::now();
        window.take(&settings, 1, start).unwrap();
        window.take(&settings, 1, start + Duration::from_secs(10)).unwrap();
        let full = window.take(&settings, 1, start + Duration::from_secs(20)).unwrap_err();
        assert_eq!((full.what, full.wait), ("requests", Duration::from_secs(40)));
        window.take(&settings, 1, start + MINUTE).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_are_limited_too() {
        let settings = Settings { tokens_per_minute: 100, ..Settings::new(Dialect::OpenAi) };
        let mut window = Window::default();
        let now = Instant::now();
        window.take(&settings, 60, now).unwrap();
        window.take(&settings, 40, now + Duration::from_secs(5)).unwrap();
        let full = window.take(&settings, 70, now + Duration::from_secs(6)).unwrap_err();
        assert_eq!((full.what, full.wait), ("tokens", Duration::from_secs(59)), "both must have left");
        let headers = window.headers(&settings, now);
        assert_eq!(headers["x-ratelimit-remaining-tokens"], "0");
    }
}
