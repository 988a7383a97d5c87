//! The inner port: one body to a webhook, one answer back.

use async_trait::async_trait;
use bytes::Bytes;

use crate::BoxError;
use crate::webhook::SecretUrl;

/// Posts one JSON body and brings back the answer. It never retries and never follows a redirect: what happened to the
/// request is the caller's to judge.
///
/// The URL is a secret. A transport must keep it out of its errors, too.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Posts one body.
    ///
    /// # Errors
    /// [`TransportError::NotSent`] or [`TransportError::Tls`] only when it is certain that not a byte of the request
    /// reached the server (the name did not resolve, the connection was refused); anything else is
    /// [`TransportError::Unknown`].
    async fn post(&self, webhook: &SecretUrl, body: Bytes) -> Result<http::Response<Bytes>, TransportError>;
}

/// What a [`Transport`] knows of a request that got no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// Nothing left this machine.
    #[error("connect to the webhook's host")]
    NotSent(#[source] BoxError),
    /// Nothing left this machine, and will not: the certificate is not trusted, or what listens there speaks no TLS.
    #[error("secure the connection to the webhook's host")]
    Tls(#[source] BoxError),
    /// The request may have been received and acted on.
    #[error("wait for the answer")]
    Unknown(#[source] BoxError),
}
