//! How far a run has come: what is summed up at the end, and kept in a file so that a long run can go on.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::kind::Counts;
use crate::seed::Outcome;

/// What a run was asked for. A file goes on only with the same first seed and guard, and with the same build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The first seed.
    pub first: u64,
    /// The guard that is off.
    pub without: Option<String>,
    /// A hash of the program: what other code has shown says nothing of this one's.
    pub build: String,
}

impl Asked {
    /// Of this very program.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of_this_build(first: u64, without: Option<String>) -> Result<Self> {
        let program = std::env::current_exe().and_then(fs::read).context("reading the program itself")?;
        let mut digest = Digest::default();
        digest.bytes(&program);
        Ok(Self { first, without, build: format!("{:016x}", digest.value()) })
    }
}

/// The sums over the seeds that are done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// Seeds done, from the first on without a gap.
    pub seeds: u64,
    /// Virtual seconds.
    pub virtual_seconds: u64,
    /// Machines made by calls.
    pub launches: u64,
    /// Terminations accepted.
    pub terminations: u64,
    /// Faults by kind.
    pub counts: Counts,
    /// Fewest faults in any one seed.
    pub fewest_faults: Option<u64>,
    /// Seeds in which an invariant was broken.
    pub violations: u64,
    /// A hash over the seeds' hashes.
    pub hash: u64,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    #[serde(flatten)]
    asked: Asked,
    seeds: u64,
    virtual_seconds: u64,
    launches: u64,
    terminations: u64,
    faults: BTreeMap<String, u64>,
    fewest_faults: Option<u64>,
    hash: u64,
}

impl Sums {
    /// Adds the next seed.
    pub fn add(&mut self, outcome: &Outcome) {
        let mut digest = Digest::default();
        digest.number(self.hash);
        digest.number(outcome.hash);
        self.hash = digest.value();
        self.seeds += 1;
        self.virtual_seconds += outcome.virtual_seconds;
        self.launches += outcome.tally.launches;
        self.terminations += outcome.tally.terminations;
        self.counts.merge(&outcome.counts);
        self.violations += u64::from(outcome.violation.is_some());
        if outcome.violation.is_none() {
            let faults = outcome.counts.total();
            self.fewest_faults = Some(self.fewest_faults.map_or(faults, |fewest| fewest.min(faults)));
        }
    }

    /// Reads what an earlier run left; nothing when there is no file.
    ///
    /// # Errors
    /// When the file cannot be read or belongs to another run.
    pub fn load(path: &Path, asked: &Asked) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        };
        let saved: Saved =
            serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
        if saved.asked != *asked {
            bail!(
                "{} belongs to another run (first seed {}, without {}, build {}); name another file, or go on with \
                 the program that began it",
                path.display(),
                saved.asked.first,
                saved.asked.without.as_deref().unwrap_or("nothing"),
                saved.asked.build
            );
        }
        let mut counts = Counts::default();
        for (name, count) in &saved.faults {
            counts.set(name, *count);
        }
        Ok(Self {
            seeds: saved.seeds,
            virtual_seconds: saved.virtual_seconds,
            launches: saved.launches,
            terminations: saved.terminations,
            counts,
            fewest_faults: saved.fewest_faults,
            violations: 0,
            hash: saved.hash,
        })
    }

    /// Writes how far the run has come; a crash leaves the old file or the new one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path, asked: &Asked) -> Result<()> {
        let saved = Saved {
            asked: asked.clone(),
            seeds: self.seeds,
            virtual_seconds: self.virtual_seconds,
            launches: self.launches,
            terminations: self.terminations,
            faults: self.counts.named().map(|(name, count)| (name.to_owned(), count)).collect(),
            fewest_faults: self.fewest_faults,
            hash: self.hash,
        };
        let beside = path.with_extension("new");
        let written = fs::write(&beside, serde_json::to_string_pretty(&saved)?);
        written
            .and_then(|()| fs::rename(&beside, path))
            .with_context(|| format!("writing {}", path.display()))
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = self.virtual_seconds as f64 / 3600.0;
        write!(
            f,
            "seeds {}, virtual hours {hours:.0}, launches {}, terminations {}, faults {} (at least {} in a seed: {}), violations {}",
            self.seeds,
            self.launches,
            self.terminations,
            self.counts.total(),
            self.fewest_faults.unwrap_or(0),
            self.counts,
            self.violations
        )
    }
}
