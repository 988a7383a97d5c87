//! A Python environment for the official SDK: made once per list of requirements, outside the checkout.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::tools;

/// The interpreter of an environment that has everything in `requirements`.
pub(crate) fn environment(requirements: &Path) -> Result<PathBuf> {
    let text = fs::read(requirements).with_context(|| format!("reading {}", requirements.display()))?;
    let mut hash = DefaultHasher::new();
    text.hash(&mut hash);
    let directory = tools::cache()?.join("python").join(format!("{:016x}", hash.finish()));
    let python = directory.join("bin").join("python");
    // Written last: an environment without it is half made.
    let complete = directory.join("complete");
    if complete.is_file() && python.is_file() {
        return Ok(python);
    }
    eprintln!("making a Python environment for the SDK in {}, once", directory.display());
    let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&directory).status();
    if !made.is_ok_and(|status| status.success()) {
        bail!("`python3 -m venv` failed: install Python 3.9 or later with venv (Debian: python3-venv)");
    }
    let status = Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(requirements)
        .stdin(Stdio::null())
        .status()
        .context("starting pip")?;
    if !status.success() {
        bail!("pip could not install what {} lists", requirements.display());
    }
    fs::write(&complete, "").with_context(|| format!("writing {}", complete.display()))?;
    Ok(python)
}
