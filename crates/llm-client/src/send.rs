//! The one way out: authentication, budget, deadlines, tries, and what comes back.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, LOCATION};
use http::{HeaderValue, Method, Request, StatusCode};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::debug;

use crate::body::fault;
use crate::budget::SetAside;
use crate::client::Endpoint;
use crate::decode::{Answer, DecodeError, Decoder};
use crate::envelope::Envelope;
use crate::reader::Reader;
use crate::refused_format::RefusedFormat;
use crate::words::Censor;
use crate::{
    BodyStream, BoxError, Call, ChatRequest, ChatStream, Class, Completion, Deadline, Error, Finish, Format,
    HttpChat, PromptCut, StructuredOutput, TransportError, html, prompt_size,
};

/// The largest answer taken.
pub(crate) const MAX_ANSWER: usize = 16 << 20;
/// How much of an error's body is read.
const MAX_ERROR: usize = 64 << 10;

/// One call: what is sent, and until when.
pub(crate) struct Job {
    endpoint: Arc<Endpoint>,
    request: ChatRequest,
    pub(crate) call: Call,
    body: Bytes,
    /// What it can cost at most, when a budget wants to know.
    most_tokens: u64,
    pub(crate) until: Instant,
    /// From its start to `until`.
    limit: Duration,
    /// Set when the endpoint refused the way in which JSON was asked for.
    refused_format: OnceLock<RefusedFormat>,
}

impl HttpChat {
    pub(crate) async fn completed(&self, request: &ChatRequest) -> Result<Completion, Error> {
        self.call("complete", false, request, Job::whole).await
    }

    pub(crate) async fn streamed(&self, request: &ChatRequest) -> Result<ChatStream, Error> {
        self.call("stream", true, request, Job::opened).await
    }

    async fn call<T, F: Future<Output = Result<T, Error>> + Send>(
        &self,
        operation: &'static str,
        stream: bool,
        request: &ChatRequest,
        attempt: impl Fn(Arc<Job>) -> F + Send + Sync,
    ) -> Result<T, Error> {
        let endpoint = &self.endpoint;
        let limit = request.within.map_or(endpoint.deadline, |within| within.min(endpoint.deadline));
        let until = Instant::now() + limit;
        let mut structured = endpoint.structured();
        loop {
            let job = Job {
                endpoint: Arc::clone(endpoint),
                request: request.clone(),
                call: Call::new(endpoint.service.clone(), operation),
                body: Bytes::new(),
                most_tokens: 0,
                until,
                limit,
                refused_format: OnceLock::new(),
            };
            let job = Arc::new(job.with_body(structured, stream)?);
            let outcome = tries(&job, &attempt).await;
            let refused = job.refused_format.get().filter(|_| outcome.is_err());
            match refused.and_then(|refused| endpoint.humbler(structured, *refused)) {
                Some(humbler) => structured = humbler,
                None => return outcome,
            }
        }
    }
}

/// Tries until it works, cannot work, or takes too long.
async fn tries<T, F: Future<Output = Result<T, Error>> + Send>(
    job: &Arc<Job>,
    attempt: &(impl Fn(Arc<Job>) -> F + Send + Sync),
) -> Result<T, Error> {
    let mut pauses = job.endpoint.pauses();
    let mut before = None;
    loop {
        let error = match attempt(Arc::clone(job)).await {
            Ok(value) => return Ok(value),
            // That there was nothing left for another try is not what went wrong.
            Err(error @ Error::BudgetSpent { .. }) => return Err(before.unwrap_or(error)),
            Err(error) => error,
        };
        debug!(%error, "a try failed");
        let Some(pause) = pauses.next().filter(|_| error.is_retryable()) else { return Err(error) };
        let pause = pause.max(error.retry_after().unwrap_or_default());
        if pause >= job.until.saturating_duration_since(Instant::now()) {
            return Err(error);
        }
        sleep(pause).await;
        before = Some(error);
    }
}

/// The head of an answer, its body still to come.
struct Opened {
    status: StatusCode,
    headers: HeaderMap,
    body: BodyStream,
    set_aside: Option<SetAside>,
}

