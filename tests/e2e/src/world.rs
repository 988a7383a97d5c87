//! One test's world: a namespace, a cloud of its own, and the shipped operator under the shipped role.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use spotpool_operator::crd::{SpotInstance, SpotPool};
use tempfile::TempDir;
use testkit::{Cluster, ControlPlane, Operator, SimCvm, SimMachine, wait};

use crate::{Manifest, People};

/// The key that a test's cloud knows.
pub const SECRET_ID: &str = "AKIDFAKE0001";
/// Its secret half.
pub const SECRET_KEY: &str = "fakeSecretKey0001";

/// Long enough for a machine to be asked for, to boot and to load beside a compiler.
pub const FILLED_WITHIN: Duration = Duration::from_secs(60);
/// Long enough for anything that takes no machine's boot.
pub const SOON: Duration = Duration::from_secs(30);

/// What happens in one test.
pub struct World {
    /// The people and their namespace.
    pub people: People,
    /// The cloud.
    pub cloud: SimCvm,
    /// The operator, while it runs.
    pub operator: Option<Operator>,
    directory: TempDir,
    kubeconfig: std::path::PathBuf,
    elects: bool,
}

impl World {
    /// A cloud and an operator for a namespace of the shared API server. The operator sees no other
    /// namespace and needs no Lease, so that tests do not get into each other's way.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn begin(prefix: &str) -> Result<Self> {
        Self::begin_with(prefix, &[], &[]).await
    }

    /// As [`Self::begin`], with further arguments of the cloud and of the operator.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn begin_with(prefix: &str, cloud: &[&str], operator: &[&str]) -> Result<Self> {
        let mut world = Self::prepare(ControlPlane::shared().await?.cluster(), prefix, cloud, false).await?;
        world.start_operator(operator).await?;
        Ok(world)
    }

    /// A cloud and a namespace without an operator; those that are started later hold the Lease if `elects`.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn prepare(cluster: &Cluster, prefix: &str, cloud: &[&str], elects: bool) -> Result<Self> {
        let people = People::arrive(cluster, prefix).await?;
        let kubeconfig = cluster.install_operator_role().await?;
        let directory = TempDir::with_prefix("e2e-").context("a temporary directory")?;
        testkit::watchdog::remove_at_exit(directory.path())?;
        let cloud = SimCvm::start(directory.path(), (SECRET_ID, SECRET_KEY), cloud).await?;
        Ok(Self { people, cloud, operator: None, directory, kubeconfig, elects })
    }

    /// Starts an operator in the place of the last one.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_operator(&mut self, more: &[&str]) -> Result<()> {
        self.operator = None;
        self.operator = Some(self.further_operator("operator", more).await?);
        Ok(())
    }

    /// Starts an operator beside the others.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn further_operator(&self, name: &str, more: &[&str]) -> Result<Operator> {
        let log = self.directory.path().join(format!("{name}.log"));
        let elects = format!("--leader-elect={}", self.elects);
        // The cloud of these tests shows new machines at once unless a test says otherwise; with the default
        // window every machine would take a minute more to be proven gone.
        let window = "--visibility-window=1s";
        let namespace = &self.people.namespace;
        let mut arguments = vec!["--namespace", namespace, &elects, "--log-format=text"];
        if !more.iter().any(|argument| argument.starts_with("--visibility-window")) {
            arguments.push(window);
        }
        arguments.extend(more);
        Operator::start(&self.kubeconfig, self.cloud.endpoint(), &log, &arguments).await
    }

    /// Where logs are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The sample pool under another name and size, with the key of this world's cloud.
    ///
    /// # Errors
    /// When the sample cannot be read.
    pub fn manifest(&self, name: &str, minimum: i32, maximum: i32) -> Result<Manifest> {
        Ok(Manifest::pool(name)?
            .with("spec.secretId", SECRET_ID)
            .with("spec.secretKey", SECRET_KEY)
            .with("spec.minimum", minimum)
            .with("spec.maximum", maximum)
            .with("spec.health.interval", "1s"))
    }

    /// Creates such a pool and waits until its machines serve.
    ///
    /// # Errors
    /// When they do not.
    pub async fn filled(&self, name: &str, minimum: i32, maximum: i32) -> Result<SpotPool> {
        self.people.create::<SpotPool>(&self.manifest(name, minimum, maximum)?).await?;
        self.ready(name).await
    }

    /// Waits until the pool is Ready at its present generation.
    ///
    /// # Errors
    /// When it does not get ready; the message has the operator's last words.
    pub async fn ready(&self, name: &str) -> Result<SpotPool> {
        let mut last = None;
        let waited = wait::until(&format!("pool {name} to be Ready"), FILLED_WITHIN, async || {
            let pool = self.people.pool(name).await?;
            last.clone_from(&pool.status);
            let status = pool.status.clone().unwrap_or_default();
            let ready = status.conditions.iter().any(|condition| {
                condition.type_ == "Ready"
                    && condition.status == "True"
                    && condition.observed_generation == pool.metadata.generation
            });
            Ok(ready.then_some(pool))
        })
        .await;
        waited.with_context(|| format!("its status was {last:#?}\n{}", self.last_words()))
    }

    /// Waits until the operator has acted on the pool's present generation.
    ///
    /// # Errors
    /// When it does not; the message has the operator's last words.
    pub async fn observed(&self, name: &str) -> Result<()> {
        self.until(&format!("pool {name} to be observed"), SOON, async || {
            let pool = self.people.pool(name).await?;
            let observed = pool.status.unwrap_or_default().observed_generation;
            Ok((observed == pool.metadata.generation).then_some(()))
        })
        .await
    }

    /// Waits for a condition that the operator brings about.
    ///
    /// # Errors
    /// After `within`; the message has the operator's last words.
    pub async fn until<T, F>(&self, what: &str, within: Duration, ask: F) -> Result<T>
    where
        F: AsyncFnMut() -> Result<Option<T>>,
    {
        wait::until(what, within, ask).await.with_context(|| self.last_words())
    }

    /// Waits until the pool's SpotInstances are exactly so many, all Ready, and the cloud has their
    /// machines and no others of ours.
    ///
    /// # Errors
    /// When it does not come to that.
    pub async fn settled(&self, size: usize) -> Result<Vec<SpotInstance>> {
        self.until(&format!("{size} Ready machines and no others"), FILLED_WITHIN, async || {
            let instances = self.people.instances().await?;
            let serving = instances.iter().filter(|instance| phase(instance) == "Ready").count();
            let machines = self.ours().await?;
            Ok((instances.len() == size && serving == size && machines.len() == size).then_some(instances))
        })
        .await
    }

    /// The machines that exist and were made by a call.
    ///
    /// # Errors
    /// When the cloud does not answer.
    pub async fn ours(&self) -> Result<Vec<SimMachine>> {
        let machines = self.cloud.machines(false).await?;
        Ok(machines.into_iter().filter(|machine| !machine.foreign).collect())
    }

    /// How many machines were ever made by a call.
    ///
    /// # Errors
    /// When the cloud does not answer.
    pub async fn ever_made(&self) -> Result<usize> {
        let machines = self.cloud.machines(true).await?;
        Ok(machines.into_iter().filter(|machine| !machine.foreign).count())
    }

    /// How many looks at the cloud the operator has finished, by its own count.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn sweeps(&self) -> Result<u64> {
        let address = self.operator.as_ref().context("no operator runs")?.address();
        let http = reqwest::Client::builder().no_proxy().build().context("an HTTP client")?;
        let text = http.get(format!("http://{address}/metrics")).send().await?.text().await?;
        let samples = text.lines().filter(|line| line.starts_with("spotpool_sweeps_total{"));
        Ok(samples.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum())
    }

    /// Waits until the operator has looked at the cloud so many times more: whatever it had to do about what
    /// it saw has had its chance.
    ///
    /// # Errors
    /// When it does not look.
    pub async fn sweeps_later(&self, more: u64) -> Result<()> {
        let until = self.sweeps().await? + more;
        let what = format!("{more} more looks at the cloud");
        self.until(&what, FILLED_WITHIN, async || Ok((self.sweeps().await? >= until).then_some(()))).await
    }

    /// The last lines of the operator's log.
    #[must_use]
    pub fn last_words(&self) -> String {
        let words = self.operator.as_ref().map(|operator| operator.process.tail()).unwrap_or_default();
        format!("the operator said last:\n{words}")
    }
}

/// The phase as `kubectl get si` shows it.
#[must_use]
pub fn phase(instance: &SpotInstance) -> String {
    instance.status.as_ref().map(|status| format!("{:?}", status.phase)).unwrap_or_default()
}
