//! The README's demo: a day of a SpotPool in about a minute.
//!
//! [`stage`] sets everything up, [`story`] tells what happens and checks each step against the cloud's
//! ledger, [`timeline`] prints it, [`kept`] is what `--keep` leaves behind and `--stop` ends.

mod kept;
mod stage;
mod story;
mod timeline;
mod week;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

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
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = run(&arguments) => outcome,
            // Everything that was started is dropped with the future above, and so ends.
            _ = tokio::signal::ctrl_c() => Ok(ExitCode::from(130)),
        }
    });
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
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
    let timeline = Timeline::start();
    let kubeconfig = arguments.kubeconfig.as_deref();
    let stage = Stage::set(&timeline, &directory, kubeconfig, arguments.keep).await?;
    let told = story::tell(&timeline, &stage).await;
    let held = told.is_complete();
    if !held {
        let logs = stage.save_logs()?;
        timeline.say(&format!("the logs are in {}", logs.display()));
    }
    told.print(&timeline);
    if arguments.keep && held {
        kept::leave(stage, &directory).await?;
    } else {
        stage.strike(&timeline).await?;
    }
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
