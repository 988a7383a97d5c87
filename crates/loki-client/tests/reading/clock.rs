//! A cursor whose caller's clock is wrong, and put right: every line once.

use std::collections::BTreeMap;
use std::sync::Arc;

use loki_client::{Answer, Cursor, CursorOptions, CursorState, Entry, Labels, Nanos, Request};
use proptest::prelude::*;

const QUERY: &str = r#"{app="web"}"#;
/// A minute's beginning.
const START: i64 = 1_795_186_560;
const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

fn at(second: i64) -> Nanos {
    Nanos::from_seconds(START + second)
}

/// What Loki holds: the second that a line is of, and the one from which on it is there.
struct Log(Vec<(i64, i64)>);

impl Log {
    fn new(mut lines: Vec<(i64, i64)>) -> Self {
        lines.sort_unstable();
        Self(lines)
    }

    /// The numbers of the lines that are there.
    fn within(&self, start: Nanos, end: Nanos, now: i64) -> impl Iterator<Item = usize> {
        let from = self.0.partition_point(|(second, _)| at(*second) < start);
        let lines =
            self.0.iter().enumerate().skip(from).take_while(move |(_, (second, _))| at(*second) < end);
        lines.filter(move |(_, (_, there))| *there <= now).map(|(number, _)| number)
    }

    fn entry(&self, number: usize) -> Entry {
        let labels = Arc::new(Labels::from_iter([("app", "web")]));
        let (timestamp, line) = (at(self.0[number].0), number.to_string());
        Entry { timestamp, line, labels, metadata: Labels::default(), parsed: Labels::default() }
    }

    fn answer(&self, request: &Request, now: i64) -> Answer {
        match request {
            Request::Page(page) => {
                let found = self.within(page.window.start, page.window.end, now);
                Answer::Page(found.take(page.limit as usize).map(|number| self.entry(number)).collect())
            }
            Request::Counts(counts) => {
                let step = i64::try_from(counts.step.as_nanos()).unwrap();
                let start = Nanos::new(counts.first.get() - step + 1);
                let mut all: BTreeMap<Nanos, u64> = BTreeMap::new();
                for number in self.within(start, counts.last.next(), now) {
                    let bucket = (at(self.0[number].0).get() - 1).div_euclid(step);
                    *all.entry(Nanos::new((bucket + 1) * step)).or_default() += 1;
                }
                Answer::Counts(all)
            }
            _ => unreachable!(),
        }
    }
}

struct Follower<'a> {
    log: &'a Log,
    cursor: Cursor,
    /// How often each line was given out.
    lines: BTreeMap<usize, u32>,
}

impl<'a> Follower<'a> {
    fn new(log: &'a Log) -> Self {
        let cursor = Cursor::new(QUERY, at(0), CursorOptions::default()).unwrap();
        Self { log, cursor, lines: BTreeMap::new() }
    }

    /// What is there at `now`, with a clock that is ahead by so much. Returns the number of queries.
    fn round(&mut self, now: i64, ahead: i64, sweeps: bool) -> usize {
        self.cursor.tick(at(now + ahead));
        if sweeps {
            self.cursor.sweep(at(now + ahead));
        }
        let mut queries = 0;
        while let Some(request) = self.cursor.next_request() {
            for entry in self.cursor.answer(self.log.answer(&request, now)).unwrap() {
                *self.lines.entry(entry.line.parse().unwrap()).or_default() += 1;
            }
            queries += 1;
        }
        queries
    }

    fn restart(&mut self) {
        self.restart_without(&[]);
    }

    /// From a state without these fields, as older ones are.
    fn restart_without(&mut self, fields: &[&str]) {
        let mut state = serde_json::to_value(self.cursor.state()).unwrap();
        for field in fields {
            state.as_object_mut().unwrap().remove(*field);
        }
        let state: CursorState = serde_json::from_value(state).unwrap();
        self.cursor = Cursor::resume(&state, CursorOptions::default()).unwrap();
    }

    fn has_all_once(&self) {
        let lost: Vec<_> = (0..self.log.0.len()).filter(|number| !self.lines.contains_key(number)).collect();
        let twice: Vec<_> =
            self.lines.iter().filter(|(_, times)| **times > 1).map(|(line, _)| line).collect();
        let show =
            |numbers: Vec<usize>| numbers.into_iter().map(|n| self.log.0[n]).take(5).collect::<Vec<_>>();
        assert!(lost.is_empty(), "{} lost of {}, such as {:?}", lost.len(), self.log.0.len(), show(lost));
        assert!(twice.is_empty(), "{} came twice, such as {:?}", twice.len(), twice[0]);
        assert_eq!(self.cursor.unchecked(), 0);
    }
}

