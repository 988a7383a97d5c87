//! The page that is kept: all figures, and what they were measured on.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::figures::{Measured, table};
use crate::rows::Row;

const HEAD: &str = "\
# SpotPool, measured

```sh
cargo xtask bench spotpool                         # these figures; exit code 1 when one misses what is to be reached
cargo xtask bench spotpool --only losses --seed 7  # one row of it, from another seed
cargo xtask bench spotpool --write                 # writes this page
```

The shipped operator in simulated time, as in the [simulation](../simulation.md): the stand-in's core as the CVM
client's transport, the API server in memory. Calls to the cloud take what the stand-in draws for them (reads and
terminations p50 0.12 s, p99 0.4 s; RunInstances p50 0.6 s, p99 1.5 s; the cloud publishes no figures), calls to the API
server 2 to 12 ms, a boot 5 s and a model 1 to 2 s. **Computing takes no time here**; that a real process keeps up is what
`tests/e2e/tests/latency.rs` shows, with real time and a real API server.

*Floor* is what physics and the API's limits allow. *Plain loop* is the operator that a user writes from a blog: look at
the first page, compare with what is wanted, launch or kill, wait 40 s. It runs in the same stand-in.
";

/// The page.
pub(crate) fn markdown(measured: &[(&'static Row, Measured)], seed: u64) -> Result<String> {
    let mut page = String::from(HEAD);
    // A String takes everything.
    let _ = writeln!(page, "\nSeed {seed}, commit {}, on {}.", commit()?, machine());
    for (row, Measured { figures, how }) in measured {
        let _ = write!(page, "\n## {}\n\n`--only {}`. {how}\n\n{}", row.title, row.name, table(figures));
    }
    Ok(page)
}

fn commit() -> Result<String> {
    let output =
        Command::new("git").args(["describe", "--always", "--dirty"]).output().context("starting git")?;
    if !output.status.success() {
        bail!("git does not tell the commit");
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn machine() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or("an unknown processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores of {model} ({})", std::env::consts::ARCH)
}
