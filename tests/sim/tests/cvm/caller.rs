//! A caller of the core, in any time it likes. Signs with the formulas of `sim::cvm::signature`, which
//! `signatures.rs` holds against the official SDK's vectors.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use sim::cvm::signature::{Claim, sign, signing_key};
use sim::cvm::{Account, Cloud, CloudConfig, Credential, Fate, Latency, Reply, Span, State, Step};

pub(crate) const SECRET_ID: &str = "AKIDFAKE0000000000000000000000test";
pub(crate) const SECRET_KEY: &str = "fakeSecretKey00000000000000000test";
pub(crate) const REGION: &str = "ap-singapore";

/// Noon of some day, the time when tests begin.
pub(crate) fn noon() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// A cloud for one account, without latency.
pub(crate) fn quiet_config() -> CloudConfig {
    let mut config = CloudConfig::new(vec![Account::new("main", Credential::new(SECRET_ID, SECRET_KEY))]);
    config.settings.latency = Latency::Off;
    config.settings.load = Span::secs(1);
    config
}

/// A signed request, open to be spoilt before it is sent.
pub(crate) struct Request {
    pub(crate) action: String,
    pub(crate) version: String,
    pub(crate) region: String,
    pub(crate) host: String,
    pub(crate) signed_headers: String,
    pub(crate) timestamp: i64,
    pub(crate) secret_id: String,
    pub(crate) secret_key: String,
    pub(crate) token: Option<String>,
    pub(crate) body: Bytes,
}

impl Request {
    pub(crate) fn new(action: &str, body: impl std::fmt::Display, now: Timestamp) -> Self {
        Self {
            action: action.to_owned(),
            version: "2017-03-12".to_owned(),
            region: REGION.to_owned(),
            host: "cvm.tencentcloudapi.com".to_owned(),
            signed_headers: "content-type;host".to_owned(),
            timestamp: now.as_second(),
            secret_id: SECRET_ID.to_owned(),
            secret_key: SECRET_KEY.to_owned(),
            token: None,
            body: Bytes::from(body.to_string()),
        }
    }

    pub(crate) fn sign(self) -> http::Request<Bytes> {
        let date = Timestamp::from_second(self.timestamp).unwrap().strftime("%Y-%m-%d").to_string();
        let claim = Claim {
            secret_id: &self.secret_id,
            date: &date,
            service: "cvm",
            signed_headers: &self.signed_headers,
            signature: "",
        };
        let header = |name: &str| match name {
            "content-type" => Some("application/json"),
            "host" => Some(self.host.as_str()),
            "x-tc-action" => Some(self.action.as_str()),
            _ => None,
        };
        let canonical = claim.canonical_request(header, &self.body).unwrap();
        let key = signing_key(&self.secret_key, &date, "cvm");
        let signature = sign(&key, &claim.string_to_sign(self.timestamp, &canonical));
        let authorization = format!(
            "TC3-HMAC-SHA256 Credential={}/{date}/cvm/tc3_request, SignedHeaders={}, Signature={signature}",
            self.secret_id, self.signed_headers
        );
        let mut request = http::Request::post("/")
            .header("Host", &self.host)
            .header("Content-Type", "application/json")
            .header("X-TC-Action", &self.action)
            .header("X-TC-Version", &self.version)
            .header("X-TC-Timestamp", self.timestamp)
            .header("X-TC-Region", &self.region)
            .header("Authorization", authorization);
        if let Some(token) = &self.token {
            request = request.header("X-TC-Token", token);
        }
        request.body(self.body).unwrap()
    }
}

/// Sends one request and follows it to its end, however late that is.
pub(crate) fn follow(cloud: &mut Cloud, now: Timestamp, request: http::Request<Bytes>) -> Reply {
    let (flight, double) = cloud.send(now, request);
    let reply = fly(cloud, flight);
    if let Some(double) = double {
        fly(cloud, double);
    }
    reply
}

fn fly(cloud: &mut Cloud, flight: sim::cvm::Flight) -> Reply {
    let mut step = Step::On(Box::new(flight));
    loop {
        match step {
            Step::On(flight) => {
                let at = flight.at();
                step = cloud.step(at, *flight);
            }
            Step::Done(reply) => return reply,
        }
    }
}

/// The `Response` of a delivered answer.
pub(crate) fn response_of(reply: &Reply) -> Value {
    let Fate::Deliver(response) = &reply.fate else { panic!("not delivered: {:?}", reply.fate) };
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    body["Response"].clone()
}

/// Calls an action with a body and gives the `Response`.
pub(crate) fn call(cloud: &mut Cloud, now: Timestamp, action: &str, body: &Value) -> Value {
    response_of(&follow(cloud, now, Request::new(action, body, now).sign()))
}

/// The error code of a `Response`, "" for a success.
pub(crate) fn code(response: &Value) -> &str {
    response["Error"]["Code"].as_str().unwrap_or("")
}

/// The launch of one spot machine of the sample's type, tagged.
pub(crate) fn launch_body(name: &str, token: &str) -> Value {
    json!({
        "InstanceChargeType": "SPOTPAID",
        "Placement": {"Zone": "ap-singapore-2"},
        "InstanceType": "GN7.2XLARGE32",
        "ImageId": "img-5gn3j31i",
        "VirtualPrivateCloud": {"VpcId": "vpc-86f66zht", "SubnetId": "subnet-gfrv79s2"},
        "SecurityGroupIds": ["sg-aglabemo"],
        "InternetAccessible": {"InternetMaxBandwidthOut": 1, "PublicIpAssigned": true},
        "InstanceName": name,
        "ClientToken": token,
        "TagSpecification": [{"ResourceType": "instance", "Tags": [{"Key": "team", "Value": "blue"}]}],
        "InstanceCount": 1,
    })
}

/// Launches one machine and gives its id.
pub(crate) fn launch(cloud: &mut Cloud, now: Timestamp, name: &str) -> String {
    let response = call(cloud, now, "RunInstances", &launch_body(name, &format!("token-of-{name}")));
    response["InstanceIdSet"][0].as_str().unwrap_or_else(|| panic!("refused: {response}")).to_owned()
}

/// The ids that a listing with this body shows, in its order.
pub(crate) fn listed(cloud: &mut Cloud, now: Timestamp, body: &Value) -> Vec<String> {
    let response = call(cloud, now, "DescribeInstances", body);
    let set = response["InstanceSet"].as_array().unwrap_or_else(|| panic!("refused: {response}"));
    set.iter().map(|instance| instance["InstanceId"].as_str().unwrap().to_owned()).collect()
}

/// The true state of a machine at a time.
pub(crate) fn state(cloud: &mut Cloud, now: Timestamp, id: &str) -> State {
    cloud.advance(now);
    cloud.machine(id).unwrap().state
}
