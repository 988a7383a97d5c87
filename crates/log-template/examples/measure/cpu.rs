//! Time and memory of this process.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What this thread has computed so far. Other programs on the machine do not count.
pub(crate) fn time() -> Duration {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(spent.tv_sec.unsigned_abs(), spent.tv_nsec.unsigned_abs() as u32)
}

/// What one call of `work` takes this thread.
pub(crate) fn of(work: impl FnOnce()) -> Duration {
    let before = time();
    work();
    time() - before
}

/// The most memory that this process has had, in MiB, where the system tells it.
pub(crate) fn most_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<f64>().ok()? / 1024.0)
}
