//! What must hold whatever the cloud answers. The input is bytes, so that a fuzzer can write them:
//! `fuzz/fuzz_targets/answers.rs` is made of this file, and [`crate::hostile`] feeds it what was found worth keeping.
//!
//! The first byte is the call (`'0'` to `'5'`), the second what the answers have besides a body, the rest the bodies,
//! with a record separator (0x1e) between them. The last body answers every further request as well.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde_json::Value;
use tencent_cvm::{
    Credentials, Cvm, Error, HttpCvm, InstanceId, Reach, RunInstances, SendOptions, Transport,
    TransportError, WallClock,
};

/// Between two bodies.
pub(crate) const SEPARATOR: u8 = 0x1e;
const SECRET_KEY: &str = "fakeSecretKey0123456789abcdefABCD";
const TOKEN: &str = "fakeToken.Zm9vYmFyLXRva2VuLVRFU1Q";
/// Longer than any text that a condition or an Event should hold.
const LONGEST_TEXT: usize = 2000;
/// All pages of the largest listing, and every retry of a page.
const MOST_REQUESTS: usize = 1100;

/// The bits of the second byte.
const BAD_GATEWAY: u8 = 1;
const DATED: u8 = 2;
const ASKS_TO_WAIT: u8 = 4;
const PATIENT: u8 = 8;

/// Answers by the script, and keeps what was answered.
struct Script {
    bodies: Vec<Bytes>,
    manner: u8,
    served: Mutex<Vec<Bytes>>,
}

impl Script {
    /// The bodies answered so far, each as JSON, or null if it is no JSON. `None` when one of them cannot be judged:
    /// a reader that skips what it does not need also skips what no reader of the whole would take (a number of a
    /// thousand digits, text that is no text).
    fn served(&self) -> Option<Vec<Value>> {
        let served = self.served.lock().expect("lock");
        let read = |body: &Bytes| match serde_json::from_slice(body) {
            Ok(value) => Some(value),
            Err(_) if serde_json::from_slice::<IgnoredAny>(body).is_ok() => None,
            Err(_) => Some(Value::Null),
        };
        served.iter().map(read).collect()
    }

    fn requests(&self) -> usize {
        self.served.lock().expect("lock").len()
    }

    fn is_the_api(&self) -> bool {
        self.manner & BAD_GATEWAY == 0
    }
}

/// A script as a transport.
struct Wire(Arc<Script>);

#[async_trait]
impl Transport for Wire {
    async fn send(&self, _: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let script = &self.0;
        let mut served = script.served.lock().expect("lock");
        let body = script.bodies[served.len().min(script.bodies.len() - 1)].clone();
        served.push(body.clone());
        let mut response = Response::builder();
        if !script.is_the_api() {
            response = response.status(StatusCode::BAD_GATEWAY);
        }
        if script.manner & DATED != 0 {
            response = response.header("date", "Thu, 20 Nov 2025 00:53:20 GMT");
        }
        if script.manner & ASKS_TO_WAIT != 0 {
            response = response.header("retry-after", "18446744073709551615");
        }
        Ok(response.body(body).expect("a response"))
    }
}

/// It never moves: nothing here depends on it.
struct Stopped;

impl WallClock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

fn run_paused(future: impl Future<Output = ()>) {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(future));
}

