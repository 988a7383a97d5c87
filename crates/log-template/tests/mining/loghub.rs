//! The labelled sets, which stay outside this repository.

use std::path::Path;

use log_template::{Joiner, Miner};

use crate::score::{Score, score};

/// A file of raw lines, and the statement of each by those who labelled it.
pub(crate) struct Set {
    pub(crate) name: String,
    text: Vec<u8>,
    pub(crate) labels: Vec<String>,
}

impl Set {
    pub(crate) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.text.split(|&byte| byte == b'\n').take(self.labels.len()).map(<[u8]>::trim_ascii_end)
    }
}

/// Every set, or none, said aloud, where they are not at hand.
pub(crate) fn sets() -> Vec<Set> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/loghub");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: no labelled sets at {}", folder.display());
        return Vec::new();
    };
    let mut sets: Vec<Set> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .map(|path| {
            let labels =
                std::fs::read_to_string(path.with_extension("log_structured.csv")).expect("its labels");
            Set {
                name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
                text: std::fs::read(&path).expect("a readable set"),
                labels: labels_in(&labels),
            }
        })
        .collect();
    sets.sort_by(|a, b| a.name.cmp(&b.name));
    sets
}

/// The column `EventId` of a CSV file: the last but one, counted from the end, because only the template after it and
/// the content before it are quoted.
fn labels_in(csv: &str) -> Vec<String> {
    let mut labels = Vec::new();
    for line in csv.lines().skip(1) {
        let mut quoted = false;
        let mut columns = vec![String::new()];
        for character in line.chars() {
            match character {
                '"' => quoted = !quoted,
                ',' if !quoted => columns.push(String::new()),
                other => columns.last_mut().expect("never empty").push(other),
            }
        }
        labels.push(columns.swap_remove(columns.len() - 2));
    }
    labels
}

fn mean(scores: &[Score], of: impl Fn(&Score) -> f64) -> f64 {
    scores.iter().map(of).sum::<f64>() / scores.len() as f64
}

#[test]
fn the_labelled_sets_are_grouped_by_their_statements_with_one_configuration() {
    let sets = sets();
    if sets.is_empty() {
        return;
    }
    let scores: Vec<Score> =
        sets.iter().map(|set| score(&crate::ids(&mut Miner::default(), set.lines()), &set.labels)).collect();
    for (set, score) in sets.iter().zip(&scores) {
        println!("{:14} {score:?}", set.name);
    }
    assert!(mean(&scores, |score| score.accuracy) >= 0.90);
    assert!(mean(&scores, |score| score.f1) >= 0.85);
}

#[test]
fn lines_with_a_time_are_never_joined() {
    for set in sets() {
        let mut joiner = Joiner::default();
        let mut events = set.lines().filter_map(|line| joiner.push(line)).count();
        events += usize::from(joiner.finish().is_some());
        assert_eq!(events, set.labels.len(), "{}", set.name);
    }
}
