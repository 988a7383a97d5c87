//! The trait: what one can ask of a chat model.

use std::sync::Arc;

use async_trait::async_trait;

use crate::structured::{self, Structured};
use crate::{ChatRequest, ChatStream, Completion, Error, Schema};

/// A model that one can talk to: one endpoint ([`crate::HttpChat`]), or several in order ([`crate::Providers`]).
///
/// To get a struct out of a text, see [`crate::extract`].
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Chat: Send + Sync {
    /// One answer, whole.
    ///
    /// An answer that was cut short by the limit of tokens, or by a filter, is an answer; see
    /// [`Completion::finish`].
    ///
    /// # Errors
    /// See [`Error`]. An answer without content, tool calls or a refusal is [`Error::Empty`].
    async fn complete(&self, request: &ChatRequest) -> Result<Completion, Error>;

    /// One answer as it is being made. Resolves when the first of its content is there: until then a failure is this
    /// method's, and may have been answered by another try; afterwards it is the stream's last item.
    ///
    /// # Errors
    /// As [`Chat::complete`].
    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, Error>;

    /// An answer that fits a JSON Schema. Content is taken as JSON, as JSON in a fence, or as JSON after prose and
    /// reasoning. One that does not fit is given back to the model once, with what is wrong about it.
    ///
    /// The schema takes the place of the request's format and of its tools; `within` covers both rounds.
    ///
    /// # Errors
    /// As [`Chat::complete`], and [`Error::Unfit`] when the second answer does not fit either,
    /// [`Error::Truncated`] when the limit of tokens cut it, [`Error::Withheld`] when the model refused or a filter
    /// took it.
    async fn structured(&self, request: &ChatRequest, schema: &Schema) -> Result<Structured, Error> {
        structured::in_two_rounds(self, request, schema).await
    }
}

#[async_trait]
impl<C: Chat + ?Sized> Chat for Arc<C> {
    async fn complete(&self, request: &ChatRequest) -> Result<Completion, Error> {
        (**self).complete(request).await
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, Error> {
        (**self).stream(request).await
    }

    async fn structured(&self, request: &ChatRequest, schema: &Schema) -> Result<Structured, Error> {
        (**self).structured(request, schema).await
    }
}
