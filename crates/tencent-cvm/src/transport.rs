//! The inner port: one signed request in, one answer out.

use async_trait::async_trait;
use bytes::Bytes;

use crate::BoxError;

/// Carries one signed request to the cloud and its answer back. It never retries and never follows a
/// redirect: what happened to the request is the caller's to judge.
///
/// The absolute URI of the request names scheme, host and port.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one request.
    ///
    /// # Errors
    /// [`TransportError::NotSent`] only when it is certain that not a byte of the request reached the
    /// server (the name did not resolve, the connection was refused); anything else is
    /// [`TransportError::Unknown`].
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError>;
}

/// What a [`Transport`] knows of a request that got no answer.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// Nothing left this machine.
    #[error("connect to the cloud's endpoint")]
    NotSent(#[source] BoxError),
    /// The request may have been received and acted on.
    #[error("wait for the cloud's answer")]
    Unknown(#[source] BoxError),
}