impl Job {
    /// What is sent, unless it is plain that no endpoint can answer it.
    fn with_body(mut self, structured: StructuredOutput, stream: bool) -> Result<Self, Error> {
        let (endpoint, request, call) = (&self.endpoint, &self.request, self.call.clone());
        if let Some(what) = fault(request) {
            return Err(Error::Invalid { call, what });
        }
        let at_least = prompt_size::at_least(request);
        if let Some(context_window) = endpoint.context_window.filter(|window| at_least > *window) {
            return Err(Error::PromptTooLong { call, at_least, context_window });
        }
        let body = endpoint.dialect.body(request, structured, stream);
        let body = body.map_err(|source| Error::NotSent { call, source: source.into() })?;
        let answer = endpoint.dialect.max_tokens(request).map_or(0, u64::from);
        self.most_tokens = u64::try_from(body.len()).unwrap_or(u64::MAX).saturating_add(answer);
        self.body = body.into();
        Ok(self)
    }

    async fn whole(self: Arc<Self>) -> Result<Completion, Error> {
        let opened = self.open(self.until).await?;
        self.read_whole(opened).await
    }

    async fn opened(self: Arc<Self>) -> Result<ChatStream, Error> {
        let first_by = self.until.min(Instant::now() + self.endpoint.first_byte);
        let opened = self.open(first_by).await?;
        if !content_type(&opened.headers).is_some_and(|kind| kind.starts_with("text/event-stream")) {
            // It was asked for a stream and gives it all at once, or is something else altogether.
            return self.read_whole(opened).await.map(ChatStream::of_completion);
        }
        Reader::new(self, opened.body, opened.set_aside).open(first_by).await
    }

    /// Sends the request and waits for an answer that is no refusal.
    async fn open(&self, by: Instant) -> Result<Opened, Error> {
        let mut set_aside = self.set_aside()?;
        let request = self.http_request().map_err(|source| self.not_sent(source.into()))?;
        if let Some(set_aside) = &mut set_aside {
            set_aside.sent();
        }
        let response = match timeout_at(by, self.endpoint.transport.send(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(TransportError::NotSent(source))) => {
                count(&mut set_aside, 0);
                return Err(self.not_sent(source));
            }
            Ok(Err(TransportError::Tls(source))) => {
                count(&mut set_aside, 0);
                return Err(Error::Tls { call: self.call.clone(), source });
            }
            Ok(Err(TransportError::Unknown(source))) => return Err(self.broken(source)),
            Err(_) => return Err(self.late(by)),
        };
        let (head, body) = response.into_parts();
        debug!(service = %self.call.service, operation = self.call.operation, status = head.status.as_u16(), "answered");
        if head.status.is_success() {
            return Ok(Opened { status: head.status, headers: head.headers, body, set_aside });
        }
        // What is refused is not billed. Who only stopped waiting does not know what the model does.
        if !leaves_outcome_open(head.status) {
            count(&mut set_aside, 0);
        }
        let body = self.read(body, MAX_ERROR, by).await.unwrap_or_default();
        Err(self.refusal(head.status, &head.headers, &body))
    }

    fn set_aside(&self) -> Result<Option<SetAside>, Error> {
        let Some(budget) = &self.endpoint.budget else { return Ok(None) };
        let needed = self.most_tokens;
        let call = self.call.clone();
        budget.set_aside(needed).map(Some).map_err(|available| Error::BudgetSpent { call, needed, available })
    }

