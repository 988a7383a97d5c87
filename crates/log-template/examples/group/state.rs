//! What a run has learnt, kept in a file for the next one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use log_template::{LoadError, Miner};

use crate::named;

/// The miner whose state is in `path`, or an empty one if there is no such file.
pub(crate) fn load_or_new(path: &Path) -> io::Result<Miner> {
    match load(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Miner::default()),
        other => other,
    }
}

/// The miner whose state is in `path`. The file is never changed.
pub(crate) fn load(path: &Path) -> io::Result<Miner> {
    let bytes = fs::read(path).map_err(|error| named(&error, path))?;
    Miner::load(&bytes).map_err(|error| refused(error, path))
}

fn refused(error: LoadError, path: &Path) -> io::Error {
    let way_on = "it was left as it is; move it away or name another file to start anew";
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}; {way_on}", path.display()))
}

/// Writes the state of `miner` to `path`: all of it, or what was there stays.
pub(crate) fn save(miner: &Miner, path: &Path) -> io::Result<()> {
    // Through a link: what it points to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut new = path.clone().into_os_string();
    new.push(format!(".{}.new", std::process::id()));
    let new = PathBuf::from(new);
    let write = || {
        let mut file = File::create(&new)?;
        file.write_all(&miner.save())?;
        file.sync_all()?;
        fs::rename(&new, &path)
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&new);
        named(&error, &path)
    })
}
