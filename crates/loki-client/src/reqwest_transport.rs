//! The transport of production: reqwest, with everything clever about it turned off.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::StatusCode;

use crate::transport::Upgrade;
use crate::{BoxError, Transport, TransportError};

/// Kept shorter than the idle time after which load balancers usually drop a connection.
const POOL_IDLE: Duration = Duration::from_secs(30);

/// A [`Transport`] over reqwest: connections are pooled, nothing is retried, no redirect is followed.
///
/// It is built without a TLS provider of its own: install one for the process first, such as
/// `rustls::crypto::ring::default_provider().install_default()`.
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    client: reqwest::Client,
    most: usize,
}

impl ReqwestTransport {
    /// A client of its own, whose connections must stand within `connect_timeout`, that takes answers of at most
    /// `most` bytes, and that trusts `authorities` (certificates in PEM) beside those of the system.
    ///
    /// # Errors
    /// When no TLS provider is installed for the process, no root certificates are found on this machine, or the PEM
    /// holds no certificate.
    pub fn new(connect_timeout: Duration, most: usize, authorities: &[u8]) -> Result<Self, BoxError> {
        // reqwest would panic.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err("no TLS provider is installed: call \
                        rustls::crypto::ring::default_provider().install_default() first"
                .into());
        }
        let authorities = match authorities {
            [] => Vec::new(),
            pem => match reqwest::Certificate::from_pem_bundle(pem)? {
                none if none.is_empty() => return Err("the PEM of the authority holds no certificate".into()),
                some => some,
            },
        };
        let client = reqwest::Client::builder()
            .connect_timeout(connect_timeout)
            // A WebSocket needs it, and a request has its connection to itself.
            .http1_only()
            .pool_idle_timeout(POOL_IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .tls_certs_merge(authorities)
            .build()?;
        Ok(Self { client, most })
    }

    async fn execute(&self, request: http::Request<Bytes>) -> Result<reqwest::Response, TransportError> {
        let request =
            reqwest::Request::try_from(request).map_err(|error| TransportError::NotSent(error.into()))?;
        self.client.execute(request).await.map_err(|error| {
            // A connect error is raised while the connection is being made, before any request is written
            // to it. All else may have come after. The URL may hold what nobody should print.
            let (connecting, without_tls) = (error.is_connect(), is_without_tls(&error));
            let error = error.without_url().into();
            match (connecting, without_tls) {
                (true, true) => TransportError::Tls(error),
                (true, false) => TransportError::NotSent(error),
                (false, _) => TransportError::Unknown(error),
            }
        })
    }

    async fn read(&self, mut response: reqwest::Response) -> Result<http::Response<Bytes>, TransportError> {
        let mut body = BytesMut::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| TransportError::Unknown(error.without_url().into()))?
        {
            if body.len() + chunk.len() > self.most {
                return Err(TransportError::TooLarge(self.most));
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = http::Response::new(body.freeze());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        self.read(self.execute(request).await?).await
    }

    async fn upgrade(&self, request: http::Request<Bytes>) -> Result<Upgrade, TransportError> {
        let mut response = self.execute(request).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return self.read(response).await.map(Upgrade::Answered);
        }
        let mut head = http::Response::new(());
        *head.status_mut() = response.status();
        *head.headers_mut() = std::mem::take(response.headers_mut());
        let connection =
            response.upgrade().await.map_err(|error| TransportError::Unknown(error.without_url().into()))?;
        Ok(Upgrade::Switched(head, Box::new(connection)))
    }
}

/// Whether no TLS connection came about for a reason that stays: a certificate that is not trusted, or something there
/// that speaks no TLS.
fn is_without_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        match error.downcast_ref::<rustls::Error>() {
            Some(error) => return stays(error),
            // What an `io::Error` holds is not its source.
            None => match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
                Some(inner) => next = Some(inner),
                None => next = error.source(),
            },
        }
    }
    false
}

fn stays(error: &rustls::Error) -> bool {
    use rustls::{AlertDescription, Error};
    match error {
        Error::InvalidCertificate(_) | Error::InvalidMessage(_) | Error::PeerIncompatible(_) => true,
        Error::AlertReceived(alert) => matches!(
            alert,
            AlertDescription::HandshakeFailure
                | AlertDescription::ProtocolVersion
                | AlertDescription::UnrecognisedName
        ),
        _ => false,
    }
}
