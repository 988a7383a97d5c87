//! [`Prober`] over HTTP: one GET on a connection of its own, 2xx is well.

use async_trait::async_trait;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use std::net::IpAddr;

use crate::ports::{ProbeFailure, ProbeTarget, Prober};

/// So much of an answer proves that the server serves.
const ENOUGH: usize = 64 * 1024;

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
        let request = self.client.get(url).timeout(target.timeout);
        let mut answer = request.send().await.map_err(|error| failure(&error))?;
        if !answer.status().is_success() {
            return Err(refused(answer.status()));
        }
        // A server that hangs after its head does not serve; the timeout covers this too.
        let mut read = 0;
        while let Some(chunk) = answer.chunk().await.map_err(|error| failure(&error))? {
            read += chunk.len();
            if read >= ENOUGH {
                break;
            }
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// A model server that answers every connection with these bytes, and then hangs or closes.
    async fn server(answer: &'static str, hangs: bool) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let mut hung = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 1024];
                let read = stream.read(&mut request).await.unwrap();
                assert!(request[..read].starts_with(b"GET /api/tags HTTP/1.1\r\n"));
                stream.write_all(answer.as_bytes()).await.unwrap();
                if hangs {
                    hung.push(stream);
                }
            }
        });
        port
    }

    async fn probe(port: u16) -> Result<(), String> {
        // An error only says that there is a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let target = ProbeTarget {
            address: "127.0.0.1".to_owned(),
            port,
            path: "/api/tags".to_owned(),
            timeout: Duration::from_millis(300),
        };
        HttpProber::new().unwrap().probe(&target).await.map_err(|failure| failure.0)
    }

    #[tokio::test]
    async fn any_2xx_with_its_whole_body_is_well() {
        let port = server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", false).await;
        assert_eq!(probe(port).await, Ok(()));
        let port = server("HTTP/1.1 204 No Content\r\n\r\n", false).await;
        assert_eq!(probe(port).await, Ok(()));
    }

    #[tokio::test]
    async fn any_other_answer_is_named_and_no_redirect_is_followed() {
        let port = server("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", false).await;
        assert_eq!(probe(port).await, Err("answered 503 Service Unavailable".to_owned()));
        let away = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(probe(server(away, false).await).await, Err("answered 302 Found".to_owned()));
    }

    #[tokio::test]
    async fn a_server_that_hangs_anywhere_gives_no_answer_in_time() {
        for said in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}"] {
            let begun = Instant::now();
            assert_eq!(
                probe(server(said, true).await).await,
                Err("no answer in time".to_owned()),
                "{said:?}"
            );
            assert!(begun.elapsed() < Duration::from_secs(3));
        }
    }

    #[tokio::test]
    async fn a_dead_machine_and_a_cut_answer_are_failures_in_steady_words() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        assert_eq!(probe(free).await, Err("connection refused or failed".to_owned()));
        let cut = server("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}", false).await;
        assert_eq!(probe(cut).await, Err("connection broken".to_owned()));
    }

    #[test]
    fn an_address_is_an_ip_address_and_nothing_else() {
        let target = |address: &str| ProbeTarget {
            address: address.to_owned(),
            port: 11434,
            path: "/api/tags".to_owned(),
            timeout: Duration::from_secs(1),
        };
        assert_eq!(url(&target("10.0.0.7")).unwrap(), "http://10.0.0.7:11434/api/tags");
        assert_eq!(url(&target("fd00::7")).unwrap(), "http://[fd00::7]:11434/api/tags");
        for no_address in ["", "model.example.com", "10.0.0.7:80", "10.0.0.7/evil?"] {
            assert!(url(&target(no_address)).is_err(), "{no_address}");
        }
    }
}