/// A line in half a minute for so long, every fifth of them half an hour late.
fn steady(seconds: i64) -> Log {
    let late = |n: i64| if n % 5 == 0 { HOUR / 2 } else { 1 };
    Log::new((0..seconds / 30).map(|n| (n * 30, n * 30 + late(n))).collect())
}

/// Follows from `from` to `to` by a clock that is right.
fn follow(follower: &mut Follower<'_>, from: i64, to: i64) {
    for now in (from..to).step_by(10) {
        follower.round(now, 0, now % MINUTE == 0);
    }
}

#[test]
fn one_tick_of_a_clock_that_is_a_day_ahead_loses_nothing() {
    for (sweeps, restarts) in [(false, false), (true, false), (false, true), (true, true)] {
        let log = steady(4 * HOUR);
        let mut follower = Follower::new(&log);
        follow(&mut follower, 0, 2 * HOUR);
        let queries = follower.round(2 * HOUR, DAY, sweeps);
        assert!(queries < 144 + 80, "{queries}");
        if restarts {
            follower.restart();
        }
        follower.round(2 * HOUR + 10, 0, false);
        assert_eq!(follower.cursor.reached(), at(2 * HOUR + 7), "it reads where the present is");
        follow(&mut follower, 2 * HOUR + 20, 6 * HOUR);
        follower.has_all_once();
    }
}

#[test]
fn nor_the_first_tick_of_all_nor_one_after_a_silence() {
    for silence in [0, 3 * DAY] {
        let lines = (0..240).map(|n| (silence + n * 60, silence + n * 60 + n % 7 * 300)).collect();
        let log = Log::new(lines);
        let mut follower = Follower::new(&log);
        for now in (0..silence).step_by(60) {
            let queries = follower.round(now, 0, true);
            assert!(queries <= 2, "{queries}");
        }
        follower.round(silence, DAY, false);
        follow(&mut follower, silence + 10, silence + 8 * HOUR);
        follower.has_all_once();
    }
}

#[test]
fn nor_a_clock_that_is_ahead_for_longer_than_the_horizon() {
    let log = steady(8 * HOUR);
    let mut follower = Follower::new(&log);
    follow(&mut follower, 0, 2 * HOUR);
    for now in (2 * HOUR..5 * HOUR).step_by(30) {
        follower.round(now, DAY + HOUR, now % MINUTE == 0);
    }
    follow(&mut follower, 5 * HOUR, 10 * HOUR);
    follower.has_all_once();
}

#[test]
fn nor_one_that_has_been_put_right_in_a_standstill_that_was_longer_than_it_was_ahead() {
    for (ahead, away, restarts) in [
        (HOUR / 2, HOUR, false),
        (2 * HOUR, 3 * HOUR, true),
        (DAY, DAY + HOUR / 2, true),
        (DAY, 2 * DAY, false),
    ] {
        let log = Log::new((0..(away + 4 * HOUR) / 60).map(|n| (n * 60, n * 60 + 1)).collect());
        let mut follower = Follower::new(&log);
        follow(&mut follower, 0, 2 * HOUR);
        follower.round(2 * HOUR, ahead, false);
        if restarts {
            follower.restart();
        }
        follow(&mut follower, 2 * HOUR + away, away + 8 * HOUR);
        follower.has_all_once();
    }
}

#[test]
fn a_clock_that_is_years_ahead_costs_a_day_of_reading_for_each_tick() {
    let log = steady(3 * HOUR);
    let mut follower = Follower::new(&log);
    follow(&mut follower, 0, 2 * HOUR);
    for tick in 0..5 {
        let queries = follower.round(2 * HOUR + tick, 80 * 365 * DAY, true);
        assert!(queries < 144 + 80, "{queries}");
    }
    follow(&mut follower, 2 * HOUR + 10, 5 * HOUR);
    follower.has_all_once();
}

#[test]
fn a_clock_that_is_behind_is_waited_for() {
    let log = steady(5 * HOUR);
    let mut follower = Follower::new(&log);
    follow(&mut follower, 0, 2 * HOUR);
    for now in (2 * HOUR..3 * HOUR).step_by(10) {
        let queries = follower.round(now, -DAY, now % MINUTE == 0);
        assert!(queries <= 1 + 66, "{queries}");
    }
    follow(&mut follower, 3 * HOUR, 7 * HOUR);
    follower.has_all_once();
}

