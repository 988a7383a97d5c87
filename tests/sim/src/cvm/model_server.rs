//! The model server on each machine: as much of ollama as a probe sees.

use std::net::Ipv4Addr;

use bytes::Bytes;
use jiff::Timestamp;

use super::cloud::Cloud;
use super::machine::ModelServer;

/// Where ollama listens.
pub const MODEL_SERVER_PORT: u16 = 11434;

/// What a GET at a machine's address meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeAnswer {
    /// No machine has this address, or it is not up: packets go nowhere.
    Unreachable,
    /// The machine is up and nothing listens on the port.
    Refused,
    /// The connection is taken and nothing is ever answered.
    Silence,
    /// An answer.
    Answer {
        /// HTTP status.
        status: u16,
        /// JSON, or ollama's plain greeting.
        body: Bytes,
    },
}

const TAGS: &str = r#"{"models":[{"name":"qwen2.5:7b","model":"qwen2.5:7b","modified_at":"2026-01-07T09:12:31.000000000Z","size":4683087332,"digest":"845dbda0ea48ed749caafd9e6037047aa19acfcfd82e704d7ca97d631a0b697e","details":{"parent_model":"","format":"gguf","family":"qwen2","families":["qwen2"],"parameter_size":"7.6B","quantization_level":"Q4_K_M"}}]}"#;

impl Cloud {
    /// A GET of `path` at an address and port, as it goes at `now`.
    pub fn probe(&mut self, now: Timestamp, ip: Ipv4Addr, port: u16, path: &str) -> ProbeAnswer {
        self.advance(now);
        let Some(machine) = self.machine_at(ip).filter(|machine| machine.state.is_up()) else {
            return ProbeAnswer::Unreachable;
        };
        if port != MODEL_SERVER_PORT || !machine.listens(self.now) {
            return ProbeAnswer::Refused;
        }
        let answer = |status, body: &'static str| ProbeAnswer::Answer {
            status,
            body: Bytes::from_static(body.as_bytes()),
        };
        match (machine.model_server, path) {
            (ModelServer::Hang, _) => ProbeAnswer::Silence,
            (ModelServer::Die, _) => ProbeAnswer::Refused,
            (ModelServer::Fail, _) => answer(500, r#"{"error":"model runner has unexpectedly stopped"}"#),
            (ModelServer::Ok, "/api/tags") => answer(200, TAGS),
            (ModelServer::Ok, "/api/version") => answer(200, r#"{"version":"0.6.8"}"#),
            (ModelServer::Ok, "/") => answer(200, "Ollama is running"),
            (ModelServer::Ok, _) => answer(404, "404 page not found"),
        }
    }

    /// The addresses at which a model server takes connections at `now`, in order.
    pub fn listening(&mut self, now: Timestamp) -> Vec<Ipv4Addr> {
        self.advance(now);
        let listens = |seq: &u64| self.machines.get(seq).is_some_and(|machine| machine.listens(self.now));
        self.by_address.iter().filter(|(_, seq)| listens(seq)).map(|(&ip, _)| ip).collect()
    }

    /// When the next model server will have loaded.
    pub fn next_ready(&self) -> Option<Timestamp> {
        self.machines.values().filter_map(|machine| machine.ready_at).filter(|&at| at > self.now).min()
    }
}
