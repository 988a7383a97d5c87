//! The transport of production: reqwest, with everything clever about it turned off.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use crate::{BoxError, Transport, TransportError};

/// The largest answer taken. A full page of instances is a few hundred KiB.
const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// Kept shorter than the idle time after which load balancers usually drop a connection, so that a request is
/// seldom written to one that is already dead.
const POOL_IDLE: Duration = Duration::from_secs(30);

/// A [`Transport`] over reqwest: connections are pooled, nothing is retried, no redirect is followed.
///
/// It is built without a TLS provider of its own: install one for the process first, such as
/// `rustls::crypto::ring::default_provider().install_default()`.
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    client: reqwest::Client,
}

impl ReqwestTransport {
    /// A client of its own, whose connections must stand within `connect_timeout`. The whole request has no
    /// deadline here: the caller sets it.
    ///
    /// # Errors
    /// When no TLS provider is installed for the process, or no root certificates are found on this machine.
    pub fn new(connect_timeout: Duration) -> Result<Self, BoxError> {
        // reqwest would panic.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err("no TLS provider is installed: call \
                        rustls::crypto::ring::default_provider().install_default() first"
                .into());
        }
        let client = reqwest::Client::builder()
            .connect_timeout(connect_timeout)
            // A request has its connection to itself, so that one that breaks leaves one outcome unknown.
            .http1_only()
            .pool_idle_timeout(POOL_IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client })
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let request =
            reqwest::Request::try_from(request).map_err(|error| TransportError::NotSent(error.into()))?;
        let mut response = self.client.execute(request).await.map_err(|error| {
            // A connect error is raised while the connection is being made, before any request is written
            // to it. All else may have come after.
            if error.is_connect() {
                TransportError::NotSent(error.into())
            } else {
                TransportError::Unknown(error.into())
            }
        })?;

        let mut body = BytesMut::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| TransportError::Unknown(error.into()))?
        {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(TransportError::Unknown("the answer is larger than 16 MiB".into()));
            }
            body.extend_from_slice(&chunk);
        }

        let mut answer = http::Response::new(body.freeze());
        *answer.status_mut() = response.status();
        *answer.version_mut() = response.version();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}
