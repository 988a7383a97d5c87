//! A program under test: its output in a file, signals by pid, gone when the value goes.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, kill_process, kill_process_group};

use crate::{wait, watchdog};

/// How many of the last lines a failure shows.
const TAIL: usize = 40;

/// The signals that tests send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: please end.
    Terminate,
    /// SIGKILL: the end, without a word.
    Kill,
    /// SIGSTOP: hold still, as a stalled machine does.
    Stop,
    /// SIGCONT: go on.
    Continue,
}

impl From<Signal> for rustix::process::Signal {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Terminate => Self::TERM,
            Signal::Kill => Self::KILL,
            Signal::Stop => Self::STOP,
            Signal::Continue => Self::CONT,
        }
    }
}

/// How a program is started.
#[derive(Debug)]
pub struct Launch {
    program: PathBuf,
    arguments: Vec<std::ffi::OsString>,
    environment: Vec<(String, std::ffi::OsString)>,
    log: PathBuf,
    own_session: bool,
}

impl Launch {
    /// `program`, with its output appended to the file `log`.
    pub fn new(program: impl Into<PathBuf>, log: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            log: log.into(),
            own_session: false,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets one variable; the others are inherited, but for those that name a proxy.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Starts it in a session of its own, so that it can live on after [`Process::release`] when the
    /// terminal is closed.
    #[must_use]
    pub fn own_session(mut self, own_session: bool) -> Self {
        self.own_session = own_session;
        self
    }

    /// Starts the program.
    ///
    /// # Errors
    /// When it cannot be started, or its log file cannot be written.
    pub fn spawn(&self) -> Result<Process> {
        let name = self.program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .with_context(|| format!("opening {}", self.log.display()))?;
        let mut command = if self.own_session {
            // The child leads no process group yet, so setsid does not fork and the pid stays the same.
            let mut command = Command::new("setsid");
            command.arg(&self.program);
            command
        } else {
            let mut command = Command::new(&self.program);
            command.process_group(0);
            command
        };
        // All that is started here listens on loopback and asks nobody else.
        servers::proxy::never(&mut command);
        let child = command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("sharing the log file")?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {}", self.program.display()))?;
        let process = Process { name, child, log: self.log.clone(), kept: false };
        watchdog::kill_at_exit(process.id())?;
        Ok(process)
    }
}

/// A running program. It is killed, with everything that it started in its process group, on drop.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    kept: bool,
}

impl Process {
    /// The process id, which is also its process group.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The program's file name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file with its output.
    #[must_use]
    pub fn log_file(&self) -> &Path {
        &self.log
    }

    /// Its output so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// The last lines of its output, for a message about a failure.
    #[must_use]
    pub fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }

    /// Sends a signal to the program alone.
    ///
    /// # Errors
    /// When it has ended.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(self.pid()?, signal.into()).with_context(|| format!("{signal:?} to {}", self.name))
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("asking whether {} has ended", self.name))
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it still runs after `within`.
    pub async fn wait(&mut self, within: Duration) -> Result<ExitStatus> {
        let what = format!("the end of {}", self.name);
        wait::until(&what, within, async || self.ended()).await
    }

    /// Waits until a line of its output contains `text`, and returns that line.
    ///
    /// # Errors
    /// After `within`, or at once when the program ends; the message has the last lines of its output.
    pub async fn wait_for_line(&mut self, text: &str, within: Duration) -> Result<String> {
        let what = format!("a line with `{text}`");
        self.wait_for(&what, within, async |process: &Self| {
            process.log().lines().find(|line| line.contains(text)).map(str::to_owned)
        })
        .await
    }

    /// Waits until something accepts connections at `address`.
    ///
    /// # Errors
    /// As [`Self::wait_for_line`].
    pub async fn wait_for_port(&mut self, address: SocketAddr, within: Duration) -> Result<()> {
        self.wait_for(&format!("a listener at {address}"), within, async |_: &Self| {
            std::net::TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok().map(drop)
        })
        .await
    }

    /// Waits for a condition that this program brings about.
    ///
    /// # Errors
    /// As [`Self::wait_for_line`].
    pub async fn wait_for<T, F>(&mut self, what: &str, within: Duration, mut ask: F) -> Result<T>
    where
        F: AsyncFnMut(&Self) -> Option<T>,
    {
        let mut end = None;
        let found = wait::until(what, within, async || {
            // The end is looked for first: what it wrote before ending still counts.
            end = self.ended()?;
            let found = ask(self).await;
            Ok(if found.is_none() && end.is_some() { Some(None) } else { found.map(Some) })
        })
        .await;
        match found {
            Ok(Some(found)) => Ok(found),
            Ok(None) => {
                let status = end.map(|status| status.to_string()).unwrap_or_default();
                bail!("{} ended ({status}) before there was {what}; it said:\n{}", self.name, self.tail())
            }
            Err(error) => Err(error.context(format!("{}; it said:\n{}", self.name, self.tail()))),
        }
    }

    /// Asks it to end and waits; kills it when it does not.
    ///
    /// # Errors
    /// When it had to be killed, or the system refuses.
    pub async fn stop(mut self, within: Duration) -> Result<ExitStatus> {
        self.signal(Signal::Terminate)?;
        self.wait(within).await
    }

    /// Lets it live on after this process.
    ///
    /// # Errors
    /// When the watchdog cannot be told.
    pub fn release(mut self) -> Result<()> {
        self.kept = true;
        watchdog::spare(self.id())
    }

    fn pid(&self) -> Result<Pid> {
        i32::try_from(self.id()).ok().and_then(Pid::from_raw).context("a process id out of range")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // The whole group, since it may have started others. Once it was waited for, its number may belong
        // to somebody else, so that an ended one is left alone.
        if !matches!(self.child.try_wait(), Ok(Some(_)))
            && let Ok(pid) = self.pid()
        {
            let _ = kill_process_group(pid, rustix::process::Signal::KILL);
            let _ = self.child.wait();
        }
        let _ = watchdog::spare(self.id());
    }
}