    fn http_request(&self) -> Result<Request<Bytes>, http::Error> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.endpoint.uri.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        if let Some(key) = self.endpoint.key() {
            let mut bearer = HeaderValue::from_str(&format!("Bearer {key}"))?;
            bearer.set_sensitive(true);
            request = request.header(AUTHORIZATION, bearer);
        }
        request.body(self.body.clone())
    }

    async fn read_whole(&self, mut opened: Opened) -> Result<Completion, Error> {
        let body = self.read(opened.body, MAX_ANSWER, self.until).await?;
        let decoded = if body.trim_ascii_start().starts_with(b"data:") {
            let mut decoder = Decoder::default();
            let mut deltas = Vec::new();
            decoder.push(&body, &mut deltas).and_then(|()| decoder.finish(&mut deltas))
        } else {
            Decoder::whole(&body)
        };
        match decoded {
            Ok(answer) => self.completion(answer, &mut opened.set_aside),
            Err(error) => Err(self.undecoded(error, opened.status, &opened.headers, &body)),
        }
    }

    /// All of a body, or an error when it is longer than `most`, broken or late.
    async fn read(&self, mut body: BodyStream, most: usize, by: Instant) -> Result<Bytes, Error> {
        let mut whole = BytesMut::new();
        loop {
            match timeout_at(by, body.next()).await {
                Ok(Some(Ok(piece))) if whole.len() + piece.len() > most => {
                    return Err(self.too_large(most));
                }
                Ok(Some(Ok(piece))) => whole.extend_from_slice(&piece),
                Ok(Some(Err(source))) => return Err(self.broken(source)),
                Ok(None) => return Ok(whole.freeze()),
                Err(_) => return Err(self.late(by)),
            }
        }
    }

    /// What the caller gets, out of what was on the wire.
    pub(crate) fn completion(
        &self,
        answer: Answer,
        set_aside: &mut Option<SetAside>,
    ) -> Result<Completion, Error> {
        // An endpoint that counts nothing has not counted.
        let usage = answer.usage.filter(|usage| usage.total_tokens() > 0);
        if let Some(usage) = usage {
            count(set_aside, usage.total_tokens());
        }
        let endpoint = &self.endpoint;
        let prompt_cut = usage.and_then(|usage| {
            let at_least = prompt_size::at_least(&self.request);
            let drops = endpoint.dialect.profile.cuts_prompts();
            PromptCut::of(usage.prompt_tokens, at_least, endpoint.context_window, drops)
        });
        if let Some(cut) = prompt_cut {
            tracing::warn!(service = %endpoint.service, "{cut}");
        }
        let censor = self.censor();
        let completion = Completion {
            content: answer.content,
            reasoning: answer.reasoning,
            refusal: answer.refusal,
            tool_calls: answer.tool_calls,
            finish: answer.finish.unwrap_or(Finish::Stop),
            cost: usage.as_ref().and_then(|usage| endpoint.prices.as_ref()?.cost(usage)),
            usage,
            prompt_cut,
            model: answer.model.map(|model| censor.pass_word(&model)),
            id: answer.id.map(|id| censor.pass_word(&id)),
            service: Arc::clone(&endpoint.service),
        };
        if completion.is_empty() {
            return Err(Error::Empty { call: self.call.clone() });
        }
        // Measures only: names and ids are words too, of the model or of the endpoint.
        let (content_bytes, tool_calls) = (completion.content.len(), completion.tool_calls.len());
        debug!(service = %endpoint.service, content_bytes, tool_calls, ?usage, "complete");
        Ok(completion)
    }

    /// What the words of an answer must not show.
    fn censor(&self) -> Censor<'_> {
        Censor { secrets: self.endpoint.secrets(), request: Some(&self.request) }
    }

    fn not_sent(&self, source: BoxError) -> Error {
        Error::NotSent { call: self.call.clone(), source }
    }

    pub(crate) fn broken(&self, source: BoxError) -> Error {
        Error::Broken { call: self.call.clone(), source }
    }

    fn decode(&self, what: impl Into<String>) -> Error {
        Error::Decode { call: self.call.clone(), what: what.into() }
    }

    pub(crate) fn too_large(&self, most: usize) -> Error {
        self.decode(format!("the answer is larger than {most} bytes"))
    }

    pub(crate) fn late(&self, by: Instant) -> Error {
        let (deadline, after) = if by < self.until {
            (Deadline::FirstByte, self.endpoint.first_byte)
        } else {
            (Deadline::Total, self.limit)
        };
        Error::Late { call: self.call.clone(), deadline, after }
    }

    /// The error that a status other than success means.
    fn refusal(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        // Where a redirect leads is what helps, whatever is said beside it.
        if location(status, headers).is_some() {
            return self.not_the_api(status, headers, body);
        }
        let envelope = serde_json::from_slice(body).ok().and_then(Envelope::in_json);
        let text = String::from_utf8_lossy(body);
        match envelope {
            Some(envelope) => self.api(Some(status), Some(headers), envelope),
            // SiliconFlow and Ollama say some things in plain text.
            None if is_plain(headers, &text) && !status.is_redirection() => {
                let message = text.into_owned();
                self.api(Some(status), Some(headers), Envelope { message, ..Envelope::default() })
            }
            None => self.not_the_api(status, headers, body),
        }
    }

    fn api(&self, status: Option<StatusCode>, headers: Option<&HeaderMap>, envelope: Envelope) -> Error {
        let censor = self.censor();
        let status = status.map(|status| status.as_u16());
        let class = Class::of(status.unwrap_or(200), &envelope);
        if class == Class::BadRequest
            && self.request.format != Format::Text
            && let Some(refused) = RefusedFormat::of(&envelope, &censor.without_echoes(&envelope.message))
        {
            self.refused_format.get_or_init(|| refused);
        }
        Error::Api {
            call: self.call.clone(),
            class,
            status,
            code: envelope.code.or(envelope.kind).map(|code| censor.pass_word(&code)),
            message: censor.pass(&envelope.message),
            request_id: headers.and_then(request_id).map(|id| censor.pass_word(id).into_boxed_str()),
            retry_after: headers.and_then(retry_after),
        }
    }

    fn not_the_api(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        let censor = self.censor();
        let text = String::from_utf8_lossy(body);
        let words = match location(status, headers) {
            Some(location) => censor.pass(&format!("moved to {location}")),
            None if html::is_page(&text) => censor.pass_html(&text),
            None => censor.pass(&text),
        };
        Error::NotTheApi {
            call: self.call.clone(),
            status: status.as_u16(),
            content_type: censor.pass_word(content_type(headers).unwrap_or("no content type")),
            words,
            retryable: status.is_server_error()
                || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS),
            retry_after: retry_after(headers),
        }
    }

    /// The error that the middle of a stream means.
    pub(crate) fn failed_midway(&self, error: DecodeError) -> Error {
        match error {
            DecodeError::Failed { code, kind, message } => {
                self.api(None, None, Envelope { code, kind, message })
            }
            error => self.decode(broken_off(&error)),
        }
    }

    /// The error that an answer of status success means when there is no answer in it.
    fn undecoded(&self, error: DecodeError, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        let is_json = content_type(headers).is_some_and(|kind| kind.starts_with("application/json"));
        match error {
            DecodeError::Failed { code, kind, message } => {
                self.api(Some(status), Some(headers), Envelope { code, kind, message })
            }
            DecodeError::NotJson { cut: true, .. } if body.trim_ascii().is_empty() => {
                self.decode("the answer has no body")
            }
            DecodeError::NotJson { .. } if !is_json => self.not_the_api(status, headers, body),
            DecodeError::NotAnAnswer => self.not_the_api(status, headers, body),
            error => self.decode(broken_off(&error)),
        }
    }
}

