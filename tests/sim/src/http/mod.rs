//! Face one: the cloud over HTTP in real time, with an admin API beside it and the machines' model
//! servers on loopback addresses of their own.

mod admin;
mod machines;

pub use machines::serve_machines;

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::cvm::Fate;
use crate::shared::SimCloud;

/// The cloud takes 10 MB; a little more is read so that the core can say so in its own words.
const MAX_BODY: usize = 11 << 20;

/// How long to wait after a connection could not be accepted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(10);

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Body = BoxBody<Bytes, BoxError>;

/// Answers on this listener for ever: `/_sim/…` is the admin API, everything else the cloud's.
pub async fn serve(listener: TcpListener, cloud: SimCloud) -> Infallible {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // A caller that is gone already, or no file descriptors left for a moment.
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        // Answers are small and waited for. It fails only for a connection that is gone already.
        let _ = stream.set_nodelay(true);
        let cloud = cloud.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(cloud.clone(), request));
            // A broken connection is its caller's affair, and often ours by intent.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(cloud: SimCloud, request: Request<Incoming>) -> Result<Response<Body>, BoxError> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await?.to_bytes();
    let request = Request::from_parts(head, body);
    if request.uri().path().starts_with("/_sim") {
        return Ok(admin::answer(&cloud, &request).map(whole));
    }
    match cloud.call(request).await {
        Fate::Deliver(response) => Ok(response.map(whole)),
        Fate::Cut { response, keep } => Ok(response.map(|body| cut(body.slice(..keep)))),
        Fate::Reset | Fate::Refused => Err("the stand-in resets the connection, as it was told to".into()),
        Fate::Silence => std::future::pending().await,
    }
}

fn whole(body: Bytes) -> Body {
    Full::new(body).map_err(|never| match never {}).boxed()
}

/// The head has promised the whole length; after this much of it the connection breaks.
fn cut(start: Bytes) -> Body {
    let broken: BoxError = "the stand-in cuts the answer, as it was told to".into();
    let breaks = async {
        // The server flushes what it has only when the body makes it wait.
        tokio::task::yield_now().await;
        Err(broken)
    };
    let frames = stream::once(async { Ok(Frame::data(start)) }).chain(stream::once(breaks));
    BodyExt::boxed(StreamBody::new(frames))
}
