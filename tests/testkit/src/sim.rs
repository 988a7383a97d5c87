//! The stand-in for the cloud as a process, and what tests do to it behind its back.
//!
//! `cargo run -q -p sim -- cvm --help` and `GET /_sim/` on it say everything that it can do.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use servers::own;

use crate::process::{Launch, Process};

const UP_WITHIN: Duration = Duration::from_secs(30);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// What it prints when it listens.
const LISTENING: &str = "cvm listening on ";

/// A machine as it really is, whatever the API shows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SimMachine {
    /// The cloud's id, `ins-...`.
    pub id: String,
    /// Its display name.
    pub name: String,
    /// Its state in the API's words, and `GONE`.
    pub state: String,
    /// How it is paid.
    pub charge_type: String,
    /// Its type.
    pub instance_type: String,
    /// Placed by hand: nobody's call made it.
    pub foreign: bool,
    /// Why it is gone: `terminated`, `reclaimed`, `vanished`, `launch_failed`.
    pub why_gone: Option<String>,
    /// The `ClientToken` of the call that made it.
    pub token: Option<String>,
}

/// One thing that happened, from the stand-in's ledger.
#[derive(Debug, Clone, Deserialize)]
pub struct SimEvent {
    /// 1 for the first, without gaps.
    pub seq: u64,
    /// When, in true time: RFC 3339.
    pub at: String,
    /// `received`, `refused`, `launched`, `replayed`, `running`, `launch_failed`, `termination_accepted`,
    /// `reclaim_notice`, `state_changed`, `isolated`, `gone`, `fault`.
    pub event: String,
    /// The machine it is about, if it is about one.
    pub instance_id: Option<String>,
    /// The call it is about, if it is about one.
    pub action: Option<String>,
    /// All of it.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, Value>,
}

/// The stand-in, running.
#[derive(Debug)]
pub struct SimCvm {
    process: Process,
    endpoint: String,
    secret_id: String,
    secret_key: String,
    http: reqwest::Client,
}

impl SimCvm {
    /// Builds the stand-in if it is out of date and starts it on a free port of loopback, with one key pair
    /// and further arguments of `sim cvm`. Its output goes to `sim.log` in `directory`.
    ///
    /// # Errors
    /// When it does not build or start.
    pub async fn start(directory: &Path, credential: (&str, &str), more: &[&str]) -> Result<Self> {
        Self::start_in_session(directory, credential, more, false).await
    }

    /// As [`Self::start`]; with `own_session` it can live on after [`Self::release`].
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_in_session(
        directory: &Path,
        credential: (&str, &str),
        more: &[&str],
        own_session: bool,
    ) -> Result<Self> {
        crate::install_tls();
        let (secret_id, secret_key) = credential;
        let mut process = Launch::new(own::build(own::SIM)?, directory.join("sim.log"))
            .args(["cvm", "--listen", "127.0.0.1:0", "--credential", &format!("{secret_id}:{secret_key}")])
            .args(more)
            .own_session(own_session)
            .spawn()?;
        let line = process.wait_for_line(LISTENING, UP_WITHIN).await?;
        let endpoint =
            line.split(LISTENING).nth(1).context("no address after the greeting")?.trim().to_owned();
        let http = reqwest::Client::builder()
            .timeout(ANSWER_WITHIN)
            // Loopback is never behind a proxy.
            .no_proxy()
            .build()
            .context("an HTTP client")?;
        Ok(Self {
            process,
            endpoint,
            secret_id: secret_id.to_owned(),
            secret_key: secret_key.to_owned(),
            http,
        })
    }

    /// Where it answers, as in `http://127.0.0.1:40123`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The key pair that may call.
    #[must_use]
    pub fn credential(&self) -> (&str, &str) {
        (&self.secret_id, &self.secret_key)
    }

    /// Its process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// The machines that exist, and with `past` also those that did, in order of creation.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn machines(&self, past: bool) -> Result<Vec<SimMachine>> {
        let path = if past { "instances?all" } else { "instances" };
        serde_json::from_value(self.get(path).await?).context("reading the stand-in's machines")
    }

    /// What happened after event `since` (0: everything), in order.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn ledger(&self, since: u64) -> Result<Vec<SimEvent>> {
        let mut ledger = self.get(&format!("ledger?since={since}")).await?;
        serde_json::from_value(ledger["events"].take()).context("reading the stand-in's ledger")
    }

    /// How often each action was answered, whatever the answer.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn calls(&self, action: &str) -> Result<u64> {
        let calls = self.get("calls").await?;
        let codes = calls[action].as_object();
        Ok(codes.map_or(0, |codes| codes.values().filter_map(Value::as_u64).sum()))
    }

    /// Places a running machine of somebody else's in the same account; returns its id.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn add_stranger(&self, name: &str) -> Result<String> {
        let placed = self.post("instances", &json!({"name": name})).await?;
        placed["instance_id"].as_str().map(str::to_owned).context("a stranger without an id")
    }

    /// A machine is gone from one moment to the next.
    ///
    /// # Errors
    /// When it does not exist.
    pub async fn vanish(&self, id: &str) -> Result<()> {
        self.post(&format!("instances/{id}/vanish"), &json!({})).await.map(drop)
    }

    /// Adds a fault, in the JSON of `POST /_sim/faults`; returns its number.
    ///
    /// # Errors
    /// When there is no such fault.
    pub async fn add_fault(&self, rule: &Value) -> Result<u64> {
        self.post("faults", rule).await?["id"].as_u64().context("a fault without a number")
    }

    /// `GET /_sim/PATH`.
    ///
    /// # Errors
    /// When it does not answer, or with an error.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.ask(Method::GET, path, None).await
    }

    /// `POST /_sim/PATH`.
    ///
    /// # Errors
    /// When it does not answer, or with an error.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// `DELETE /_sim/PATH`.
    ///
    /// # Errors
    /// When it does not answer, or with an error.
    pub async fn delete(&self, path: &str) -> Result<Value> {
        self.ask(Method::DELETE, path, None).await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let what = format!("{method} /_sim/{path}");
        let mut request = self.http.request(method, format!("{}/_sim/{path}", self.endpoint));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.with_context(|| what.clone())?;
        let status = answer.status();
        let text = answer.text().await.with_context(|| what.clone())?;
        if !status.is_success() {
            bail!("{what}: {status}: {}", text.trim());
        }
        serde_json::from_str(&text).with_context(|| format!("{what}: {text}"))
    }

    /// Lets it live on after this process; returns the process group to end later.
    ///
    /// # Errors
    /// When the watchdog cannot be told.
    pub fn release(self) -> Result<u32> {
        let group = self.process.id();
        self.process.release()?;
        Ok(group)
    }
}
