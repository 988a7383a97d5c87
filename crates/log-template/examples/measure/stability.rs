//! The same stream in other chunks, across restarts, and with lines that overtake each other.

use std::io::{BufRead as _, BufReader};

use log_template::{Miner, TemplateId};

use crate::fresh::Random;
use crate::labelled::Set;
use crate::score::rand_index;
use crate::verdict;

/// Each of so many runs has its own restarts and its own order.
const RUNS: u64 = 10;
/// How far a line may move.
const FAR: usize = 50;

pub(crate) fn measure(sets: &[Set]) -> bool {
    println!(
        "\n## Stability\n\n| set | other chunks | restarts | 5 % shuffled near by: least adjusted Rand index of {RUNS} |"
    );
    println!("|---|---|---|---|");
    let (mut same, mut least) = (true, 1.0_f64);
    for set in sets {
        let lines: Vec<&[u8]> = set.lines().collect();
        let whole = ids(&mut Miner::default(), lines.iter().copied());
        let chunks = [1, 7, 4096].iter().all(|&size| in_chunks(&lines, size) == whole);
        let restarts = (1..=RUNS).all(|seed| with_restarts(&lines, &mut Random::new(seed)) == whole);
        let index = (1..=RUNS)
            .map(|seed| {
                let order = shuffled(lines.len(), &mut Random::new(seed));
                let found = ids(&mut Miner::default(), order.iter().map(|&line| lines[line]));
                rand_index(&found, &order.iter().map(|&line| whole[line]).collect::<Vec<_>>())
            })
            .fold(1.0, f64::min);
        let word = |same: bool| if same { "identical" } else { "DIFFERENT" };
        println!("| {} | {} | {} | {index:.4} |", set.name, word(chunks), word(restarts));
        same &= chunks && restarts;
        least = least.min(index);
    }
    println!();
    let same = verdict("identical in other chunks and across restarts", same);
    verdict("adjusted Rand index >= 0.99", least >= 0.99) && same
}

fn ids<'l>(miner: &mut Miner, lines: impl Iterator<Item = &'l [u8]>) -> Vec<TemplateId> {
    let ids: Vec<TemplateId> = lines.map(|line| miner.observe(line).template).collect();
    ids.into_iter().map(|id| miner.resolve(id)).collect()
}

/// As from a pipe that gives `size` bytes at a time.
fn in_chunks(lines: &[&[u8]], size: usize) -> Vec<TemplateId> {
    let text = lines.join(&b'\n');
    let mut reader = BufReader::with_capacity(size, text.as_slice());
    let mut miner = Miner::default();
    let mut ids = Vec::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        ids.push(miner.observe(line.strip_suffix(b"\n").unwrap_or(&line)).template);
        line.clear();
    }
    ids.into_iter().map(|id| miner.resolve(id)).collect()
}

/// Saved and loaded at about twenty places.
fn with_restarts(lines: &[&[u8]], random: &mut Random) -> Vec<TemplateId> {
    let mut miner = Miner::default();
    let mut ids = Vec::new();
    for line in lines {
        if random.below(lines.len()) < 20 {
            let Ok(loaded) = Miner::load(&miner.save()) else { return Vec::new() };
            miner = loaded;
        }
        ids.push(miner.observe(line).template);
    }
    ids.into_iter().map(|id| miner.resolve(id)).collect()
}

/// The order of lines of which every twentieth has moved by up to [`FAR`] places.
fn shuffled(count: usize, random: &mut Random) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for _ in 0..count / 20 {
        let from = random.below(count);
        let to = (from + FAR).saturating_sub(random.below(2 * FAR + 1)).min(count - 1);
        let line = order.remove(from);
        order.insert(to, line);
    }
    order
}
