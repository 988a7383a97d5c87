//! One process's line to the cloud, and its probes of machines.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use sim::cvm::{Fault, FaultRule, ProbeAnswer};
use sim::shared::SimCloud;
use sim::transport::SimTransport;
use spotpool_operator::ports::{ProbeFailure, ProbeTarget, Prober};
use tencent_cvm::{Transport, TransportError};
use tokio::time::{Instant, sleep};

use crate::gate::{Edge, Gate};
use crate::judge::Judge;
use crate::site::{Site, Step};
use crate::trace::Trace;
use crate::weather::Weather;

/// The stand-in's transport with the gate of one process around it, and the weather over it.
pub struct Line {
    cloud: SimCloud,
    transport: SimTransport,
    process: u32,
    gate: Arc<Gate>,
    weather: Arc<Weather>,
    trace: Arc<Trace>,
    judge: Arc<Judge>,
}

/// A request that stood at the gate for longer than this left later than its sender meant it to.
const AT_THE_GATE: Duration = Duration::from_secs(10);

impl Line {
    /// The line of process number `process`.
    pub fn new(
        cloud: SimCloud,
        process: u32,
        gate: Arc<Gate>,
        weather: Arc<Weather>,
        trace: Arc<Trace>,
        judge: Arc<Judge>,
    ) -> Self {
        let transport = SimTransport::new(cloud.clone());
        Self { cloud, transport, process, gate, weather, trace, judge }
    }

    /// Hands the request over under these faults, which strike it and nothing else: they are drawn when the
    /// transport is first polled. What was handed over goes its own way.
    async fn dispatch(
        &self,
        request: http::Request<Bytes>,
        faults: Vec<Fault>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        if faults.is_empty() {
            return self.transport.send(request).await;
        }
        let rules: Vec<u64> = self
            .cloud
            .with(|cloud| faults.into_iter().map(|fault| cloud.add_fault(FaultRule::new(fault))).collect());
        let mut sending = self.transport.send(request);
        let first = futures::poll!(&mut sending);
        self.cloud.with(|cloud| {
            for rule in rules {
                cloud.remove_fault(rule);
            }
        });
        match first {
            std::task::Poll::Ready(answer) => answer,
            std::task::Poll::Pending => sending.await,
        }
    }
}

impl Line {
    fn note_request(&self, site: &Site, request: &http::Request<Bytes>, faults: &[Fault]) {
        let process = self.process;
        self.trace.mix(|digest| {
            digest.number(u64::from(process));
            digest.number(site.step as u64);
            // The signature covers time, key and body.
            digest.bytes(request.headers().get("authorization").map_or(&[], |value| value.as_bytes()));
            digest.bytes(request.body());
        });
        if matches!(site.step, Step::Run | Step::Terminate | Step::LookByName) || !faults.is_empty() {
            self.trace.tell(&self.judge.pool_of(&site.object), || {
                let kinds: Vec<&str> = faults.iter().map(Fault::kind).collect();
                let struck =
                    if kinds.is_empty() { String::new() } else { format!(" [{}]", kinds.join(", ")) };
                format!("process {process}: sends {} {}{struck}", site.step, site.object)
            });
        }
    }

    fn note_answer(&self, site: &Site, answer: &Result<http::Response<Bytes>, TransportError>) {
        let process = self.process;
        let body = answer.as_ref().ok().map(http::Response::body);
        self.trace.mix(|digest| {
            digest.number(u64::from(process));
            digest.number(site.step as u64);
            digest.bytes(body.map_or(&[], |body| body));
        });
        if matches!(site.step, Step::Run | Step::Terminate | Step::LookByName) {
            self.trace.tell(&self.judge.pool_of(&site.object), || {
                let said = body.map_or_else(
                    || "nothing: the connection broke".to_owned(),
                    |body| String::from_utf8_lossy(body).chars().take(120).collect(),
                );
                format!("process {process}: {} {} is answered: {said}", site.step, site.object)
            });
        }
    }
}

#[async_trait]
impl Transport for Line {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let site = Site::of_cloud(&request);
        let came = Instant::now();
        self.gate.pass(&site, Edge::Before).await;
        let faults = self.weather.over_cloud(&site);
        let doubled = faults.iter().any(|fault| matches!(fault, Fault::DoubledRequest { .. }));
        match site.step {
            Step::Run if doubled => self.judge.doubled(&site.object),
            Step::Run if came.elapsed() > AT_THE_GATE => self.judge.excuse(&site.object),
            _ => {}
        }
        self.note_request(&site, &request, &faults);
        let looks_with = key_of_look(&site, &request).filter(|_| faults.is_empty());
        let answer = self.dispatch(request, faults).await;
        self.note_answer(&site, &answer);
        if let (Some(key_id), Ok(answer)) = (looks_with, &answer) {
            self.judge.on_look(&key_id, answer.body());
        }
        self.gate.pass(&site, Edge::After).await;
        answer
    }
}

/// The id of the key with which this request asks for machines.
fn key_of_look(site: &Site, request: &http::Request<Bytes>) -> Option<String> {
    let looks = matches!(site.step, Step::Sweep | Step::WideLook | Step::LookByName | Step::LookById);
    let signed = request.headers().get("authorization").filter(|_| looks)?.to_str().ok()?;
    let (_, credential) = signed.split_once("Credential=")?;
    credential.split('/').next().map(str::to_owned)
}

/// Probes from one process.
pub struct LineProber {
    cloud: SimCloud,
    trace: Arc<Trace>,
    weather: Arc<Weather>,
    judge: Arc<Judge>,
}

/// There and back again inside one region.
const PROBE_TIME: Duration = Duration::from_millis(4);

impl LineProber {
    /// Probes machines of this cloud.
    pub fn new(cloud: SimCloud, trace: Arc<Trace>, weather: Arc<Weather>, judge: Arc<Judge>) -> Self {
        Self { cloud, trace, weather, judge }
    }
}

#[async_trait]
impl Prober for LineProber {
    async fn probe(&self, target: &ProbeTarget) -> Result<(), ProbeFailure> {
        sleep(PROBE_TIME).await;
        let Ok(address) = target.address.parse::<Ipv4Addr>() else {
            return Err(ProbeFailure("not an address".to_owned()));
        };
        let answer = if self.weather.is_blind() {
            ProbeAnswer::Silence
        } else {
            self.cloud.with(|cloud| cloud.probe(cloud.now(), address, target.port, &target.path))
        };
        let result = match answer {
            ProbeAnswer::Answer { status: 200..=299, .. } => Ok(()),
            ProbeAnswer::Answer { .. } => Err("answered, but not with success"),
            ProbeAnswer::Refused => Err("connection refused"),
            ProbeAnswer::Unreachable | ProbeAnswer::Silence => {
                sleep(target.timeout.saturating_sub(PROBE_TIME)).await;
                Err("no answer in time")
            }
        };
        if result.is_ok() {
            self.judge.on_answer(&target.address);
        }
        self.trace.mix(|digest| {
            digest.text(&target.address);
            digest.text(result.err().unwrap_or_default());
        });
        result.map_err(|why| ProbeFailure(why.to_owned()))
    }
}
