//! The README's demo: a bad week of a SpotPool in less than three minutes.
//!
//! [`stage`] sets everything up, [`story`] tells what happens and checks each step against the cloud's
//! ledger, [`timeline`] prints it, [`kept`] is what `--keep` leaves behind and `--stop` ends, [`guest`] is how it
//! behaves in a cluster that one has.

mod guest;
mod kept;
mod stage;
mod story;
mod timeline;
mod week;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use tokio::signal::unix::{Signal, SignalKind, signal};

use guest::Guest;
use stage::Stage;
use timeline::Timeline;

/// `cargo xtask demo` documents these and starts this program.
#[derive(Parser)]
#[command(name = "cargo xtask demo")]
struct Arguments {
    /// Leave the sample pool Ready and everything running, and write target/demo/env
    #[arg(long)]
    keep: bool,
    /// End what --keep left running
    #[arg(long, conflicts_with_all = ["keep", "kubeconfig"])]
    stop: bool,
    /// Use this cluster's current context instead of starting an API server
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

fn main() -> ExitCode {
    testkit::install_tls();
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(run(&arguments));
    // A kubectl that is still waiting must not hold anybody up.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// How the story ended.
enum Ended {
    Held,
    Kept,
    Failed,
    Interrupted,
}

async fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.stop {
        return kept::stop().await;
    }
    // One that is kept has a fixed place, where `--stop` finds it; any other keeps out of its way.
    let scratch;
    let directory = if arguments.keep {
        kept::make_room().await?
    } else {
        scratch =
            tempfile::Builder::new().prefix("spotpool-demo-").tempdir().context("a temporary directory")?;
        testkit::watchdog::remove_at_exit(scratch.path())?;
        scratch.path().to_owned()
    };
    let ended = perform(arguments, &directory).await;
    if arguments.keep && !matches!(ended, Ok(Ended::Kept)) {
        kept::clear()?;
    }
    Ok(match ended? {
        Ended::Held | Ended::Kept => ExitCode::SUCCESS,
        Ended::Failed => ExitCode::FAILURE,
        Ended::Interrupted => ExitCode::from(130),
    })
}

/// The whole demo. A cluster that one has is left as it was, however it ends.
async fn perform(arguments: &Arguments, directory: &Path) -> Result<Ended> {
    let mut interrupts = Interrupts::new()?;
    let timeline = Timeline::start();
    let guest = match &arguments.kubeconfig {
        Some(kubeconfig) => tokio::select! {
            guest = Guest::look(&timeline, kubeconfig, directory) => Some(guest?),
            () = interrupts.next() => return Ok(Ended::Interrupted),
        },
        None => None,
    };
    let ended = tokio::select! {
        ended = play(&timeline, directory, guest.as_ref(), arguments.keep) => ended,
        // Everything that was started is dropped with the future above, and so ends.
        () = interrupts.next() => {
            timeline.close();
            timeline.say("interrupted");
            Ok(Ended::Interrupted)
        }
    };
    if let Some(guest) = guest
        && !matches!(ended, Ok(Ended::Kept))
    {
        let cleaned = clean(&timeline, guest, directory, &mut interrupts).await;
        // What went wrong first is the error; what is left is said as well.
        match (&ended, cleaned) {
            (Ok(_), cleaned) => cleaned?,
            (Err(_), Err(left)) => eprintln!("error: {left:#}"),
            (Err(_), Ok(())) => {}
        }
    }
    ended
}

/// Sets the stage, tells the story, and takes down what is not kept.
async fn play(timeline: &Timeline, directory: &Path, guest: Option<&Guest>, keep: bool) -> Result<Ended> {
    let stage = Stage::set(timeline, directory, guest, keep).await?;
    let told = story::tell(timeline, &stage).await;
    let held = told.is_complete();
    if !held {
        let logs = stage.save_logs()?;
        timeline.say(&format!("the logs are in {}", logs.display()));
    }
    told.print(timeline);
    if keep && held {
        kept::leave(stage, guest, directory).await?;
        return Ok(Ended::Kept);
    }
    stage.strike().await?;
    Ok(if held { Ended::Held } else { Ended::Failed })
}

/// Takes out of a foreign cluster what was put in, unless somebody is in so much of a hurry as to interrupt twice.
async fn clean(
    timeline: &Timeline,
    guest: Guest,
    directory: &Path,
    interrupts: &mut Interrupts,
) -> Result<()> {
    timeline.say("removing what the demo put into the cluster; interrupt again to leave it there");
    let cluster = guest.cluster(directory)?;
    let leaving = tokio::task::spawn_blocking(move || guest.leave(&cluster));
    tokio::select! {
        left = leaving => left.context("removing what the demo put into the cluster")??,
        () = interrupts.next() => bail!("interrupted again: the cluster keeps what is left of the demo"),
    }
    timeline.say("the cluster is as it was");
    Ok(())
}

/// Ctrl-C at the terminal, and the signal that asks a program to end.
struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    fn new() -> Result<Self> {
        let listen = |kind| signal(kind).context("listening for signals");
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
