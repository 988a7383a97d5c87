//! [`HttpLoki`]: the trait over HTTP.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use serde::Deserialize;
use url::Url;

use crate::auth::Identity;
use crate::push::{PushEncoding, PushStream};
use crate::send::Call;
use crate::tail::{self, Tail};
use crate::types::{
    BuildInfo, DetectedField, DetectedLabel, Direction, IndexStats, LogQuery, Pattern, RangeQuery, Series,
    TailQuery, Value, null_is_empty,
};
use crate::{
    Auth, Entry, Error, Labels, Loki, Nanos, Operation, ReqwestTransport, Transport, Window, decode, push,
};

/// Loki gives a query a minute (`query_timeout`) and then says so itself.
const TIMEOUT: Duration = Duration::from_secs(65);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const DEADLINE: Duration = Duration::from_secs(150);
const TRIES: usize = 4;
/// 5,000 lines of 12 KiB each.
const MOST: usize = 64 * 1024 * 1024;
/// Of every wait: instants that far away still exist.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Loki over HTTP: every wait with an end, passing trouble repeated.
///
/// It waits on tokio's clock only, so that it runs unchanged in a paused runtime over a simulated [`Transport`].
pub struct HttpLoki {
    pub(crate) base: Url,
    /// Shared with the tails, which outlive a call.
    pub(crate) identity: Arc<Identity>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) timeout: Duration,
    pub(crate) deadline: Duration,
    pub(crate) tries: usize,
    pub(crate) jitter_seed: Option<u64>,
    push_encoding: PushEncoding,
}

impl HttpLoki {
    /// Starts a client for the Loki at `base`, such as `http://loki:3100` or, behind a gateway,
    /// `https://logs.example.com/prefix`: what its own paths (`/loki/api/v1/…`) are appended to.
    pub fn builder(base: Url) -> HttpLokiBuilder {
        HttpLokiBuilder {
            base,
            auth: Auth::None,
            tenants: Vec::new(),
            authorities: Vec::new(),
            transport: None,
            timeout: TIMEOUT,
            deadline: DEADLINE,
            tries: TRIES,
            most: MOST,
            jitter_seed: None,
            push_encoding: PushEncoding::default(),
        }
    }
}

impl fmt::Debug for HttpLoki {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpLoki")
            .field("base", &shown(&self.base))
            .field("headers", &self.identity.headers)
            .field("timeout", &self.timeout)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// Sets up an [`HttpLoki`]. Everything but the address has a default.
#[must_use]
pub struct HttpLokiBuilder {
    base: Url,
    auth: Auth,
    tenants: Vec<String>,
    authorities: Vec<u8>,
    transport: Option<Arc<dyn Transport>>,
    timeout: Duration,
    deadline: Duration,
    tries: usize,
    most: usize,
    jitter_seed: Option<u64>,
    push_encoding: PushEncoding,
}

impl HttpLokiBuilder {
    /// How the client proves who it is.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// The tenant (`X-Scope-OrgID`). Called again, it adds another one: Loki answers for several at once where
    /// `multi_tenant_queries_enabled` is set.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenants.push(tenant.into());
        self
    }

    /// Certificates in PEM that are trusted beside those of the system. Not used with a transport of one's own.
    pub fn certificate_authority(mut self, pem: &[u8]) -> Self {
        self.authorities.extend_from_slice(pem);
        self
    }

    /// What carries the requests, instead of a [`ReqwestTransport`] that connects within 5 s.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// From the moment one request leaves until its whole answer is there; 65 s by default, a little more than Loki's
    /// own `query_timeout`; a day at most.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// For a whole call, with all waits and tries; 150 s by default, a day at most.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How often a call is made at most when passing trouble keeps its answer away; 4 by default. A query for
    /// entries or numbers that timed out is not repeated here: less should be asked for.
    pub fn tries(mut self, tries: usize) -> Self {
        self.tries = tries;
        self
    }

