//! Nothing that is read makes a miner grow without bound, and what it forgets it tells.

use std::collections::BTreeSet;

use log_template::{Config, Miner};

fn small() -> Miner {
    let mut config = Config::default();
    config.most_templates = 64;
    config.most_shapes = 128;
    Miner::new(config)
}

/// A statement that no other shares a word with.
fn strange(number: usize) -> String {
    let word = |mut number: usize| -> String {
        let mut word = String::new();
        for _ in 0..6 {
            word.push(char::from(b'a' + (number % 26) as u8));
            number /= 26;
        }
        word
    };
    (0..5).map(|place| word(number * 7919 + place * 104_729)).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_was_not_seen_for_long_is_forgotten_and_told() {
    let mut miner = small();
    let mut told = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for number in 0..2000 {
        seen.insert(miner.observe(strange(number).as_bytes()).template);
        for forgotten in miner.forgotten() {
            assert!(told.insert(forgotten.id), "told once");
            assert!(forgotten.lines > 0);
            assert!(!forgotten.template.to_string().is_empty());
            assert_eq!(miner.template(forgotten.id), None);
        }
    }
    assert!(miner.templates().count() <= 64);
    let known: BTreeSet<_> = miner.templates().map(|(id, ..)| id).collect();
    assert_eq!(seen.iter().filter(|id| !told.contains(id)).copied().collect::<BTreeSet<_>>(), known);
}

#[test]
fn what_is_seen_again_and_again_is_never_forgotten() {
    let mut miner = small();
    let heartbeat = b"heartbeat 1 of the controller";
    let id = miner.observe(heartbeat).template;
    for number in 0..2000 {
        miner.observe(strange(number).as_bytes());
        assert_eq!(miner.observe(heartbeat).template, id);
    }
}

#[test]
fn a_forgotten_statement_that_comes_again_is_new_under_another_id() {
    let mut miner = small();
    let first = miner.observe(strange(0).as_bytes());
    for number in 1..500 {
        miner.observe(strange(number).as_bytes());
    }
    let again = miner.observe(strange(0).as_bytes());
    assert!(first.is_new && again.is_new);
    assert!(again.template > first.template);
}

#[test]
fn the_state_of_a_miner_that_reads_noise_stops_growing() {
    let mut miner = small();
    let mut sizes = Vec::new();
    for number in 0..20_000 {
        miner.observe(strange(number).as_bytes());
        if number % 2000 == 1999 {
            sizes.push(miner.save().len());
        }
    }
    let (early, late) = (sizes[2], sizes[9]);
    assert!(late <= early + early / 4, "{sizes:?}");
}

#[test]
fn a_line_fits_its_template_also_when_those_that_made_it_general_are_forgotten() {
    let mut miner = small();
    let line = |name: &str| format!("session closed for user {name}");
    for name in ["ann", "bob", "cid", "dan", "eve", "fay"] {
        miner.observe(line(name).as_bytes());
    }
    // Enough to forget the template, and not that a value stands there.
    for number in 0..70 {
        miner.observe(strange(number).as_bytes());
    }
    for name in ["gus", "hal", "ian"] {
        let id = miner.observe(line(name).as_bytes()).template;
        let template = miner.template(id).expect("it was just seen");
        assert_eq!(template.values(line(name).as_bytes()).map(|values| values.len()), Some(1), "{template}");
    }
}
