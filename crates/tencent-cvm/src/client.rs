//! [`HttpCvm`]: the trait over signed requests.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use url::Url;

use crate::describe::LastLooks;
use crate::limit::{Limiters, RateLimits};
use crate::retry::Jitter;
use crate::sign::DayKey;
use crate::{
    AccountQuota, Credentials, Cvm, Error, Filter, InstanceId, Listing, Offer, ReqwestTransport,
    RunInstances, SendOptions, SystemClock, Transport, WallClock,
};

const ENDPOINT: &str = "https://cvm.tencentcloudapi.com/";
const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const DEADLINE: Duration = Duration::from_secs(30);
/// Of both: no call takes a day, and instants that far away still exist.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// CVM over HTTP: signed, paged, kept under the rate limits, every wait with an end.
///
/// It waits on tokio's clock only and takes no randomness but its seed, so that it runs unchanged in a paused
/// runtime over a simulated [`Transport`].
pub struct HttpCvm {
    pub(crate) credentials: Credentials,
    pub(crate) region: String,
    pub(crate) region_header: HeaderValue,
    /// `scheme://host[:port]`.
    pub(crate) origin: Origin,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn WallClock>,
    pub(crate) limiters: Limiters,
    pub(crate) timeout: Duration,
    pub(crate) deadline: Duration,
    pub(crate) jitter: Jitter,
    pub(crate) last_looks: LastLooks,
    pub(crate) day_key: DayKey,
    /// The cloud's clock minus ours, once it had to be learnt.
    clock_offset: Mutex<Option<SignedDuration>>,
}

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) uri: http::Uri,
    /// The `Host` header, with `:port` when the URL has one.
    pub(crate) host: String,
    pub(crate) host_header: HeaderValue,
}

impl HttpCvm {
    /// Starts a client for one account and one region, such as `ap-singapore`.
    pub fn builder(credentials: Credentials, region: impl Into<String>) -> HttpCvmBuilder {
        HttpCvmBuilder {
            credentials,
            region: region.into(),
            endpoint: None,
            transport: None,
            clock: Arc::new(SystemClock),
            limits: None,
            timeout: TIMEOUT,
            deadline: DEADLINE,
            jitter_seed: None,
        }
    }

    /// The region that is asked.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The cloud's clock minus this machine's, learnt from the `Date` header after the cloud refused a signature
    /// as too old or too new. `None` as long as it never did.
    pub fn clock_offset(&self) -> Option<SignedDuration> {
        *self.clock_offset.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn learn_clock_offset(&self, offset: SignedDuration) {
        *self.clock_offset.lock().unwrap_or_else(PoisonError::into_inner) = Some(offset);
    }

    /// The cloud's time, as far as it is known.
    pub(crate) fn cloud_now(&self) -> Timestamp {
        let now = self.clock.now();
        self.clock_offset().and_then(|offset| now.checked_add(offset).ok()).unwrap_or(now)
    }
}

impl fmt::Debug for HttpCvm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpCvm")
            .field("credentials", &self.credentials)
            .field("region", &self.region)
            .field("endpoint", &self.origin.uri)
            .field("timeout", &self.timeout)
            .field("deadline", &self.deadline)
            .field("clock_offset", &self.clock_offset())
            .finish_non_exhaustive()
    }
}

/// Sets up an [`HttpCvm`]. Everything but the key pair and the region has a default.
#[must_use]
pub struct HttpCvmBuilder {
    credentials: Credentials,
    region: String,
    endpoint: Option<Url>,
    transport: Option<Arc<dyn Transport>>,
    clock: Arc<dyn WallClock>,
    limits: Option<Arc<RateLimits>>,
    timeout: Duration,
    deadline: Duration,
    jitter_seed: Option<u64>,
}

impl HttpCvmBuilder {
    /// Where to send requests instead of `https://cvm.tencentcloudapi.com/`. Scheme, host and port are taken from
    /// it; the path is always `/`, since that is what is signed.
    pub fn endpoint(mut self, endpoint: Url) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// What carries the requests, instead of a [`ReqwestTransport`] that connects within 3 s.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// The wall clock to sign with, instead of the machine's own.
    pub fn clock(mut self, clock: Arc<dyn WallClock>) -> Self {
        self.clock = clock;
        self
    }

