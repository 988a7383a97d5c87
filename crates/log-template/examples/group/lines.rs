//! The lines of the input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::named;

/// The lines of a file or of standard input.
pub(crate) struct Lines<'p> {
    input: BufReader<Box<dyn Read>>,
    path: &'p Path,
}

impl<'p> Lines<'p> {
    pub(crate) fn of(path: &'p Path) -> io::Result<Self> {
        let input: Box<dyn Read> = if path == Path::new("-") {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(path).map_err(|error| named(&error, path))?)
        };
        Ok(Self { input: BufReader::with_capacity(1 << 16, input), path })
    }

    /// Reads a line without its end, `\n` or `\r\n`. False at the end of the input.
    pub(crate) fn read(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        line.clear();
        if self.input.read_until(b'\n', line).map_err(|error| named(&error, self.path))? == 0 {
            return Ok(false);
        }
        if line.ends_with(b"\n") {
            line.pop();
            if line.ends_with(b"\r") {
                line.pop();
            }
        }
        Ok(true)
    }

    /// Whether the next line may have to be waited for.
    pub(crate) fn may_wait(&self) -> bool {
        self.input.buffer().is_empty()
    }

    /// Waits until there is something to read, or the end of it. False when `is_over` says so before.
    pub(crate) fn wait(&self, is_over: impl Fn() -> bool) -> io::Result<bool> {
        const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };
        let input = io::stdin();
        while !is_over() {
            if self.path != Path::new("-") || !self.may_wait() {
                return Ok(true);
            }
            match poll(&mut [PollFd::new(&input, PollFlags::IN)], Some(&LOOK)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }
}
