//! Over real connections: the transport of production.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use loki_client::{Error, HttpLoki, HttpLokiBuilder, Loki as _};
use rcgen::CertifiedKey;
use rustls::pki_types::PrivateKeyDer;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

pub(crate) fn client(url: &str) -> HttpLokiBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    HttpLoki::builder(url.parse().unwrap()).tries(1)
}

async fn answers(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

#[tokio::test]
async fn an_answer_comes_back() {
    let server = answers(ResponseTemplate::new(200).set_body_string(r#"{"data":"{app=\"web\"}"}"#)).await;
    let formatted = client(&server.uri()).build().unwrap().format_query("{app='web'}").await.unwrap();
    assert_eq!(formatted, r#"{app="web"}"#);
}

#[tokio::test]
async fn nobody_there_is_not_sent() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = client(&format!("http://{free}")).build().unwrap().ready().await.unwrap_err();
    assert!(matches!(error, Error::NotSent { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read_to_its_end() {
    let server = answers(ResponseTemplate::new(200).set_body_bytes(vec![b' '; 100_000])).await;
    let client = client(&server.uri()).largest_answer(50_000).build().unwrap();
    let error = client.format_query("{}").await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { most: 50_000, .. }) && error.asks_for_less(), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = answers(ResponseTemplate::new(200).set_body_string("ready")).await;
    let server =
        answers(ResponseTemplate::new(302).insert_header("location", elsewhere.uri().as_str())).await;
    client(&server.uri()).build().unwrap().ready().await.unwrap_err();
    assert!(elsewhere.received_requests().await.unwrap().is_empty(), "credentials would have gone there");
}

#[tokio::test]
async fn a_slow_answer_ends_at_the_timeout() {
    let server = answers(ResponseTemplate::new(200).set_delay(Duration::from_secs(3600))).await;
    let client = client(&server.uri()).timeout(Duration::from_millis(50)).build().unwrap();
    let error = client.ready().await.unwrap_err();
    assert!(matches!(error, Error::Unanswered { .. }), "{error:?}");
}

/// Answers one HTTPS request after another with `ready`, and returns the address.
fn https(certified: &CertifiedKey<rcgen::KeyPair>) -> String {
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(session, connection.unwrap());
            // A client that does not trust us goes away in the middle.
            let _ = stream.read(&mut [0; 4096]);
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nready");
            let _ = stream.flush();
        }
    });
    format!("https://localhost:{port}")
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_it_is_named() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let url = https(&certified);
    let error = client(&url).build().unwrap().ready().await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }) && !error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains("check the URL and the certificate"), "{error}");
    let pem = certified.cert.pem();
    client(&url).certificate_authority(pem.as_bytes()).build().unwrap().ready().await.unwrap();
    let error = client(&url).certificate_authority(b"no certificate").build().unwrap_err();
    assert!(matches!(error, Error::Config { .. }), "{error:?}");
}

#[tokio::test]
async fn tls_spoken_to_a_port_without_it_will_not_pass() {
    let server = answers(ResponseTemplate::new(200).set_body_string("ready")).await;
    let url = server.uri().replace("http://", "https://");
    let error = client(&url).build().unwrap().ready().await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }) && !error.is_retryable(), "{error:?}");
}
