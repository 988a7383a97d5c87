//! A shell that outlives this process by a moment, ends what it left running, and removes its directories.
//!
//! Drop does that when all goes well. It does not run for a static, and not when the process is killed. The
//! shell reads from a pipe whose other end only this process holds: end of file means that it is gone,
//! however it went. (A parent-death signal would need unsafe code, and follows the thread, not the process:
//! the test harness ends a thread with each test.)

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result};

/// `kill PGID`, `spare PGID` and `remove DIRECTORY` come line by line; then end of file.
/// A directory is removed twice, since a process may still write while it is being killed.
const SCRIPT: &str = r#"
trap '' INT TERM HUP QUIT
set -f
IFS='
'
groups= directories=
while IFS= read -r line; do
    what="${line#* }"
    case "$line" in
    "kill "*) groups="$groups
$what" ;;
    "remove "*) directories="$directories
$what" ;;
    "spare "*)
        left=
        for group in $groups; do
            [ "$group" = "$what" ] || left="$left
$group"
        done
        groups="$left" ;;
    esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
for directory in $directories; do rm -rf -- "$directory" || { sleep 1; rm -rf -- "$directory"; }; done
"#;

static SHELL: OnceLock<Mutex<Option<Child>>> = OnceLock::new();

/// From now on the process group ends with this process.
///
/// # Errors
/// When the shell cannot be started.
pub fn kill_at_exit(group: u32) -> Result<()> {
    tell(&format!("kill {group}"))
}

/// The process group has ended, or shall live on: its number is not ours any more.
///
/// # Errors
/// When the shell is gone.
pub fn spare(group: u32) -> Result<()> {
    tell(&format!("spare {group}"))
}

/// The directory goes with this process, unless it is gone before.
///
/// # Errors
/// When the shell cannot be started.
pub fn remove_at_exit(directory: &Path) -> Result<()> {
    tell(&format!("remove {}", directory.display()))
}

fn tell(line: &str) -> Result<()> {
    let shell = SHELL.get_or_init(|| Mutex::new(None));
    let mut shell = shell.lock().unwrap_or_else(PoisonError::into_inner);
    let child = match &mut *shell {
        Some(child) => child,
        none => none.insert(start()?),
    };
    let pipe = child.stdin.as_mut().context("the watchdog has no pipe")?;
    writeln!(pipe, "{line}").and_then(|()| pipe.flush()).context("telling the watchdog")
}

/// In a process group of its own, so that an interrupt at the terminal does not end it with us.
fn start() -> Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", SCRIPT, "watchdog"])
        .process_group(0)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("starting the watchdog shell")
}
