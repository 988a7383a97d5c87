//! [`HttpFlowTrigger`]: a payload to a flow, as it stands.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;
use tokio::time::{Instant, sleep};
use tracing::{Instrument, debug};

use crate::builder::HttpBuilder;
use crate::channel::{Channel, Deadline};
use crate::retry::{self, Jitter, MAX_TRIES};
use crate::shrink::CAP;
use crate::{Error, FlowTrigger, FlowWebhook, Operation};

/// A flow's trigger over HTTP. The bot's rates and cap are kept for it, too: Feishu documents none for flows.
pub struct HttpFlowTrigger {
    pub(crate) channel: Channel,
    pub(crate) deadline: Duration,
    pub(crate) jitter: Jitter,
}

impl HttpFlowTrigger {
    /// Starts a client for one flow.
    pub fn builder(webhook: FlowWebhook) -> HttpBuilder<FlowWebhook> {
        HttpBuilder::new(webhook)
    }

    async fn start(&self, payload: &Value) -> Result<(), Error> {
        let deadline = Deadline::after(self.deadline);
        let body = Bytes::from(payload.to_string());
        if body.len() > CAP {
            return Err(Error::Invalid {
                operation: Operation::Trigger,
                what: format!("the payload has {} bytes, {CAP} at most are sent", body.len()),
            });
        }
        let mut failures = 0;
        let mut last: Option<Error> = None;
        loop {
            let exchange = match self.channel.exchange(deadline, || body.clone()).await {
                Ok(exchange) => exchange,
                Err(no_room) => {
                    let wait = no_room.retry_after().unwrap_or_default();
                    return Err(last.map_or(no_room, |error| error.with_wait(wait)));
                }
            };
            let Err(error) = exchange.outcome else { return Ok(()) };
            failures += 1;
            let pause = retry::pause(failures, error.retry_after(), self.jitter.draw());
            if error.is_throttled() {
                self.channel.limiter.throttled(pause);
            }
            if !error.is_retryable() || failures >= MAX_TRIES || Instant::now() + pause > deadline.send_by {
                return Err(error.with_wait(pause));
            }
            debug!(failures, ?pause, %error, "trying again");
            last = Some(error);
            sleep(pause).await;
        }
    }
}

#[async_trait]
impl FlowTrigger for HttpFlowTrigger {
    async fn trigger(&self, payload: &Value) -> Result<(), Error> {
        let span = tracing::info_span!("feishu", operation = "trigger", webhook = %self.channel.webhook.fingerprint());
        self.start(payload).instrument(span).await
    }
}

impl fmt::Debug for HttpFlowTrigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpFlowTrigger")
            .field("webhook", &self.channel.webhook)
            .field("timeout", &self.channel.timeout)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
