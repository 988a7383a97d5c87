//! The inner port: one request in, one answer out, its body as it comes.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use crate::BoxError;

/// The body of an answer, in whatever pieces it arrives. An error is its last item.
pub type BodyStream = BoxStream<'static, Result<Bytes, BoxError>>;

/// Carries one request to an endpoint and its answer back. It never retries, follows no redirect and sets no deadline:
/// all of that is the client's.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one request; resolves with the head of the answer.
    ///
    /// # Errors
    /// [`TransportError::NotSent`] or [`TransportError::Tls`] only when it is certain that not a byte of the request
    /// reached the server (the name did not resolve, the connection was refused); anything else is
    /// [`TransportError::Unknown`]. None may name the URL, which can hold a secret.
    async fn send(&self, request: http::Request<Bytes>)
    -> Result<http::Response<BodyStream>, TransportError>;
}

/// What a [`Transport`] knows of a request that got no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// Nothing left this machine.
    #[error("connect to the endpoint")]
    NotSent(#[source] BoxError),
    /// Nothing left this machine, and will not: the certificate is not trusted, or what listens there speaks no TLS.
    #[error("secure the connection to the endpoint")]
    Tls(#[source] BoxError),
    /// The request may have been received and answered.
    #[error("wait for the endpoint's answer")]
    Unknown(#[source] BoxError),
}
