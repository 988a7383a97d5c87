//! How the labelled sets are grouped.

use log_template::{Joiner, Miner};

use crate::score::{Score, score};

fn mean(scores: &[Score], of: impl Fn(&Score) -> f64) -> f64 {
    scores.iter().map(of).sum::<f64>() / scores.len() as f64
}

#[test]
fn the_labelled_sets_are_grouped_by_their_statements_with_one_configuration() {
    let sets = crate::sets();
    if sets.is_empty() {
        return;
    }
    let scores: Vec<Score> =
        sets.iter().map(|set| score(&crate::ids(&mut Miner::default(), set.lines()), &set.labels)).collect();
    for (set, score) in sets.iter().zip(&scores) {
        println!("{:14} {score:?}", set.name);
    }
    assert!(mean(&scores, |score| score.accuracy) >= 0.99);
    assert!(mean(&scores, |score| score.f1) >= 0.97);
}

#[test]
fn lines_with_a_time_are_never_joined() {
    for (name, lines) in crate::logs() {
        let mut joiner = Joiner::default();
        let mut events = lines.iter().filter_map(|line| joiner.push(line)).count();
        events += usize::from(joiner.finish().is_some());
        assert_eq!(events, lines.len(), "{name}");
    }
}
