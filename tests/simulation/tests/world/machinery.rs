//! The simulation's own promises: a seed replays exactly, a run does not depend on its threads, goes on where
//! it stopped, and finds what is broken.

use simulation::judge::Invariant;
use simulation::progress::{Asked, Sums};
use simulation::runner::{self, Run};
use simulation::script::Length;
use simulation::seed;
use spotpool_operator::Guards;

#[test]
fn the_same_seed_gives_the_same_trace_and_another_gives_another() {
    let first = seed::run(11, Guards::ALL, Length::SHORT, false);
    let again = seed::run(11, Guards::ALL, Length::SHORT, false);
    let other = seed::run(12, Guards::ALL, Length::SHORT, false);
    assert!(first.calls > 500, "{} calls", first.calls);
    assert_eq!((first.hash, first.calls), (again.hash, again.calls));
    assert_eq!((first.tally, &first.counts), (again.tally, &again.counts));
    assert_ne!(first.hash, other.hash);
}

#[test]
fn an_operator_without_its_first_guard_is_found_at_its_first_launch() {
    let guards = Guards::without("intent").expect("a guard");
    let outcome = seed::run(1, guards, Length::SHORT, false);
    let (violation, story) = outcome.violation.expect("a find");
    assert_eq!(violation.invariant, Invariant::IntentFirst, "{}", violation.text);
    assert!(story.contains("RunInstances") && story.lines().count() <= 40, "{story}");
}

#[test]
fn a_run_goes_on_where_it_stopped_and_not_with_another_runs_file() {
    let path = std::env::temp_dir().join(format!("simulation-resume-{}.json", std::process::id()));
    let asked = Asked { first: 7, without: None, build: "one".to_owned() };
    let mut sums = Sums::default();
    sums.add(&seed::run(7, Guards::ALL, Length::SHORT, false));
    sums.save(&path, &asked).expect("saved");
    let loaded = Sums::load(&path, &asked).expect("loaded");
    let other = Sums::load(&path, &Asked { without: Some("twin".to_owned()), ..asked.clone() });
    let rebuilt = Sums::load(&path, &Asked { build: "another".to_owned(), ..asked.clone() });
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(loaded, sums);
    assert!(other.expect_err("another run").to_string().contains("another run"));
    assert!(rebuilt.expect_err("another build").to_string().contains("the program that began it"));
    assert_eq!(Sums::load(&path, &asked).expect("no file"), Sums::default());
}

#[test]
fn the_number_of_threads_changes_neither_the_sums_nor_the_find() {
    let with = |threads: usize, without: Option<&str>| {
        let run = Run {
            first: u64::MAX,
            seeds: 3,
            guards: without.and_then(Guards::without).unwrap_or(Guards::ALL),
            without: without.map(str::to_owned),
            resume: None,
            length: Length::SHORT,
            threads,
            echo: false,
        };
        let (sums, find) = runner::run(&run).expect("a run");
        (sums, find.map(|find| (find.seed, find.hash)))
    };
    assert_eq!(with(1, None), with(3, None));
    let (sums, find) = with(1, Some("intent"));
    assert_eq!((sums, find), with(3, Some("intent")));
    assert_eq!(find.expect("a find").0, u64::MAX, "the first of them, whoever is faster");
}
