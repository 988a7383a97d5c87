//! What happened in one seed: a hash over every port call and answer, and lines for people.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::digest::Digest;
use crate::truth::Truth;

/// As many lines are kept to tell a find by.
const KEPT: usize = 6000;

/// One thing worth telling.
#[derive(Debug, Clone)]
pub struct Line {
    /// Since the start of the seed.
    pub at: Duration,
    /// What it is about (a pool's name, say); "" for everything.
    pub about: String,
    /// In plain words.
    pub text: String,
}

/// The trace of one seed.
pub struct Trace {
    truth: Truth,
    /// Whether lines are printed as they come.
    echo: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    digest: Digest,
    calls: u64,
    lines: VecDeque<Line>,
}

impl Trace {
    /// An empty trace.
    pub fn new(truth: Truth, echo: bool) -> Self {
        Self { truth, echo, state: Mutex::default() }
    }

    /// Takes a port call or its answer into the hash.
    pub fn mix(&self, take: impl FnOnce(&mut Digest)) {
        let at = self.truth.elapsed();
        let mut state = self.lock();
        state.calls += 1;
        state.digest.number(u64::try_from(at.as_micros()).unwrap_or(u64::MAX));
        take(&mut state.digest);
    }

    /// Notes something for people. It never touches the hash.
    pub fn tell(&self, about: &str, text: impl FnOnce() -> String) {
        let line = Line { at: self.truth.elapsed(), about: about.to_owned(), text: text() };
        if self.echo {
            // Whoever reads along may stop reading (`| head`): the run and its outcome do not depend on them.
            let _ = writeln!(io::stdout(), "{}", shown(&line));
        }
        let mut state = self.lock();
        if state.lines.len() == KEPT {
            state.lines.pop_front();
        }
        state.lines.push_back(line);
    }

    /// The hash and how many calls and answers it covers.
    pub fn outcome(&self) -> (u64, u64) {
        let state = self.lock();
        (state.digest.value(), state.calls)
    }

    /// The last `count` lines about `subject`, and those about everything, oldest first.
    pub fn story(&self, subject: &str, count: usize) -> String {
        let state = self.lock();
        let fits = |line: &&Line| subject.is_empty() || line.about.is_empty() || line.about == subject;
        let mut chosen: Vec<&Line> = state.lines.iter().rev().filter(fits).take(count).collect();
        chosen.reverse();
        let mut story = String::new();
        for line in chosen {
            let _ = writeln!(story, "{}", shown(line));
        }
        story
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shown(line: &Line) -> String {
    let seconds = line.at.as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let about = if line.about.is_empty() { "-" } else { &line.about };
    format!("  {hours}:{minutes:02}:{rest:02}.{:03}  {about:<8} {}", line.at.subsec_millis(), line.text)
}
