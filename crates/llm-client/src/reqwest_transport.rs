//! The transport of production: reqwest, with everything clever about it turned off.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream;

use crate::{BodyStream, BoxError, Transport, TransportError};

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
    /// A client of its own, whose connections must stand within `connect_timeout`, and that trusts `authorities`
    /// (certificates in PEM) beside those of the system.
    ///
    /// # Errors
    /// When no TLS provider is installed for the process, no root certificates are found on this machine, or the PEM
    /// holds no certificate.
    pub fn new(connect_timeout: Duration, authorities: &[u8]) -> Result<Self, BoxError> {
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
            .pool_idle_timeout(POOL_IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .tls_certs_merge(authorities)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client })
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<BodyStream>, TransportError> {
        let request = reqwest::Request::try_from(request)
            .map_err(|error| TransportError::NotSent(error.without_url().into()))?;
        let mut response = self.client.execute(request).await.map_err(|error| {
            // A connect error is raised while the connection is being made, before any request is written
            // to it. All else may have come after.
            let (connecting, without_tls) = (error.is_connect(), is_without_tls(&error));
            let error = error.without_url().into();
            match (connecting, without_tls) {
                (true, true) => TransportError::Tls(error),
                (true, false) => TransportError::NotSent(error),
                (false, _) => TransportError::Unknown(error),
            }
        })?;
        let mut answer = http::Response::new(());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        let body = stream::try_unfold(response, |mut response| async move {
            let chunk = response.chunk().await.map_err(|error| BoxError::from(error.without_url()))?;
            Ok(chunk.map(|chunk| (chunk, response)))
        });
        Ok(answer.map(|()| body.boxed()))
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
