//! Builds the programs of each module with Go, one after the other, and says how far it is.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cache;
use crate::modules::{GO_FLAGS, Module, Program};

/// How often a long build says that it is alive.
const PULSE: Duration = Duration::from_secs(20);
/// How many of the compiler's last lines a failure shows.
const TAIL: usize = 30;

/// Builds those that the cache lacks.
pub(crate) fn missing(modules: &[Module], say: &mut dyn FnMut(&str)) -> Result<()> {
    let cache = cache::directory()?;
    if !go_is_there() {
        let programs = modules.iter().flat_map(|module| module.programs);
        bail!(without_go(&programs.map(|program| program.name).collect::<Vec<_>>()));
    }
    let _lock = cache::lock(&cache, say)?;
    for module in modules {
        // Looked at under the lock: the run that we waited for may have built it.
        if cache::entry(&cache, module)?.is_some() {
            continue;
        }
        let staging = cache::staging(&cache, module)?;
        for program in module.programs {
            build(module, program, &staging, say)?;
        }
        let entry = cache::publish(&cache, module, &staging)?;
        say(&format!("kept in {}", entry.display()));
    }
    Ok(())
}

/// What to say when there is no Go and these programs are not there.
pub(crate) fn without_go(missing: &[&str]) -> String {
    let mut said = format!(
        "{} must be built once with Go, which is not on PATH: install Go 1.26 or later (https://go.dev/dl)",
        missing.join(", ")
    );
    if missing.contains(&"kube-apiserver") {
        said.push_str(", or set KUBEBUILDER_ASSETS to a directory that has kube-apiserver, kubectl and etcd");
    }
    if missing.contains(&"loki") {
        said.push_str("; tests without Loki: `cargo xtask test --skip loki`");
    }
    said
}

/// Whether there is a Go that starts.
pub(crate) fn go_is_there() -> bool {
    let version = Command::new("go").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

fn build(module: &Module, program: &Program, into: &Path, say: &mut dyn FnMut(&str)) -> Result<()> {
    say(&format!(
        "building {} with Go, once; the first time it takes {} on two cores and downloads its sources",
        program.name, program.usual_time
    ));
    let started = Instant::now();
    let mut go = Command::new("go");
    crate::proxy::not_for_loopback(&mut go);
    let mut child = go
        .arg("build")
        .args(GO_FLAGS)
        .args(["-ldflags", &module.linker_flags()?, "-o"])
        .arg(into.join(program.name))
        .arg(program.package)
        .current_dir(module.source())
        // A static binary that also runs where the C library differs; and a go.work somewhere above the
        // checkout must not change what is built.
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("starting go build")?;
    let lines = child.stderr.take().map(BufReader::new).context("go build has no standard error")?;
    let (send, receive) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        for line in lines.lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                break;
            }
        }
    });
    let mut progress = Progress::default();
    let mut pulse = Instant::now();
    loop {
        match receive.recv_timeout(PULSE.saturating_sub(pulse.elapsed())) {
            Ok(line) => progress.take(line),
            Err(RecvTimeoutError::Timeout) => {
                say(&format!("  {}: {}, {}", program.name, clock(started.elapsed()), progress.summary()));
                pulse = Instant::now();
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let status = child.wait().context("waiting for go build")?;
    // The reader ends with the pipe; a panic in it would only cost lines of progress.
    let _ = reader.join();
    if !status.success() {
        bail!("go build of {} failed ({status}):\n{}", program.name, progress.tail());
    }
    say(&format!("  {}: built in {}", program.name, clock(started.elapsed())));
    Ok(())
}

/// What `go build -v` has told so far.
#[derive(Default)]
struct Progress {
    downloaded: usize,
    compiled: usize,
    last: VecDeque<String>,
}

impl Progress {
    fn take(&mut self, line: String) {
        if line.starts_with("go: downloading ") {
            self.downloaded += 1;
        } else {
            self.compiled += 1;
        }
        if self.last.len() == TAIL {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    fn summary(&self) -> String {
        format!("{} modules downloaded, {} packages compiled", self.downloaded, self.compiled)
    }

    fn tail(&self) -> String {
        self.last.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// Minutes and seconds.
fn clock(elapsed: Duration) -> String {
    format!("{}:{:02}", elapsed.as_secs() / 60, elapsed.as_secs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_counts_downloads_apart_and_keeps_the_last_lines() {
        let mut progress = Progress::default();
        progress.take("go: downloading k8s.io/api v0.36.3".to_owned());
        for number in 0..40 {
            progress.take(format!("package/{number}"));
        }
        assert_eq!(progress.summary(), "1 modules downloaded, 40 packages compiled");
        assert!(progress.tail().starts_with("package/10\n") && progress.tail().ends_with("package/39"));
    }
}
