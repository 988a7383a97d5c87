//! [`HttpChat`]: the trait over HTTP.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use http::{HeaderValue, Uri};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use url::Url;

use crate::body::{Dialect, OWN_FIELDS};
use crate::refused_format::RefusedFormat;
use crate::{
    Chat, ChatRequest, ChatStream, Completion, Error, Prices, Profile, ReqwestTransport, Schema, Structured,
    StructuredOutput, TokenBudget, Transport, structured,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const FIRST_BYTE: Duration = Duration::from_secs(30);
const DEADLINE: Duration = Duration::from_secs(120);
/// Of every deadline: instants that far away still exist.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Tries in all, the first included.
const TRIES: u32 = 2;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
const PATH: &str = "/chat/completions";

/// A chat model behind one endpoint. Clones share everything.
///
/// It waits on tokio's clock only, and its wire is a [`Transport`], so that it runs unchanged in simulated time.
#[derive(Clone)]
pub struct HttpChat {
    pub(crate) endpoint: Arc<Endpoint>,
}

/// Everything that the calls of a client have in common.
pub(crate) struct Endpoint {
    pub(crate) service: Arc<str>,
    pub(crate) dialect: Dialect,
    pub(crate) uri: Uri,
    pub(crate) key: Option<SecretString>,
    /// Some gateways take the key in the URL.
    url_values: Vec<SecretString>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) prices: Option<Prices>,
    pub(crate) budget: Option<Arc<TokenBudget>>,
    pub(crate) context_window: Option<u64>,
    pub(crate) first_byte: Duration,
    pub(crate) deadline: Duration,
    pauses: ExponentialBuilder,
    /// Steps down when the endpoint turns out not to know it.
    structured: Mutex<StructuredOutput>,
}

impl HttpChat {
    /// Starts a client for one model of an endpoint that speaks this dialect, such as
    /// `(Profile::DeepSeek, "deepseek-chat")`.
    pub fn builder(profile: Profile, model: impl Into<String>) -> HttpChatBuilder {
        HttpChatBuilder {
            profile,
            model: model.into(),
            service: None,
            base_url: None,
            key: None,
            transport: None,
            authorities: Vec::new(),
            prices: None,
            budget: None,
            context_window: None,
            first_byte: FIRST_BYTE,
            deadline: DEADLINE,
            tries: TRIES,
            jitter_seed: None,
            max_tokens: None,
            structured: profile.structured_output(),
            extra: Map::new(),
        }
    }

    /// Its name, as errors give it.
    pub fn service(&self) -> &str {
        &self.endpoint.service
    }
}

impl Endpoint {
    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_ref().map(SecretString::expose_secret)
    }

    /// What no text may show: the key, and what stands for one in the base URL's query.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        let in_url = self.url_values.iter().map(SecretString::expose_secret);
        self.key().into_iter().chain(in_url).collect()
    }

    /// The pauses between tries: exponential, with jitter.
    pub(crate) fn pauses(&self) -> ExponentialBackoff {
        self.pauses.build()
    }

    pub(crate) fn structured(&self) -> StructuredOutput {
        *self.structured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A humbler way of asking for JSON than the one that was refused, if there is one. When the endpoint does not know that
    /// one at all, later calls do not try it any more.
    pub(crate) fn humbler(
        &self,
        asked: StructuredOutput,
        refused: RefusedFormat,
    ) -> Option<StructuredOutput> {
        let humbler = match asked {
            StructuredOutput::JsonSchema => StructuredOutput::JsonObject,
            StructuredOutput::JsonObject => StructuredOutput::Prompt,
            StructuredOutput::Prompt => return None,
        };
        tracing::debug!(service = %self.service, ?refused, ?humbler, "the endpoint refused the response format");
        if refused == RefusedFormat::Any {
            let mut structured = self.structured.lock().unwrap_or_else(PoisonError::into_inner);
            // Another call may have gone further down in the meantime.
            if *structured == asked {
                *structured = humbler;
            }
        }
        Some(humbler)
    }
}

#[async_trait]
impl Chat for HttpChat {
    async fn complete(&self, request: &ChatRequest) -> Result<Completion, Error> {
        self.completed(request).await
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, Error> {
        self.streamed(request).await
    }

    async fn structured(&self, request: &ChatRequest, schema: &Schema) -> Result<Structured, Error> {
        // One deadline for both rounds.
        let deadline = self.endpoint.deadline;
        let within = request.within.map_or(deadline, |within| within.min(deadline));
        structured::in_two_rounds(self, &request.clone().within(within), schema).await
    }
}

impl fmt::Debug for HttpChat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpChat")
            .field("service", &self.endpoint.service)
            .field("profile", &self.endpoint.dialect.profile)
            .field("model", &self.endpoint.dialect.model)
            .field("first_byte", &self.endpoint.first_byte)
            .field("deadline", &self.endpoint.deadline)
            .field("budget", &self.endpoint.budget)
            .finish_non_exhaustive()
    }
}

