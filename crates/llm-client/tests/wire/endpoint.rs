//! A scripted endpoint, over TCP or in paused time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use llm_client::{
    BodyStream, BoxError, ChatRequest, HttpChat, HttpChatBuilder, Message, Profile, Transport, TransportError,
};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

/// Looks like no key of anybody's.
pub(crate) fn key() -> String {
    ["sk", "EXAMPLE", "of", "no", "endpoint"].join("-")
}

/// What most tests ask.
pub(crate) fn question() -> ChatRequest {
    ChatRequest::new([Message::user("Why is the sky blue?")])
}

/// One request as the endpoint saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Counted from 0.
    pub(crate) number: usize,
    pub(crate) at: Instant,
    /// Method and target.
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What comes of one request.
#[derive(Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    /// Time before the head.
    after: Duration,
    body: Vec<Piece>,
    end: End,
}

#[derive(Clone)]
enum Piece {
    Bytes(Vec<u8>),
    /// In paused time only.
    Pause(Duration),
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Whole,
    Cut,
    Hang,
    /// Not even a head.
    Silence,
    NotSent,
    Lost,
}

impl Reply {
    pub(crate) fn raw(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            after: Duration::ZERO,
            body: vec![Piece::Bytes(body.into())],
            end: End::Whole,
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::raw(status, "application/json", body.to_string())
    }

    /// An error in OpenAI's shape.
    pub(crate) fn error(status: u16, kind: &str, code: &str, message: &str) -> Self {
        Self::json(status, &json!({"error": {"message": message, "type": kind, "param": null, "code": code}}))
    }

    /// A whole answer that says this.
    pub(crate) fn says(content: &str) -> Self {
        Self::json(200, &answer(&json!({"role": "assistant", "content": content}), "stop"))
    }

    /// A stream of these events, each in a piece of its own.
    pub(crate) fn events(events: impl IntoIterator<Item = Value>) -> Self {
        Self::raw(200, "text/event-stream; charset=utf-8", "").and_events(events)
    }

    /// A stream that says this, word by word, and what it counted.
    pub(crate) fn streams(words: &[&str]) -> Self {
        let words = words.iter().map(|word| delta(&json!({"content": word})));
        Self::events(words).and_events([last("stop"), usage(9, 12)]).and("data: [DONE]\n\n")
    }

    pub(crate) fn and_events(self, events: impl IntoIterator<Item = Value>) -> Self {
        events.into_iter().fold(self, |reply, event| reply.and(format!("data: {event}\n\n")))
    }

    /// More of the body.
    pub(crate) fn and(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body.push(Piece::Bytes(bytes.into()));
        self
    }

    pub(crate) fn pause(mut self, time: Duration) -> Self {
        self.body.push(Piece::Pause(time));
        self
    }

    pub(crate) fn after(mut self, time: Duration) -> Self {
        self.after = time;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The connection breaks after what was said.
    pub(crate) fn cut(mut self) -> Self {
        self.end = End::Cut;
        self
    }

    /// Nothing more comes.
    pub(crate) fn hang(mut self) -> Self {
        self.end = End::Hang;
        self
    }

    pub(crate) fn silence() -> Self {
        Self { end: End::Silence, ..Self::raw(200, "text/plain", "") }
    }

    /// The connection could not be made (in paused time only).
    pub(crate) fn not_sent() -> Self {
        Self { end: End::NotSent, ..Self::raw(200, "text/plain", "") }
    }

    /// The request arrived and its answer did not.
    pub(crate) fn lost() -> Self {
        Self { end: End::Lost, ..Self::raw(200, "text/plain", "") }
    }
}

/// A whole answer on the wire.
pub(crate) fn answer(message: &Value, finish: &str) -> Value {
    json!({
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_763_600_000,
        "model": "model-as-served",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
    })
}

/// A piece of a stream.
pub(crate) fn delta(delta: &Value) -> Value {
    json!({
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "model": "model-as-served",
        "choices": [{"index": 0, "delta": delta, "finish_reason": null}],
    })
}

/// The piece that says why a stream ends.
pub(crate) fn last(finish: &str) -> Value {
    json!({"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
}

/// The piece with the count, which has no choices.
pub(crate) fn usage(prompt: u64, completion: u64) -> Value {
    json!({"id": "chatcmpl-1", "choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": completion}})
}

type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

/// Answers requests by a script and remembers them.
#[derive(Clone)]
pub(crate) struct Endpoint {
    script: Arc<Script>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Endpoint {
    pub(crate) fn new(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self { script: Arc::new(script), seen: Arc::default() }
    }

    /// Always the same.
    pub(crate) fn always(reply: Reply) -> Self {
        Self::new(move |_| reply.clone())
    }

    /// One after the other; the last one from then on.
    pub(crate) fn playing(replies: impl Into<Vec<Reply>>) -> Self {
        let replies = replies.into();
        Self::new(move |seen| replies[seen.number.min(replies.len() - 1)].clone())
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("lock").clone()
    }

    fn receive(&self, line: String, headers: HeaderMap, body: &[u8]) -> Reply {
        let mut all = self.seen.lock().expect("lock");
        let body = serde_json::from_slice(body).expect("a JSON body");
        let seen = Seen { number: all.len(), at: Instant::now(), line, headers, body };
        all.push(seen.clone());
        drop(all);
        (self.script)(&seen)
    }

    /// A client whose transport this is, with reproducible jitter.
    pub(crate) fn simulated(&self, profile: Profile) -> HttpChatBuilder {
        HttpChat::builder(profile, "model-as-asked")
            .key(key())
            .service("test")
            .transport(Arc::new(self.clone()))
            .jitter_seed(7)
    }

    /// A client that reaches this over TCP. It tries once unless told otherwise: pauses between tries are real here.
    pub(crate) async fn served(&self, profile: Profile) -> HttpChatBuilder {
        // Another test of this binary may have done it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let endpoint = self.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let endpoint = endpoint.clone();
                tokio::spawn(async move { endpoint.serve(connection).await });
            }
        });
        HttpChat::builder(profile, "model-as-asked")
            .key(key())
            .service("test")
            .base_url(format!("http://{address}/v1").parse().expect("a URL"))
            .tries(1)
            .jitter_seed(7)
    }

