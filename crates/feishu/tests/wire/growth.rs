//! What twice the input costs, in processor time of this thread, so that a busy machine does not matter. (The same file in
//! `feishu`, `llm-client` and `loki-client`, which share no code.)

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// In bytes. Each is compared with its double.
const SIZES: &[usize] = if cfg!(debug_assertions) {
    &[64 << 10, 128 << 10]
} else {
    &[64 << 10, 128 << 10, 256 << 10, 512 << 10]
};
const MOST: f64 = 2.5;
/// Shorter ones say more about the clock than about the code.
const MEASURED: Duration = Duration::from_millis(2);
const ROUNDS: usize = 5;
/// A neighbour on the same core can make one measurement wrong. What grows faster does so every time.
const ATTEMPTS: u32 = 4;

/// What was measured so far. A miss fails the test only in [`Growths::judge`], so that all kinds are measured.
#[must_use]
#[derive(Default)]
pub(crate) struct Growths {
    worst: f64,
    measured: u32,
    again: u32,
    missed: Vec<String>,
}

/// As in a program that has run for a while. A fresh one that never had more than 128 KiB on its heap pays for each page anew
/// whenever an input needs more than that, since glibc gives the memory back at once; freed once, a large piece ends that.
fn run_in() {
    drop(std::hint::black_box(vec![1_u8; 31 << 20]));
}

impl Growths {
    /// Doubles inputs of one kind and prints a line for them. `make` gives what is to be run for an input of so many bytes.
    pub(crate) fn measure<R: Fn()>(&mut self, kind: &str, make: impl Fn(usize) -> R) {
        let mut line = String::new();
        run_in();
        for &size in SIZES {
            let (once, twice) = (make(size), make(2 * size));
            let growths = (1..=ATTEMPTS).map(|_| growth(&once, &twice));
            let (attempts, growth) = until_in_bounds(growths);
            self.worst = self.worst.max(growth);
            self.measured += 1;
            self.again += u32::from(attempts > 1);
            if growth > MOST {
                self.missed.push(format!("{kind}: twice {size} bytes cost {growth:.2} times"));
            }
            line += &format!("{growth:.2} ");
        }
        println!("{line} {kind}");
    }

    /// Prints the sum of it; panics when something cost more than it may, each of several times.
    pub(crate) fn judge(&self) {
        let Self { worst, measured, again, missed } = self;
        println!("{worst:.2} times at most, of {measured} doublings; {again} were measured more than once");
        assert!(missed.is_empty(), "more than {MOST} times, again and again:\n{}", missed.join("\n"));
    }
}

/// How many measurements it took until one was in bounds, and that one; the least of all when none was.
fn until_in_bounds(growths: impl Iterator<Item = f64>) -> (u32, f64) {
    let mut least = f64::INFINITY;
    let mut attempts = 0;
    for growth in growths {
        attempts += 1;
        least = least.min(growth);
        if growth <= MOST {
            break;
        }
    }
    (attempts, least)
}

/// How much dearer the second one is, by the medians of rounds in which they take turns.
fn growth(once: &impl Fn(), twice: &impl Fn()) -> f64 {
    let (mut single, mut double): (Vec<_>, Vec<_>) = (0..ROUNDS).map(|_| (cost(once), cost(twice))).unzip();
    single.sort_by(f64::total_cmp);
    double.sort_by(f64::total_cmp);
    double[ROUNDS / 2] / single[ROUNDS / 2]
}

/// Seconds that one run takes.
fn cost(run: &impl Fn()) -> f64 {
    let start = processor_time();
    let mut runs = 0.0;
    loop {
        run();
        runs += 1.0;
        let taken = processor_time() - start;
        if taken >= MEASURED {
            return taken.as_secs_f64() / runs;
        }
    }
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
