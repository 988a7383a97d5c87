//! The shared logs: public, clean of secrets, and not part of this repository.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// One set of logs.
pub(crate) struct Logs {
    pub(crate) name: String,
    pub(crate) text: Vec<u8>,
}

/// Beside the checkout.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/loghub")
}

/// All sets, in the order of their names; nothing if they are not there.
pub(crate) fn load() -> Result<Option<Vec<Logs>>> {
    let Ok(entries) = std::fs::read_dir(folder()) else { return Ok(None) };
    let mut logs = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            let text = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            logs.push(Logs { name, text });
        }
    }
    logs.sort_by(|one, other| one.name.cmp(&other.name));
    Ok((!logs.is_empty()).then_some(logs))
}
