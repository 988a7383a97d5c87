//! Following a query over a WebSocket.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use http::{HeaderValue, header};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WebSocketError, Message};

use crate::auth::Identity;
use crate::send::{Call, NoAnswer, Place, unsent};
use crate::transport::{Connection, Upgrade};
use crate::types::{TailFrame, TailQuery};
use crate::{BoxError, Error, HttpLoki, Operation, decode};

/// A frame holds 100 entries at most, of 256 KiB at most each.
const LARGEST_FRAME: usize = 64 * 1024 * 1024;
/// Loki pings every second.
const SILENCE: Duration = Duration::from_secs(30);

/// What a query brings from now on, as far as Loki likes to send it.
///
/// A stream of frames that ends when Loki closes the connection (after an hour) and after the first error. Dropping it
/// closes the connection.
pub struct Tail(BoxStream<'static, Result<TailFrame, Error>>);

impl Tail {
    /// A tail of frames from elsewhere, for a mock or a simulation.
    pub fn from_frames(frames: impl Stream<Item = Result<TailFrame, Error>> + Send + 'static) -> Self {
        Self(frames.boxed())
    }
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail").finish_non_exhaustive()
    }
}

impl Stream for Tail {
    type Item = Result<TailFrame, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

/// Opens a tail. One try: who follows a tail opens it again anyway.
pub(crate) async fn open(client: &HttpLoki, query: &TailQuery) -> Result<Tail, Error> {
    let operation = Operation::Tail;
    let mut call = Call::get(operation, "loki/api/v1/tail")
        .param("query", &query.query)
        .param("limit", query.limit)
        .categorized();
    if let Some(start) = query.start {
        call = call.param("start", start);
    }
    let mut request = client.request(&call)?;
    let key = generate_key();
    let headers = request.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    if let Ok(key) = HeaderValue::from_str(&key) {
        headers.insert(header::SEC_WEBSOCKET_KEY, key);
    }
    let upgrade = match timeout(client.timeout, client.transport.upgrade(request)).await {
        Ok(answer) => answer.map_err(|error| unsent(operation, error))?,
        Err(_) => return Err(Error::Unanswered { operation, source: Box::new(NoAnswer(client.timeout)) }),
    };
    match upgrade {
        Upgrade::Switched(head, connection) => {
            let accept = head.headers().get(header::SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
            if accept != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
                return Err(no_web_socket("it switched to another protocol"));
            }
            let config = WebSocketConfig::default()
                .max_message_size(Some(LARGEST_FRAME))
                .max_frame_size(Some(LARGEST_FRAME));
            let socket = WebSocketStream::from_raw_socket(connection, Role::Client, Some(config)).await;
            Ok(Tail::from_frames(frames(socket, Arc::clone(&client.identity))))
        }
        Upgrade::Answered(answer) => {
            client.judge(operation, &answer)?;
            Err(no_web_socket(&format!("status {} without a switch", answer.status())))
        }
    }
}

type Socket = WebSocketStream<Box<dyn Connection>>;

/// Ends with the connection, and after the first error.
fn frames(socket: Socket, identity: Arc<Identity>) -> impl Stream<Item = Result<TailFrame, Error>> {
    futures::stream::unfold(Some((socket, identity)), async |open| {
        let (mut socket, identity) = open?;
        match next_frame(&mut socket, &identity).await? {
            Ok(frame) => Some((Ok(frame), Some((socket, identity)))),
            Err(error) => Some((Err(error), None)),
        }
    })
}

async fn next_frame(socket: &mut Socket, identity: &Identity) -> Option<Result<TailFrame, Error>> {
    let broken = |source: BoxError| Error::Unanswered { operation: Operation::Tail, source };
    loop {
        let message = match timeout(SILENCE, socket.next()).await {
            Err(_) => return Some(Err(broken(Box::new(NoAnswer(SILENCE))))),
            Ok(None | Some(Err(WebSocketError::ConnectionClosed))) => return None,
            Ok(Some(Err(error))) => return Some(Err(broken(Box::new(error)))),
            Ok(Some(Ok(message))) => message,
        };
        match message {
            Message::Text(text) => {
                return Some(
                    decode::tail_frame(text.as_bytes())
                        .map_err(|error| broken(Box::new(Place::from(&error)))),
                );
            }
            Message::Close(Some(CloseFrame { code, reason }))
                if !matches!(code, CloseCode::Normal | CloseCode::Away) =>
            {
                return Some(Err(broken(
                    format!("Loki closed the tail: {}", identity.words(&reason)).into(),
                )));
            }
            Message::Close(_) => return None,
            // A ping is answered by the library with the next read.
            Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => {}
        }
    }
}

fn no_web_socket(what: &str) -> Error {
    Error::Decode {
        operation: Operation::Tail,
        excerpt: what.to_owned(),
        source: "no WebSocket was opened".into(),
    }
}
