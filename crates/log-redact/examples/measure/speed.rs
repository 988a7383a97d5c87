//! How fast it is, in processor time of one thread.

use std::time::Duration;

use log_redact::Redactor;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::time::{ClockId, clock_gettime};

use super::Row;
use super::logs::Logs;

const CHUNK: usize = 64 * 1024;

pub(crate) fn measure(
    redactor: &Redactor,
    what: &'static str,
    logs: &[Logs],
    seed: u64,
    megabytes: usize,
) -> Row {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut spent = Duration::ZERO;
    let (mut bytes, mut lines) = (0, 0);
    let mut clean = Vec::new();
    let mut finds = 0;
    while bytes < megabytes * 1_000_000 {
        // No line comes twice: every repetition has other digits.
        let text = with_fresh_digits(&mut rng, logs);
        lines += memchr::memchr_iter(b'\n', &text).count();
        bytes += text.len();
        let start = processor_time();
        let mut stream = redactor.stream();
        for chunk in text.chunks(CHUNK) {
            stream.push(chunk, &mut clean);
            clean.clear();
        }
        finds += stream.finish(&mut clean).values().sum::<u64>();
        spent += processor_time().saturating_sub(start);
        clean.clear();
    }
    let speed = bytes as f64 / 1e6 / spent.as_secs_f64();
    Row {
        what,
        measured: format!(
            "{speed:.0} MB/s, {:.1} M lines/s ({finds} finds)",
            lines as f64 / 1e6 / spent.as_secs_f64()
        ),
        wanted: ">= 80 MB/s",
        reached: speed >= 80.0,
    }
}

/// All sets one after the other, each digit replaced by another.
fn with_fresh_digits(rng: &mut ChaCha8Rng, logs: &[Logs]) -> Vec<u8> {
    let mut text: Vec<u8> = logs.iter().flat_map(|set| set.text.iter().copied()).collect();
    for byte in text.iter_mut().filter(|byte| byte.is_ascii_digit()) {
        *byte = b'0' + rng.random_range(0..10);
    }
    text
}

/// Of this process, so that what else runs on the machine does not count.
fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}
