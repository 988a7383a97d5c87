//! The workspace's packages and what they depend on, as cargo resolves it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use servers::own;

/// Which kind of dependency: what is built into the package, or what its tests and build script use too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// What ends up in the package.
    Built,
    /// That, and what its own tests use.
    WithTests,
}

/// A member of the workspace.
pub(crate) struct Member {
    pub(crate) name: String,
    /// Its folder from the root, as in `crates/tencent-cvm`.
    pub(crate) folder: String,
    published: bool,
}

/// All members, and the graph of everything they use.
pub(crate) struct Workspace {
    pub(crate) members: Vec<Member>,
    /// From a package to those that it is built from.
    built: BTreeMap<String, BTreeSet<String>>,
    /// From a member to those that only its tests use.
    tests: BTreeMap<String, BTreeSet<String>>,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        let output = own::cargo()
            .args(["metadata", "--format-version=1", "--all-features", "--locked"])
            .output()
            .context("starting cargo metadata")?;
        if !output.status.success() {
            bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let metadata: Value = serde_json::from_slice(&output.stdout).context("reading cargo metadata")?;
        Self::from_metadata(&metadata).context("cargo metadata has not the shape that it had")
    }

    fn from_metadata(metadata: &Value) -> Option<Self> {
        let root = metadata["workspace_root"].as_str()?;
        let ids: BTreeSet<_> =
            metadata["workspace_members"].as_array()?.iter().filter_map(Value::as_str).collect();
        let mut names = BTreeMap::new();
        let mut members = Vec::new();
        for package in metadata["packages"].as_array()? {
            let (id, name) = (package["id"].as_str()?, package["name"].as_str()?);
            names.insert(id, name);
            if ids.contains(id) {
                let manifest = package["manifest_path"].as_str()?.strip_prefix(root)?;
                members.push(Member {
                    name: name.to_owned(),
                    folder: manifest.trim_matches('/').strip_suffix("/Cargo.toml")?.to_owned(),
                    // `publish` is null for "anywhere" and an empty list for "nowhere".
                    published: package["publish"].is_null(),
                });
            }
        }
        members.sort_by(|one, other| one.folder.cmp(&other.folder));
        let (mut built, mut tests) = (BTreeMap::<_, BTreeSet<_>>::new(), BTreeMap::<_, BTreeSet<_>>::new());
        for node in metadata["resolve"]["nodes"].as_array()? {
            let from = *names.get(node["id"].as_str()?)?;
            for dependency in node["deps"].as_array()? {
                let to = *names.get(dependency["pkg"].as_str()?)?;
                for kind in dependency["dep_kinds"].as_array()? {
                    let graph = if kind["kind"] == "dev" { &mut tests } else { &mut built };
                    graph.entry(from.to_owned()).or_default().insert(to.to_owned());
                }
            }
        }
        Some(Self { members, built, tests })
    }

    /// The names of the packages that are published.
    pub(crate) fn published(&self) -> impl Iterator<Item = &str> {
        self.members.iter().filter(|member| member.published).map(|member| member.name.as_str())
    }

    /// A shortest way from one package to a package that `wanted` recognises, both ends included.
    pub(crate) fn way(&self, from: &str, reach: Reach, wanted: impl Fn(&str) -> bool) -> Option<Vec<String>> {
        let mut ways = vec![vec![from.to_owned()]];
        let mut seen = BTreeSet::from([from.to_owned()]);
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in ways {
                let last = way.last()?;
                let tests = self.tests.get(last).filter(|_| way.len() == 1 && reach == Reach::WithTests);
                for next in self.built.get(last).into_iter().chain(tests).flatten() {
                    let mut way = way.clone();
                    way.push(next.clone());
                    if wanted(next) {
                        return Some(way);
                    }
                    if seen.insert(next.clone()) {
                        longer.push(way);
                    }
                }
            }
            ways = longer;
        }
        None
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A workspace of members (folder, built from, tests use), with the folder's last part as name.
    pub(crate) fn workspace(members: &[(&str, &[&str], &[&str])]) -> Workspace {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let name = |folder: &str| folder.rsplit('/').next().unwrap().to_owned();
        Workspace {
            members: members
                .iter()
                .filter(|(folder, ..)| folder.contains('/') || *folder == "xtask")
                .map(|(folder, ..)| Member {
                    name: name(folder),
                    folder: (*folder).to_owned(),
                    published: folder.starts_with("crates/"),
                })
                .collect(),
            built: members.iter().map(|(folder, built, _)| (name(folder), owned(built))).collect(),
            tests: members.iter().map(|(folder, _, tests)| (name(folder), owned(tests))).collect(),
        }
    }

    #[test]
    fn this_workspace_can_be_read() {
        let workspace = Workspace::load().unwrap();
        assert!(workspace.published().any(|name| name == "tencent-cvm"));
        let way = workspace.way("tencent-cvm", Reach::Built, |name| name == "serde_core").unwrap();
        assert_eq!(way.first().map(String::as_str), Some("tencent-cvm"));
    }

    #[test]
    fn tests_of_a_dependency_do_not_count() {
        let workspace =
            workspace(&[("crates/a", &["b"], &["wiremock"]), ("b", &[], &["kube"]), ("wiremock", &[], &[])]);
        assert_eq!(workspace.way("a", Reach::WithTests, |name| name == "kube"), None);
        assert_eq!(workspace.way("a", Reach::Built, |name| name == "wiremock"), None);
        assert!(workspace.way("a", Reach::WithTests, |name| name == "wiremock").is_some());
    }
}
