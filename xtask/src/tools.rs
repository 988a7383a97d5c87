//! Tools that cargo does not bring along: found, or installed into the cache once.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use servers::own;

/// The release that deny.toml is written for.
const CARGO_DENY: &str = "0.20.2";

/// Our cache outside the checkout.
pub(crate) fn cache() -> Result<PathBuf> {
    servers::cache_directory()
}

/// cargo-deny of the right release, from PATH or built into the cache.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    let fits = |program: &PathBuf| {
        let output = Command::new(program).arg("--version").stderr(Stdio::null()).output();
        output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim().ends_with(CARGO_DENY))
    };
    let on_path = PathBuf::from("cargo-deny");
    if fits(&on_path) {
        return Ok(on_path);
    }
    let root = cache()?.join("tools").join(format!("cargo-deny-{CARGO_DENY}"));
    let program = root.join("bin").join("cargo-deny");
    if fits(&program) {
        return Ok(program);
    }
    eprintln!("installing cargo-deny {CARGO_DENY} into {}, once; it takes some minutes", root.display());
    let status = own::cargo()
        .args(["install", "--quiet", "--locked", "--version", CARGO_DENY, "cargo-deny", "--root"])
        .arg(&root)
        .status()
        .context("starting cargo")?;
    if !status.success() {
        bail!("cargo-deny {CARGO_DENY} could not be installed");
    }
    Ok(program)
}
