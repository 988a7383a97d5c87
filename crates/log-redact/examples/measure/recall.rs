//! How much of what was planted is found.

use std::collections::{BTreeMap, BTreeSet};

use log_redact::Redactor;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::Row;
use super::planted::KINDS;
use super::surroundings::{SURROUNDINGS, Text};

#[derive(Default)]
struct Tally {
    planted: usize,
    missed: usize,
    named: usize,
}

pub(crate) fn measure(redactor: &Redactor, seed: u64, rounds: usize, show: bool) -> Row {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut all = Tally::default();
    let mut by_surrounding: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut by_class: BTreeMap<&str, Tally> = BTreeMap::new();
    let (mut lines_changed, mut no_longer_json) = (0, 0);
    for surrounding in SURROUNDINGS {
        for kind in KINDS {
            for _ in 0..rounds {
                let secret = (kind.make)(&mut rng);
                let text = (surrounding.plant)(&mut rng, kind, &secret);
                let finds = redactor.find(text.text.as_bytes());
                let covered = text
                    .spots
                    .iter()
                    .flat_map(Clone::clone)
                    .all(|at| finds.iter().any(|find| find.range.contains(&at)));
                let named = finds.iter().any(|find| find.class == kind.class);
                let clean = redactor.redact(&text.text);
                lines_changed += usize::from(clean.matches('\n').count() != text.text.matches('\n').count());
                no_longer_json += usize::from(is_json(&text.text) && !is_json(&clean));
                for tally in [
                    &mut all,
                    by_surrounding.entry(surrounding.name).or_default(),
                    by_class.entry(kind.class).or_default(),
                ] {
                    tally.planted += 1;
                    tally.missed += usize::from(!covered);
                    tally.named += usize::from(named);
                }
                if show && !covered {
                    println!("MISSED {} in {}: {}", kind.class, surrounding.name, shown(&text, &clean));
                }
            }
        }
    }
    print_tables(&by_surrounding, &by_class);
    println!("texts with another number of lines: {lines_changed}, no longer JSON: {no_longer_json}");
    let classes: BTreeSet<&str> = KINDS.iter().map(|kind| kind.class).collect();
    let found = percent(all.planted - all.missed, all.planted);
    Row {
        what: "redaction",
        measured: format!(
            "{found:.3}% of {} planted, {} classes, {} surroundings",
            all.planted,
            classes.len(),
            SURROUNDINGS.len()
        ),
        wanted: ">= 99.9%",
        reached: found >= 99.9
            && lines_changed == 0
            && no_longer_json == 0
            && all.planted >= 10_000
            && classes.len() >= 40
            && SURROUNDINGS.len() >= 8,
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok()
}

fn print_tables(by_surrounding: &BTreeMap<&str, Tally>, by_class: &BTreeMap<&str, Tally>) {
    println!("\n{:<24} {:>8} {:>8} {:>10}", "surrounding", "planted", "missed", "by name");
    for (name, tally) in by_surrounding {
        println!(
            "{name:<24} {:>8} {:>8} {:>9.1}%",
            tally.planted,
            tally.missed,
            percent(tally.named, tally.planted)
        );
    }
    for (name, tally) in by_class.iter().filter(|(_, tally)| tally.missed > 0) {
        println!("missed of {name}: {} of {}", tally.missed, tally.planted);
    }
}

fn shown(text: &Text, clean: &str) -> String {
    format!("{:?}\n  -> {clean:?}", text.text)
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}