#[test]
fn a_state_of_before_the_clock_was_doubted_reads_where_the_present_is() {
    // As it was saved by a cursor that did not know what its clock had made of it.
    let log = steady(6 * HOUR);
    let mut follower = Follower::new(&log);
    follow(&mut follower, 0, 2 * HOUR);
    let mut state = serde_json::to_value(follower.cursor.state()).unwrap();
    state["reached"] = serde_json::to_value(at(2 * HOUR + DAY)).unwrap();
    state["ledger"]["floor"] = ((START + 2 * HOUR + DAY) / 60 - 65).into();
    state["ledger"]["buckets"] = serde_json::json!([]);
    for field in ["newest", "told", "leap", "swept"] {
        state.as_object_mut().unwrap().remove(field);
    }
    state["ledger"].as_object_mut().unwrap().remove("kept");
    let state: CursorState = serde_json::from_value(state).unwrap();
    follower.cursor = Cursor::resume(&state, CursorOptions::default()).unwrap();
    follow(&mut follower, 2 * HOUR + 10, 9 * HOUR);
    // What was late by then is unknown to it.
    let mut lost = (0..log.0.len()).filter(|number| !follower.lines.contains_key(number));
    assert_eq!(lost.find(|number| log.0[*number].0 > 2 * HOUR + 60), None);
    assert!(follower.lines.values().all(|times| *times == 1));
}

#[test]
fn an_older_state_goes_on_as_it_did() {
    let log = steady(4 * HOUR);
    let mut follower = Follower::new(&log);
    follow(&mut follower, 0, 2 * HOUR);
    follower.restart_without(&["newest", "told", "leap"]);
    // A clock that is a moment behind doubles nothing.
    follower.round(2 * HOUR, -20, false);
    follow(&mut follower, 2 * HOUR + 10, 6 * HOUR);
    follower.has_all_once();
}

/// For so many seconds the clock is ahead by so much (or behind); perhaps nobody calls meanwhile.
#[derive(Debug, Clone)]
struct Stretch {
    lasts: i64,
    ahead: i64,
    away: bool,
}

fn stretches() -> impl Strategy<Value = Vec<Stretch>> {
    let lasts = prop_oneof![10_i64..600, 600_i64..2 * HOUR, HOUR..5 * HOUR];
    let ahead = prop_oneof![
        3 => Just(0_i64),
        2 => -100_i64..100,
        2 => -2 * HOUR..2 * HOUR,
        2 => -4 * DAY..4 * DAY,
    ];
    let stretch = (lasts, ahead, prop::bool::weighted(0.2));
    let stretch = stretch.prop_map(|(lasts, ahead, away)| Stretch { lasts, ahead, away });
    prop::collection::vec(stretch, 1..8)
}

/// Seconds between two lines, how many of a hundred are late, and by how much at most.
fn lines() -> impl Strategy<Value = (i64, u32)> {
    (prop_oneof![Just(7_i64), Just(60), Just(1500), Just(20_000)], 0_u32..60)
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_clock_does_every_line_comes_once(
        stretches in stretches(),
        (every, late) in lines(),
        tick in 10_i64..60,
        sweeps: bool,
        restarts in 0_u64..20,
        seed: u64,
    ) {
        use rand::{RngExt as _, SeedableRng as _};
        let mut chance = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let lasts: i64 = stretches.iter().map(|stretch| stretch.lasts).sum();
        let log = (0..lasts / every).map(|_| {
            let second = chance.random_range(0..lasts);
            let is_late = chance.random_range(0..100) < late;
            (second, second + 1 + if is_late { chance.random_range(0..55 * MINUTE) } else { 0 })
        });
        // And in the end the log goes on.
        let log = Log::new(log.chain([(lasts + 600, lasts + 601)]).collect());
        let mut follower = Follower::new(&log);
        let (mut now, mut told) = (0, 0);
        // In the end it is right for long enough.
        let right = Stretch { lasts: 3 * HOUR, ahead: 0, away: false };
        for Stretch { lasts, ahead, away } in stretches.into_iter().chain([right]) {
            let end = now + lasts;
            // A clock that nobody looked at while it was put right, to about where it had been, nobody can see through.
            if away && (end + ahead - told).abs() > 15 * MINUTE {
                now = end;
            }
            while now < end {
                told = now + ahead;
                follower.round(now, ahead, sweeps && chance.random_range(0..4) == 0);
                if chance.random_range(0..100) < restarts {
                    follower.restart();
                }
                now += tick;
            }
        }
        follower.has_all_once();
    }
}
