//! The server: connections, requests, and which half of a stand-in answers them.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use super::reply::{Body, BoxError, Reply};

/// More than any of the services takes, so that a stand-in can refuse in the service's own words.
const MAX_BODY: usize = 11 << 20;

/// How long to wait after a connection could not be accepted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(10);

/// A stand-in as its HTTP face sees it; clones are the same stand-in.
pub trait StandIn: Clone + Send + Sync + 'static {
    /// The service's own API. Dropped when the caller goes away.
    fn answer(&self, request: Request<Bytes>) -> impl Future<Output = Reply> + Send;

    /// What is asked under `/_sim/`.
    fn admin(&self, request: &Request<Bytes>) -> Response<Bytes>;
}

/// Answers on this listener for ever: `/_sim/…` is the admin API, everything else the service's.
pub async fn serve(listener: TcpListener, stand_in: impl StandIn) -> Infallible {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // A caller that is gone already, or no file descriptors left for a moment.
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        // Answers are small and waited for. It fails only for a connection that is gone already.
        let _ = stream.set_nodelay(true);
        let stand_in = stand_in.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(stand_in.clone(), request));
            // A broken connection is its caller's affair, and often ours by intent.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(stand_in: impl StandIn, request: Request<Incoming>) -> Result<Response<Body>, BoxError> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await?.to_bytes();
    let request = Request::from_parts(head, body);
    if request.uri().path().starts_with("/_sim") {
        return Reply::Whole(stand_in.admin(&request)).send().await;
    }
    stand_in.answer(request).await.send().await
}
