//! Finds or builds the programs that tests and the demo run: the real servers (kube-apiserver, kubectl and
//! etcd; [`loki`]), and our own binaries (see [`own`]); and keeps them from asking a [`proxy`] for loopback.
//!
//! The servers of Kubernetes come, in this order, from the directory that `KUBEBUILDER_ASSETS` names, from `PATH`,
//! or from a cache outside the checkout that [`ensure`] fills by building them with Go from the modules beside
//! this crate. All three come from one place, so that the versions match. Loki comes from the cache. [`find`]
//! never builds: a test that starts compiling Kubernetes for five minutes without a word helps nobody.

mod build;
mod cache;
pub mod loki;
mod modules;
mod origin;
pub mod own;
pub mod proxy;

use std::path::PathBuf;

use anyhow::{Result, bail};

pub use cache::cache_directory;
pub use origin::{NotFound, find, kubectl};

/// Where the three programs are, and why these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Servers {
    /// The Kubernetes API server.
    pub kube_apiserver: PathBuf,
    /// The Kubernetes command line, of the same version.
    pub kubectl: PathBuf,
    /// The API server's database.
    pub etcd: PathBuf,
    /// One phrase that says where they come from, for a person.
    pub origin: String,
}

impl Servers {
    /// Name and path of each program, in the order in which they start.
    #[must_use]
    pub fn programs(&self) -> [(&'static str, &PathBuf); 3] {
        [("etcd", &self.etcd), ("kube-apiserver", &self.kube_apiserver), ("kubectl", &self.kubectl)]
    }
}

/// Finds the servers, or builds them into the cache. Two runs at once wait for each other.
///
/// # Errors
/// When `KUBEBUILDER_ASSETS` names an unusable directory, when Go is missing, or when the build fails. The
/// message says what to do.
pub fn ensure(say: &mut dyn FnMut(&str)) -> Result<Servers> {
    match find() {
        Ok(servers) => Ok(servers),
        Err(NotFound::Unusable(reason)) => Err(anyhow::anyhow!(reason)),
        Err(NotFound::NotBuilt { passed_over }) => {
            for reason in passed_over {
                say(&reason);
            }
            build::missing(&modules::CONTROL_PLANE, say)?;
            Ok(find()?)
        }
    }
}

/// Looks whether what is asked for can be had: it is there, or Go is there to build it. Builds nothing, so that it can
/// be asked before anything that takes long.
///
/// # Errors
/// When it cannot; the message is one sentence that says what is missing and what to do.
pub fn obtainable(of_kubernetes: bool, loki: bool) -> Result<()> {
    let mut missing = Vec::new();
    if of_kubernetes {
        match find() {
            Ok(_) => {}
            Err(NotFound::Unusable(reason)) => bail!(reason),
            Err(NotFound::NotBuilt { .. }) => missing.extend(["kube-apiserver", "kubectl", "etcd"]),
        }
    }
    if loki && loki::find().is_err() {
        missing.push("loki");
    }
    if missing.is_empty() || build::go_is_there() {
        return Ok(());
    }
    bail!(build::without_go(&missing))
}
