//! Nothing that is read makes a miner grow without bound, and what it forgets it tells.

use std::collections::BTreeSet;

use log_template::{Config, Miner};

fn small() -> Miner {
    let mut config = Config::default();
    config.most_templates = 64;
    config.most_shapes = 128;
    Miner::new(config)
}

/// Six letters, others for each number.
fn word(number: usize) -> String {
    (0..6).map(|place| char::from(b'a' + (number / 26_usize.pow(place) % 26) as u8)).collect()
}

/// A statement that no other shares a word with.
fn strange(number: usize) -> String {
    (0..5).map(|place| word(number * 7919 + place * 104_729)).collect::<Vec<_>>().join(" ")
}

/// Signs in another order for each number below 4096.
fn signs(number: usize) -> String {
    (0..6).map(|place| [':', ';', '!', '|'][number / 4_usize.pow(place) % 4]).collect()
}

/// Whether what is kept of these lines is hardly more after all of them than after the first half.
fn stops_growing(lines: impl ExactSizeIterator<Item = String>) -> bool {
    let mut miner = small();
    let half = lines.len() / 2;
    let mut most = 0;
    for (number, line) in lines.enumerate() {
        miner.observe(line.as_bytes());
        if number < half && number % 64 == 0 {
            most = most.max(miner.save().len());
        }
    }
    miner.save().len() <= most + most / 16
}

#[test]
fn what_was_not_seen_for_long_is_forgotten_and_told() {
    let mut miner = small();
    let mut told = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for number in 0..2000 {
        seen.insert(miner.observe(strange(number).as_bytes()).template);
        assert!(miner.forgotten().is_sorted_by_key(|forgotten| forgotten.id));
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
fn a_statement_with_a_new_word_for_a_value_in_every_line_keeps_its_id() {
    let mut miner = small();
    let line = |number: usize| format!("session closed for user {}", word(number * 7919));
    let id = miner.observe(line(0).as_bytes()).template;
    for number in 1..4000 {
        assert_eq!(miner.observe(line(number).as_bytes()).template, id, "line {number}");
        miner.observe(strange(number).as_bytes());
    }
}

#[test]
fn a_statement_with_two_new_words_in_every_line_keeps_its_id() {
    let mut miner = small();
    let line = |number: usize| {
        format!("handed the shard from {} to {} without loss", word(number * 7919), word(number * 104_729))
    };
    for number in 0..32 {
        miner.observe(line(number).as_bytes());
    }
    let id = miner.observe(line(32).as_bytes()).template;
    for number in 33..2000 {
        assert_eq!(miner.observe(line(number).as_bytes()).template, id, "line {number}");
        miner.observe(strange(number).as_bytes());
    }
}

#[test]
fn a_value_is_still_known_after_long_in_which_it_never_changed() {
    let mut miner = small();
    let line = |number: usize| format!("unit of the web is now {}ed", word(number * 7919));
    for number in 0..16 {
        miner.observe(line(number).as_bytes());
    }
    let id = miner.observe(line(3).as_bytes()).template;
    for number in 0..2000 {
        assert_eq!(miner.observe(line(3).as_bytes()).template, id, "line {number}");
        // Many templates, and many shapes of one template.
        miner.observe(strange(number).as_bytes());
        miner.observe(format!("session closed for user {}", word(number * 7919)).as_bytes());
    }
    assert_eq!(miner.observe(line(17).as_bytes()).template, id);
}

#[test]
fn a_statement_keeps_its_id_while_another_has_a_new_word_in_every_line() {
    let mut miner = small();
    let opened = |number: usize| format!("session opened for user {}", word(number * 7919));
    for number in 0..4 {
        miner.observe(opened(number).as_bytes());
    }
    let id = miner.observe(opened(3).as_bytes()).template;
    for number in 0..2000 {
        miner.observe(format!("the queue was moved to host {}", word(number * 104_729)).as_bytes());
        assert_eq!(miner.observe(opened(3).as_bytes()).template, id, "line {number}");
    }
    assert_eq!(miner.observe(opened(5).as_bytes()).template, id);
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
fn the_state_of_a_miner_stops_growing_whatever_is_new_in_every_line() {
    assert!(stops_growing((0..4000).map(strange)), "words");
    assert!(
        stops_growing((0..4000).map(|number| format!("session closed for user {}", word(number * 7919)))),
        "names"
    );
    assert!(stops_growing((0..4000).map(|number| strange(number) + &signs(number))), "signs");
    // Two values that change together are found by all lines with the same signs.
    let pair = |number: usize| (word(number * 7919), word(number * 104_729), signs(number / 16));
    let handed = |(from, to, signs): (String, String, String)| {
        format!("the shard went from {from} to {to} at last {signs}")
    };
    assert!(stops_growing((0..24_000).map(pair).map(handed)), "signs of statements with two values");
}

#[test]
fn no_more_former_names_of_templates_are_kept_than_four_times_as_many_as_templates() {
    let mut miner = small();
    let mut told = BTreeSet::new();
    for statement in 0..50 {
        for state in 0..14 {
            let line = format!(
                "{} {} {}ed",
                word(statement * 7919),
                word(statement * 104_729),
                word(state * 31_337)
            );
            miner.observe(line.as_bytes());
            told.extend(miner.merges().iter().map(|merge| merge.from));
        }
    }
    let kept = told.iter().filter(|&&id| miner.resolve(id) != id).count();
    assert!(told.len() > 300, "{} names were given up", told.len());
    assert!(kept <= 256 + 14, "{kept} of {} are kept", told.len());
}

#[test]
fn the_texts_of_all_templates_stay_within_sixteen_mebibytes_however_long_the_lines_are() {
    let mut miner = Miner::default();
    let mut forgotten = 0;
    for number in 0..4000 {
        miner.observe(format!("{} {}", strange(number), "é".repeat(3500)).as_bytes());
        forgotten += miner.forgotten().len();
    }
    let text: usize = miner.templates().map(|(_, template, _)| template.to_string().len()).sum();
    assert!(forgotten > 0);
    assert!(text <= 16 << 20, "{text}");
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
