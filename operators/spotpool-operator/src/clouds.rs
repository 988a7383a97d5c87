//! One client per API key and region, over one transport.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

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
    made: Mutex<BTreeMap<(SecretId, String), Vec<Made>>>,
}

struct Made {
    fingerprint: String,
    client: Arc<HttpCvm>,
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
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let of_key = made.entry((credentials.secret_id().clone(), region.to_owned())).or_default();
        if let Some(made) = of_key.iter().find(|made| made.fingerprint == credentials.fingerprint()) {
            return Ok(Arc::clone(&made.client) as Arc<dyn Cvm>);
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
        // A key that was replaced is not needed again; a few are kept for pools that still hold it.
        if of_key.len() >= 4 {
            of_key.remove(0);
        }
        of_key.push(Made { fingerprint: credentials.fingerprint(), client: Arc::clone(&client) });
        Ok(client)
    }
}