/// Makes the call that `input` names against the answers that it holds, and judges what comes of it.
pub(crate) fn check(input: &[u8]) {
    let [call, manner, bodies @ ..] = input else { return };
    let bodies = bodies.split(|byte| *byte == SEPARATOR).map(Bytes::copy_from_slice).collect();
    let script = Arc::new(Script { bodies, manner: *manner, served: Mutex::default() });
    // Time for one more try; a fuzzer has better things to do than to give the same answer five times.
    let deadline = if manner & PATIENT == 0 { Duration::from_millis(250) } else { Duration::from_secs(30) };
    let client = HttpCvm::builder(
        Credentials::new("AKIDFAKE0000000000000001", SECRET_KEY).with_token(TOKEN),
        "ap-singapore",
    )
    .transport(Arc::new(Wire(Arc::clone(&script))))
    .clock(Arc::new(Stopped))
    .jitter_seed(7)
    .deadline(deadline)
    .build()
    .expect("a client");
    run_paused(async {
        match call % 6 {
            0 => listing(&client, &script).await,
            1 => look_by_id(&client, &script).await,
            2 => launch(&client, &script).await,
            3 => termination(&client, &script).await,
            4 => offers(&client, &script).await,
            _ => quota(&client, &script).await,
        }
    });
    let requests = script.requests();
    assert!((1..=MOST_REQUESTS).contains(&requests), "{requests} requests");
}

async fn listing(client: &HttpCvm, script: &Script) {
    let listing = match client.describe_instances(&[]).await {
        Ok(listing) => listing,
        Err(error) => return judge(&error),
    };
    assert!(script.is_the_api());
    let shown: Vec<&str> = listing.instances.iter().map(|instance| instance.id.as_str()).collect();
    assert!(shown.is_sorted_by(|a, b| a < b), "each once, in order: {shown:?}");
    let Some(served) = script.served() else { return };
    assert_eq!(listing.calls as usize, served.len());
    let named: BTreeSet<&str> = served.iter().flat_map(instances_of).collect();
    assert!(shown.iter().all(|id| !id.is_empty() && named.contains(id)), "{shown:?} of {named:?}");
    if let [only] = &served[..] {
        assert_eq!(shown.len(), named.len(), "what the one page showed");
        let total = only["Response"]["TotalCount"].as_u64().expect("a listing without its total is none");
        assert!(total <= shown.len() as u64, "{total} exist and {} are shown", shown.len());
    }
}

async fn look_by_id(client: &HttpCvm, script: &Script) {
    let asked = ["ins-1", "ins-2", "ins-3"];
    let listing = match client.describe_instances_by_id(&asked.map(InstanceId::from)).await {
        Ok(listing) => listing,
        Err(error) => return judge(&error),
    };
    assert!(script.is_the_api());
    let shown: Vec<&str> = listing.instances.iter().map(|instance| instance.id.as_str()).collect();
    assert!(shown.is_sorted_by(|a, b| a < b), "each once, in order: {shown:?}");
    assert!(shown.iter().all(|id| asked.contains(id)), "{shown:?}");
    let Some(served) = script.served() else { return };
    for missing in asked.iter().filter(|id| !shown.contains(id)) {
        let denies = |answer: &Value| {
            says_gone(answer)
                || is_success(answer)
                    && answer["Response"]["TotalCount"].is_u64()
                    && instances_of(answer).all(|id| id != *missing)
        };
        assert!(served.iter().any(denies), "{missing} is taken for absent, and no answer says so");
    }
}

async fn launch(client: &HttpCvm, script: &Script) {
    let request = RunInstances {
        instance_charge_type: "SPOTPAID".into(),
        image_id: "img-5gn3j31i".into(),
        count: 1,
        ..RunInstances::default()
    };
    let outcome = client.run_instances(&request, SendOptions::default()).await;
    assert_eq!(script.requests(), 1, "a launch is sent once, whatever comes of it");
    let Some(served) = script.served() else { return };
    let answer = &served[0]["Response"];
    match outcome {
        Ok(ids) => {
            assert!(script.is_the_api() && is_success(&served[0]));
            let named: Vec<&str> = texts(&answer["InstanceIdSet"]).filter(|id| !id.is_empty()).collect();
            assert!(!ids.is_empty());
            assert!(ids.iter().map(InstanceId::as_str).eq(named.iter().copied()), "{ids:?} of {named:?}");
        }
        Err(error) => {
            judge(&error);
            assert_ne!(error.reach(), Reach::NotSent, "it left");
            if let Some(class) = error.class().filter(|class| class.is_definite_refusal()) {
                assert!(script.is_the_api());
                let code = answer["Error"]["Code"].as_str().unwrap_or_default();
                assert_eq!(class, tencent_cvm::classify(tencent_cvm::Action::RunInstances, code));
            }
        }
    }
}

