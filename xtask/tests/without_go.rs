#![cfg(test)]
//! A machine without Go: what has to be built is said at the start, in one sentence.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Runs `cargo xtask` with nothing in the cache and nothing on PATH.
fn xtask(arguments: &[&str], assets: Option<&Path>) -> Output {
    let empty = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(arguments).env("PATH", empty.path()).env("XDG_CACHE_HOME", empty.path()).env_remove("CARGO");
    match assets {
        Some(assets) => command.env("KUBEBUILDER_ASSETS", assets),
        None => command.env_remove("KUBEBUILDER_ASSETS"),
    };
    command.output().unwrap()
}

/// A directory that says it has the servers of Kubernetes.
fn assets() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in ["kube-apiserver", "kubectl", "etcd"] {
        let file = directory.path().join(name);
        fs::write(&file, "#!/bin/sh\necho Kubernetes v1.36.3\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    directory
}

/// The one line that a command wrote to standard error before it failed.
fn only_line(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    said
}

#[test]
fn the_servers_are_missed_at_the_start() {
    let said = only_line(&xtask(&["servers"], None));
    assert!(said.contains("kube-apiserver, kubectl, etcd, loki must be built once with Go"), "{said}");
    assert!(said.contains("install Go 1.26") && said.contains("set KUBEBUILDER_ASSETS"), "{said}");
}

#[test]
fn named_servers_of_kubernetes_do_not_hide_that_loki_is_missing() {
    let assets = assets();
    let said = only_line(&xtask(&["servers"], Some(assets.path())));
    assert!(said.starts_with("error: loki must be built once with Go"), "{said}");
    assert!(said.contains("install Go 1.26") && !said.contains("KUBEBUILDER_ASSETS"), "{said}");
}

#[test]
fn the_tests_say_it_before_the_first_suite() {
    let assets = assets();
    let output = xtask(&["test", "--only", "format", "--only", "loki"], Some(assets.path()));
    let said = only_line(&output);
    assert!(said.contains("loki must be built once with Go") && said.contains("--skip loki"), "{said}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "0 passed, 1 failed\n");
}
