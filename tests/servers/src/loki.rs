//! A real Loki, of the version that `loki/go.mod` names.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::modules::LOKI;
use crate::{build, cache};

/// Loki's path in the cache. Never builds.
///
/// # Errors
/// When it is not there; the message says what to do.
pub fn find() -> Result<PathBuf> {
    let entry = cache::entry(&cache::directory()?, &LOKI)?;
    let entry = entry.context("Loki is not there yet: run `cargo xtask servers` once (about 5 minutes)")?;
    Ok(entry.join("loki"))
}

/// Finds Loki, or builds it into the cache. Two runs at once wait for each other.
///
/// # Errors
/// When Go is missing, or when the build fails. The message says what to do.
pub fn ensure(say: &mut dyn FnMut(&str)) -> Result<PathBuf> {
    if let Ok(path) = find() {
        return Ok(path);
    }
    build::missing(&[LOKI], say)?;
    find()
}
