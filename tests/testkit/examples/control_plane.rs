//! A bare Kubernetes API server to try things on: `cargo run -p testkit --example control_plane`.
//!
//! Prints its kubeconfig and runs until it is interrupted; then nothing of it is left.

use anyhow::{Context, Result};
use testkit::ControlPlane;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    testkit::install_tls();
    let control_plane = ControlPlane::start().await?;
    println!("export KUBECONFIG='{}'", control_plane.cluster().kubeconfig().display());
    tokio::signal::ctrl_c().await.context("waiting for an interrupt")
}