    /// From the moment one request leaves until its whole answer is there; 10 s by default, a day
    /// at most.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// For a whole call: every page and chunk, with all waits and retries; 30 s by default, a day at most. A launch waits this long
    /// for its turn at most, and then has its own [timeout](Self::timeout).
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The rate limits to share with the other clients of this key pair and region.
    pub fn limits(mut self, limits: Arc<RateLimits>) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Makes the pauses between retries reproducible.
    pub fn jitter_seed(mut self, seed: u64) -> Self {
        self.jitter_seed = Some(seed);
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Config`] when the endpoint is no `http` or `https` URL, a key or the region has characters that none
    /// has, or (without a transport of one's own) no TLS provider is installed.
    pub fn build(self) -> Result<HttpCvm, Error> {
        let origin = match &self.endpoint {
            Some(endpoint) => origin(endpoint)?,
            None => origin(&Url::parse(ENDPOINT).map_err(|error| config("the endpoint is no URL", error))?)?,
        };
        let id = self.credentials.secret_id().as_str();
        if id.is_empty() || self.credentials.secret_key().is_empty() {
            return Err(unusable("SecretId and SecretKey must not be empty"));
        }
        if !is_visible_ascii(id) {
            return Err(unusable("the SecretId has characters no id has"));
        }
        if self.credentials.token().is_some_and(|token| !is_visible_ascii(token)) {
            return Err(unusable("the token has characters no token has"));
        }
        let region_header = is_region(&self.region)
            .then(|| HeaderValue::from_str(&self.region).ok())
            .flatten()
            .ok_or_else(|| unusable(format!("{:?} is no region", self.region)))?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(ReqwestTransport::new(CONNECT_TIMEOUT).map_err(|source| Error::Config {
                what: "no HTTPS connection can be made".into(),
                source: Some(source),
            })?),
        };
        let seed =
            self.jitter_seed.unwrap_or_else(|| seed_from(&self.credentials, &self.region, self.clock.now()));
        let limits = self.limits.unwrap_or_default();
        let limiters = Limiters::new(&limits, self.credentials.secret_id(), &self.region);
        Ok(HttpCvm {
            credentials: self.credentials,
            region: self.region,
            region_header,
            origin,
            transport,
            clock: self.clock,
            limiters,
            timeout: self.timeout.min(LONGEST),
            deadline: self.deadline.min(LONGEST),
            jitter: Jitter::new(seed),
            last_looks: LastLooks::default(),
            day_key: DayKey::default(),
            clock_offset: Mutex::new(None),
        })
    }
}

impl fmt::Debug for HttpCvmBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpCvmBuilder")
            .field("credentials", &self.credentials)
            .field("region", &self.region)
            .field("endpoint", &self.endpoint.as_ref().map(Url::as_str))
            .finish_non_exhaustive()
    }
}

fn config(what: &str, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Config { what: what.into(), source: Some(Box::new(source)) }
}

fn unusable(what: impl Into<String>) -> Error {
    Error::Config { what: what.into(), source: None }
}

/// What an id or a token is made of. A header's value could hold more: letters of other scripts too, which
/// come along when a key is copied from a web page.
fn is_visible_ascii(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether this has the form of a region, such as `ap-singapore`; whether there is one is the cloud's to say.
fn is_region(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn origin(endpoint: &Url) -> Result<Origin, Error> {
    if !matches!(endpoint.scheme(), "http" | "https") {
        return Err(unusable(format!("the endpoint's scheme is {:?}, not http or https", endpoint.scheme())));
    }
    let host = endpoint.host_str().ok_or_else(|| unusable("the endpoint has no host"))?;
    // Url leaves out the port that the scheme implies, and so does every HTTP client in its Host header.
    let host = endpoint.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let uri = format!("{}://{host}/", endpoint.scheme())
        .parse()
        .map_err(|error| config("the endpoint is no URI", error))?;
    let host_header =
        HeaderValue::from_str(&host).map_err(|error| config("the endpoint's host is no host", error))?;
    Ok(Origin { uri, host, host_header })
}

/// Different for each process, without asking the operating system for randomness.
fn seed_from(credentials: &Credentials, region: &str, now: Timestamp) -> u64 {
    let hash = Sha256::new()
        .chain_update(credentials.secret_id().as_str())
        .chain_update(region)
        .chain_update(now.as_nanosecond().to_le_bytes())
        .finalize();
    hash.iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}

#[async_trait]
impl Cvm for HttpCvm {
    async fn describe_instances(&self, filters: &[Filter]) -> Result<Listing, Error> {
        self.list(filters).await
    }

    async fn describe_instances_by_id(&self, ids: &[InstanceId]) -> Result<Listing, Error> {
        self.list_by_id(ids).await
    }

    async fn run_instances(
        &self,
        request: &RunInstances,
        options: SendOptions,
    ) -> Result<Vec<InstanceId>, Error> {
        self.launch(request, options).await
    }

    async fn terminate_instances(&self, ids: &[InstanceId]) -> Vec<(InstanceId, Result<(), Error>)> {
        self.terminate(ids).await
    }

    async fn describe_zone_instance_config_infos(&self, filters: &[Filter]) -> Result<Vec<Offer>, Error> {
        self.offers(filters).await
    }

    async fn describe_account_quota(&self) -> Result<AccountQuota, Error> {
        self.account_quota().await
    }
}
