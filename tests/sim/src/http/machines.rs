//! The model servers of running machines, each bound to its machine's own loopback address while it is
//! up, and to nothing when it is not: what a prober meets is what it would meet on the network.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use crate::cvm::{MODEL_SERVER_PORT, ProbeAnswer};
use crate::shared::SimCloud;

/// How long to wait before another try at an address that somebody else holds.
const BIND_AGAIN: Duration = Duration::from_secs(1);

/// Keeps the listeners as the cloud says, for ever.
pub async fn serve_machines(cloud: SimCloud) -> Infallible {
    let mut servers: BTreeMap<Ipv4Addr, JoinHandle<()>> = BTreeMap::new();
    loop {
        // Asked for before the look, so that a change in between is not missed.
        let changed = cloud.changed();
        let (up, next) = cloud.look(|cloud| {
            let up: BTreeSet<Ipv4Addr> = cloud.listening(cloud.now()).into_iter().collect();
            (up, cloud.next_change().into_iter().chain(cloud.next_ready()).min())
        });
        servers.retain(|ip, server| {
            let keep = up.contains(ip) && !server.is_finished();
            if !keep {
                server.abort();
            }
            keep
        });
        for &ip in &up {
            servers.entry(ip).or_insert_with(|| tokio::spawn(serve_machine(cloud.clone(), ip)));
        }
        let next = next.map_or_else(|| Instant::now() + BIND_AGAIN, |next| cloud.instant_of(next));
        tokio::select! {
            () = changed => {}
            () = tokio::time::sleep_until(next.min(Instant::now() + BIND_AGAIN)) => {}
        }
    }
}

/// Ends, with all its connections, when it is aborted.
async fn serve_machine(cloud: SimCloud, ip: Ipv4Addr) {
    let listener = match TcpListener::bind((ip, MODEL_SERVER_PORT)).await {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("cvm: cannot listen on {ip}:{MODEL_SERVER_PORT} for its machine: {error}");
            tokio::time::sleep(BIND_AGAIN).await;
            return;
        }
    };
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { return };
                let cloud = cloud.clone();
                connections.spawn(async move {
                    let service = service_fn(move |request| answer(cloud.clone(), ip, request));
                    // A prober that goes away early is no news.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(
    cloud: SimCloud,
    ip: Ipv4Addr,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, &'static str> {
    let path = request.uri().path();
    match cloud.look(|cloud| cloud.probe(cloud.now(), ip, MODEL_SERVER_PORT, path)) {
        ProbeAnswer::Answer { status, body } => {
            let mut response = Response::new(Full::new(body));
            *response.status_mut() =
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let json = http::HeaderValue::from_static("application/json; charset=utf-8");
            response.headers_mut().insert(http::header::CONTENT_TYPE, json);
            Ok(response)
        }
        ProbeAnswer::Silence => std::future::pending().await,
        ProbeAnswer::Refused | ProbeAnswer::Unreachable => Err("the model server is down"),
    }
}
