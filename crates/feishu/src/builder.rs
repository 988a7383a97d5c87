//! Sets up the clients of both products, which differ in little.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::channel::Channel;
use crate::limit::RateLimits;
use crate::retry::Jitter;
use crate::webhook::SecretUrl;
use crate::{
    BotWebhook, Error, FlowWebhook, HttpCustomBot, HttpFlowTrigger, Operation, ReqwestTransport, SystemClock,
    Transport, WallClock,
};

const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const DEADLINE: Duration = Duration::from_secs(30);
/// Of both: no message takes a day, and instants that far away still exist.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// In bytes. A keyword of Feishu's has 10 characters at most.
const LONGEST_KEYWORD: usize = 100;

/// Sets up an [`HttpCustomBot`] or an [`HttpFlowTrigger`]. Everything but the webhook has a default.
#[must_use]
pub struct HttpBuilder<W> {
    webhook: W,
    secret: Option<SecretString>,
    keyword: Option<String>,
    transport: Option<Arc<dyn Transport>>,
    clock: Arc<dyn WallClock>,
    limits: Option<Arc<RateLimits>>,
    timeout: Duration,
    deadline: Duration,
    jitter_seed: Option<u64>,
}

impl<W> HttpBuilder<W> {
    pub(crate) fn new(webhook: W) -> Self {
        Self {
            webhook,
            secret: None,
            keyword: None,
            transport: None,
            clock: Arc::new(SystemClock),
            limits: None,
            timeout: TIMEOUT,
            deadline: DEADLINE,
            jitter_seed: None,
        }
    }

    /// What carries the requests, instead of a [`ReqwestTransport`] that connects within 3 s.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// The windows to share with the other clients of this webhook.
    pub fn limits(mut self, limits: Arc<RateLimits>) -> Self {
        self.limits = Some(limits);
        self
    }

    /// From the moment one request leaves until its whole answer is there; 10 s by default, a day at most, and never beyond
    /// the call's [deadline](Self::deadline).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(LONGEST);
        self
    }

    /// For a whole call, with all waits, requests and repeats: then it has ended. 30 s by default, a day at most. No request
    /// leaves in its last second (or its last quarter, when it is shorter than 4 s), because there would be no time for the
    /// answer.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.min(LONGEST);
        self
    }

    /// Makes the pauses between repeats reproducible.
    pub fn jitter_seed(mut self, seed: u64) -> Self {
        self.jitter_seed = Some(seed);
        self
    }

    fn channel(&self, operation: Operation, webhook: &SecretUrl) -> Result<Channel, Error> {
        let transport = match &self.transport {
            Some(transport) => Arc::clone(transport),
            None => Arc::new(ReqwestTransport::new(CONNECT_TIMEOUT).map_err(|source| Error::Config {
                what: "no HTTPS connection can be made".to_owned(),
                source: Some(source),
            })?),
        };
        let limiter = self.limits.clone().unwrap_or_default().of(webhook);
        Ok(Channel { operation, webhook: webhook.clone(), transport, limiter, timeout: self.timeout })
    }
}

impl HttpBuilder<BotWebhook> {
    /// The secret of a bot that checks signatures.
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = Some(SecretString::from(secret.into()));
        self
    }

    /// One of the keywords of a bot that demands one. Every message begins with it, the all-clear like the alarm.
    pub fn keyword(mut self, keyword: impl Into<String>) -> Self {
        self.keyword = Some(keyword.into());
        self
    }

    /// The wall clock to sign with, instead of the machine's own.
    pub fn clock(mut self, clock: Arc<dyn WallClock>) -> Self {
        self.clock = clock;
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Config`] when the secret or the keyword is empty or the keyword has several lines, or (without a
    /// transport of one's own) no TLS provider is installed.
    pub fn build(self) -> Result<HttpCustomBot, Error> {
        let invalid = |what: &str| Err(Error::Config { what: what.to_owned(), source: None });
        if self.secret.as_ref().is_some_and(|secret| secrecy::ExposeSecret::expose_secret(secret).is_empty())
        {
            return invalid("the secret is empty");
        }
        if self.keyword.as_ref().is_some_and(|keyword| {
            keyword.trim().is_empty() || keyword.contains(['\n', '\r']) || keyword.len() > LONGEST_KEYWORD
        }) {
            return invalid("a keyword has one line, which is not empty, and 100 bytes at most");
        }
        let channel = self.channel(Operation::Send, &self.webhook.0)?;
        Ok(HttpCustomBot {
            channel,
            secret: self.secret,
            keyword: self.keyword,
            clock: self.clock,
            clock_offset: std::sync::Mutex::default(),
            deadline: self.deadline,
            jitter: Jitter::new(self.jitter_seed),
        })
    }
}

impl HttpBuilder<FlowWebhook> {
    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Config`] when (without a transport of one's own) no TLS provider is installed.
    pub fn build(self) -> Result<HttpFlowTrigger, Error> {
        let channel = self.channel(Operation::Trigger, &self.webhook.0)?;
        Ok(HttpFlowTrigger { channel, deadline: self.deadline, jitter: Jitter::new(self.jitter_seed) })
    }
}

impl<W: fmt::Debug> fmt::Debug for HttpBuilder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpBuilder")
            .field("webhook", &self.webhook)
            .field("signs", &self.secret.is_some())
            .field("keyword", &self.keyword)
            .field("timeout", &self.timeout)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
