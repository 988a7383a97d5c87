//! One client per API key and region, over one transport.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tencent_cvm::{Credentials, Cvm, Error, HttpCvm, RateLimits, SecretId, Transport};
use url::Url;

use crate::ports::{Clock, Clouds};

/// [`Clouds`] over any [`Transport`]: reqwest in production, the stand-in's core in the simulation.
pub struct HttpClouds {
    transport: Arc<dyn Transport>,
    endpoint: Option<Url>,
    clock: Arc<dyn Clock>,
    seed: u64,
    limits: Arc<RateLimits>,
    made: Mutex<BTreeMap<Which, Weak<HttpCvm>>>,
}

/// Of which key (both halves, the secret one as a hash) and region a client is.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Which {
    secret_id: SecretId,
    fingerprint: String,
    region: String,
}

impl HttpClouds {
    /// Clients that talk to `endpoint`, or to the cloud's own address when there is none. `seed` draws the
    /// jitter of their retries.
    pub fn new(
        transport: Arc<dyn Transport>,
        endpoint: Option<Url>,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> Self {
        let limits = Arc::new(RateLimits::new());
        Self { transport, endpoint, clock, seed, limits, made: Mutex::new(BTreeMap::new()) }
    }

    /// The rate limits that all clients share.
    pub fn limits(&self) -> Arc<RateLimits> {
        Arc::clone(&self.limits)
    }
}

impl Clouds for HttpClouds {
    fn cloud(&self, credentials: &Credentials, region: &str) -> Result<Arc<dyn Cvm>, Error> {
        let which = Which {
            secret_id: credentials.secret_id().clone(),
            fingerprint: credentials.fingerprint(),
            region: region.to_owned(),
        };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = made.get(&which).and_then(Weak::upgrade) {
            return Ok(client);
        }
        let mut builder = HttpCvm::builder(credentials.clone(), region)
            .transport(Arc::clone(&self.transport))
            .clock(Arc::clone(&self.clock))
            .limits(Arc::clone(&self.limits))
            .jitter_seed(self.seed);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.endpoint(endpoint.clone());
        }
        let client = Arc::new(builder.build()?);
        // Temporary keys come anew every hour: those that nobody uses any more go.
        made.retain(|_, client| client.strong_count() > 0);
        made.insert(which, Arc::downgrade(&client));
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tencent_cvm::ReqwestTransport;

    #[test]
    fn a_key_has_one_client_as_long_as_anybody_uses_it_and_none_after() {
        let transport = Arc::new(ReqwestTransport::new(std::time::Duration::from_secs(1)).unwrap());
        let clouds = HttpClouds::new(transport, None, Arc::new(tencent_cvm::SystemClock), 1);
        let client = |number: usize, token: &str| {
            let key = Credentials::new(format!("AKIDFAKE{number}"), "fakeSecretKey".to_owned());
            clouds.cloud(&key.with_token(token.to_owned()), "ap-singapore").unwrap()
        };
        let (first, again, other) = (client(1, "a"), client(1, "a"), client(1, "b"));
        assert!(Arc::ptr_eq(&first, &again));
        assert!(!Arc::ptr_eq(&first, &other), "another token is another key");
        for number in 2..100 {
            client(number, "c");
        }
        assert_eq!(clouds.made.lock().unwrap().len(), 3, "two that are in use, and the latest");
    }
}
