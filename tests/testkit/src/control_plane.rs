//! etcd and kube-apiserver, started for tests.
//!
//! There is no controller-manager and no node: nothing is garbage collected, no namespace ever finishes
//! terminating, and a Deployment makes no Pods. A test that needs such a state writes it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::Api;
use servers::Servers;
use tempfile::TempDir;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::certificates::{Certificates, write_private};
use crate::cluster::{self, Cluster};
use crate::kubeconfig::{self, Endpoint};
use crate::process::{Launch, Process, Signal};
use crate::watchdog;

/// Three seconds on an idle machine; ten times that beside a compiler.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// A port that was free may be taken before the server binds it.
const TRIES: u32 = 3;

static SHARED: OnceCell<ControlPlane> = OnceCell::const_new();

/// A Kubernetes API server of our own, with RBAC on. It ends on drop.
#[derive(Debug)]
pub struct ControlPlane {
    cluster: Cluster,
    // In the order in which they go.
    api_server: Process,
    etcd: Process,
    api_server_launch: Launch,
    etcd_launch: Launch,
    etcd_address: SocketAddr,
    /// Absent when the caller owns the directory.
    _scratch: Option<TempDir>,
}

impl ControlPlane {
    /// The one of this test binary, started by whoever asks first, with the product's CRDs installed. It
    /// ends with the process. Keep tests apart with [`Cluster::namespace`].
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn shared() -> Result<&'static Self> {
        SHARED
            .get_or_try_init(async || {
                let started = Self::start().await?;
                started.cluster.install_crds()?;
                Ok(started)
            })
            .await
    }

    /// Starts one in a temporary directory and waits until it is ready.
    ///
    /// # Errors
    /// When the servers are not built (the message says how), or do not get ready; then the message has the
    /// last lines of their logs.
    pub async fn start() -> Result<Self> {
        let scratch =
            tempfile::Builder::new().prefix("testkit-").tempdir().context("a temporary directory")?;
        watchdog::remove_at_exit(scratch.path())?;
        let mut started = Self::start_in(scratch.path(), false).await?;
        started._scratch = Some(scratch);
        Ok(started)
    }

    /// Starts one in a directory of the caller, which keeps its state and logs. With `own_session` it can
    /// live on after [`Self::release`].
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_in(directory: &Path, own_session: bool) -> Result<Self> {
        let servers = servers::find()?;
        // Private before anything is written to it: there are keys and tokens inside.
        if !directory.is_dir() {
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true).mode(0o700);
            builder.create(directory).with_context(|| format!("creating {}", directory.display()))?;
        }
        let directory = directory.canonicalize().context("the control plane's directory")?;
        let (etcd_launch, etcd, etcd_address) = start_etcd(&servers, &directory, own_session).await?;
        let mut tries = 1;
        let (cluster, api_server_launch, api_server) = loop {
            match start_api_server(&servers, &directory, etcd_address.port(), own_session).await {
                Ok(started) => break started,
                Err(error) if tries < TRIES && format!("{error:#}").contains("address already in use") => {
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        };
        Ok(Self { cluster, api_server, etcd, api_server_launch, etcd_launch, etcd_address, _scratch: None })
    }

    /// Kills etcd and starts it again with what it had written: the API server stays and loses it for a while.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn restart_etcd(&mut self) -> Result<()> {
        self.etcd.signal(Signal::Kill)?;
        self.etcd.wait(READY_WITHIN).await?;
        self.etcd = self.etcd_launch.spawn()?;
        self.etcd.wait_for_port(self.etcd_address, READY_WITHIN).await?;
        ready(&mut self.api_server, self.cluster.kubeconfig()).await
    }

    /// Kills the API server, so that every watch breaks, and starts it again after a while.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn restart_api_server(&mut self, down: Duration) -> Result<()> {
        self.api_server.signal(Signal::Kill)?;
        self.api_server.wait(READY_WITHIN).await?;
        // What is tested is what happens meanwhile.
        tokio::time::sleep(down).await;
        self.api_server = self.api_server_launch.spawn()?;
        ready(&mut self.api_server, self.cluster.kubeconfig()).await
    }

    /// What it serves.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The API server's process, for tests that stall or kill it.
    #[must_use]
    pub fn api_server(&self) -> &Process {
        &self.api_server
    }

    /// Lets it live on after this process; returns the process groups to end later.
    ///
    /// # Errors
    /// When the watchdog cannot be told.
    pub fn release(self) -> Result<[u32; 2]> {
        let groups = [self.api_server.id(), self.etcd.id()];
        self.api_server.release()?;
        self.etcd.release()?;
        Ok(groups)
    }
}

