//! Lists every instance of an account in one region.
//!
//! ```sh
//! export TENCENTCLOUD_SECRET_ID=… TENCENTCLOUD_SECRET_KEY=… TENCENTCLOUD_REGION=ap-singapore
//! cargo run -p tencent-cvm --example list_instances
//! ```
//! `TENCENTCLOUD_TOKEN` is the session token of temporary keys. `CVM_ENDPOINT` sends the requests elsewhere, such as
//! `http://127.0.0.1:8080`.

use std::env;
use std::error::Error;
use std::process::ExitCode;

use tencent_cvm::{Credentials, Cvm, HttpCvm, Instance};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match list().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("list_instances: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprint!(": {error}");
                cause = error.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}

async fn list() -> Result<(), Box<dyn Error>> {
    // The TLS provider is the program's choice; the library only uses it.
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "a TLS provider is installed already")?;

    let mut credentials =
        Credentials::new(required("TENCENTCLOUD_SECRET_ID")?, required("TENCENTCLOUD_SECRET_KEY")?);
    if let Ok(token) = env::var("TENCENTCLOUD_TOKEN") {
        credentials = credentials.with_token(token);
    }
    let mut builder = HttpCvm::builder(credentials, required("TENCENTCLOUD_REGION")?);
    if let Ok(endpoint) = env::var("CVM_ENDPOINT") {
        builder = builder.endpoint(endpoint.parse()?);
    }
    let listing = builder.build()?.describe_instances(&[]).await?;

    println!(
        "{:<14} {:<30} {:<13} {:<20} {:<18} {:<16} CHARGE TYPE",
        "ID", "NAME", "STATE", "TYPE", "ZONE", "IP"
    );
    for instance in &listing.instances {
        println!("{}", row(instance));
    }
    println!("{} instances, {} requests", listing.instances.len(), listing.calls);
    Ok(())
}

fn row(instance: &Instance) -> String {
    let ip = instance.public_ips.first().or(instance.private_ips.first());
    format!(
        "{:<14} {:<30} {:<13} {:<20} {:<18} {:<16} {}",
        instance.id.as_str(),
        instance.name,
        instance.state.as_ref().map_or("-", |state| state.as_str()),
        instance.instance_type.as_deref().unwrap_or("-"),
        instance.zone.as_deref().unwrap_or("-"),
        ip.map_or("-", String::as_str),
        instance.charge_type.as_deref().unwrap_or("-"),
    )
}

fn required(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("set {name}"))
}
