//! How fast it is, in processor time of one thread.

use log_redact::Redactor;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Row;
use super::clock::processor_time;
use super::logs::Logs;

const CHUNK: usize = 64 * 1024;

pub(crate) fn measure(
    redactor: &Redactor,
    what: &'static str,
    logs: &[Logs],
    seed: u64,
    megabytes: usize,
    least: f64,
) -> Row {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut bytes, mut lines, mut finds) = (0, 0, 0);
    let mut speeds = Vec::new();
    let mut clean = Vec::new();
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
        stream.finish(&mut clean);
        let spent = processor_time().saturating_sub(start);
        finds += stream.counts().values().sum::<u64>();
        clean.clear();
        speeds.push(text.len() as f64 / 1e6 / spent.as_secs_f64());
    }
    speeds.sort_by(f64::total_cmp);
    let median = speeds.get(speeds.len() / 2).copied().unwrap_or_default();
    let best = speeds.last().copied().unwrap_or_default();
    let lines_per_second = median * lines as f64 / bytes as f64;
    Row {
        what,
        measured: format!(
            "{median:.0} MB/s, {best:.0} at best, {lines_per_second:.1} M lines/s ({finds} finds)"
        ),
        wanted: if least > 0.0 { ">= 80, aim 200" } else { "for comparison" },
        reached: median >= least,
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
