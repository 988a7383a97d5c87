//! A Kubernetes cluster as its users see it: clients, kubectl, namespaces, identities.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{Api, ObjectMeta, PostParams};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use servers::own;

use crate::kubeconfig::{self, Endpoint};

/// The namespace that deploy/ gives to the operator.
pub const OPERATOR_NAMESPACE: &str = "spotpool-system";
/// The ServiceAccount that deploy/ gives to the operator; the operator's Lease has the same name.
pub const OPERATOR_ACCOUNT: &str = "spotpool-operator";
/// Longer than any test or look around, short enough to be harmless when it leaks.
const TOKEN_SECONDS: i64 = 24 * 3600;

/// A cluster that one may administer.
#[derive(Debug, Clone)]
pub struct Cluster {
    kubeconfig: PathBuf,
    kubectl: PathBuf,
    /// Where kubeconfigs of further identities are written.
    directory: PathBuf,
}

/// Numbers the kubeconfigs that are written.
static TURN: AtomicU64 = AtomicU64::new(0);

impl Cluster {
    /// The cluster of the current context of `kubeconfig`. Further files go to `directory`.
    #[must_use]
    pub fn new(kubeconfig: PathBuf, kubectl: PathBuf, directory: PathBuf) -> Self {
        Self { kubeconfig, kubectl, directory }
    }

    /// The administrator's kubeconfig.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The kubectl that fits this cluster.
    #[must_use]
    pub fn kubectl_path(&self) -> &Path {
        &self.kubectl
    }

    /// A client with the administrator's rights. It lives in the current runtime: make one per test.
    ///
    /// # Errors
    /// When the kubeconfig cannot be read.
    pub async fn client(&self) -> Result<kube::Client> {
        client(&self.kubeconfig).await
    }

    /// Runs kubectl as administrator.
    ///
    /// # Errors
    /// When it cannot be started. Its own failure is in the output.
    pub fn kubectl<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Result<Output> {
        self.kubectl_as(&self.kubeconfig, arguments)
    }

    /// Runs kubectl under another kubeconfig.
    ///
    /// # Errors
    /// When it cannot be started. Its own failure is in the output.
    pub fn kubectl_as<A: AsRef<OsStr>>(
        &self,
        kubeconfig: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Output> {
        Command::new(&self.kubectl)
            .args(arguments)
            .env("KUBECONFIG", kubeconfig)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("running {}", self.kubectl.display()))
    }

    /// Runs kubectl as administrator and returns what it printed.
    ///
    /// # Errors
    /// When it fails; the message is kubectl's own.
    pub fn kubectl_stdout<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Result<String> {
        let arguments: Vec<_> = arguments.into_iter().map(|word| word.as_ref().to_owned()).collect();
        let output = self.kubectl(&arguments)?;
        if !output.status.success() {
            let shown = arguments.join(OsStr::new(" "));
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("kubectl {} failed: {}", shown.to_string_lossy(), said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Makes a namespace of its own for one test: `prefix`, a dash and something random.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn namespace(&self, prefix: &str) -> Result<String> {
        let metadata = ObjectMeta { generate_name: Some(format!("{prefix}-")), ..ObjectMeta::default() };
        let namespace = Namespace { metadata, ..Namespace::default() };
        let api = Api::<Namespace>::all(self.client().await?);
        let made = api.create(&PostParams::default(), &namespace).await.context("creating a namespace")?;
        made.metadata.name.context("a namespace without a name")
    }

    /// Applies the product's CRDs from deploy/crds and waits until they are served.
    ///
    /// # Errors
    /// When the API server refuses one of them.
    pub fn install_crds(&self) -> Result<()> {
        let crds = own::root().join("deploy/crds");
        let crds = crds.to_string_lossy();
        self.kubectl_stdout(["apply", "--server-side", "--force-conflicts", "--filename", &crds])?;
        self.kubectl_stdout(["wait", "--for=condition=Established", "--timeout=30s", "--filename", &crds])?;
        Ok(())
    }

    /// Applies deploy/rbac and returns a kubeconfig of the operator's ServiceAccount: what runs under it has
    /// the rights that the operator has in production, and no others.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn install_operator_role(&self) -> Result<PathBuf> {
        let rbac = own::root().join("deploy/rbac");
        let rbac = rbac.to_string_lossy();
        self.kubectl_stdout(["apply", "--server-side", "--force-conflicts", "--filename", &rbac])?;
        self.service_account(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT).await
    }

    /// Makes a ServiceAccount if there is none, and a kubeconfig with a token of it.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn service_account(&self, namespace: &str, name: &str) -> Result<PathBuf> {
        let accounts = Api::<ServiceAccount>::namespaced(self.client().await?, namespace);
        let account = ServiceAccount {
            metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
            ..ServiceAccount::default()
        };
        existing_or(accounts.create(&PostParams::default(), &account).await)
            .with_context(|| format!("creating ServiceAccount {namespace}/{name}"))?;
        let request = TokenRequest {
            spec: TokenRequestSpec { expiration_seconds: Some(TOKEN_SECONDS), ..TokenRequestSpec::default() },
            ..TokenRequest::default()
        };
        let answer = accounts
            .create_token_request(name, &PostParams::default(), &request)
            .await
            .with_context(|| format!("asking for a token of {namespace}/{name}"))?;
        let token = answer.status.context("a token request without a status")?.token;
        // A file per call: several tests may ask for the same identity at once.
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        let path = self.directory.join(format!("{namespace}.{name}.{turn}.kubeconfig"));
        kubeconfig::write(&path, &Endpoint::of(&self.kubeconfig)?, namespace, name, &token)?;
        Ok(path)
    }
}

/// A client under any kubeconfig, in the current runtime.
///
/// # Errors
/// When the kubeconfig cannot be read.
pub(crate) async fn client(kubeconfig: &Path) -> Result<kube::Client> {
    crate::install_tls();
    let what = || format!("reading {}", kubeconfig.display());
    let file = Kubeconfig::read_from(kubeconfig).with_context(what)?;
    let behind_a_proxy =
        file.clusters.iter().flat_map(|named| &named.cluster).any(|cluster| cluster.proxy_url.is_some());
    let mut config =
        Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.with_context(what)?;
    if !behind_a_proxy {
        // kube takes that of HTTPS_PROXY, also for loopback, and cannot use it as it is built here.
        config.proxy_url = None;
    }
    kube::Client::try_from(config).with_context(what)
}

/// Something that is there already is as good as new.
fn existing_or<T>(made: kube::Result<T>) -> kube::Result<()> {
    match made {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
        Err(error) => Err(error),
    }
}
