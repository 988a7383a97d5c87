//! Face one: bytes over TCP in real time, the admin API, and machines on addresses of their own.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use sim::cvm::{Addresses, Cloud, Span};
use sim::http::{serve, serve_machines};
use sim::shared::SimCloud;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::caller::{Request, code, launch_body, quiet_config};

/// A server in this test's runtime; it ends with it.
struct Server {
    address: SocketAddr,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut config = quiet_config();
        config.settings.boot = Span::millis(50);
        config.settings.load = Span::millis(50);
        // Apart from a stand-in that may run beside the tests, and from each other.
        let block = u8::try_from(address.port() % 100).unwrap();
        let of =
            |first: u8| Ipv4Addr::new(127, first + block, u8::try_from(address.port() / 256).unwrap(), 0);
        config.addresses = Addresses { public: of(20), private: of(130) };
        let cloud = SimCloud::new(Cloud::new(config, 1), Timestamp::now());
        tokio::spawn(serve(listener, cloud.clone()));
        tokio::spawn(serve_machines(cloud));
        Self { address }
    }

    /// Sends raw bytes and reads until the connection ends.
    async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        // A reset is an end like another.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn send(&self, request: &http::Request<Bytes>) -> String {
        let mut bytes = format!("{} / HTTP/1.1\r\nConnection: close\r\n", request.method()).into_bytes();
        for (name, value) in request.headers() {
            bytes.extend_from_slice(format!("{name}: {}\r\n", value.to_str().unwrap()).as_bytes());
        }
        bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", request.body().len()).as_bytes());
        bytes.extend_from_slice(request.body());
        self.raw(&bytes).await
    }

    /// Calls an action as the API's callers do; the Host header carries the port.
    async fn call(&self, action: &str, body: &Value) -> Value {
        let mut request = Request::new(action, body, Timestamp::now());
        request.host = self.address.to_string();
        let answer = self.send(&request.sign()).await;
        serde_json::from_str::<Value>(content(&answer)).unwrap_or_else(|_| panic!("{answer}"))["Response"]
            .clone()
    }

    async fn admin(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self
            .raw(
                format!(
                    "{method} /_sim/{path} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
                .as_bytes(),
            )
            .await;
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(content(&answer)).unwrap_or(Value::Null))
    }
}

fn content(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// Waits for a condition, at most 10 seconds.
async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not within 10 s: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn get_tags(ip: Ipv4Addr) -> Option<String> {
    let mut stream = TcpStream::connect((ip, 11434)).await.ok()?;
    stream.write_all(b"GET /api/tags HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n").await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    Some(answer)
}

#[tokio::test]
async fn a_launch_is_answered_and_its_machine_serves_on_an_address_of_its_own_until_it_vanishes() {
    let server = Server::start().await;
    let launched = server.call("RunInstances", &launch_body("m", "t")).await;
    let id = launched["InstanceIdSet"][0].as_str().unwrap_or_else(|| panic!("{launched}")).to_owned();
    let ip: Ipv4Addr = eventually("the machine runs", || async {
        let listing = server.call("DescribeInstances", &json!({"InstanceIds": [id]})).await;
        listing["InstanceSet"][0]["PublicIpAddresses"][0].as_str().map(|ip| ip.parse().unwrap())
    })
    .await;
    assert_eq!(ip.octets()[0], 127);
    let answer = eventually("its model server answers", || get_tags(ip)).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"models\""), "{answer}");

    let behaviour = |behaviour: &str| json!({ "behaviour": behaviour });
    server.admin("POST", &format!("instances/{id}/model-server"), &behaviour("fail")).await;
    let failing = get_tags(ip).await.unwrap();
    assert!(failing.starts_with("HTTP/1.1 500"), "{failing}");
    server.admin("POST", &format!("instances/{id}/model-server"), &behaviour("hang")).await;
    assert!(tokio::time::timeout(Duration::from_millis(200), get_tags(ip)).await.is_err(), "it answers");
    server.admin("POST", &format!("instances/{id}/model-server"), &behaviour("die")).await;
    let refused = || async { TcpStream::connect((ip, 11434)).await.err().map(|_| ()) };
    eventually("a dead model server refuses connections", refused).await;
    server.admin("POST", &format!("instances/{id}/model-server"), &behaviour("ok")).await;
    eventually("it answers again", || get_tags(ip)).await;

    assert_eq!(server.admin("POST", &format!("instances/{id}/vanish"), &Value::Null).await.0, 200);
    eventually("nothing listens for a machine that is gone", refused).await;
}

#[tokio::test]
async fn a_lost_answer_a_cut_one_and_a_reset_look_like_it_on_the_wire() {
    let server = Server::start().await;
    let request = |token: &str| {
        let mut request = Request::new("RunInstances", launch_body(token, token), Timestamp::now());
        request.host = server.address.to_string();
        request.sign()
    };
    let fault = |fault: Value| json!({"fault": fault, "action": "RunInstances", "count": 1});

    server.admin("POST", "faults", &fault(json!({"kind": "cut_answer"}))).await;
    let cut = server.send(&request("cut")).await;
    let length: usize = cut
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned))
        .unwrap()
        .parse()
        .unwrap();
    assert!(!content(&cut).is_empty() && content(&cut).len() < length, "{cut}");

    server.admin("POST", "faults", &fault(json!({"kind": "lost_answer", "loss": "reset"}))).await;
    assert_eq!(server.send(&request("reset")).await, "");

    server.admin("POST", "faults", &fault(json!({"kind": "lost_answer"}))).await;
    let silent = request("silent");
    let answer = tokio::time::timeout(Duration::from_millis(200), server.send(&silent)).await;
    assert!(answer.is_err(), "{answer:?}");

    let (_, machines) = server.admin("GET", "instances", &Value::Null).await;
    assert_eq!(machines.as_array().unwrap().len(), 3, "each took effect");
}

