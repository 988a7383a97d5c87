//! One test's world: a namespace, a cloud of its own, and the shipped operator under the shipped role.
//!
//! At its end nothing that the operator wrote may show the secret half of a key, or a token: not its log, not
//! an object or an Event, not a span, not its metrics.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use spotpool_operator::crd::{GROUP, SpotInstance, SpotPool};
use tempfile::TempDir;
use testkit::{
    Canaries, Cluster, Collector, ControlPlane, OPERATOR_NAMESPACE, Operator, SimCvm, SimMachine, wait,
};

use crate::{Manifest, People};

/// The key that a test's cloud knows.
pub const SECRET_ID: &str = "AKIDFAKE0001";
/// Its secret half: so rare a word that where it shows, it was leaked.
pub const SECRET_KEY: &str = "canarySecretKeyOfTheTestsEXAMPLE0001";

/// Long enough for a machine to be asked for, to boot and to load beside a compiler.
pub const FILLED_WITHIN: Duration = Duration::from_secs(60);
/// Long enough for anything that takes no machine's boot.
pub const SOON: Duration = Duration::from_secs(30);

/// All that our own code has to say. What the libraries below it say is read in the test about secrets.
const LOG_FILTER: &str = "info,spotpool_operator=trace,tencent_cvm=trace,runtime=trace";
/// So often operators send their spans unless a test says otherwise: it may end at any moment.
const SPANS_EVERY_MILLIS: &str = "200";
/// So many lines of a log explain a failure.
const LAST_WORDS: usize = 40;
/// A page of metrics takes no time but that of a busy machine.
const PAGE_WITHIN: Duration = Duration::from_secs(30);
/// A shorter word might be found by chance.
const SHORTEST_SECRET: usize = 12;
/// What an operator writes besides its own kinds, and what it could.
const KINDS: &str = "events,leases,configmaps,secrets,services,pods";

