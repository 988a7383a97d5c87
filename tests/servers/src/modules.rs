//! What is built, from which Go module, and how. The cache key is a hash over all of this, so that a
//! change here or in a go.mod leads to a new build and never to a stale server.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// A program built from a Go module.
pub(crate) struct Program {
    /// Its file name.
    pub(crate) name: &'static str,
    /// The Go package.
    pub(crate) package: &'static str,
    /// What a cold build takes on two cores.
    pub(crate) usual_time: &'static str,
}

/// A folder beside this crate with a go.mod and a go.sum.
pub(crate) struct Module {
    /// The folder's name, and the first part of the cache entry's.
    pub(crate) name: &'static str,
    pub(crate) stamp: Option<Stamp>,
    pub(crate) programs: &'static [Program],
}

/// A version to be written into the programs that do not know it; clients see an empty one without it.
pub(crate) struct Stamp {
    /// The Go module whose version it is.
    pub(crate) module: &'static str,
    /// The linker flags that write it.
    pub(crate) flags: fn(version: &str) -> String,
}

/// What a Kubernetes control plane takes.
pub(crate) const CONTROL_PLANE: [Module; 2] = [
    Module {
        name: "etcd",
        stamp: None,
        programs: &[Program {
            name: "etcd",
            package: "go.etcd.io/etcd/server/v3",
            usual_time: "half a minute",
        }],
    },
    Module {
        name: "kube",
        stamp: Some(Stamp { module: "k8s.io/kubernetes", flags: kubernetes_version }),
        programs: &[
            Program {
                name: "kube-apiserver",
                package: "k8s.io/kubernetes/cmd/kube-apiserver",
                usual_time: "3 to 5 minutes",
            },
            Program {
                name: "kubectl",
                package: "k8s.io/kubernetes/cmd/kubectl",
                usual_time: "half a minute",
            },
        ],
    },
];

/// A Loki, whole.
pub(crate) const LOKI: Module = Module {
    name: "loki",
    stamp: Some(Stamp { module: "github.com/grafana/loki/v3", flags: loki_version }),
    programs: &[Program {
        name: "loki",
        package: "github.com/grafana/loki/v3/cmd/loki",
        usual_time: "4 to 6 minutes",
    }],
};

/// Flags of `go build` that are the same for every program.
pub(crate) const GO_FLAGS: [&str; 4] = ["-mod=readonly", "-buildvcs=false", "-trimpath", "-v"];

impl Module {
    /// The folder with go.mod and go.sum in this checkout.
    pub(crate) fn source(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(self.name)
    }

    /// The name of the cache entry: the module's name and a hash of all that decides the result.
    pub(crate) fn key(&self) -> Result<String> {
        let mut hash = Sha256::new();
        for file in ["go.mod", "go.sum"] {
            let path = self.source().join(file);
            hash.update(std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?);
        }
        hash.update(self.linker_flags()?);
        hash.update(GO_FLAGS.join(" "));
        hash.update(std::env::consts::OS);
        hash.update(std::env::consts::ARCH);
        for program in self.programs {
            hash.update(program.package);
        }
        Ok(format!("{}-{}", self.name, &hex::encode(hash.finalize())[..16]))
    }

    /// What `-ldflags` gets: no symbol tables, and the version where the programs report one.
    pub(crate) fn linker_flags(&self) -> Result<String> {
        let Some(stamp) = &self.stamp else { return Ok("-s -w".to_owned()) };
        let path = self.source().join("go.mod");
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let version = required_version(&text, stamp.module)
            .with_context(|| format!("{} does not require {}", path.display(), stamp.module))?;
        Ok(format!("-s -w {}", (stamp.flags)(version)))
    }
}

fn kubernetes_version(version: &str) -> String {
    let mut numbers = version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or("0"), numbers.next().unwrap_or("0"));
    let variable = "-X k8s.io/component-base/version";
    format!(
        "{variable}.gitVersion={version} {variable}.gitMajor={major} {variable}.gitMinor={minor} \
         {variable}.gitTreeState=clean"
    )
}

fn loki_version(version: &str) -> String {
    format!("-X github.com/grafana/loki/v3/pkg/util/build.Version={}", version.trim_start_matches('v'))
}

/// The version of `module` in the text of a go.mod.
fn required_version<'a>(go_mod: &'a str, module: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip_while(|word| *word == "require");
        (words.next() == Some(module)).then(|| words.next()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_stamp_is_the_one_that_go_mod_requires() {
        let flags = CONTROL_PLANE[1].linker_flags().unwrap();
        assert!(flags.contains("version.gitVersion=v1."), "{flags}");
        assert!(flags.contains("version.gitMajor=1 "), "{flags}");
        let flags = LOKI.linker_flags().unwrap();
        assert!(flags.contains("pkg/util/build.Version=3."), "{flags}");
    }

    #[test]
    fn a_version_is_read_from_a_block_and_from_a_single_line() {
        let block = "require (\n\tk8s.io/kubernetes v1.36.3 // indirect\n)\n";
        assert_eq!(required_version(block, "k8s.io/kubernetes"), Some("v1.36.3"));
        assert_eq!(
            required_version("require k8s.io/kubernetes v1.2.3\n", "k8s.io/kubernetes"),
            Some("v1.2.3")
        );
        assert_eq!(required_version(block, "k8s.io/api"), None);
    }

    #[test]
    fn each_module_has_a_key_of_its_own() {
        let [etcd, kube] = &CONTROL_PLANE;
        let keys = [etcd, kube, &LOKI].map(|module| module.key().unwrap());
        for (key, name) in keys.iter().zip(["etcd-", "kube-", "loki-"]) {
            assert!(key.starts_with(name), "{keys:?}");
        }
    }
}
