//! What is traced. A binary of its own: tracing caches what its callsites are worth for the whole process, and other
//! tests on other threads would have a say in it.

use std::io;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use tencent_cvm::{
    Credentials, Cvm, HttpCvm, InstanceId, RunInstances, SendOptions, Transport, TransportError,
};
use tracing_subscriber::fmt::format::FmtSpan;

const SECRET_KEY: &str = "fakeSecretKey0123456789abcdefABCD";
const TOKEN: &str = "fakeToken.Zm9vYmFyLXRva2VuLVRFU1Q";

/// Collects what a subscriber writes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().map_err(|_| io::ErrorKind::Other)?.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Fails the first request in passing and refuses terminations, with texts that echo the keys.
#[derive(Default)]
struct Cloud(Mutex<bool>);

#[async_trait]
impl Transport for Cloud {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let failed_before =
            self.0.lock().is_ok_and(|mut failed_before| std::mem::replace(&mut *failed_before, true));
        let error = |code: &str| {
            format!(
                r#"{{"Response":{{"Error":{{"Code":"{code}","Message":"{SECRET_KEY} {TOKEN}"}},"RequestId":"req-refused"}}}}"#
            )
        };
        let body = match request.headers()["x-tc-action"].to_str() {
            _ if !failed_before => error("InternalError"),
            Ok("RunInstances") => {
                r#"{"Response":{"InstanceIdSet":["ins-1"],"RequestId":"req-ok"}}"#.to_owned()
            }
            Ok("TerminateInstances") => error("AuthFailure.TokenFailure"),
            _ => {
                r#"{"Response":{"TotalCount":1,"InstanceSet":[{"InstanceId":"ins-1"}],"RequestId":"req-ok"}}"#
                    .to_owned()
            }
        };
        Ok(Response::new(Bytes::from(body)))
    }
}

#[tokio::test(start_paused = true)]
async fn traces_name_action_region_and_request_id_and_neither_secrets_nor_payload() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let credentials = Credentials::new("AKIDFAKE0000000000000001", SECRET_KEY).with_token(TOKEN);
    let cvm = HttpCvm::builder(credentials, "ap-singapore")
        .transport(Arc::new(Cloud::default()))
        .build()
        .expect("client");
    cvm.describe_instances(&[]).await.expect("listing");
    let request = RunInstances {
        instance_charge_type: "SPOTPAID".into(),
        image_id: "img-5gn3j31i".into(),
        user_data: Some("password=hunter2".into()),
        count: 1,
        ..RunInstances::default()
    };
    cvm.run_instances(&request, SendOptions::default()).await.expect("launched");
    let answers = cvm.terminate_instances(&[InstanceId::new("ins-1")]).await;
    assert!(answers[0].1.is_err());

    let log = String::from_utf8(log.0.lock().expect("lock").clone()).expect("text");
    for expected in [
        "DescribeInstances",
        "RunInstances",
        "TerminateInstances",
        "ap-singapore",
        "req-ok",
        "req-refused",
        "trying again",
    ] {
        assert!(log.contains(expected), "{expected} is missing in {log}");
    }
    // The span of each call ends with the RequestId of its answer, also when that is a success.
    let ended =
        |action: &str| log.lines().filter(|line| line.contains("close")).find(|line| line.contains(action));
    let launched = ended("RunInstances").expect("the launch's span");
    assert!(launched.contains("request_id=\"req-ok\""), "{launched}");
    assert!(launched.contains("tries=1"), "{launched}");
    let refused = ended("TerminateInstances").expect("the termination's span");
    assert!(refused.contains("code=\"AuthFailure.TokenFailure\""), "{refused}");
    for hidden in
        [SECRET_KEY, TOKEN, "hunter2", "Signature=", "InstanceSet", "ins-1", "img-5gn3j31i", "SPOTPAID"]
    {
        assert!(!log.contains(hidden), "{hidden} is in {log}");
    }
}
