//! What twice the input costs, whatever it is made of.

use std::hint::black_box;
use std::time::Duration;

use log_template::{Joiner, Miner};

use crate::labelled::Set;
use crate::{cpu, verdict};

const SMALLEST: usize = 64 << 10;
const LARGEST: usize = 1 << 20;
const REPETITIONS: usize = 5;
/// So long a text and its double are read in turn, and the fastest time of each counts: the others were disturbed.
const LONG_ENOUGH: Duration = Duration::from_millis(12);
/// So often at least, however long that takes.
const TURNS: usize = 3;
/// What a doubling may cost.
const MOST: f64 = 2.5;

pub(crate) fn measure(sets: &[Set]) -> bool {
    println!(
        "\n## Cost\n\nInputs from 64 KiB to 1 MiB; the largest factor of any doubling, median of 5 pairs.\n"
    );
    // One large piece of memory teaches the allocator to keep long lines' pieces, as in any process that has read a few.
    // Otherwise it gives each back to the system, which is what would be measured.
    drop(black_box(vec![0_u8; 16 * LARGEST]));
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

/// The largest of what the doublings cost, each the median of five.
fn largest_factor(unit: &[u8], width: usize) -> f64 {
    let text: Vec<u8> = unit.iter().copied().cycle().filter(|byte| *byte != b'\n').take(LARGEST).collect();
    let sizes =
        std::iter::successors(Some(SMALLEST), |size| Some(size * 2)).take_while(|&size| size < LARGEST);
    let medians = sizes.map(|size| {
        let mut factors = [(); REPETITIONS].map(|()| factor(&text[..size], &text[..2 * size], width));
        factors.sort_by(f64::total_cmp);
        factors[REPETITIONS / 2]
    });
    medians.fold(0.0, f64::max)
}

/// What the double costs beside the single, in lines of this width. They are read in turn, equally often: what else
/// runs on the machine slows both.
fn factor(single: &[u8], double: &[u8], width: usize) -> f64 {
    let (mut spent, mut turns) = (Duration::ZERO, 0);
    let mut least = [Duration::MAX; 2];
    while turns < TURNS || spent < LONG_ENOUGH {
        for (least, text) in least.iter_mut().zip([single, double]) {
            let once = cpu::of(|| read(text, width));
            *least = once.min(*least);
            spent += once;
        }
        turns += 1;
    }
    least[1].as_secs_f64() / least[0].as_secs_f64().max(1e-9)
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
