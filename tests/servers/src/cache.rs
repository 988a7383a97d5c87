//! The cache directory: one entry per module and key, complete or absent, never half written.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::modules::Module;

/// What this project keeps outside its checkout: `$XDG_CACHE_HOME/aiops-operators`, by default under
/// `~/.cache`.
///
/// # Errors
/// When neither variable says where that is.
pub fn cache_directory() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute()) {
        Some(base) => base,
        None => match std::env::home_dir().filter(|home| !home.as_os_str().is_empty()) {
            Some(home) => home.join(".cache"),
            None => bail!("set HOME or XDG_CACHE_HOME: servers and tools are kept in a cache below it"),
        },
    };
    Ok(base.join("aiops-operators"))
}

/// Where the servers are kept.
pub(crate) fn directory() -> Result<PathBuf> {
    Ok(cache_directory()?.join("servers"))
}

/// The entry of a module if it is complete: the rename into place is what makes it so.
pub(crate) fn entry(cache: &Path, module: &Module) -> Result<Option<PathBuf>> {
    let entry = cache.join(module.key()?);
    let complete = module.programs.iter().all(|program| entry.join(program.name).is_file());
    Ok(complete.then_some(entry))
}

/// Holds the cache for one writer. The lock goes with the file handle, also when the process is killed.
pub(crate) fn lock(cache: &Path, say: &mut dyn FnMut(&str)) -> Result<File> {
    fs::create_dir_all(cache).with_context(|| format!("creating {}", cache.display()))?;
    let path = cache.join(".lock");
    let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => say("another run is building the servers; waiting for it"),
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("locking {}", path.display()));
        }
    }
    file.lock().with_context(|| format!("locking {}", path.display()))?;
    Ok(file)
}

/// An empty directory beside the entry, on the same file system, so that the rename is atomic.
pub(crate) fn staging(cache: &Path, module: &Module) -> Result<PathBuf> {
    let staging = cache.join(format!(".building-{}", module.key()?));
    // Left by a run that was killed; the lock says that nobody is writing to it now.
    if staging.exists() {
        fs::remove_dir_all(&staging).with_context(|| format!("clearing {}", staging.display()))?;
    }
    fs::create_dir_all(&staging).with_context(|| format!("creating {}", staging.display()))?;
    Ok(staging)
}

/// Puts a finished staging directory in its place.
pub(crate) fn publish(cache: &Path, module: &Module, staging: &Path) -> Result<PathBuf> {
    let entry = cache.join(module.key()?);
    if entry.exists() {
        fs::remove_dir_all(&entry).with_context(|| format!("clearing {}", entry.display()))?;
    }
    fs::rename(staging, &entry).with_context(|| format!("renaming to {}", entry.display()))?;
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::CONTROL_PLANE;

    #[test]
    fn an_entry_exists_only_after_it_was_published_whole() {
        let cache = tempfile::tempdir().unwrap();
        let module = &CONTROL_PLANE[1];
        let staging = staging(cache.path(), module).unwrap();
        fs::write(staging.join("kube-apiserver"), "").unwrap();
        assert_eq!(entry(cache.path(), module).unwrap(), None);
        fs::write(staging.join("kubectl"), "").unwrap();
        assert_eq!(entry(cache.path(), module).unwrap(), None);
        let published = publish(cache.path(), module, &staging).unwrap();
        assert_eq!(entry(cache.path(), module).unwrap(), Some(published));
        assert!(!staging.exists());
    }

    #[test]
    fn a_second_writer_waits_for_the_first() {
        let cache = tempfile::tempdir().unwrap();
        let held = lock(cache.path(), &mut |_| {}).unwrap();
        let (told, hear) = std::sync::mpsc::channel();
        let path = cache.path().to_owned();
        let second = std::thread::spawn(move || {
            let lock = lock(&path, &mut |line| told.send(line.to_owned()).unwrap());
            lock.unwrap();
        });
        assert!(hear.recv_timeout(std::time::Duration::from_secs(20)).unwrap().contains("waiting"));
        drop(held);
        second.join().unwrap();
    }
}
