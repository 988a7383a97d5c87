//! The transport of production against real sockets.

use std::time::Duration;

use feishu::{
    BotWebhook, Card, CustomBot, Error, HttpCustomBot, ReqwestTransport, Text, Transport, TransportError,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const PATH: &str = "/open-apis/bot/v2/hook/EXAMPLE";

fn webhook(base: &str) -> BotWebhook {
    format!("{base}{PATH}").parse().expect("a webhook")
}

fn bot(base: &str) -> HttpCustomBot {
    let _ = rustls::crypto::ring::default_provider().install_default();
    HttpCustomBot::builder(webhook(base)).build().expect("a client")
}

fn transport() -> ReqwestTransport {
    let _ = rustls::crypto::ring::default_provider().install_default();
    ReqwestTransport::new(Duration::from_secs(3)).expect("a transport")
}

/// A server that reads one request and then writes these bytes and hangs up.
async fn answers_with(bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&bytes).await;
        }
    });
    base
}

#[tokio::test]
async fn a_message_is_one_post_of_json() {
    let server = MockServer::start().await;
    let done = ResponseTemplate::new(200).set_body_json(json!({ "code": 0, "msg": "success", "data": {} }));
    Mock::given(method("POST"))
        .and(path(PATH))
        .and(header("content-type", "application/json; charset=utf-8"))
        .respond_with(done)
        .expect(1)
        .mount(&server)
        .await;
    bot(&server.uri()).send(&Card::new("节点失联").into()).await.expect("taken");
    let requests = server.received_requests().await.expect("recorded");
    let body: Value = serde_json::from_slice(&requests[0].body).expect("JSON");
    assert_eq!(body["msg_type"], "interactive");
    assert_eq!(body["card"]["header"]["title"]["content"], "节点失联");
    assert!(requests[0].headers.get("referer").is_none());
}

#[tokio::test]
async fn a_refusal_with_status_400_is_read_like_any_other() {
    let server = MockServer::start().await;
    let refused = ResponseTemplate::new(400).set_body_json(json!({ "code": 19022, "msg": "Ip Not Allowed" }));
    Mock::given(method("POST")).respond_with(refused).mount(&server).await;
    let error = bot(&server.uri()).send(&Text::new("up").into()).await.expect_err("refused");
    assert!(matches!(error, Error::Refused { code: 19022, status: 400, .. }), "{error:?}");
}

#[tokio::test]
async fn a_refused_connection_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let error = transport().post(webhook(&base).url(), "{}".into()).await.expect_err("nobody listens");
    assert!(matches!(error, TransportError::NotSent(_)), "{error:?}");
}

#[tokio::test]
async fn tls_spoken_to_a_port_without_it_will_not_pass() {
    let base = answers_with(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    let bot = bot(&base.replace("http://", "https://"));
    let start = std::time::Instant::now();
    let error = bot.send(&Text::new("up").into()).await.expect_err("no TLS");
    assert!(matches!(error, Error::Tls { .. }) && !error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains("repeating does not help"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(1), "it is not sent again");
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_leaves_the_outcome_unknown() {
    for answer in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"code\":0}",
    ] {
        let base = answers_with(answer.to_vec()).await;
        let error = bot(&base).send(&Text::new("up").into()).await.expect_err("cut");
        assert!(matches!(error, Error::Unknown { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n".to_vec();
    answer.resize(answer.len() + 200_000, b' ');
    let base = answers_with(answer).await;
    let error = transport().post(webhook(&base).url(), "{}".into()).await.expect_err("too large");
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    assert!(cause.contains("64 KiB"), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = answers_with(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"code\":0}".to_vec()).await;
    let moved = format!("HTTP/1.1 307 Moved\r\nLocation: {elsewhere}{PATH}\r\nContent-Length: 0\r\n\r\n");
    let base = answers_with(moved.into_bytes()).await;
    let error = bot(&base).send(&Text::new("up").into()).await.expect_err("moved");
    let Error::NotFeishu { source, .. } = &error else { panic!("{error:?}") };
    assert!(source.words.starts_with(&elsewhere), "{source}");
}

#[tokio::test]
async fn a_server_that_never_answers_costs_the_timeout_and_no_more() {
    let server = MockServer::start().await;
    let late = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    Mock::given(method("POST")).respond_with(late).mount(&server).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let bot = HttpCustomBot::builder(webhook(&server.uri()))
        .timeout(Duration::from_millis(200))
        .build()
        .expect("a client");
    let start = std::time::Instant::now();
    let error = bot.send(&Text::new("up").into()).await.expect_err("no answer");
    assert!(matches!(error, Error::Unknown { .. }), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}
