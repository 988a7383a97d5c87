//! [`Providers`]: several models in order, so that one of them answers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use tokio::time::{Instant, timeout};

use crate::breaker::{Admitted, Breaker};
use crate::client::LONGEST;
use crate::{
    BreakerState, Call, Chat, ChatRequest, ChatStream, Completion, Deadline, Error, Event, Schema, Structured,
};

/// Models that stand in for each other, tried in order.
///
/// A call goes to the next one when the one before fails in any way, unless the request is one that nobody takes. Once
/// the first content of a stream has been handed out nothing else is tried: half of one answer and half of another are
/// no answer.
///
/// A request's [`within`](ChatRequest::within) is divided, so that one that is silent leaves time to the next: each
/// provider gets what is left divided by how many can still be asked (itself included, resting ones not). Of 60 s a list
/// of three gives the first 20 s; if that one fails at once, the second has 30 s. An answer of
/// [`complete`](Chat::complete) or [`structured`](Chat::structured) must be whole in that time. A
/// [`stream`](Chat::stream) must have begun, and then has all the rest of `within`. What a provider has been configured
/// with (`first_byte`, `deadline`) holds as well; without `within` nothing else does.
///
/// Each provider has a breaker. After three failures in a row, or one that only a person can mend (a wrong key, no
/// money), it is not asked for 30 s, then twice as long each time up to 10 min, and as long as its `Retry-After` says (10 min at
/// most); then one call finds out whether it works again. What is the fault of the request does not count, nor that of a
/// caller in a hurry: being late does when the provider's own deadline passed, or when it was given 20 s or more.
#[derive(Clone)]
pub struct Providers {
    service: Arc<str>,
    providers: Vec<Provider>,
}

#[derive(Clone)]
struct Provider {
    name: Arc<str>,
    chat: Arc<dyn Chat>,
    breaker: Arc<Breaker>,
}

impl Providers {
    /// A list of one, which is asked first. Names are for errors and [`Providers::states`].
    pub fn new(name: impl Into<Arc<str>>, first: impl Chat + 'static) -> Self {
        Self { service: "providers".into(), providers: Vec::new() }.then(name, first)
    }

    /// Adds one that is asked when all before it failed.
    #[must_use]
    pub fn then(mut self, name: impl Into<Arc<str>>, next: impl Chat + 'static) -> Self {
        self.providers.push(Provider { name: name.into(), chat: Arc::new(next), breaker: Arc::default() });
        self
    }

    /// What is thought of each, in order.
    pub fn states(&self) -> Vec<(&str, BreakerState)> {
        self.providers.iter().map(|provider| (&*provider.name, provider.breaker.state())).collect()
    }

    /// Asks one after the other; also gives back the leave under which the answer came.
    async fn first<T, F: Future<Output = Result<T, Error>> + Send>(
        &self,
        operation: &'static str,
        request: &ChatRequest,
        ask: impl Fn(&Provider, ChatRequest, Option<Duration>) -> F + Send + Sync,
    ) -> Result<(T, Admitted), Error> {
        let until = request.within.map(|within| Instant::now() + within.min(LONGEST));
        let mut failures = Vec::new();
        for (n, provider) in self.providers.iter().enumerate() {
            let mut request = request.clone();
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) && !failures.is_empty() {
                break;
            }
            let share = left.map(|left| self.share(left, n));
            request.within = left;
            let admitted = match provider.breaker.admit() {
                Ok(admitted) => admitted,
                Err(wait) => {
                    failures.push(Error::Resting { call: Call::new(provider.name.clone(), operation), wait });
                    continue;
                }
            };
            match ask(provider, request, share).await {
                Ok(answer) => return Ok((answer, admitted)),
                Err(error @ Error::Invalid { .. }) => return Err(error),
                Err(error) => {
                    admitted.failed(&error, share);
                    tracing::warn!(provider = %provider.name, %error, "a provider failed");
                    failures.push(error);
                }
            }
        }
        Err(Error::AllFailed { call: Call::new(self.service.clone(), operation), failures })
    }

    /// How much of the time that is left a provider may take.
    fn share(&self, left: Duration, n: usize) -> Duration {
        let can_be_asked = |provider: &&Provider| !matches!(provider.breaker.state(), BreakerState::Open(_));
        let later = self.providers.iter().skip(n + 1).filter(can_be_asked).count();
        left / u32::try_from(later).unwrap_or(u32::MAX).saturating_add(1)
    }
}

#[async_trait]
impl Chat for Providers {
    async fn complete(&self, request: &ChatRequest) -> Result<Completion, Error> {
        let ask = |provider: &Provider, mut request: ChatRequest, share| {
            let chat = Arc::clone(&provider.chat);
            request.within = share;
            async move { chat.complete(&request).await }
        };
        let (completion, admitted) = self.first("complete", request, ask).await?;
        admitted.succeeded();
        Ok(completion)
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, Error> {
        let ask = |provider: &Provider, request: ChatRequest, share: Option<Duration>| {
            let Provider { name, chat, .. } = provider.clone();
            async move {
                let Some(share) = share else { return chat.stream(&request).await };
                // When all of it is its own, it can say by itself what it was too late for.
                if Some(share) == request.within {
                    return chat.stream(&request).await;
                }
                timeout(share, chat.stream(&request)).await.unwrap_or_else(|_| {
                    let call = Call::new(name, "stream");
                    Err(Error::Late { call, deadline: Deadline::FirstByte, after: share })
                })
            }
        };
        let start = Instant::now();
        let (events, mut admitted) = self.first("stream", request, ask).await?;
        admitted.began();
        let service = Arc::clone(events.service());
        let given = request.within.map(|within| within.saturating_sub(admitted.since() - start));
        // What comes of the rest is known when it ends.
        let watched = events.inspect(move |event| match event {
            Ok(Event::Delta(_)) => {}
            Ok(Event::Done(_)) => admitted.succeeded(),
            Err(error) => admitted.failed(error, given),
        });
        Ok(ChatStream::new(service, watched))
    }

    /// Both rounds go to the same provider; when its second answer does not fit either, the next one is asked.
    async fn structured(&self, request: &ChatRequest, schema: &Schema) -> Result<Structured, Error> {
        let ask = |provider: &Provider, mut request: ChatRequest, share| {
            let chat = Arc::clone(&provider.chat);
            request.within = share;
            async move { chat.structured(&request, schema).await }
        };
        let (structured, admitted) = self.first("structured", request, ask).await?;
        admitted.succeeded();
        Ok(structured)
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.states()).finish()
    }
}
