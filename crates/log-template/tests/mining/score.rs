//! How well groups fit labels.

use std::collections::{BTreeMap, BTreeSet};

/// By the definitions of the field: a group is right when it holds exactly the lines of one label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Score {
    /// The part of the lines that are in a right group.
    pub(crate) accuracy: f64,
    /// The harmonic mean of the parts of groups and of labels that are right.
    pub(crate) f1: f64,
}

pub(crate) fn score<G: Ord, L: Ord>(groups: &[G], labels: &[L]) -> Score {
    assert_eq!(groups.len(), labels.len());
    let (groups, labels) = (members(groups), members(labels));
    let known: BTreeSet<&Vec<usize>> = labels.values().collect();
    let right: Vec<&Vec<usize>> = groups.values().filter(|lines| known.contains(lines)).collect();
    let lines: usize = labels.values().map(Vec::len).sum();
    Score {
        accuracy: right.iter().map(|lines| lines.len()).sum::<usize>() as f64 / lines as f64,
        f1: 2.0 * right.len() as f64 / (groups.len() + labels.len()) as f64,
    }
}

fn members<T: Ord>(names: &[T]) -> BTreeMap<&T, Vec<usize>> {
    let mut members: BTreeMap<&T, Vec<usize>> = BTreeMap::new();
    for (line, name) in names.iter().enumerate() {
        members.entry(name).or_default().push(line);
    }
    members
}

#[test]
fn a_group_counts_only_when_it_is_exactly_one_label() {
    assert_eq!(score(&[1, 1, 2, 2], &["a", "a", "b", "b"]), Score { accuracy: 1.0, f1: 1.0 });
    assert_eq!(score(&[1, 1, 2, 3], &["a", "a", "b", "b"]), Score { accuracy: 0.5, f1: 2.0 / 5.0 });
    assert_eq!(score(&[1, 1, 1, 1], &["a", "a", "b", "b"]), Score { accuracy: 0.0, f1: 0.0 });
}

/// The adjusted Rand index of two groupings of the same lines: 1 when they are the same.
pub(crate) fn rand_index<A: Ord, B: Ord>(a: &[A], b: &[B]) -> f64 {
    let pairs = |count: usize| (count * count.saturating_sub(1)) as f64 / 2.0;
    let mut both: BTreeMap<(&A, &B), usize> = BTreeMap::new();
    for cell in a.iter().zip(b) {
        *both.entry(cell).or_default() += 1;
    }
    let together: f64 = both.values().map(|&count| pairs(count)).sum();
    let in_a: f64 = members(a).values().map(|lines| pairs(lines.len())).sum();
    let in_b: f64 = members(b).values().map(|lines| pairs(lines.len())).sum();
    let expected = in_a * in_b / pairs(a.len());
    let most = f64::midpoint(in_a, in_b);
    if most == expected { 1.0 } else { (together - expected) / (most - expected) }
}

#[test]
fn the_rand_index_is_one_for_the_same_groups_and_about_nothing_for_unrelated_ones() {
    assert_eq!(rand_index(&[1, 1, 2, 2], &["x", "x", "y", "y"]), 1.0);
    let (a, b): (Vec<usize>, Vec<usize>) = (0..10_000).map(|line| (line % 10, line / 1000)).unzip();
    assert!(rand_index(&a, &b).abs() < 0.01);
}
