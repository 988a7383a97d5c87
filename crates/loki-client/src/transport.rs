//! The inner port: one request in, one answer out.

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::BoxError;

/// Carries one request to Loki and its answer back. It never retries and never follows a redirect.
///
/// The absolute URI of the request names scheme, host and port.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one request.
    ///
    /// # Errors
    /// [`TransportError::NotSent`] or [`TransportError::Tls`] only when it is certain that not a byte of the request
    /// reached the server,
    /// [`TransportError::TooLarge`] when the answer is larger than the transport takes, and
    /// [`TransportError::Unknown`] for anything else.
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError>;

    /// Sends a request that asks for another protocol on its connection.
    ///
    /// # Errors
    /// As [`Self::send`].
    async fn upgrade(&self, request: http::Request<Bytes>) -> Result<Upgrade, TransportError>;
}

/// What became of a request for another protocol.
pub enum Upgrade {
    /// The server switched: the answer's head, and the connection.
    Switched(http::Response<()>, Box<dyn Connection>),
    /// The server gave an ordinary answer instead.
    Answered(http::Response<Bytes>),
}

/// A connection that bytes go through in both directions.
pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// What a [`Transport`] knows of a request that got no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// Nothing left this machine.
    #[error("connect to Loki")]
    NotSent(#[source] BoxError),
    /// Nothing left this machine, and will not: the certificate is not trusted, or what listens there speaks no TLS.
    #[error("secure the connection to Loki")]
    Tls(#[source] BoxError),
    /// The request may have been received and acted on.
    #[error("wait for Loki's answer")]
    Unknown(#[source] BoxError),
    /// The answer has more bytes than this.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}
