//! What twice the input costs, whatever it is made of.

use std::hint::black_box;
use std::time::Duration;

use log_template::{Joiner, Miner};

use crate::labelled::Set;
use crate::{cpu, verdict};

const SMALLEST: usize = 64 << 10;
const LARGEST: usize = 1 << 20;
/// What a doubling may cost.
const MOST: f64 = 2.5;

pub(crate) fn measure(sets: &[Set]) -> bool {
    println!("\n## Cost\n\nInputs from 64 KiB to 1 MiB; the largest factor of any doubling, median of 5.\n");
    println!("| repeated | as one line | as lines of 100 | as lines of 8,000 |\n|---|---|---|---|");
    let mut worst = 0.0_f64;
    for unit in units(sets) {
        let factors = [usize::MAX, 100, 8000].map(|width| largest_factor(&unit, width));
        let shown: String = String::from_utf8_lossy(&unit).escape_debug().take(24).collect();
        println!(
            "| `{}` | {:.2} | {:.2} | {:.2} |",
            shown.replace('|', "\\|"),
            factors[0],
            factors[1],
            factors[2]
        );
        worst = factors.into_iter().fold(worst, f64::max);
    }
    println!();
    verdict("doubling costs at most 2.5 times as much", worst <= MOST)
}

/// What has cost parsers dearly: openings without an end, values within values, words that are all new, frames.
fn units(sets: &[Set]) -> Vec<Vec<u8>> {
    let mut units: Vec<Vec<u8>> = [
        "a",
        "a ",
        "1 ",
        "1, ",
        "{\"",
        "{\"msg\":\"",
        "\\\"",
        "[(",
        "((",
        "k=v ",
        "msg=\"",
        "12:",
        "1.",
        "/",
        "a/b",
        "<34>1 ",
        "2026-01-02 ",
        "INFO ",
        "[main] ",
        "\tat a.b(C.java:1) ",
        "0x",
        "::",
        "任务",
        "\u{ff}",
        "\\u0000",
        "-",
        "a.b.c.",
        "\"-\" ",
        "Caused by: ",
        "# ",
    ]
    .iter()
    .map(|unit| unit.as_bytes().to_vec())
    .collect();
    units.push(vec![0xff]);
    units.push(vec![0x1b, b'[']);
    units.push(words());
    units.extend(sets.iter().take(1).map(|set| set.lines().collect::<Vec<_>>().join(&b' ')));
    units
}

/// A long row of words without one that comes twice.
fn words() -> Vec<u8> {
    let letters = |number: usize| (0..5).map(move |place| b'a' + (number / 26_usize.pow(place) % 26) as u8);
    (0..200_000).flat_map(|number| letters(number * 59 + 7).chain([b' '])).collect()
}

fn largest_factor(unit: &[u8], width: usize) -> f64 {
    let mut size = SMALLEST;
    let mut before = median(unit, size, width);
    let mut largest = 0.0_f64;
    while size < LARGEST {
        size *= 2;
        let now = median(unit, size, width);
        largest = largest.max(now.as_secs_f64() / before.as_secs_f64().max(1e-9));
        before = now;
    }
    largest
}

fn median(unit: &[u8], size: usize, width: usize) -> Duration {
    let text: Vec<u8> = unit.iter().copied().cycle().filter(|byte| *byte != b'\n').take(size).collect();
    let read = || {
        let (mut miner, mut joiner) = (Miner::default(), Joiner::default());
        let events = text.chunks(width).filter_map(|line| joiner.push(line)).collect::<Vec<_>>();
        for event in events.into_iter().chain(joiner.finish()) {
            black_box(miner.observe(&event.headline()));
        }
    };
    // As many bytes at every size, so that each time is long enough to be measured.
    let again = (LARGEST / size) as u32;
    let mut times: Vec<Duration> =
        (0..5).map(|_| cpu::of(|| (0..again).for_each(|_| read())) / again).collect();
    times.sort_unstable();
    times[2]
}
