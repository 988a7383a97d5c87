//! The transport of production: reqwest, with everything clever about it turned off.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::header;

use crate::webhook::SecretUrl;
use crate::{BoxError, Transport, TransportError};

/// The largest answer taken. Feishu's have a hundred bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// Kept shorter than the idle time after which load balancers usually drop a connection, so that a request is seldom
/// written to one that is already dead.
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
    /// A client of its own, whose connections must stand within `connect_timeout`. The whole request has no deadline
    /// here: the caller sets it.
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
            // A message has its connection to itself, so that one that breaks leaves one outcome unknown.
            .http1_only()
            .pool_idle_timeout(POOL_IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            // The path is the secret, and a Referer would carry it.
            .referer(false)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client })
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn post(&self, webhook: &SecretUrl, body: Bytes) -> Result<http::Response<Bytes>, TransportError> {
        let request = self
            .client
            .post(webhook.expose())
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .body(body);
        // reqwest's errors name the URL.
        let mut response = request.send().await.map_err(|error| {
            // A connect error is raised while the connection is being made, before any request is written to it. All
            // else may have come after.
            let (connecting, building) = (error.is_connect(), error.is_builder());
            let without_tls = connecting && is_without_tls(&error);
            let error = error.without_url().into();
            match (without_tls, connecting || building) {
                (true, _) => TransportError::Tls(error),
                (false, true) => TransportError::NotSent(error),
                (false, false) => TransportError::Unknown(error),
            }
        })?;

        let mut body = BytesMut::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| TransportError::Unknown(error.without_url().into()))?
        {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(TransportError::Unknown("the answer is larger than 64 KiB".into()));
            }
            body.extend_from_slice(&chunk);
        }

        let mut answer = http::Response::new(body.freeze());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
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
