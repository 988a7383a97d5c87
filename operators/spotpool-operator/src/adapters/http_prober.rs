//! [`Prober`] over HTTP: one GET on a connection of its own, 2xx is well.

use async_trait::async_trait;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use std::net::IpAddr;

use crate::ports::{ProbeFailure, ProbeTarget, Prober};

/// Asks model servers over HTTP.
#[derive(Debug, Clone)]
pub struct HttpProber {
    client: Client,
}

impl HttpProber {
    /// A prober.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            // A kept connection would find a dead machine's address alive for as long as the old
            // connection lasts, or fail the first probe after an idle time.
            .pool_max_idle_per_host(0)
            // The answer must come from the machine itself, through no proxy and from nowhere else.
            .no_proxy()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .http1_only()
            .user_agent(concat!("spotpool-operator/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client })
    }
}

#[async_trait]
impl Prober for HttpProber {
    async fn probe(&self, target: &ProbeTarget) -> Result<(), ProbeFailure> {
        let url = url(target)?;
        let answer = self.client.get(url).timeout(target.timeout).send().await;
        let status = answer.map_err(|error| failure(&error))?.status();
        if status.is_success() { Ok(()) } else { Err(refused(status)) }
    }
}

fn url(target: &ProbeTarget) -> Result<String, ProbeFailure> {
    let (port, path) = (target.port, &target.path);
    match target.address.parse() {
        Ok(IpAddr::V4(address)) => Ok(format!("http://{address}:{port}{path}")),
        Ok(IpAddr::V6(address)) => Ok(format!("http://[{address}]:{port}{path}")),
        Err(_) => Err(ProbeFailure("no usable address".to_owned())),
    }
}

/// A few words that stay the same while the failure does: they end up in a status, and a status that
/// changes with every probe would be written with every probe.
fn failure(error: &reqwest::Error) -> ProbeFailure {
    let words = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "connection refused or failed"
    } else {
        "connection broken"
    };
    ProbeFailure(words.to_owned())
}

fn refused(status: StatusCode) -> ProbeFailure {
    ProbeFailure(format!("answered {status}"))
}
