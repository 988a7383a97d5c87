//! Where the programs may come from, tried in order.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::modules::CONTROL_PLANE;
use crate::{Servers, cache};

/// The oldest API server that serves our resources: selectable fields of a CRD are on by default since 1.31.
const OLDEST_MINOR: u32 = 31;

/// Why there are no servers yet.
#[derive(Debug)]
pub enum NotFound {
    /// Nothing is wrong; they have to be built once.
    NotBuilt {
        /// One sentence for each place that was looked at and not taken although it has something.
        passed_over: Vec<String>,
    },
    /// The user named a place that cannot be used.
    Unusable(String),
}

impl std::fmt::Display for NotFound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotBuilt { .. } => f.write_str(
                "kube-apiserver, kubectl and etcd are not there yet: run `cargo xtask servers` once \
                 (about 5 minutes), or set KUBEBUILDER_ASSETS to a directory that has all three",
            ),
            Self::Unusable(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for NotFound {}

/// Looks at `KUBEBUILDER_ASSETS`, then `PATH`, then the cache. Never builds.
///
/// # Errors
/// [`NotFound`], whose message says what to do.
pub fn find() -> Result<Servers, NotFound> {
    let assets = std::env::var_os("KUBEBUILDER_ASSETS").filter(|value| !value.is_empty());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<_> = std::env::split_paths(&path).collect();
    let mut passed_over = Vec::new();
    if let Some(directory) = assets.map(PathBuf::from) {
        return from_assets(&directory);
    }
    match from_path(&path) {
        Some(Ok(servers)) => return Ok(servers),
        Some(Err(reason)) => passed_over.push(format!("not using the servers on PATH: {reason}")),
        None => {}
    }
    from_cache().ok_or(NotFound::NotBuilt { passed_over })
}

/// kubectl alone, for a cluster that one has: the one that comes with the servers, or else that of `PATH`.
///
/// # Errors
/// When there is none; the message says what to do.
pub fn kubectl() -> Result<PathBuf, NotFound> {
    find().map(|servers| servers.kubectl).or_else(|not_found| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&path).map(|directory| directory.join("kubectl"));
        on_path.into_iter().find(|file| file.is_file()).ok_or(not_found)
    })
}

/// All three in the directory that the user named, or a sentence: falling back in silence would test
/// something else than what was asked for.
fn from_assets(directory: &Path) -> Result<Servers, NotFound> {
    let origin = format!("KUBEBUILDER_ASSETS ({})", directory.display());
    let servers = Servers {
        kube_apiserver: directory.join("kube-apiserver"),
        kubectl: directory.join("kubectl"),
        etcd: directory.join("etcd"),
        origin: origin.clone(),
    };
    let missing: Vec<_> =
        servers.programs().into_iter().filter(|(_, path)| !path.is_file()).map(|(name, _)| name).collect();
    if !missing.is_empty() {
        return Err(NotFound::Unusable(format!(
            "{origin} has no {}: unset it to have the servers built, or name a directory that has \
             kube-apiserver, kubectl and etcd",
            missing.join(" and no ")
        )));
    }
    recent_enough(&servers.kube_apiserver)
        .map_err(|reason| NotFound::Unusable(format!("{origin}: {reason}")))?;
    Ok(servers)
}

/// All three on `PATH`; one alone is not taken, since it need not fit the others.
fn from_path(path: &[PathBuf]) -> Option<Result<Servers, String>> {
    let on_path = |name: &str| path.iter().map(|directory| directory.join(name)).find(|file| file.is_file());
    let servers = Servers {
        kube_apiserver: on_path("kube-apiserver")?,
        kubectl: on_path("kubectl")?,
        etcd: on_path("etcd")?,
        origin: "PATH".to_owned(),
    };
    Some(recent_enough(&servers.kube_apiserver).map(|()| servers))
}

fn from_cache() -> Option<Servers> {
    let directory = cache::directory().ok()?;
    let [etcd, kube] = &CONTROL_PLANE;
    let etcd = cache::entry(&directory, etcd).ok()??;
    let kube = cache::entry(&directory, kube).ok()??;
    Some(Servers {
        kube_apiserver: kube.join("kube-apiserver"),
        kubectl: kube.join("kubectl"),
        etcd: etcd.join("etcd"),
        origin: format!("built from tests/servers, kept in {}", directory.display()),
    })
}

/// Asks a foreign kube-apiserver for its version. Our own needs no asking: its version is in the key.
fn recent_enough(kube_apiserver: &Path) -> Result<(), String> {
    let output = Command::new(kube_apiserver)
        .arg("--version")
        .output()
        .map_err(|error| format!("kube-apiserver does not start: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match minor_version(&text) {
        Some(minor) if minor >= OLDEST_MINOR => Ok(()),
        _ => Err(format!("kube-apiserver is `{}`, and 1.{OLDEST_MINOR} or later is needed", text.trim())),
    }
}

/// The minor version in `Kubernetes v1.36.3`.
fn minor_version(text: &str) -> Option<u32> {
    let version = text.split_whitespace().find_map(|word| word.strip_prefix("v1."))?;
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn fake_servers(directory: &Path, version: &str) {
        for name in ["kube-apiserver", "kubectl", "etcd"] {
            let file = directory.join(name);
            fs::write(&file, format!("#!/bin/sh\necho Kubernetes {version}\n")).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    #[test]
    fn a_named_directory_with_all_three_is_used() {
        let directory = tempfile::tempdir().unwrap();
        fake_servers(directory.path(), "v1.33.0");
        let servers = from_assets(directory.path()).unwrap();
        assert_eq!(servers.etcd, directory.path().join("etcd"));
    }

    #[test]
    fn a_named_directory_that_lacks_one_is_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        fake_servers(directory.path(), "v1.33.0");
        fs::remove_file(directory.path().join("kubectl")).unwrap();
        let refused = from_assets(directory.path()).unwrap_err().to_string();
        assert!(refused.contains("has no kubectl"), "{refused}");
    }

    #[test]
    fn an_old_api_server_is_refused_with_its_version() {
        let directory = tempfile::tempdir().unwrap();
        fake_servers(directory.path(), "v1.24.7");
        let refused = from_assets(directory.path()).unwrap_err().to_string();
        assert!(refused.contains("v1.24.7") && refused.contains("1.31"), "{refused}");
    }

    #[test]
    fn kubectl_alone_on_path_is_not_enough() {
        let directory = tempfile::tempdir().unwrap();
        fake_servers(directory.path(), "v1.33.0");
        fs::remove_file(directory.path().join("etcd")).unwrap();
        assert!(from_path(&[directory.path().to_owned()]).is_none());
    }
}