    /// One request per connection.
    async fn serve(&self, connection: TcpStream) -> Option<()> {
        let mut connection = BufReader::new(connection);
        let mut line = String::new();
        connection.read_line(&mut line).await.ok()?;
        let mut headers = HeaderMap::new();
        loop {
            let mut header = String::new();
            connection.read_line(&mut header).await.ok()?;
            let Some((name, value)) = header.trim_end().split_once(": ") else { break };
            headers.append(
                HeaderName::try_from(name).expect("a name"),
                HeaderValue::try_from(value).expect("a value"),
            );
        }
        let length = headers.get("content-length")?.to_str().ok()?.parse().ok()?;
        let mut body = vec![0; length];
        connection.read_exact(&mut body).await.ok()?;
        let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
        let reply = self.receive(line, headers, &body);

        if reply.end == End::Lost {
            return None;
        }
        if reply.end != End::Silence {
            let mut head = format!("HTTP/1.1 {} Scripted\r\nconnection: close\r\n", reply.status);
            for (name, value) in &reply.headers {
                head += &format!("{name}: {value}\r\n");
            }
            head += "transfer-encoding: chunked\r\n\r\n";
            connection.write_all(head.as_bytes()).await.ok()?;
            for piece in &reply.body {
                if let Piece::Bytes(bytes) = piece
                    && !bytes.is_empty()
                {
                    connection.write_all(format!("{:x}\r\n", bytes.len()).as_bytes()).await.ok()?;
                    connection.write_all(bytes).await.ok()?;
                    connection.write_all(b"\r\n").await.ok()?;
                    connection.flush().await.ok()?;
                }
            }
        }
        match reply.end {
            End::Whole => connection.write_all(b"0\r\n\r\n").await.ok(),
            // Until the client has had enough.
            End::Hang | End::Silence => connection.read_to_end(&mut Vec::new()).await.ok().map(drop),
            End::Cut | End::Lost | End::NotSent => None,
        }
    }
}

#[async_trait]
impl Transport for Endpoint {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<BodyStream>, TransportError> {
        let (parts, body) = request.into_parts();
        let reply = self.receive(format!("{} {}", parts.method, parts.uri), parts.headers, &body);
        sleep(reply.after).await;
        match reply.end {
            End::NotSent => return Err(TransportError::NotSent("connection refused".into())),
            End::Lost => return Err(TransportError::Unknown("connection reset".into())),
            End::Silence => std::future::pending().await,
            End::Whole | End::Cut | End::Hang => {}
        }
        let mut response = Response::builder().status(reply.status);
        for (name, value) in reply.headers {
            response = response.header(name, value);
        }
        let pieces = stream::iter(reply.body).filter_map(|piece| async {
            match piece {
                Piece::Bytes(bytes) => Some(Ok::<_, BoxError>(Bytes::from(bytes))),
                Piece::Pause(time) => {
                    sleep(time).await;
                    None
                }
            }
        });
        let body = match reply.end {
            End::Cut => pieces.chain(stream::iter([Err("connection reset".into())])).boxed(),
            End::Hang => pieces.chain(stream::pending()).boxed(),
            _ => pieces.boxed(),
        };
        Ok(response.body(body).expect("a response"))
    }
}
