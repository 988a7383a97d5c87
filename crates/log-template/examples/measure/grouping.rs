//! How the labelled sets are grouped.

use std::io;

use log_template::{Config, Miner, TemplateId};

use crate::drain::{Drain, digit_masking};
use crate::labelled::Set;
use crate::score::{Score, score};
use crate::verdict;

/// What is tried when the configuration is tuned, the most careful first.
const EVIDENCE: [u32; 6] = [16, 12, 10, 8, 6, 4];
const NUMBER: [u32; 5] = [0, 2, 4, 6, 8];

pub(crate) fn measure(sets: &[Set]) -> io::Result<bool> {
    println!("\n## Grouping\n\nGrouping accuracy / F1 of grouping, raw lines, one configuration.\n");
    println!(
        "| set | log-template | tuned without it | chosen (evidence, number) | digits masked | Drain | Drain, labelled header off |"
    );
    println!("|---|---|---|---|---|---|---|");
    let grid = grid(sets);
    let mut columns: [Vec<Score>; 5] = Default::default();
    for (index, set) in sets.iter().enumerate() {
        let raw: Vec<String> = set.lines().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        let ours = with(&Config::default(), set);
        let (config, tuned) = tuned_without(&grid, index);
        let contents = set.column("Content")?;
        let masked = score(&digit_masking(raw.iter().map(String::as_str)), &set.labels);
        let drain = drained(raw.iter().map(String::as_str), set);
        let drain_content = drained(contents.iter().map(String::as_str), set);
        let row = [ours, tuned, masked, drain, drain_content];
        for (column, score) in columns.iter_mut().zip(row) {
            column.push(score);
        }
        print_row(&set.name, &row, &format!("{}, {}", config.evidence, config.number));
    }
    let means = columns.each_ref().map(|column| mean(column));
    print_row("**mean**", &means, "");
    println!();
    let Score { accuracy, f1 } = means[0];
    let lands = verdict("mean accuracy >= 0.75 and mean F1 >= 0.75", accuracy >= 0.75 && f1 >= 0.75);
    Ok(verdict("the aim: 0.90 and 0.85", accuracy >= 0.90 && f1 >= 0.85) && lands)
}

fn print_row(name: &str, [ours, tuned, masked, drain, drain_content]: &[Score; 5], chosen: &str) {
    let cell = |score: &Score| format!("{:.3} / {:.3}", score.accuracy, score.f1);
    println!(
        "| {name} | {} | {} | {chosen} | {} | {} | {} |",
        cell(ours),
        cell(tuned),
        cell(masked),
        cell(drain),
        cell(drain_content)
    );
}

fn with(config: &Config, set: &Set) -> Score {
    let mut miner = Miner::new(config.clone());
    let ids: Vec<TemplateId> = set.lines().map(|line| miner.observe(line).template).collect();
    let ids: Vec<TemplateId> = ids.into_iter().map(|id| miner.resolve(id)).collect();
    score(&ids, &set.labels)
}

fn drained<'l>(lines: impl Iterator<Item = &'l str>, set: &Set) -> Score {
    let mut drain = Drain::default();
    let ids: Vec<usize> = lines.map(|line| drain.observe(line)).collect();
    score(&ids, &set.labels)
}

/// Every configuration with its score of every set.
fn grid(sets: &[Set]) -> Vec<(Config, Vec<Score>)> {
    let choices = EVIDENCE.iter().flat_map(|&evidence| NUMBER.iter().map(move |&number| (evidence, number)));
    choices
        .map(|(evidence, number)| {
            let mut config = Config::default();
            (config.evidence, config.number) = (evidence, number);
            let scores = sets.iter().map(|set| with(&config, set)).collect();
            (config, scores)
        })
        .collect()
}

/// The configuration that is best for all sets but one, and how it groups that one.
fn tuned_without(grid: &[(Config, Vec<Score>)], left_out: usize) -> (&Config, Score) {
    let worth = |scores: &[Score]| -> f64 {
        let others = scores.iter().enumerate().filter(|(index, _)| *index != left_out);
        others.map(|(_, score)| score.accuracy + score.f1).sum()
    };
    let mut best = &grid[0];
    for candidate in grid {
        if worth(&candidate.1) > worth(&best.1) + 1e-9 {
            best = candidate;
        }
    }
    (&best.0, best.1[left_out])
}

fn mean(scores: &[Score]) -> Score {
    let count = scores.len() as f64;
    Score {
        accuracy: scores.iter().map(|score| score.accuracy).sum::<f64>() / count,
        f1: scores.iter().map(|score| score.f1).sum::<f64>() / count,
    }
}
