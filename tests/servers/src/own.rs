//! Our own binaries, built by cargo each on its own.
//!
//! Each package is built alone: in a build of the whole workspace the features that tests ask for would be
//! unified into the operator, and the tests would run something else than what is shipped.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::proxy;

/// A binary of this workspace; package and binary have the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binary(pub &'static str);

/// The operator as it is shipped.
pub const OPERATOR: Binary = Binary("spotpool-operator");
/// The stand-in for the cloud.
pub const SIM: Binary = Binary("sim");

/// Set for a program that is started right after [`build`] built everything: it need not ask cargo again,
/// which would wait for any other build in this checkout.
pub const UP_TO_DATE: &str = "AIOPS_OPERATORS_UP_TO_DATE";

/// The root of the checkout.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The directory that cargo builds into.
#[must_use]
pub fn target() -> PathBuf {
    let elsewhere = std::env::var_os("CARGO_TARGET_DIR").filter(|path| !path.is_empty());
    root().join(elsewhere.unwrap_or_else(|| "target".into()))
}

/// A cargo command at the root of the checkout that sees the environment of a shell.
///
/// Under `cargo run` and `cargo test` the variables of the outer package would be inherited, and build
/// scripts that look at them (ring's does) would run again at every call.
#[must_use]
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let of_a_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
        if of_a_package.iter().any(|prefix| text.starts_with(prefix)) || text == "OUT_DIR" {
            command.env_remove(&name);
        }
    }
    // For the tests that it may run, whose clients ask loopback.
    proxy::not_for_loopback(&mut command);
    command
}

/// Builds a binary if it is out of date, in the dev profile, and returns its path.
///
/// # Errors
/// When it does not compile; the compiler's words are on standard error.
pub fn build(binary: Binary) -> Result<PathBuf> {
    let Binary(name) = binary;
    let path = target().join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if std::env::var_os(UP_TO_DATE).is_some() && path.is_file() {
        return Ok(path);
    }
    let status = cargo()
        .args(["build", "--quiet", "--package", name, "--bin", name])
        .status()
        .context("starting cargo")?;
    if !status.success() {
        bail!("`cargo build --package {name} --bin {name}` failed: see above");
    }
    if !path.is_file() {
        bail!("cargo built {name}, but it is not at {}", path.display());
    }
    Ok(path)
}
