//! What twice the input costs, whatever it is made of.

use std::hint::black_box;
use std::time::Duration;

use log_template::{Joiner, Miner};

use crate::labelled::Set;
use crate::{cpu, verdict};

const SMALLEST: usize = 64 << 10;
const LARGEST: usize = 1 << 20;
const REPETITIONS: usize = 5;
/// So long each text is read again and again, and the fastest time counts: the others were disturbed.
const LONG_ENOUGH: Duration = Duration::from_millis(4);
/// What a doubling may cost.
const MOST: f64 = 2.5;

pub(crate) fn measure(sets: &[Set]) -> bool {
    println!(
        "\n## Cost\n\nInputs from 64 KiB to 1 MiB; the largest factor of any doubling, median of 5 pairs.\n"
    );
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

/// The largest of what the doublings cost, each the median of what the double costs right after the single: what else
/// runs on the machine slows both.
fn largest_factor(unit: &[u8], width: usize) -> f64 {
    let text: Vec<u8> = unit.iter().copied().cycle().filter(|byte| *byte != b'\n').take(LARGEST).collect();
    // The first long line teaches the allocator to keep such pieces of memory, as in any process that runs for a while.
    read(&text, width);
    let mut largest = 0.0_f64;
    let mut size = SMALLEST;
    while size < LARGEST {
        let (single, double) = (&text[..size], &text[..2 * size]);
        let mut factors = [(); REPETITIONS].map(|()| {
            let before = seconds(single, width);
            seconds(double, width) / before
        });
        factors.sort_by(f64::total_cmp);
        largest = largest.max(factors[REPETITIONS / 2]);
        size *= 2;
    }
    largest
}

/// What reading a text costs in lines of this width.
fn seconds(text: &[u8], width: usize) -> f64 {
    let (mut spent, mut least) = (Duration::ZERO, Duration::MAX);
    while spent < LONG_ENOUGH {
        let once = cpu::of(|| read(text, width));
        (spent, least) = (spent + once, least.min(once));
    }
    least.as_secs_f64().max(1e-9)
}

fn read(text: &[u8], width: usize) {
    let (mut miner, mut joiner) = (Miner::default(), Joiner::default());
    for line in text.chunks(width) {
        if let Some(event) = joiner.push(line) {
            black_box(miner.observe(&event.headline()));
        }
    }
    if let Some(event) = joiner.finish() {
        black_box(miner.observe(&event.headline()));
    }
}
