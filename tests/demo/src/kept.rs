//! What `--keep` leaves behind and `--stop` ends: processes by number and start time, and a file that a
//! shell can read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::{Deserialize, Serialize};
use testkit::{own, wait};

use crate::guest::Guest;
use crate::stage::{CREDENTIAL, Stage};

/// Calls in flight end first; then it is killed.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// What runs.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// In the order in which they end.
    processes: Vec<Running>,
    guest: Option<Guest>,
}

/// A process group, by its leader.
#[derive(Serialize, Deserialize)]
struct Running {
    name: String,
    pid: u32,
    /// In clock ticks since the machine started: the same number with another start is another process.
    started: u64,
}

impl Running {
    fn new(name: String, pid: u32) -> Result<Self> {
        let started = start_time(pid).with_context(|| format!("{name} has ended"))?;
        Ok(Self { name, pid, started })
    }

    fn is_alive(&self) -> bool {
        start_time(self.pid) == Some(self.started)
    }

    fn pid(&self) -> Result<Pid> {
        i32::try_from(self.pid).ok().and_then(Pid::from_raw).context("a process id out of range")
    }
}

/// When a process started, by the 22nd field of its stat; `None` when there is none, or only its remains.
fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may contain anything; the fields are counted after it.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    (state != "Z").then(|| fields.nth(18)?.parse().ok()).flatten()
}

/// Where everything is. Tests have a place of their own, so as not to end what somebody looks at.
fn directory() -> PathBuf {
    let elsewhere = std::env::var_os("AIOPS_OPERATORS_DEMO").filter(|path| !path.is_empty());
    elsewhere.map_or_else(|| own::target().join("demo"), PathBuf::from)
}

/// Removes what is there of a demo that was not kept after all.
pub(crate) fn clear() -> Result<()> {
    let directory = directory();
    fs::remove_dir_all(&directory).with_context(|| format!("clearing {}", directory.display()))
}

fn state_file() -> PathBuf {
    directory().join("state.json")
}

/// An empty folder for a demo that is kept; one that still runs is ended first.
pub(crate) async fn make_room() -> Result<PathBuf> {
    if state_file().is_file() {
        println!("a demo is still running; it is ended first");
        stop().await?;
    }
    let directory = directory();
    if directory.exists() {
        clear()?;
    }
    fs::create_dir_all(&directory).with_context(|| format!("creating {}", directory.display()))?;
    Ok(directory)
}

/// Lets everything run on, and writes down how to use it and how to end it.
pub(crate) async fn leave(stage: Stage, guest: Option<&Guest>, directory: &Path) -> Result<()> {
    let kubeconfig = stage.cluster.kubeconfig().to_owned();
    let kubectl = stage.cluster.kubectl_path().to_owned();
    let endpoint = stage.sim.endpoint().to_owned();
    let namespace = stage.namespace.clone();
    let guest = guest.cloned();
    let mut processes = Vec::new();
    for (name, pid) in stage.release().await? {
        processes.push(Running::new(name, pid)?);
    }
    let kept = serde_json::to_string_pretty(&Kept { processes, guest }).context("writing the state")?;
    fs::write(state_file(), kept).context("writing the state")?;

    let folder = kubectl.parent().unwrap_or_else(|| Path::new("/"));
    let path = std::env::var("PATH").unwrap_or_default();
    let (secret_id, secret_key) = CREDENTIAL;
    let mut variables = vec![
        ("KUBECONFIG", kubeconfig.to_string_lossy().into_owned()),
        ("PATH", format!("{}:{path}", folder.display())),
        ("CVM_ENDPOINT", endpoint),
        ("CVM_SECRET_ID", secret_id.to_owned()),
        ("CVM_SECRET_KEY", secret_key.to_owned()),
    ];
    if servers::proxy::is_set() {
        // For curl and whatever else reads these: the stand-in is on loopback.
        variables.extend(["NO_PROXY", "no_proxy"].map(|name| (name, servers::proxy::exceptions())));
    }
    let lines = variables.iter().map(|(name, value)| format!("export {name}={}\n", quoted(value)));
    let file = directory.join("env");
    fs::write(&file, lines.collect::<String>()).with_context(|| format!("writing {}", file.display()))?;
    println!(
        "\nEverything runs on, with spotpool-sample Ready in namespace {namespace}. Look around:\n\n\
         \x20 . {}\n\
         \x20 kubectl --namespace {namespace} get spotpools,spotinstances\n\
         \x20 curl $CVM_ENDPOINT/_sim/        # what the stand-in can be told to do\n\
         \x20 cargo xtask demo --stop\n",
        file.strip_prefix(own::root()).unwrap_or(&file).display()
    );
    Ok(())
}

/// A value for a shell, whatever is in it.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// Ends what was kept. Only processes that are still the ones that were started are touched.
pub(crate) async fn stop() -> Result<ExitCode> {
    let Ok(text) = fs::read_to_string(state_file()) else {
        println!("no demo is running");
        return Ok(ExitCode::SUCCESS);
    };
    let kept: Kept = serde_json::from_str(&text).context("reading what a demo left in state.json")?;
    for process in &kept.processes {
        if process.is_alive() {
            end(process).await?;
            println!("{} ended", process.name);
        } else {
            println!("{} had ended before", process.name);
        }
    }
    if let Some(guest) = &kept.guest {
        println!("removing what the demo put into the cluster");
        guest.leave(&guest.cluster(&directory())?)?;
    }
    clear()?;
    Ok(ExitCode::SUCCESS)
}

async fn end(process: &Running) -> Result<()> {
    let gone = async || Ok((!process.is_alive()).then_some(()));
    // Between this look and the signal it may end; then there is nobody to tell.
    let _ = kill_process(process.pid()?, Signal::TERM);
    if wait::until(&process.name, ENDS_WITHIN, gone).await.is_err() && process.is_alive() {
        let _ = kill_process_group(process.pid()?, Signal::KILL);
        wait::until(&process.name, ENDS_WITHIN, gone).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_survives_the_shell() {
        let value = "a b'c\"$HOME";
        let script = format!("printf %s {}", quoted(value));
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), value);
    }

    #[test]
    fn a_number_that_was_given_away_is_another_process() {
        let own = std::process::id();
        let running = Running::new("this test".to_owned(), own).unwrap();
        assert!(running.is_alive());
        assert!(!Running { started: running.started + 1, ..running }.is_alive());
    }
}
