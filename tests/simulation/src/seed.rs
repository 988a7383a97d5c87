//! One seed from beginning to end, on a runtime of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};

use spotpool_operator::Guards;

use crate::judge::{Invariant, Tally, Violation};
use crate::kind::Counts;
use crate::process::said;
use crate::script::{self, Length};
use crate::world::World;

/// Lines of a find's story.
const STORY: usize = 40;

/// What came of one seed.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// The hash over every port call and answer.
    pub hash: u64,
    /// How many calls and answers it covers.
    pub calls: u64,
    /// How much time passed in it.
    pub virtual_seconds: u64,
    /// Launches and terminations.
    pub tally: Tally,
    /// Faults by kind.
    pub counts: Counts,
    /// The first invariant broken, with the story that led to it.
    pub violation: Option<(Violation, String)>,
}

/// Runs a seed. The same seed, guards and length give the same outcome. `echo` prints the trace as it comes.
pub fn run(seed: u64, guards: Guards, length: Length, echo: bool) -> Outcome {
    match catch_unwind(AssertUnwindSafe(|| run_in_runtime(seed, guards, length, echo))) {
        Ok(outcome) => outcome,
        Err(panic) => failed(seed, format!("the world panicked: {}", said(&*panic))),
    }
}

fn run_in_runtime(seed: u64, guards: Guards, length: Length, echo: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed(seed, format!("no runtime: {error}")),
    };
    runtime.block_on(async {
        let world = World::build(seed, guards, echo);
        script::play(&world, seed, length).await;
        let (hash, calls) = world.trace.outcome();
        let violation = world.judge.violation().map(|violation| {
            let story = world.trace.story(&violation.about, STORY);
            (violation, story)
        });
        Outcome {
            seed,
            hash,
            calls,
            virtual_seconds: world.truth.elapsed().as_secs(),
            tally: world.judge.tally(),
            counts: world.weather.counts(),
            violation,
        }
    })
}

fn failed(seed: u64, text: String) -> Outcome {
    let violation = Violation {
        invariant: Invariant::KeepsRunning,
        at: std::time::Duration::ZERO,
        about: String::new(),
        text,
    };
    Outcome {
        seed,
        hash: 0,
        calls: 0,
        virtual_seconds: 0,
        tally: Tally::default(),
        counts: Counts::default(),
        violation: Some((violation, String::new())),
    }
}
