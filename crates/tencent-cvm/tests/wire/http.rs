//! The transport of production against real sockets.

use std::error::Error as _;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tencent_cvm::{Cvm, Error, HttpCvm, Reach, ReqwestTransport, SendOptions, Transport, TransportError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::cloud::{Cloud, REGION, Reply, credentials, page_of};

fn transport() -> ReqwestTransport {
    let _ = rustls::crypto::ring::default_provider().install_default();
    ReqwestTransport::new(Duration::from_secs(3)).expect("a transport")
}

fn post(uri: &str) -> http::Request<Bytes> {
    http::Request::post(uri).body(Bytes::from_static(b"{}")).expect("a request")
}

/// A server that reads one request and then writes these bytes and hangs up.
async fn answers_with(bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let uri = format!("http://{}/", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&bytes).await;
        }
    });
    uri
}

/// An address where nothing listens.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    format!("http://{}/", listener.local_addr().expect("an address"))
}

#[tokio::test]
async fn a_refused_connection_sent_nothing() {
    let uri = nobody().await;
    let error = transport().send(post(&uri)).await.expect_err("nobody listens");
    assert!(matches!(error, TransportError::NotSent(_)), "{error:?}");

    let _ = rustls::crypto::ring::default_provider().install_default();
    let cvm = HttpCvm::builder(credentials(), REGION)
        .endpoint(uri.parse().expect("a URL"))
        .build()
        .expect("client");
    let error =
        cvm.run_instances(&crate::run::request(), SendOptions::default()).await.expect_err("nobody listens");
    assert!(matches!(error, Error::NotSent { .. }), "{error:?}");
    assert_eq!(error.to_string(), "RunInstances: nothing was sent");
    assert!(error.source().is_some());
}

#[tokio::test]
async fn a_name_that_does_not_resolve_sent_nothing() {
    let error = transport().send(post("http://cvm.invalid/")).await.expect_err("no such name");
    assert!(matches!(error, TransportError::NotSent(_)), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_leaves_the_outcome_unknown() {
    for answer in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"Response\":",
        b"SSH-2.0-OpenSSH_9.6\r\n",
    ] {
        let uri = answers_with(answer.to_vec()).await;
        let error = transport().send(post(&uri)).await.expect_err("cut");
        assert!(matches!(error, TransportError::Unknown(_)), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n".to_vec();
    answer.resize(answer.len() + 20_000_000, b' ');
    let uri = answers_with(answer).await;
    let error = transport().send(post(&uri)).await.expect_err("too large");
    assert!(error.source().expect("a cause").to_string().contains("16 MiB"), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = answers_with(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec()).await;
    let moved = format!("HTTP/1.1 307 Moved\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n");
    let uri = answers_with(moved.into_bytes()).await;
    let answer = transport().send(post(&uri)).await.expect("an answer");
    assert_eq!(answer.status(), 307);
}

#[tokio::test]
async fn a_server_that_never_answers_costs_the_timeout_and_no_more() {
    let cloud = Cloud::new(|seen| page_of(0, seen).after(Duration::from_secs(60)));
    let (_server, builder) = cloud.served().await;
    let limit = Duration::from_millis(300);
    let cvm = builder.timeout(limit).deadline(limit).build().expect("client");
    let start = Instant::now();
    let error = cvm.describe_instances(&[]).await.expect_err("no answer");
    assert_eq!(error.reach(), Reach::Unknown);
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_failed_answer_reaches_the_caller_after_one_request_on_the_wire() {
    // Neither reqwest nor hyper may repeat what we do not.
    let cloud = Cloud::new(|_| Reply::body("busy").status(503));
    let (_server, builder) = cloud.served().await;
    let cvm = builder.build().expect("client");
    cvm.run_instances(&crate::run::request(), SendOptions::default()).await.expect_err("busy");
    assert_eq!(cloud.calls().len(), 1);
}