fn broken_off(error: &DecodeError) -> String {
    match error {
        DecodeError::NotJson { line, column, cut: true } => {
            format!("the answer breaks off at line {line} column {column}")
        }
        other => other.to_string(),
    }
}

/// Whether somebody in between says that no answer came, and not the model's own server that there is none. 520 and 524
/// are Cloudflare's, 499 is nginx's.
fn leaves_outcome_open(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 499 | 502 | 504 | 520 | 524)
}

fn count(set_aside: &mut Option<SetAside>, tokens: u64) {
    if let Some(set_aside) = set_aside {
        set_aside.counted(tokens);
    }
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}

/// Where a redirect leads.
fn location(status: StatusCode, headers: &HeaderMap) -> Option<&str> {
    headers.get(LOCATION).filter(|_| status.is_redirection())?.to_str().ok()
}

fn is_plain(headers: &HeaderMap, text: &str) -> bool {
    !html::is_page(text) && !content_type(headers).is_some_and(|kind| kind.starts_with("text/html"))
}

fn request_id(headers: &HeaderMap) -> Option<&str> {
    ["x-request-id", "x-siliconcloud-trace-id"].iter().find_map(|name| headers.get(*name)?.to_str().ok())
}

/// In seconds, or (OpenAI's own header) in milliseconds. The form with a date is not used by any endpoint known.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|millis| millis / 1000.0).or_else(|| number("retry-after"))?;
    Duration::try_from_secs_f64(seconds).ok()
}