/// What happens in one test.
pub struct World {
    /// The people and their namespace.
    pub people: People,
    /// The cloud.
    pub cloud: SimCvm,
    /// The operator, while it runs.
    pub operator: Option<Operator>,
    /// What operators that are started from now on write into their logs, as in RUST_LOG.
    pub log_filter: &'static str,
    /// How often they send their spans.
    pub spans_every_millis: &'static str,
    /// Where their spans go.
    pub collector: Collector,
    /// Every secret that was ever written in this world.
    planted: Mutex<Vec<String>>,
    /// What /metrics of the operators said last that are not there any more.
    pages: Vec<String>,
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
        Ok(Self {
            people,
            cloud,
            operator: None,
            log_filter: LOG_FILTER,
            spans_every_millis: SPANS_EVERY_MILLIS,
            collector: Collector::start()?,
            planted: Mutex::new(vec![SECRET_KEY.to_owned()]),
            pages: Vec::new(),
            directory,
            kubeconfig,
            elects,
        })
    }

    /// Starts an operator in the place of the last one.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_operator(&mut self, more: &[&str]) -> Result<()> {
        self.keep_metrics()?;
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
        let traces = format!("--otlp-endpoint={}", self.collector.endpoint());
        if !more.iter().any(|argument| argument.starts_with("--otlp-endpoint")) {
            arguments.push(&traces);
        }
        arguments.extend(more);
        let environment =
            [("RUST_LOG", self.log_filter), ("OTEL_BSP_SCHEDULE_DELAY", self.spans_every_millis)];
        let endpoint = self.cloud.endpoint();
        Operator::start_in(&self.kubeconfig, endpoint, &log, &arguments, &environment, false).await
    }

    /// Where logs are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A secret that a test writes somewhere: nothing may show it, which is looked for at the end as for the key of
    /// this world. Gives it back, so that it can be planted where it is written.
    ///
    /// # Panics
    /// When it is so short that it might be found by chance.
    pub fn plant<'a>(&self, secret: &'a str) -> &'a str {
        assert!(secret.len() >= SHORTEST_SECRET, "a secret of {} characters", secret.len());
        self.planted.lock().unwrap_or_else(PoisonError::into_inner).push(secret.to_owned());
        secret
    }

    /// One more key of an account of this world's cloud, such as its own `main`; its secrets are planted.
    ///
    /// # Errors
    /// When the cloud does not answer, or has no such account.
    pub async fn add_key(&self, account: &str, id: &str, key: &str, token: Option<&str>) -> Result<()> {
        let (key, token) = (self.plant(key), token.map(|token| self.plant(token)));
        let credential = json!({"account": account, "secret_id": id, "secret_key": key, "token": token});
        self.cloud.post("credentials", &credential).await.map(drop)
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

    /// The last lines of the operator's log that are meant for people.
    #[must_use]
    pub fn last_words(&self) -> String {
        let log = self.operator.as_ref().map(|operator| operator.process.log()).unwrap_or_default();
        let for_people =
            |line: &&str| [" INFO ", " WARN ", " ERROR "].iter().any(|level| line.contains(level));
        let mut words: Vec<_> = log.lines().rev().filter(for_people).take(LAST_WORDS).collect();
        words.reverse();
        format!("the operator said last:\n{}", words.join("\n"))
    }

    /// That nothing which came about in this world shows a secret.
    ///
    /// # Errors
    /// When something does, or something cannot be looked at.
    fn keeps_its_secrets(&self) -> Result<()> {
        let planted = self.planted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let canaries = Canaries::planted(&planted.iter().map(String::as_str).collect::<Vec<_>>());
        for entry in fs::read_dir(self.directory.path()).context("listing the logs")? {
            let path = entry.context("listing the logs")?.path();
            // The stand-in knows the key and prints what it accepts.
            if path.extension().is_some_and(|kind| kind == "log") && !path.ends_with("sim.log") {
                let log = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
                let name = path.display().to_string();
                canaries.absent_from([(name.as_str(), String::from_utf8_lossy(&log).as_ref())])?;
            }
        }
        let spans = format!("{:?}", self.collector.spans()?);
        canaries.absent_from([("the traces", spans.as_str())])?;
        canaries.absent_from(self.pages.iter().map(|page| ("/metrics", page.as_str())))?;
        let cluster = &self.people.cluster;
        // A test may have taken them away.
        let own = ["api-resources", "--api-group", GROUP, "--output=name", "--cached=false"];
        let own = cluster.kubectl_stdout(own)?;
        let kinds = own.lines().chain([KINDS]).collect::<Vec<_>>().join(",");
        for namespace in [self.people.namespace.as_str(), OPERATOR_NAMESPACE] {
            let objects = ["--namespace", namespace, "get", &kinds, "--output=json"];
            let objects = cluster.kubectl_stdout(objects)?;
            let list = serde_json::from_str(&objects).context("reading what kubectl printed")?;
            canaries.absent_from_objects(&list)?;
        }
        Ok(())
    }

    /// Reads the operator's metrics before it goes.
    fn keep_metrics(&mut self) -> Result<()> {
        if let Some(operator) = &self.operator
            && let Some(page) = metrics(operator.address()).context("reading /metrics")?
        {
            self.pages.push(page);
        }
        Ok(())
    }
}

/// An operator's metrics; nothing when it has ended. Blocking: a drop cannot wait in another way.
fn metrics(address: SocketAddr) -> Result<Option<String>> {
    let Ok(mut connection) = TcpStream::connect_timeout(&address, PAGE_WITHIN) else { return Ok(None) };
    connection.set_read_timeout(Some(PAGE_WITHIN))?;
    connection.write_all(format!("GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes())?;
    let mut page = String::new();
    connection.read_to_string(&mut page)?;
    anyhow::ensure!(page.contains("spotpool_"), "no metrics in {page:?}");
    Ok(Some(page))
}

impl Drop for World {
    /// Looks for the secrets at the end of every test, so that none can forget it.
    #[expect(clippy::panic, reason = "a drop can fail a test in no other way")]
    fn drop(&mut self) {
        let kept = if std::thread::panicking() { Ok(()) } else { self.keep_metrics() };
        // What it still wants to say it says before the look.
        self.operator = None;
        if std::thread::panicking() {
            return;
        }
        if let Err(error) = kept.and_then(|()| self.keeps_its_secrets()) {
            panic!("{error:#}");
        }
    }
}

/// The phase as `kubectl get si` shows it.
#[must_use]
pub fn phase(instance: &SpotInstance) -> String {
    instance.status.as_ref().map(|status| format!("{:?}", status.phase)).unwrap_or_default()
}
