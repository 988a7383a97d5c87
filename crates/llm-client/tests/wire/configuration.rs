//! What a client can be built from.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use llm_client::{Chat as _, Error, HttpChat, HttpChatBuilder, Profile, TokenBudget};
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;

use crate::endpoint::{Endpoint, Reply, answer, key, question};

fn builder(profile: Profile) -> HttpChatBuilder {
    HttpChat::builder(profile, "m").transport(Arc::new(Endpoint::always(Reply::says("ok"))))
}

#[test]
fn a_client_that_could_not_work_is_not_built() {
    let broken = [
        (builder(Profile::OpenAi), "openai needs an API key: give it by HttpChatBuilder::key"),
        (builder(Profile::DeepSeek).key(""), "the API key is empty"),
        (builder(Profile::DeepSeek).key(format!("{}\n", key())), "characters that no key has"),
        (builder(Profile::Ollama).base_url("ftp://h/".parse().expect("a URL")), "not an http or https URL"),
        (builder(Profile::Ollama).budget(Arc::new(TokenBudget::new(9))), "a budget needs max_tokens"),
        (builder(Profile::Ollama).extra("stream", json!(true)), "the extra field stream is the client's own"),
        (builder(Profile::Ollama).context_window(0), "a context window of no tokens"),
        (HttpChat::builder(Profile::Ollama, " "), "the model has no name"),
    ];
    for (builder, expected) in broken {
        let error = builder.build().expect_err(expected);
        assert!(matches!(error, Error::Config { .. }) && error.to_string().contains(expected), "{error}");
        assert!(!error.to_string().contains("EXAMPLE"), "{error}");
    }
}

#[test]
fn a_profile_says_beforehand_whether_it_needs_a_key() {
    for profile in Profile::ALL {
        assert_eq!(builder(profile).build().is_err(), profile.needs_key(), "{profile}");
    }
}

/// An endpoint behind TLS whose certificate nobody knows; its address, and the certificate in PEM.
fn https() -> (String, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).expect("a key");
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .expect("a server");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).expect("a session");
            let mut stream = rustls::StreamOwned::new(session, connection.expect("a connection"));
            // A client that does not trust us goes away in the middle.
            let _ = stream.read(&mut [0; 4096]);
            let body = answer(&json!({"content": "ok"}), "stop").to_string();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
            let _ = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            let _ = stream.flush();
        }
    });
    (format!("https://localhost:{port}/v1"), certified.cert.pem())
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_it_is_named() {
    let (url, pem) = https();
    let builder = || HttpChat::builder(Profile::Vllm, "m").base_url(url.parse().expect("a URL")).tries(1);
    let error = builder().build().expect("a client").complete(&question()).await.expect_err("a stranger");
    assert!(matches!(error, Error::Tls { .. }) && !error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains("check the base URL and the certificate"), "{error}");
    let chat = builder().certificate_authority(pem.as_bytes()).build().expect("a client");
    assert_eq!(chat.complete(&question()).await.expect("an answer").content, "ok");
}

#[tokio::test]
async fn tls_spoken_to_a_port_without_it_will_not_pass() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://{}/v1", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.expect("a connection");
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let chat = HttpChat::builder(Profile::Vllm, "m").base_url(url.parse().expect("a URL")).build();
    let error = chat.expect("a client").complete(&question()).await.expect_err("no TLS");
    assert!(matches!(error, Error::Tls { .. }) && !error.is_retryable(), "{error:?}");
}

#[test]
fn authorities_that_are_no_certificates_are_refused() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for pem in ["-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n", "no PEM at all"] {
        let builder = HttpChat::builder(Profile::Ollama, "m").certificate_authority(pem.as_bytes());
        let error = builder.build().expect_err("no certificate");
        assert!(error.to_string().contains("no HTTPS connection can be made"), "{error}");
    }
}

#[test]
fn a_client_is_named_by_its_profile_and_host_unless_told_otherwise() {
    assert_eq!(builder(Profile::Ollama).build().expect("a client").service(), "ollama at localhost:11434");
    assert_eq!(builder(Profile::Ollama).service("mine").build().expect("a client").service(), "mine");
}
