//! What tests and the demo stand on: a real Kubernetes API server, a real Loki, the cloud's stand-in, the
//! operator.
//!
//! Whatever is started here ends with the value that started it, also when a test panics, and ends with the
//! test process, also when that is killed (see [`watchdog`]). Nothing here sleeps to wait: [`wait`] polls a
//! condition until a deadline and then says what it waited for.

mod canary;
mod certificates;
mod cluster;
mod collector;
mod control_plane;
mod kubeconfig;
mod loki;
mod operator;
mod process;
mod sim;
pub mod wait;
pub mod watchdog;

pub use canary::Canaries;
pub use cluster::{Cluster, OPERATOR_ACCOUNT, OPERATOR_NAMESPACE};
pub use collector::{Collector, SeenSpan};
pub use control_plane::ControlPlane;
pub use loki::Loki;
pub use operator::Operator;
pub use process::{Launch, Process, Signal};
pub use servers::own;
pub use sim::{SimCvm, SimEvent, SimMachine};

/// Makes ring the TLS provider of this process. Without one a client panics when it is built; a second call
/// changes nothing.
pub fn install_tls() {
    // An error only says that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
