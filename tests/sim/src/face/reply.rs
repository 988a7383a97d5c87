//! An answer and all that may go wrong with it on its way.

use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http::Response;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub(super) type Body = BoxBody<Bytes, BoxError>;

/// What the caller gets.
#[derive(Debug)]
pub enum Reply {
    /// A complete answer.
    Whole(Response<Bytes>),
    /// An answer in pieces. Without a `Content-Length` in the head it is sent chunked.
    Paced {
        /// Status and headers, sent at once.
        head: Response<()>,
        /// What follows, in order.
        pieces: Vec<Piece>,
        /// How it ends.
        end: End,
    },
    /// The connection breaks without an answer.
    Reset,
    /// Nothing comes, and the connection stays open.
    Silence,
}

/// A part of a [`Reply::Paced`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// How long after the piece before (the first: after the head).
    pub after: Duration,
    /// What is sent then.
    pub bytes: Bytes,
}

/// How a [`Reply::Paced`] ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As it should.
    Whole,
    /// The connection breaks after the last piece.
    Breaks,
    /// Nothing more comes, and the connection stays open.
    Hangs,
}

impl Reply {
    /// Only the first `keep` bytes of the body, though the head promises all of it; then the connection breaks.
    pub fn cut(response: Response<Bytes>, keep: usize) -> Self {
        let (mut head, body) = response.into_parts();
        head.headers.insert(http::header::CONTENT_LENGTH, body.len().into());
        let start = Piece { after: Duration::ZERO, bytes: body.slice(..keep.min(body.len())) };
        Self::Paced { head: Response::from_parts(head, ()), pieces: vec![start], end: End::Breaks }
    }

    pub(super) async fn send(self) -> Result<Response<Body>, BoxError> {
        match self {
            Self::Whole(response) => {
                Ok(response.map(|body| Full::new(body).map_err(|never| match never {}).boxed()))
            }
            Self::Paced { head, pieces, end } => Ok(head.map(|()| paced(pieces, end))),
            Self::Reset => Err("the stand-in resets the connection, as it was told to".into()),
            Self::Silence => std::future::pending().await,
        }
    }
}

fn paced(pieces: Vec<Piece>, end: End) -> Body {
    let frames = stream::iter(pieces).then(|Piece { after, bytes }| async move {
        if !after.is_zero() {
            tokio::time::sleep(after).await;
        }
        Ok(Frame::data(bytes))
    });
    let last = stream::once(async move {
        // The server flushes what it has only when the body makes it wait.
        tokio::task::yield_now().await;
        match end {
            End::Whole => None,
            End::Breaks => Some(Err("the stand-in cuts the answer, as it was told to".into())),
            End::Hangs => std::future::pending().await,
        }
    });
    BodyExt::boxed(StreamBody::new(frames.chain(last.filter_map(std::future::ready))))
}
