//! Face two: the cloud as the client's [`Transport`], for whoever runs the client in virtual time.

use async_trait::async_trait;
use bytes::Bytes;
use tencent_cvm::{Transport, TransportError};

use crate::cvm::{Fate, Fault};
use crate::shared::SimCloud;

/// Carries requests to a [`SimCloud`]. It has no deadline of its own, as a plain connection has none.
#[derive(Debug, Clone)]
pub struct SimTransport {
    cloud: SimCloud,
}

impl SimTransport {
    /// A way to this cloud.
    pub fn new(cloud: SimCloud) -> Self {
        Self { cloud }
    }

    /// As [`Transport::send`], under these faults, which strike this request and no other.
    ///
    /// # Errors
    /// As [`Transport::send`].
    pub async fn send_under(
        &self,
        request: http::Request<Bytes>,
        faults: Vec<Fault>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        match self.cloud.call_under(request, faults).await {
            Fate::Deliver(response) => Ok(response),
            Fate::Cut { .. } => {
                Err(TransportError::Unknown("the connection broke in the answer's body".into()))
            }
            Fate::Reset => Err(TransportError::Unknown("the connection was reset".into())),
            Fate::Refused => Err(TransportError::NotSent("the connection was refused".into())),
            Fate::Silence => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Transport for SimTransport {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        self.send_under(request, Vec::new()).await
    }
}
