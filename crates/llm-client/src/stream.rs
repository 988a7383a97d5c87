//! An answer as it is being made.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};

use crate::decode::Delta;
use crate::{Call, Completion, Error};

/// What happens while an answer is being made. `Debug` shows how much, not what.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// More of the answer, of what the model thinks, or of a tool call.
    Delta(Delta),
    /// The answer is complete: the last event, with everything put together.
    Done(Box<Completion>),
}

/// The events of one answer. The last one is [`Event::Done`], or an error.
///
/// Dropping it ends the call; what the endpoint has made until then may be billed all the same.
pub struct ChatStream {
    call: Call,
    events: BoxStream<'static, Result<Event, Error>>,
}

impl ChatStream {
    /// A stream of these events, for implementations of [`crate::Chat`] and tests.
    pub fn new(
        service: impl Into<Arc<str>>,
        events: impl Stream<Item = Result<Event, Error>> + Send + 'static,
    ) -> Self {
        Self { call: Call::new(service, "stream"), events: events.boxed() }
    }

    /// A stream that has everything at once, as an endpoint gives it that does not stream.
    pub fn of_completion(completion: Completion) -> Self {
        let service = Arc::clone(&completion.service);
        let reasoning = completion.reasoning.clone().map(Delta::Reasoning);
        let content = Some(completion.content.clone()).filter(|content| !content.is_empty());
        let calls = completion.tool_calls.iter().enumerate().map(|(index, call)| Delta::ToolCall {
            index,
            name: Some(call.name.clone()).filter(|name| !name.is_empty()),
            arguments: call.arguments.clone(),
        });
        let deltas = reasoning.into_iter().chain(content.map(Delta::Content)).chain(calls);
        let mut events: Vec<_> = deltas.map(Event::Delta).map(Ok).collect();
        events.push(Ok(Event::Done(Box::new(completion))));
        Self::new(service, stream::iter(events))
    }

    pub(crate) fn service(&self) -> &Arc<str> {
        &self.call.service
    }

    /// The next event; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<Event, Error>> {
        self.events.next().await
    }

    /// Waits for the whole answer and throws the events before it away.
    ///
    /// # Errors
    /// The stream's.
    pub async fn complete(mut self) -> Result<Completion, Error> {
        while let Some(event) = self.next().await {
            if let Event::Done(completion) = event? {
                return Ok(*completion);
            }
        }
        Err(Error::Decode { call: self.call, what: "the stream ended before the answer did".into() })
    }
}

impl Stream for ChatStream {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_next_unpin(cx)
    }
}

impl fmt::Debug for ChatStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatStream").field("service", &self.call.service).finish_non_exhaustive()
    }
}