async fn termination(client: &HttpCvm, script: &Script) {
    let asked = ["ins-2", "ins-1", "ins-3", "ins-1"].map(InstanceId::from);
    let answers = client.terminate_instances(&asked).await;
    assert!(answers.iter().map(|(id, _)| id).eq(&asked), "one answer for each id, in the order asked");
    let Some(served) = script.served() else { return };
    let accepts = |answer: &Value| {
        says_gone(answer) || is_success(answer) && answer["Response"]["RequestId"].is_string()
    };
    for (id, answer) in answers {
        match answer {
            Ok(()) => assert!(
                script.is_the_api() && served.iter().any(accepts),
                "{id} is taken for returned, and no answer says so"
            ),
            Err(error) => judge(&error),
        }
    }
}

async fn offers(client: &HttpCvm, script: &Script) {
    let offers = match client.describe_zone_instance_config_infos(&[]).await {
        Ok(offers) => offers,
        Err(error) => return judge(&error),
    };
    assert!(script.is_the_api());
    let Some(served) = script.served() else { return };
    let sent = served.last().and_then(|answer| answer["Response"]["InstanceTypeQuotaSet"].as_array());
    assert!(offers.len() <= sent.expect("a list").len());
    for offer in &offers {
        assert!(!offer.zone.is_empty() && !offer.instance_type.is_empty());
        let prices = [offer.hourly_price, offer.hourly_list_price];
        assert!(prices.into_iter().flatten().all(|price| price > 0.0 && price.is_finite()), "{offer:?}");
        let texts = [offer.sold_out_reason.clone(), offer.status.as_ref().map(ToString::to_string)];
        assert!(texts.into_iter().flatten().all(|text| text.chars().count() < LONGEST_TEXT));
    }
}

async fn quota(client: &HttpCvm, script: &Script) {
    let quota = match client.describe_account_quota().await {
        Ok(quota) => quota,
        Err(error) => return judge(&error),
    };
    assert!(script.is_the_api());
    let Some(served) = script.served() else { return };
    let number = served.last().and_then(|answer| answer["Response"]["AppId"].as_u64());
    assert_eq!(quota.app_id, number.map(tencent_cvm::AppId::new), "nobody else's account");
}

/// No error holds a secret, or more than a person wants to read.
fn judge(error: &Error) {
    let mut text = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    assert!(!text.contains(SECRET_KEY) && !text.contains(TOKEN), "{text}");
    assert!(text.chars().count() < LONGEST_TEXT, "{} characters", text.chars().count());
    // An error that carries a class says which code it was.
    assert_eq!(error.class().is_some(), error.code().is_some());
}

/// Whether an answer is one of the API and no error.
fn is_success(answer: &Value) -> bool {
    answer["Response"].is_object() && answer["Response"]["Error"].is_null()
}

fn says_gone(answer: &Value) -> bool {
    let gone = [
        "InvalidInstanceId.NotFound",
        "ResourceNotFound.InvalidInstanceIdNotFound",
        "UnsupportedOperation.InstanceStateTerminated",
        "UnsupportedOperation.InstanceStateTerminating",
        "UnsupportedOperation.InstanceStateLaunchFailed",
    ];
    answer["Response"]["Error"]["Code"].as_str().is_some_and(|code| gone.contains(&code))
}

fn instances_of(answer: &Value) -> impl Iterator<Item = &str> {
    let set = answer["Response"]["InstanceSet"].as_array().into_iter().flatten();
    set.filter_map(|instance| instance["InstanceId"].as_str())
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}