    /// The largest answer, in bytes; 64 MiB by default. Not used with a transport of one's own.
    pub fn largest_answer(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }

    /// Makes the pauses between tries reproducible.
    pub fn jitter_seed(mut self, seed: u64) -> Self {
        self.jitter_seed = Some(seed);
        self
    }

    /// How entries are pushed; as snappy-compressed protobuf by default.
    pub fn push_encoding(mut self, encoding: PushEncoding) -> Self {
        self.push_encoding = encoding;
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Config`] when the address is no `http` or `https` URL or holds credentials, a tenant or a credential cannot
    /// stand in a header, or (without a transport of one's own) no TLS provider is installed or a certificate is none.
    pub fn build(self) -> Result<HttpLoki, Error> {
        let invalid = |what: &str| Error::Config { what: what.to_owned(), source: None };
        if !matches!(self.base.scheme(), "http" | "https") || self.base.host().is_none() {
            return Err(invalid("the address is no http or https URL"));
        }
        if !self.base.username().is_empty() || self.base.password().is_some() {
            return Err(invalid("credentials belong into `auth`, not into the URL"));
        }
        if self.base.query().is_some() || self.base.fragment().is_some() {
            return Err(invalid("the address has a query or a fragment, which nothing can be appended to"));
        }
        let identity = Arc::new(Identity::new(&self.auth, &self.tenants)?);
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(ReqwestTransport::new(CONNECT_TIMEOUT, self.most, &self.authorities).map_err(
                |source| Error::Config {
                    what: "no HTTPS connection can be made".to_owned(),
                    source: Some(source),
                },
            )?),
        };
        Ok(HttpLoki {
            base: self.base,
            identity,
            transport,
            timeout: self.timeout.min(LONGEST),
            deadline: self.deadline.min(LONGEST),
            tries: self.tries.max(1),
            jitter_seed: self.jitter_seed,
            push_encoding: self.push_encoding,
        })
    }
}

impl fmt::Debug for HttpLokiBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpLokiBuilder")
            .field("base", &shown(&self.base))
            .field("auth", &self.auth)
            .field("tenants", &self.tenants)
            .finish_non_exhaustive()
    }
}

/// The URL without credentials that should not be in it.
fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

#[async_trait]
impl Loki for HttpLoki {
    async fn query_range(&self, query: &LogQuery) -> Result<Vec<Entry>, Error> {
        // Loki refuses a window that ends before it starts, and finds nothing in one that ends where it starts.
        if query.window.is_empty() {
            return Ok(Vec::new());
        }
        let call = Call::get(Operation::QueryRange, "loki/api/v1/query_range")
            .param("query", &query.query)
            .window(query.window)
            .param("limit", query.limit)
            .param("direction", query.direction.as_str())
            .categorized()
            // An empty answer over a window that ended ten minutes ago is cached (`cache_results`), and stays
            // empty when late entries come.
            .uncached();
        let mut entries = self.send(&call, decode::streams).await?;
        match query.direction {
            Direction::Forward => entries.sort_by_key(|entry| entry.timestamp),
            Direction::Backward => entries.sort_by_key(|entry| std::cmp::Reverse(entry.timestamp)),
        }
        Ok(entries)
    }

    async fn instant(&self, query: &str, at: Nanos) -> Result<Value, Error> {
        let call = Call::get(Operation::Query, "loki/api/v1/query")
            .param("query", query)
            .param("time", at)
            .uncached();
        self.send(&call, decode::numbers).await
    }

    async fn range(&self, query: &RangeQuery) -> Result<Vec<Series>, Error> {
        let step = query.step;
        if step.is_zero() || !step.subsec_nanos().is_multiple_of(1_000_000) {
            // LogQL has no smaller unit: numbers would come for other times than those that were asked for.
            let what = format!("a step is whole milliseconds long, at least one, and not {step:?}");
            return Err(Error::Invalid { operation: Operation::QueryRange, what });
        }
        let mut call = Call::get(Operation::QueryRange, "loki/api/v1/query_range")
            .param("query", &query.query)
            .param("start", query.start)
            .param("end", query.end)
            .param("step", format_args!("{}ms", step.as_millis()));
        if !query.cached {
            call = call.uncached();
        }
        self.send(&call, decode::matrix).await
    }

    async fn labels(&self, window: Window) -> Result<Vec<String>, Error> {
        let call = Call::get(Operation::Labels, "loki/api/v1/labels").window(window);
        self.send(&call, decode::list).await
    }

    async fn label_values(&self, name: &str, window: Window) -> Result<Vec<String>, Error> {
        // In a path, whatever stands there: a slash in it would lead to another call.
        let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let path = format!("loki/api/v1/label/{}/values", name.replace('+', "%20"));
        let call = Call::get(Operation::LabelValues, path).window(window);
        self.send(&call, decode::list).await
    }

    async fn series(&self, selectors: &[String], window: Window) -> Result<Vec<Labels>, Error> {
        let call = selectors
            .iter()
            .fold(Call::get(Operation::Series, "loki/api/v1/series"), |call, one| call.param("match[]", one))
            .window(window);
        self.send(&call, decode::list).await
    }

    async fn format_query(&self, query: &str) -> Result<String, Error> {
        let call = Call::get(Operation::FormatQuery, "loki/api/v1/format_query").param("query", query);
        self.send(&call, decode::data).await
    }

    async fn push(&self, streams: &[PushStream]) -> Result<(), Error> {
        let Some(body) = push::encode(streams, self.push_encoding)? else { return Ok(()) };
        let call = Call::new(Operation::Push, Method::POST, "loki/api/v1/push")
            .body(self.push_encoding.content_type(), body);
        self.send(&call, decode::nothing).await
    }

    async fn tail(&self, query: &TailQuery) -> Result<Tail, Error> {
        tail::open(self, query).await
    }

    async fn ready(&self) -> Result<(), Error> {
        self.send(&Call::get(Operation::Ready, "ready"), decode::ready).await
    }

    async fn build_info(&self) -> Result<BuildInfo, Error> {
        self.send(&Call::get(Operation::BuildInfo, "loki/api/v1/status/buildinfo"), decode::json).await
    }

    async fn index_stats(&self, selector: &str, window: Window) -> Result<IndexStats, Error> {
        let call = Call::get(Operation::IndexStats, "loki/api/v1/index/stats")
            .param("query", selector)
            .window(window);
        self.send(&call, decode::json).await
    }

    async fn detected_fields(&self, query: &str, window: Window) -> Result<Vec<DetectedField>, Error> {
        #[derive(Deserialize)]
        struct Fields {
            #[serde(default, deserialize_with = "null_is_empty")]
            fields: Vec<DetectedField>,
        }
        let call = Call::get(Operation::DetectedFields, "loki/api/v1/detected_fields")
            .param("query", query)
            .window(window);
        self.send(&call, decode::json::<Fields>).await.map(|answer| answer.fields)
    }

    async fn detected_labels(&self, selector: &str, window: Window) -> Result<Vec<DetectedLabel>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Labels {
            #[serde(default, deserialize_with = "null_is_empty")]
            detected_labels: Vec<DetectedLabel>,
        }
        let call = Call::get(Operation::DetectedLabels, "loki/api/v1/detected_labels")
            .param("query", selector)
            .window(window);
        self.send(&call, decode::json::<Labels>).await.map(|answer| answer.detected_labels)
    }

    async fn patterns(&self, query: &str, window: Window) -> Result<Vec<Pattern>, Error> {
        let call =
            Call::get(Operation::Patterns, "loki/api/v1/patterns").param("query", query).window(window);
        self.send(&call, decode::list).await
    }
}