/// Starts etcd on a port of its own and waits until it listens.
async fn start_etcd(
    servers: &Servers,
    directory: &Path,
    own_session: bool,
) -> Result<(Launch, Process, SocketAddr)> {
    let mut tries = 1;
    loop {
        let address = free_address()?;
        let url = format!("http://{address}");
        let launch = Launch::new(&servers.etcd, directory.join("etcd.log"))
            .arg("--data-dir")
            .arg(directory.join("etcd"))
            // Tests do not outlive a power cut, and a sync costs more than everything else together.
            .arg("--unsafe-no-fsync")
            .args(["--listen-client-urls", &url, "--advertise-client-urls", &url])
            .args(["--listen-peer-urls", "http://127.0.0.1:0"])
            .args(["--log-level", "warn"])
            .own_session(own_session);
        let mut etcd = launch.spawn()?;
        match etcd.wait_for_port(address, READY_WITHIN).await {
            Ok(()) => return Ok((launch, etcd, address)),
            Err(error) if tries < TRIES && format!("{error:#}").contains("address already in use") => {
                tries += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Starts kube-apiserver and waits until it is ready.
async fn start_api_server(
    servers: &Servers,
    directory: &Path,
    etcd_port: u16,
    own_session: bool,
) -> Result<(Cluster, Launch, Process)> {
    let address = free_address()?;
    let certificates = Certificates::create(directory)?;
    let authority = directory.join("authority.crt");
    write_private(&authority, &certificates.authority_pem)?;
    let admin_token = Uuid::new_v4().to_string();
    let tokens = directory.join("tokens.csv");
    write_private(&tokens, &format!("{admin_token},admin,admin,\"system:masters\"\n"))?;
    let kubeconfig = directory.join("admin.kubeconfig");
    let server = format!("https://{address}");
    kubeconfig::write(&kubeconfig, &Endpoint::new(&server, &authority), "default", "admin", &admin_token)?;

    let flag = |name: &str, path: &PathBuf| format!("--{name}={}", path.display());
    let launch = Launch::new(&servers.kube_apiserver, directory.join("kube-apiserver.log"))
        .arg(format!("--etcd-servers=http://127.0.0.1:{etcd_port}"))
        .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"])
        .arg(format!("--secure-port={}", address.port()))
        .arg(flag("tls-cert-file", &certificates.server_certificate))
        .arg(flag("tls-private-key-file", &certificates.server_key))
        .arg(flag("token-auth-file", &tokens))
        .arg(flag("service-account-key-file", &certificates.account_public_key))
        .arg(flag("service-account-signing-key-file", &certificates.account_key))
        .arg("--service-account-issuer=https://kubernetes.default.svc")
        .args(["--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24"])
        // Without a controller-manager no namespace gets its default ServiceAccount, nor the `kubernetes`
        // Service an address that a loopback server could announce.
        .args(["--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none"])
        .own_session(own_session);
    let mut api_server = launch.spawn()?;
    ready(&mut api_server, &kubeconfig).await?;
    let cluster = Cluster::new(kubeconfig, servers.kubectl.clone(), directory.to_owned());
    Ok((cluster, launch, api_server))
}

/// Waits until the API server is ready and its own namespaces exist.
async fn ready(api_server: &mut Process, kubeconfig: &Path) -> Result<()> {
    let client = cluster::client(kubeconfig).await?;
    api_server
        .wait_for("a ready API server", READY_WITHIN, async |_: &Process| {
            // Asked from scratch each time: a refused connection is not worth a retry with back-off.
            let ready = http_get("/readyz")?;
            client.request_text(ready).await.ok()?;
            // The operator's default cluster id is the uid of this namespace.
            Api::<Namespace>::all(client.clone()).get("kube-system").await.ok()
        })
        .await
        .map(|_| ())
}

fn http_get(path: &str) -> Option<http::Request<Vec<u8>>> {
    http::Request::get(path).body(Vec::new()).ok()
}

/// A loopback address that nobody listens on at this moment.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("looking for a free port")?;
    listener.local_addr().context("looking for a free port")
}
