//! A server that says what it is told to say, behind the client's `Transport`.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use loki_client::{HttpLoki, HttpLokiBuilder, Transport, TransportError, Upgrade};

/// One answer.
pub(crate) enum Say {
    Answer(StatusCode, String),
    /// An answer with a header more.
    With(StatusCode, &'static str, &'static str),
    NotSent,
    Lost,
    /// Nothing, for so long.
    Silence(Duration),
}

impl Say {
    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self::Answer(StatusCode::OK, body.into())
    }

    pub(crate) fn refuse(status: u16, text: impl Into<String>) -> Self {
        Self::Answer(StatusCode::from_u16(status).unwrap(), text.into())
    }

    pub(crate) fn no_entries() -> Self {
        Self::ok(r#"{"status":"success","data":{"resultType":"streams","result":[]}}"#)
    }
}

/// One request, as it left the client.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) params: HashMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Its answers in order; the last one over and over.
#[derive(Clone, Default)]
pub(crate) struct Script(Arc<Mutex<(VecDeque<Say>, Vec<Sent>)>>);

impl Script {
    pub(crate) fn new(answers: impl IntoIterator<Item = Say>) -> Self {
        Self(Arc::new(Mutex::new((answers.into_iter().collect(), Vec::new()))))
    }

    pub(crate) fn builder(&self) -> HttpLokiBuilder {
        HttpLoki::builder("http://loki.test:3100/prefix/".parse().unwrap())
            .transport(Arc::new(self.clone()))
            .jitter_seed(7)
    }

    pub(crate) fn client(&self) -> HttpLoki {
        self.builder().build().unwrap()
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.0.lock().unwrap().1.clone()
    }

    pub(crate) fn only(&self) -> Sent {
        let sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent.into_iter().next().unwrap()
    }

    fn next(&self, request: Request<Bytes>) -> Say {
        let (head, body) = request.into_parts();
        let params = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
        let sent = Sent {
            method: head.method,
            url: head.uri.to_string(),
            params: params.into_owned().collect(),
            headers: head.headers,
            body,
        };
        let mut state = self.0.lock().unwrap();
        state.1.push(sent);
        let answers = &mut state.0;
        match answers.front() {
            Some(Say::Answer(status, text)) if answers.len() == 1 => Say::Answer(*status, text.clone()),
            _ => answers.pop_front().expect("an answer is left in the script"),
        }
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        match self.next(request) {
            Say::Answer(status, text) => Ok(Response::builder().status(status).body(text.into()).unwrap()),
            Say::With(status, name, value) => {
                Ok(Response::builder().status(status).header(name, value).body(Bytes::new()).unwrap())
            }
            Say::NotSent => Err(TransportError::NotSent("connection refused".into())),
            Say::Lost => Err(TransportError::Unknown("connection reset".into())),
            Say::Silence(time) => {
                tokio::time::sleep(time).await;
                Err(TransportError::Unknown("connection reset".into()))
            }
        }
    }

    async fn upgrade(&self, request: Request<Bytes>) -> Result<Upgrade, TransportError> {
        self.send(request).await.map(Upgrade::Answered)
    }
}
