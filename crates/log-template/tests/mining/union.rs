//! Two miners' states as one.

use std::collections::BTreeMap;

use log_template::{Miner, TemplateId};

use crate::score::rand_index;
use crate::statements::mixed;

/// Reads every second line with one miner and the others with another, and puts them together.
fn halves(lines: &[&[u8]]) -> (Miner, Vec<TemplateId>) {
    let mut readers = [Miner::default(), Miner::default()];
    let ids: Vec<TemplateId> =
        lines.iter().enumerate().map(|(number, line)| readers[number % 2].observe(line).template).collect();
    let [mut ours, theirs] = readers;
    let names: BTreeMap<TemplateId, TemplateId> =
        ours.absorb(&theirs).into_iter().map(|adopted| (adopted.theirs, adopted.ours)).collect();
    let name = |(number, id): (usize, TemplateId)| match number % 2 {
        0 => ours.resolve(id),
        _ => names[&theirs.resolve(id)],
    };
    let ids = ids.into_iter().enumerate().map(name).collect();
    (ours, ids)
}

#[test]
fn two_readers_of_one_stream_come_to_the_templates_of_one() {
    for (name, lines) in crate::logs() {
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        let (mut both, ids) = halves(&lines);
        let one = crate::ids(&mut Miner::default(), lines.iter().copied());
        let index = rand_index(&ids, &one);
        assert!(index >= 0.99, "{name}: {index}");
        assert_eq!(both.lines(), lines.len() as u64);
        // Whoever reads on with the common state finds the same templates.
        let again: Vec<TemplateId> = lines.iter().map(|line| both.observe(line).template).collect();
        assert_eq!(again, ids, "{name}");
    }
}

#[test]
fn what_two_miners_have_in_common_is_found_again_by_its_older_name() {
    let lines = mixed(500);
    let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    let mut ours = Miner::default();
    let before = crate::ids(&mut ours, lines.iter().copied());
    let theirs = ours.clone();
    let names = ours.absorb(&theirs);
    assert!(names.iter().all(|adopted| adopted.ours == adopted.theirs));
    assert_eq!(ours.merges(), []);
    assert_eq!(crate::ids(&mut ours, lines.iter().copied()), before);
}

#[test]
fn names_that_each_reader_saw_too_few_of_are_a_value_for_both_together() {
    let (mut ours, mut theirs) = (Miner::default(), Miner::default());
    for name in ["ann", "bob", "cid"] {
        ours.observe(format!("handed it to {name} without loss").as_bytes());
    }
    for name in ["dan", "eve", "fay"] {
        theirs.observe(format!("handed it to {name} without loss").as_bytes());
    }
    let names = ours.absorb(&theirs);
    assert_eq!(ours.templates().count(), 1);
    assert!(names.iter().all(|adopted| adopted.ours.get() == 0));
    assert!(!ours.merges().is_empty());
    let (_, template, lines) = ours.templates().next().expect("one");
    assert_eq!((template.to_string().as_str(), lines), ("handed it to <*> without loss", 6));
}
