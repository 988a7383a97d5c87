//! Lines per second of one core, and the memory that it takes.

use std::time::Duration;

use log_template::{Joiner, Miner};

use crate::fresh::{Random, vary};
use crate::labelled::Set;
use crate::{cpu, verdict};

/// Lines that are made at once, outside the measurement.
const BATCH: usize = 16 * 1024;

struct Rate {
    lines: f64,
    megabytes: f64,
}

pub(crate) fn measure(sets: &[Set], lines: usize) -> bool {
    println!(
        "\n## Speed\n\n{lines} lines made from the sets, each with fresh digits and ids; CPU time of one thread.\n"
    );
    let mut miner = Miner::default();
    let alone = read(sets, lines, |line| {
        miner.observe(line);
    });
    let memory = cpu::most_memory();
    let templates = miner.templates().count();
    let mut miner = Miner::default();
    let mut joiner = Joiner::default();
    let joined = read(sets, lines / 4, |line| {
        if let Some(event) = joiner.push(line) {
            miner.observe(&event.headline());
        }
    });
    println!("| what | lines/s | MB/s |\n|---|---|---|");
    println!("| `observe` | {:.0} | {:.0} |", alone.lines, alone.megabytes);
    println!("| `Joiner::push`, then `observe` | {:.0} | {:.0} |", joined.lines, joined.megabytes);
    println!("\n{templates} templates; {} of {} lines made twice", repeated(sets, lines), lines);
    let shown = memory.map_or("unknown".to_owned(), |mebibytes| format!("{mebibytes:.1} MiB"));
    println!("most memory of the process, with the sets and a batch of lines: {shown}\n");
    let fast = verdict(">= 400,000 lines/s", alone.lines >= 400_000.0);
    verdict(">= 1,000,000 lines/s, the aim", alone.lines >= 1_000_000.0);
    verdict("<= 64 MiB", memory.is_none_or(|mebibytes| mebibytes <= 64.0)) && fast
}

/// Calls `read` with each of the lines.
fn read(sets: &[Set], lines: usize, mut read: impl FnMut(&[u8])) -> Rate {
    let (mut spent, mut bytes) = (Duration::ZERO, 0);
    batches(sets, lines, |batch| {
        bytes += batch.len();
        // Finding the ends of lines is not what is measured.
        let lines: Vec<&[u8]> = batch.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect();
        spent += cpu::of(|| lines.iter().for_each(|line| read(line)));
    });
    let seconds = spent.as_secs_f64();
    Rate { lines: lines as f64 / seconds, megabytes: bytes as f64 / 1e6 / seconds }
}

/// Makes the lines, always the same ones.
fn batches(sets: &[Set], lines: usize, mut take: impl FnMut(&[u8])) {
    let all: Vec<&[u8]> = sets.iter().flat_map(Set::lines).filter(|line| !line.is_empty()).collect();
    let mut random = Random::new(1);
    let mut batch = Vec::new();
    let mut made = 0;
    while made < lines {
        batch.clear();
        for _ in 0..BATCH.min(lines - made) {
            vary(all[random.below(all.len())], made, &mut random, &mut batch);
            made += 1;
        }
        take(&batch);
    }
}

/// How many of the lines are equal to an earlier one.
fn repeated(sets: &[Set], lines: usize) -> usize {
    let mut hashes: Vec<u64> = Vec::with_capacity(lines);
    batches(sets, lines, |batch| {
        let lines = batch.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        hashes.extend(lines.map(|line| {
            line.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            })
        }));
    });
    hashes.sort_unstable();
    hashes.windows(2).filter(|pair| pair[0] == pair[1]).count()
}
