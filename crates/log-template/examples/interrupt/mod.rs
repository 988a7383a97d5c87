//! Ctrl-C, and being told to terminate: the first time somebody is told, the second time ends the process.

use std::io;
use std::thread;

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// What a process ends with that a signal has ended: 128 and its number.
const INTERRUPTED: u8 = 130;
const TERMINATED: u8 = 143;

/// Lets `told` know with what code to end.
pub(crate) fn watch(mut told: impl FnMut(u8) + Send + 'static) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    thread::spawn(move || {
        runtime.block_on(async {
            let mut is_told = false;
            loop {
                let code = tokio::select! {
                    _ = interrupt.recv() => INTERRUPTED,
                    _ = terminate.recv() => TERMINATED,
                };
                if std::mem::replace(&mut is_told, true) {
                    std::process::exit(code.into());
                }
                told(code);
            }
        });
    });
    Ok(())
}