#[tokio::test]
async fn a_request_takes_effect_though_its_connection_is_gone() {
    let server = Server::start().await;
    let late = json!({"fault": {"kind": "late_commit", "delay": "300ms"}});
    server.admin("POST", "faults", &late).await;
    let mut request = Request::new("RunInstances", launch_body("m", "t"), Timestamp::now());
    request.host = server.address.to_string();
    let request = request.sign();
    assert!(tokio::time::timeout(Duration::from_millis(100), server.send(&request)).await.is_err());
    assert_eq!(server.admin("GET", "instances", &Value::Null).await.1, json!([]));
    eventually("the machine of the caller that left", || async {
        let (_, machines) = server.admin("GET", "instances", &Value::Null).await;
        (machines.as_array().unwrap().len() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_admin_api_does_what_its_table_of_contents_says() {
    let server = Server::start().await;
    let contents = server.raw(b"GET /_sim/ HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n\r\n").await;
    assert!(contents.contains("/_sim/instances/ID/vanish"), "{contents}");
    let (_, placed) =
        server.admin("POST", "instances", &json!({"name": "db", "tags": {"team": "green"}})).await;
    let id = placed["instance_id"].as_str().unwrap().to_owned();
    for (method, path, body, status) in [
        ("GET", "instances".to_owned(), Value::Null, 200),
        ("GET", "instances?all".to_owned(), Value::Null, 200),
        ("GET", format!("instances/{id}"), Value::Null, 200),
        ("GET", "instances/ins-zzzzzzzz".to_owned(), Value::Null, 404),
        ("POST", format!("instances/{id}/copy"), Value::Null, 200),
        ("POST", format!("instances/{id}/name"), json!({"name": "db2"}), 200),
        ("POST", format!("instances/{id}/tags"), json!({"k": "v"}), 200),
        ("POST", format!("instances/{id}/state"), json!({"state": "REBOOTING"}), 200),
        ("POST", format!("instances/{id}/state"), json!({"state": "HAPPY"}), 400),
        ("POST", format!("instances/{id}/reclaim"), Value::Null, 200),
        ("POST", format!("instances/{id}/reclaim"), json!({"notice": 0}), 200),
        ("POST", format!("instances/{id}/paint"), Value::Null, 404),
        ("POST", "instances".to_owned(), json!({"nmae": "db"}), 400),
        ("POST", "faults".to_owned(), json!({"fault": {"kind": "refuse", "code": "InternalError"}}), 200),
        ("POST", "faults".to_owned(), json!({"fault": {"kind": "gremlins"}}), 400),
        ("GET", "faults".to_owned(), Value::Null, 200),
        ("DELETE", "faults/1".to_owned(), Value::Null, 200),
        ("DELETE", "faults/1".to_owned(), Value::Null, 404),
        ("DELETE", "faults".to_owned(), Value::Null, 200),
        ("GET", "stock".to_owned(), Value::Null, 200),
        (
            "POST",
            "stock".to_owned(),
            json!({"zone": "ap-singapore-2", "instance_type": "GN7.2XLARGE32", "count": 0}),
            200,
        ),
        (
            "POST",
            "stock".to_owned(),
            json!({"zone": "ap-nowhere-1", "instance_type": "GN7.2XLARGE32", "count": 0}),
            404,
        ),
        ("POST", "quota".to_owned(), json!({"zone": "ap-singapore-2", "vcpu": 8}), 200),
        ("POST", "subnets".to_owned(), json!({"subnet": "subnet-gfrv79s2", "free": 8}), 200),
        ("POST", "arrears".to_owned(), json!({"in_arrears": true}), 200),
        ("POST", "credentials".to_owned(), json!({"secret_id": "AKIDFAKE2", "secret_key": "fakeKey2"}), 200),
        ("DELETE", "credentials/AKIDFAKE2".to_owned(), Value::Null, 200),
        ("GET", "settings".to_owned(), Value::Null, 200),
        ("POST", "settings".to_owned(), json!({"boot": "7s", "visibility_lag": "0s..60s"}), 200),
        ("POST", "settings".to_owned(), json!({"token_mode": {"mode": "replay-for", "seconds": 60}}), 200),
        ("POST", "settings".to_owned(), json!({"bot": "7s"}), 400),
        ("GET", "ledger".to_owned(), Value::Null, 200),
        ("GET", "calls".to_owned(), Value::Null, 200),
        ("GET", "looks".to_owned(), Value::Null, 200),
        ("GET", "billing".to_owned(), Value::Null, 200),
        ("GET", "world".to_owned(), Value::Null, 200),
        ("GET", "weather".to_owned(), Value::Null, 404),
    ] {
        let (answered, answer) = server.admin(method, &path, &body).await;
        assert_eq!(answered, status, "{method} {path} {body}: {answer}");
    }
    let (_, settings) = server.admin("GET", "settings", &Value::Null).await;
    assert_eq!(settings["boot"], "7000ms", "the last good change stands");
    assert_eq!(settings["token_mode"]["mode"], "replay-for");
    let (_, ledger) = server.admin("GET", "ledger?since=1", &Value::Null).await;
    assert_eq!(ledger["events"][0]["seq"], 2);
    let broke = server.call("RunInstances", &launch_body("m", "t")).await;
    assert_eq!(code(&broke), "InvalidAccount.InsufficientBalance");
}