/// Sets up an [`HttpChat`]. Everything but the profile and the model has a default, and for most profiles the key.
#[must_use]
pub struct HttpChatBuilder {
    profile: Profile,
    model: String,
    service: Option<String>,
    base_url: Option<Url>,
    key: Option<SecretString>,
    transport: Option<Arc<dyn Transport>>,
    authorities: Vec<u8>,
    prices: Option<Prices>,
    budget: Option<Arc<TokenBudget>>,
    context_window: Option<u64>,
    first_byte: Duration,
    deadline: Duration,
    tries: u32,
    jitter_seed: Option<u64>,
    max_tokens: Option<u32>,
    structured: StructuredOutput,
    extra: Map<String, Value>,
}

impl HttpChatBuilder {
    /// Where the API is, up to and without `/chat/completions`; the profile's own by default. A query is kept.
    pub fn base_url(mut self, url: Url) -> Self {
        self.base_url = Some(url);
        self
    }

    /// The API key, sent as a bearer token.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(SecretString::from(key.into()));
        self
    }

    /// How errors and traces call it, instead of the profile and the host.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// What carries the requests, instead of a [`ReqwestTransport`] that connects within 5 s.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Certificates in PEM that are trusted beside those of the system. Not used with a transport of one's own.
    pub fn certificate_authority(mut self, pem: &[u8]) -> Self {
        self.authorities.extend_from_slice(pem);
        self
    }

    /// What tokens cost, for [`Completion::cost`].
    pub fn prices(mut self, prices: Prices) -> Self {
        self.prices = Some(prices);
        self
    }

    /// The tokens that may be spent. Needs [`HttpChatBuilder::max_tokens`], which bounds what a call can cost.
    pub fn budget(mut self, budget: Arc<TokenBudget>) -> Self {
        self.budget = Some(budget);
        self
    }

    /// The tokens that the model can have in view, prompt and answer together, as its endpoint was started: for Ollama its
    /// `num_ctx` (`OLLAMA_CONTEXT_LENGTH`, or `PARAMETER num_ctx` of the model), which cannot be set through this API and
    /// beyond which it drops the beginning of a prompt without a word.
    ///
    /// A prompt that has more tokens for certain is not sent: [`Error::PromptTooLong`]. How many it has is reckoned from
    /// below (each word of Latin letters and each 12 letters of it one token, three wide characters one; signs, spaces,
    /// roles, tools and schemas none), which is some three quarters of the truth for English prose and less for code and logs. So
    /// no prompt that fits is refused, and one that is only a little too long is sent; then an answer whose endpoint
    /// counted as many tokens as the window holds has [`Completion::prompt_cut`].
    pub fn context_window(mut self, tokens: u32) -> Self {
        self.context_window = Some(tokens.into());
        self
    }

    /// For streams: from the moment the request leaves until the first content; 30 s by default. A whole answer comes at
    /// once when it is done, so that there only the [deadline](Self::deadline) holds.
    pub fn first_byte(mut self, time: Duration) -> Self {
        self.first_byte = time.min(LONGEST);
        self
    }

    /// For a whole call, every try and pause and the answer to its end: 2 min by default, a day at most.
    pub fn deadline(mut self, time: Duration) -> Self {
        self.deadline = time.min(LONGEST);
        self
    }

    /// How often a call is tried in all when the endpoint fails in a way that may pass; 2 by default. Nothing is
    /// repeated once content has come.
    pub fn tries(mut self, tries: u32) -> Self {
        self.tries = tries;
        self
    }

    /// Makes the pauses between tries reproducible.
    pub fn jitter_seed(mut self, seed: u64) -> Self {
        self.jitter_seed = Some(seed);
        self
    }

    /// The most tokens of an answer whose request does not say.
    pub fn max_tokens(mut self, tokens: u32) -> Self {
        self.max_tokens = Some(tokens);
        self
    }

    /// How JSON is asked for, instead of the profile's way. An endpoint that does not know it is asked in a humbler way from
    /// then on; one that refuses a schema, in the call that has it.
    pub fn structured_output(mut self, structured: StructuredOutput) -> Self {
        self.structured = structured;
        self
    }

    /// A field of the body that this crate does not know, such as `enable_thinking`.
    pub fn extra(mut self, field: impl Into<String>, value: Value) -> Self {
        self.extra.insert(field.into(), value);
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Config`] when the base URL is not `http` or `https` or holds a password, the model's name is empty, a key is
    /// missing or cannot stand in an HTTP header, a budget has no [`max_tokens`](Self::max_tokens), a context window is
    /// empty, an extra field is one of the client's own, or (without a transport of one's own) no TLS provider is installed or a certificate is none.
    pub fn build(self) -> Result<HttpChat, Error> {
        let base = match self.base_url {
            Some(url) => url,
            None => Url::parse(self.profile.base_url())
                .map_err(|error| config("the base URL is none", Some(error.into())))?,
        };
        let uri = uri(&base)?;
        let url_values =
            base.query_pairs().map(|(_, value)| SecretString::from(value.into_owned())).collect();
        if self.model.trim().is_empty() {
            return Err(config("the model has no name", None));
        }
        match &self.key {
            None if self.profile.needs_key() => {
                return Err(config(
                    format!("{} needs an API key: give it by HttpChatBuilder::key", self.profile),
                    None,
                ));
            }
            Some(key)
                if key.expose_secret().is_empty()
                    || HeaderValue::from_str(key.expose_secret()).is_err()
                    || key.expose_secret().contains(char::is_whitespace) =>
            {
                return Err(config("the API key is empty or has characters that no key has", None));
            }
            _ => {}
        }
        if self.budget.is_some() && self.max_tokens.is_none() {
            return Err(config("a budget needs max_tokens, which bounds what one answer can cost", None));
        }
        if self.context_window == Some(0) {
            return Err(config("a context window of no tokens has no room for a prompt", None));
        }
        if let Some(field) = OWN_FIELDS.into_iter().find(|field| self.extra.contains_key(*field)) {
            return Err(config(format!("the extra field {field} is the client's own"), None));
        }
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(
                ReqwestTransport::new(CONNECT_TIMEOUT, &self.authorities)
                    .map_err(|error| config("no HTTPS connection can be made", Some(error)))?,
            ),
        };
        let service = self.service.unwrap_or_else(|| {
            let port = base.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{} at {}{port}", self.profile, base.host_str().unwrap_or_default())
        });
        let pauses = ExponentialBuilder::default()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_max_times(usize::try_from(self.tries.saturating_sub(1)).unwrap_or(usize::MAX))
            .with_jitter();
        let pauses = match self.jitter_seed {
            Some(seed) => pauses.with_jitter_seed(seed),
            None => pauses,
        };
        let dialect = Dialect {
            profile: self.profile,
            model: self.model,
            max_tokens: self.max_tokens,
            extra: self.extra,
        };
        Ok(HttpChat {
            endpoint: Arc::new(Endpoint {
                service: service.into(),
                dialect,
                uri,
                key: self.key,
                url_values,
                transport,
                prices: self.prices,
                budget: self.budget,
                context_window: self.context_window,
                first_byte: self.first_byte,
                deadline: self.deadline,
                pauses,
                structured: Mutex::new(self.structured),
            }),
        })
    }
}

impl fmt::Debug for HttpChatBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpChatBuilder")
            .field("profile", &self.profile)
            .field("model", &self.model)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

fn config(what: impl Into<String>, source: Option<crate::BoxError>) -> Error {
    Error::Config { what: what.into(), source }
}

/// Where completions are asked for, below a base.
fn uri(base: &Url) -> Result<Uri, Error> {
    if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
        return Err(config("the base URL is not an http or https URL", None));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err(config("the base URL holds a user or a password: give the key by itself", None));
    }
    let mut url = base.clone();
    url.set_path(&format!("{}{PATH}", base.path().trim_end_matches('/').trim_end_matches(PATH)));
    url.set_fragment(None);
    url.as_str().parse().map_err(|_| config("the base URL is no URI", None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions_are_asked_for_below_the_base() {
        for (base, expected) in [
            ("https://api.example.com/v1", "https://api.example.com/v1/chat/completions"),
            ("https://api.example.com/v1/", "https://api.example.com/v1/chat/completions"),
            ("http://localhost:8000", "http://localhost:8000/chat/completions"),
            ("http://h/v1/chat/completions", "http://h/v1/chat/completions"),
            ("http://h/v1?api-version=2#x", "http://h/v1/chat/completions?api-version=2"),
        ] {
            assert_eq!(uri(&base.parse().unwrap()).unwrap().to_string(), expected);
        }
        assert!(uri(&"ftp://h/".parse().unwrap()).is_err());
        let with_password = format!("http://user:{}@h/", "EXAMPLE");
        assert!(!uri(&with_password.parse().unwrap()).unwrap_err().to_string().contains("EXAMPLE"));
    }
}
