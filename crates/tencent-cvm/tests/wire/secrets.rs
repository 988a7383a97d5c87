//! Nothing that is printed holds a secret.

use std::error::Error as _;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tencent_cvm::{Credentials, Cvm, Error, HttpCvm, RunInstances, SendOptions};

use crate::cloud::{Cloud, REGION, Reply, SECRET_ID, SECRET_KEY, TOKEN, ok, page_of, refused};

const USER_DATA: &str = "password=hunter2";

fn secret(text: &str) -> Option<&'static str> {
    [SECRET_KEY, TOKEN, "hunter2", "aHVudGVy", "Signature="].into_iter().find(|secret| text.contains(secret))
}

#[track_caller]
fn assert_shows_no_secret(text: &str) {
    assert_eq!(secret(text), None, "in {text}");
}

fn credentials() -> Credentials {
    Credentials::new(SECRET_ID, SECRET_KEY).with_token(TOKEN)
}

fn request() -> RunInstances {
    RunInstances { user_data: Some(USER_DATA.into()), ..crate::run::request() }
}

fn client(cloud: &Cloud) -> HttpCvm {
    HttpCvm::builder(credentials(), REGION).transport(Arc::new(cloud.clone())).build().expect("client")
}

#[test]
fn keys_clients_and_requests_print_without_secrets() {
    assert_shows_no_secret(&format!("{:?}", credentials()));
    assert!(!format!("{:?}", credentials()).contains(SECRET_ID), "nor the whole id");
    let cloud = Cloud::new(|seen| page_of(0, seen));
    let builder = HttpCvm::builder(credentials(), REGION).transport(Arc::new(cloud.clone()));
    assert_shows_no_secret(&format!("{builder:?}"));
    let cvm = builder.build().expect("client");
    assert_shows_no_secret(&format!("{cvm:?} {cvm:#?}"));
    assert!(format!("{cvm:?}").contains(REGION), "what helps is shown");
    assert_shows_no_secret(&format!("{:?} {:#?}", request(), request()));
    assert!(format!("{:?}", request()).contains("16 bytes"));
}

#[tokio::test(start_paused = true)]
async fn an_error_that_echoes_what_was_sent_is_redacted() {
    let cloud = Cloud::new(|_| {
        let message = format!("signature mismatch for key {SECRET_KEY} with token {TOKEN}");
        let error = json!({ "Code": format!("AuthFailure.{SECRET_KEY}"), "Message": message });
        Reply::body(json!({ "Response": { "Error": error, "RequestId": "r" } }).to_string())
    });
    let error = client(&cloud).describe_instances(&[]).await.expect_err("refused");
    assert_shows_no_secret(&format!("{error} {error:?} {error:#?}"));
    assert!(error.to_string().contains("key [redacted] with token [redacted]"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_secret_at_the_cap_of_a_message_is_not_half_shown() {
    let cloud = Cloud::new(|_| {
        let message = format!("{}{SECRET_KEY}", "x".repeat(290));
        let error = json!({ "Code": "InvalidFilter", "Message": message });
        Reply::body(json!({ "Response": { "Error": error, "RequestId": "r" } }).to_string())
    });
    let error = client(&cloud).describe_instances(&[]).await.expect_err("refused");
    assert!(!error.to_string().contains("fakeSecre"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn no_kind_of_error_shows_a_secret() {
    for reply in [
        refused("AuthFailure.SignatureFailure"),
        Reply::lost(),
        Reply::not_sent(),
        Reply::body(format!(
            "{{\"Response\": {{\"RequestId\": \"r\", \"InstanceIdSet\": \"{SECRET_KEY}\"}}}}"
        )),
        Reply::body(SECRET_KEY),
        Reply::body(TOKEN).status(500),
        ok(json!({ "InstanceIdSet": [] })),
    ] {
        let cloud = Cloud::new(move |_| reply.clone());
        let error: Error =
            client(&cloud).run_instances(&request(), SendOptions::default()).await.expect_err("failed");
        assert_shows_no_secret(&format!("{error} {error:?} {error:#?}"));
        let mut cause = error.source();
        while let Some(error) = cause {
            assert_shows_no_secret(&format!("{error} {error:?}"));
            cause = error.source();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_handed_to_the_transport_prints_without_its_token_and_signature() {
    let printed = Arc::new(Mutex::new(String::new()));
    let transport = Printing(Arc::clone(&printed));
    let cvm = HttpCvm::builder(credentials(), REGION).transport(Arc::new(transport)).build().expect("client");
    cvm.run_instances(&crate::run::request(), SendOptions::default()).await.expect_err("it only prints");
    let printed = printed.lock().expect("lock");
    assert!(printed.contains("x-tc-action"), "{printed}");
    assert_shows_no_secret(&printed);
}

/// Prints a request's head as a careless transport would.
struct Printing(Arc<Mutex<String>>);

#[async_trait::async_trait]
impl tencent_cvm::Transport for Printing {
    async fn send(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> Result<http::Response<bytes::Bytes>, tencent_cvm::TransportError> {
        *self.0.lock().expect("lock") = format!("{:?} {:?}", request.uri(), request.headers());
        Err(tencent_cvm::TransportError::NotSent("printed".into()))
    }
}
