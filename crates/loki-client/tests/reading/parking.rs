//! A cursor on a Loki whose counts fail for long: it reads on, says so, and loses nothing.

use std::collections::BTreeMap;

use loki_client::{
    Answer, Cursor, CursorOptions, CursorState, Entry, Error, Failure, HttpLoki, Labels, Nanos, Operation,
    Request, Window,
};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::model::{Model, Stored, Uncountable, stored};

const QUERY: &str = r#"{app="web"}"#;
/// A minute's beginning.
const START: i64 = 1_795_186_560;

fn at(second: i64) -> Nanos {
    Nanos::from_seconds(START + second)
}

fn entry(timestamp: Nanos) -> Entry {
    let labels = std::sync::Arc::new(Labels::from_iter([("app", "web")]));
    Entry { timestamp, line: "x".into(), labels, metadata: Labels::default(), parsed: Labels::default() }
}

fn timeout() -> Error {
    Error::Unanswered { operation: Operation::QueryRange, source: "timed out".into() }
}

/// A cursor that has read three minutes with one line each, and whose sweep has just been parked.
fn parked() -> Cursor {
    let mut cursor = Cursor::new(QUERY, at(0), CursorOptions::default()).unwrap();
    cursor.tick(at(183));
    assert!(matches!(cursor.next_request(), Some(Request::Page(_))));
    let lines = [entry(at(30)), entry(at(90)), entry(at(150))];
    assert_eq!(cursor.answer(Answer::Page(lines.to_vec())).unwrap().len(), 3);
    cursor.sweep(at(183));
    for expected in [Failure::Pause, Failure::Pause, Failure::Parked] {
        assert!(matches!(cursor.next_request(), Some(Request::Counts(_))));
        assert_eq!(cursor.failed(&timeout()), expected);
    }
    cursor
}

#[test]
fn a_sweep_that_fails_three_times_is_parked_and_reading_goes_on() {
    let mut cursor = parked();
    let report = cursor.parked().unwrap();
    assert_eq!((report.since, report.until, report.failures), (at(183), at(243), 3));
    assert_eq!(cursor.next_request(), None);
    // Asked for again by the caller, it waits all the same.
    cursor.sweep(at(190));
    assert_eq!(cursor.next_request(), None);

    cursor.tick(at(193));
    let Some(Request::Page(query)) = cursor.next_request() else { panic!("it does not read on") };
    assert_eq!(query.window, Window::new(at(180), at(190)));
    assert_eq!(cursor.answer(Answer::Page(vec![entry(at(185))])).unwrap().len(), 1);
    assert_eq!(cursor.next_request(), None);
    assert_eq!(cursor.reached(), at(190));
}

#[test]
fn a_failure_alone_does_not_keep_a_cursor_from_reading_on() {
    let mut cursor = Cursor::new(QUERY, at(0), CursorOptions::default()).unwrap();
    cursor.tick(at(183));
    cursor.next_request();
    cursor.answer(Answer::Page(Vec::new())).unwrap();
    cursor.sweep(at(183));
    let counts = cursor.next_request();
    assert_eq!(cursor.failed(&timeout()), Failure::Pause);
    assert_eq!((cursor.next_request(), cursor.parked()), (counts.clone(), None));
    assert_eq!(cursor.failed(&timeout()), Failure::Pause);
    cursor.tick(at(193));
    assert!(matches!(cursor.next_request(), Some(Request::Page(_))));
    cursor.answer(Answer::Page(Vec::new())).unwrap();
    assert_eq!(cursor.next_request(), counts, "and then the same again");
}

#[test]
fn a_parked_sweep_is_tried_less_and_less_often_and_then_done() {
    let mut cursor = parked();
    let mut tries = Vec::new();
    for second in (190..3600).step_by(10) {
        cursor.tick(at(second));
        while let Some(request) = cursor.next_request() {
            match request {
                Request::Page(_) => drop(cursor.answer(Answer::Page(Vec::new())).unwrap()),
                _ => {
                    tries.push(second);
                    assert_eq!(cursor.failed(&timeout()), Failure::Parked);
                }
            }
        }
    }
    assert_eq!(tries, [250, 370, 610, 1090, 1690, 2290, 2890, 3490]);
    assert_eq!(cursor.parked().unwrap().since, at(183));

    // Of what a caller's clock that was ahead has been put right by, nothing is left.
    cursor.tick(at(3000));
    assert_eq!(cursor.parked().unwrap().until, at(3600));

    cursor.tick(at(4100));
    let mut late = Vec::new();
    while let Some(request) = cursor.next_request() {
        let answer = match request {
            // Two where there was one.
            Request::Page(page) => {
                let lines = [30, 90, 95, 150].map(at).map(entry);
                let inside = lines.into_iter().filter(|entry| page.window.contains(entry.timestamp));
                Answer::Page(inside.collect())
            }
            Request::Counts(counts) => {
                let all = [(at(60), 1), (at(120), 2), (at(180), 1)];
                let all = all.into_iter().filter(|(at, _)| (counts.first..=counts.last).contains(at));
                Answer::Counts(all.collect())
            }
            _ => unreachable!(),
        };
        late.extend(cursor.answer(answer).unwrap());
    }
    assert_eq!(late, [entry(at(95))]);
    assert_eq!((cursor.parked(), cursor.late(), cursor.unchecked()), (None, 1, 0));
}

#[test]
fn a_minute_that_cannot_be_counted_does_not_keep_the_others_from_it() {
    let mut cursor = parked();
    let mut counted = std::collections::BTreeSet::new();
    for second in (190..3600).step_by(10) {
        cursor.tick(at(second));
        while let Some(request) = cursor.next_request() {
            match request {
                Request::Page(page) => {
                    let lines = [30, 90, 150, 1000].map(at).map(entry);
                    let inside = lines.into_iter().filter(|entry| page.window.contains(entry.timestamp));
                    drop(cursor.answer(Answer::Page(inside.collect())).unwrap());
                }
                Request::Counts(counts) if (counts.first..=counts.last).contains(&at(120)) => {
                    cursor.failed(&timeout());
                }
                Request::Counts(counts) => {
                    counted.extend([counts.first, counts.last]);
                    let all = [(at(60), 1), (at(180), 1), (at(1020), 1)];
                    let all = all.into_iter().filter(|(at, _)| (counts.first..=counts.last).contains(at));
                    drop(cursor.answer(Answer::Counts(all.collect())).unwrap());
                }
                _ => unreachable!(),
            }
        }
    }
    assert!(counted.contains(&at(60)) && counted.last() > Some(&at(3000)), "{counted:?}");
}

#[test]
fn a_minute_that_cannot_be_read_again_is_left_alone_as_well() {
    let mut cursor = Cursor::new(QUERY, at(0), CursorOptions::default()).unwrap();
    cursor.tick(at(183));
    cursor.next_request();
    cursor.answer(Answer::Page(Vec::new())).unwrap();
    cursor.sweep(at(183));
    cursor.next_request();
    cursor.answer(Answer::Counts(BTreeMap::from([(at(120), 1)]))).unwrap();
    for expected in [Failure::Pause, Failure::Pause, Failure::Parked] {
        assert!(matches!(cursor.next_request(), Some(Request::Page(_))));
        assert_eq!(cursor.failed(&timeout()), expected);
    }
    assert_eq!(cursor.next_request(), None);
    // An answer that nothing can be made of is no reason to stand still either.
    cursor.tick(at(243));
    cursor.answer(Answer::Page(Vec::new())).unwrap_err();
    cursor.next_request();
    cursor.answer(Answer::Page(Vec::new())).unwrap();
    assert!(matches!(cursor.next_request(), Some(Request::Counts(_))));
    cursor.answer(Answer::Counts(BTreeMap::from([(at(120), 1)]))).unwrap();
    cursor.next_request();
    cursor.answer(Answer::Page(vec![entry(at(1))])).unwrap_err();
    assert!(cursor.parked().is_some());
    cursor.tick(at(253));
    let Some(Request::Page(query)) = cursor.next_request() else { panic!("it does not read on") };
    assert_eq!(query.window, Window::new(at(240), at(250)));
}

#[test]
fn a_state_remembers_that_a_sweep_is_to_be_done_and_an_older_one_is_taken() {
    let state = serde_json::to_value(parked().state()).unwrap();
    let resume = |state: &serde_json::Value| {
        let state: CursorState = serde_json::from_value(state.clone()).unwrap();
        Cursor::resume(&state, CursorOptions::default()).unwrap()
    };
    let mut cursor = resume(&state);
    assert_eq!(serde_json::to_value(cursor.state()).unwrap(), state);
    assert!(matches!(cursor.next_request(), Some(Request::Counts(_))));

    let mut older = state;
    assert!(older.as_object_mut().unwrap().remove("behind").is_some());
    let mut cursor = resume(&older);
    assert_eq!(serde_json::to_value(cursor.state()).unwrap(), older);
    assert_eq!(cursor.next_request(), None);
}

#[test]
fn a_loki_that_is_gone_for_hours_while_a_sweep_is_parked_loses_nothing() {
    let mut cursor = parked();
    for second in (190..3 * 3600).step_by(10) {
        cursor.tick(at(second));
        for _ in 0..5 {
            if cursor.next_request().is_some() {
                cursor.failed(&timeout());
            }
        }
    }
    assert_eq!((cursor.reached(), cursor.unchecked()), (at(180), 0));
    cursor.tick(at(3 * 3600));
    let mut late = Vec::new();
    while let Some(request) = cursor.next_request() {
        let answer = match request {
            Request::Page(page) => {
                let lines = [30, 90, 95, 150].map(at).map(entry);
                let inside = lines.into_iter().filter(|entry| page.window.contains(entry.timestamp));
                Answer::Page(inside.collect())
            }
            _ => Answer::Counts(BTreeMap::new()),
        };
        late.extend(cursor.answer(answer).unwrap());
    }
    assert_eq!(late, [entry(at(95))]);
}

/// A follower, and how often it was told of what.
struct Day {
    client: HttpLoki,
    cursor: Cursor,
    lines: BTreeMap<(Nanos, Stored), u32>,
    saved: (CursorState, BTreeMap<(Nanos, Stored), u32>),
    told: BTreeMap<&'static str, usize>,
}

impl Day {
    fn new(model: &Model) -> Self {
        let cursor = Cursor::new(QUERY, at(0), CursorOptions::default()).unwrap();
        let saved = (cursor.state(), BTreeMap::new());
        Self { client: model.client(), cursor, lines: BTreeMap::new(), saved, told: BTreeMap::new() }
    }

    /// As the README does it.
    async fn round(&mut self) {
        while let Some(request) = self.cursor.next_request() {
            match request.send(&self.client).await {
                Ok(answer) => {
                    for entry in self.cursor.answer(answer).unwrap() {
                        *self.lines.entry(stored(entry)).or_default() += 1;
                    }
                    self.saved = (self.cursor.state(), self.lines.clone());
                }
                Err(error) => match self.cursor.failed(&error) {
                    Failure::Less => {}
                    Failure::Parked => *self.told.entry("parked").or_default() += 1,
                    Failure::Pause => return,
                    failure => panic!("{failure:?}: {error}"),
                },
            }
        }
    }

    fn restart(&mut self) {
        let text = serde_json::to_string(&self.saved.0).unwrap();
        let state = serde_json::from_str(&text).unwrap();
        self.cursor = Cursor::resume(&state, CursorOptions::default()).unwrap();
        self.lines = self.saved.1.clone();
    }
}

/// Follows three hours of lines, in the middle of which counts fail for 90 minutes. Returns how many lines were found
/// late, and how often the caller was told that they wait.
async fn ninety_minutes_without_counts(seed: u64, restarts: bool, why: Uncountable) -> (u64, usize) {
    let model = Model::new(seed);
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut day = Day::new(&model);
    // A line in twelve seconds; every third one is up to 55 minutes late.
    let (lasts, end) = (3 * 3600, 5 * 3600);
    let mut arrivals: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for second in (0..lasts).step_by(12) {
        let delay = if second % 36 == 0 { chance.random_range(0..55 * 60) } else { 0 };
        arrivals.entry(second + 1 + delay).or_default().push(second);
    }
    let mut late = 0;
    for second in (0..=end).step_by(10) {
        let later = arrivals.split_off(&(second + 1));
        for (n, time) in std::mem::replace(&mut arrivals, later).into_values().flatten().enumerate() {
            let labels = Labels::from_iter([("app", "web"), ("pod", ["a", "b"][n % 2])]);
            model.push(at(time), labels, &format!("line {time}"), Labels::default());
        }
        model.uncountable((3600..3600 + 90 * 60).contains(&second).then_some(why));
        if second == 3600 + 60 * 60 {
            assert!(restarts || day.cursor.parked().is_some(), "the caller can see it");
            assert!(day.cursor.reached() >= at(second - 20), "it reads on");
        }
        day.cursor.tick(at(second));
        if second % 60 == 0 {
            day.cursor.sweep(at(second));
        }
        let before = day.cursor.late();
        day.round().await;
        late += day.cursor.late() - before;
        if restarts && chance.random_range(0..30) == 0 {
            day.restart();
        }
    }
    let truth = model.truth(Window::new(at(0), Nanos::MAX));
    let lost: Vec<_> = truth.iter().filter(|line| !day.lines.contains_key(line)).collect();
    assert!(lost.is_empty(), "{} lost of {}, such as {:?}", lost.len(), truth.len(), lost[0]);
    assert!(day.lines.values().all(|times| *times == 1), "none twice");
    assert_eq!((day.cursor.parked(), day.cursor.unchecked()), (None, 0));
    (late, day.told["parked"])
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_while_counts_time_out_for_longer_than_the_horizon() {
    let (late, told) = ninety_minutes_without_counts(1, false, Uncountable::TimesOut).await;
    println!("{late} late, parked {told} times");
    assert!(late > 150);
    // A minute, two, four, eight, and then every ten.
    assert!((8..20).contains(&told), "{told}");
}

#[tokio::test(start_paused = true)]
async fn nor_with_restarts() {
    ninety_minutes_without_counts(2, true, Uncountable::TimesOut).await;
}

#[tokio::test(start_paused = true)]
async fn a_line_that_cannot_be_counted_by_the_query_stops_nobody_either() {
    let (late, told) = ninety_minutes_without_counts(3, false, Uncountable::NoNumber).await;
    println!("{late} late, parked {told} times");
    assert!(late > 150);
    assert!((8..20).contains(&told), "{told}");
    ninety_minutes_without_counts(4, true, Uncountable::NoNumber).await;
}

#[test]
fn what_a_sweep_is_refused_for_good_is_told_and_reading_goes_on() {
    let refused = || Error::Invalid { operation: Operation::QueryRange, what: "no".into() };
    let mut cursor = parked();
    // The horizon passes the first minute, which is read again before it is forgotten. That fails as well.
    cursor.tick(at(3970));
    let Some(Request::Page(query)) = cursor.next_request() else { panic!("it is not read again") };
    assert_eq!(query.window, Window::new(at(-60).next(), at(0).next()));
    assert_eq!(cursor.failed(&refused()), Failure::Parked);
    assert!(cursor.parked().is_some());

    // The rest is not kept waiting: what is new, and the counts.
    let Some(Request::Page(query)) = cursor.next_request() else { panic!("it does not read on") };
    assert_eq!(query.window.start, at(180));
    while let Some(Request::Page(_)) = cursor.next_request() {
        cursor.answer(Answer::Page(Vec::new())).unwrap();
    }
    assert!(matches!(cursor.next_request(), Some(Request::Counts(_))));
    assert_eq!(cursor.failed(&refused()), Failure::Parked);
    assert_eq!(cursor.next_request(), None);
}

/// Two and a half hours at 50 lines a second without one count. Returns the largest state's bytes.
fn without_counts(pages: impl Fn(Window, i64) -> bool) -> (usize, Cursor) {
    let mut cursor = Cursor::new(QUERY, at(0), CursorOptions::default()).unwrap();
    let steady = entry(at(0));
    let mut most = 0;
    for second in (0..=9000).step_by(60) {
        cursor.tick(at(second));
        cursor.sweep(at(second));
        while let Some(request) = cursor.next_request() {
            let Request::Page(query) = request else {
                cursor.failed(&timeout());
                continue;
            };
            if !pages(query.window, second) {
                cursor.failed(&timeout());
                continue;
            }
            let every = 20_000_000;
            let first = (query.window.start.get() + every - 1).div_euclid(every) * every;
            let times = (0..i64::from(query.limit)).map(|n| Nanos::new(first + n * every));
            let inside = times.take_while(|at| *at < query.window.end);
            let entries = inside.map(|timestamp| Entry { timestamp, ..steady.clone() });
            cursor.answer(Answer::Page(entries.collect())).unwrap();
        }
        if second % 600 == 0 {
            most = most.max(serde_json::to_vec(&cursor.state()).unwrap().len());
        }
    }
    assert!(cursor.reached() >= at(8990), "it reads on");
    (most, cursor)
}

#[test]
fn a_state_stays_smaller_than_a_mebibyte_while_counts_fail() {
    let (bytes, cursor) = without_counts(|_, _| true);
    println!("{bytes} bytes");
    assert!((800_000..1 << 20).contains(&bytes), "{bytes}");
    assert_eq!((cursor.unchecked(), cursor.late()), (0, 0));
}

#[test]
fn and_while_old_minutes_cannot_be_read_either_which_is_told() {
    let (bytes, cursor) = without_counts(|window, now| window.start > at(now - 3600));
    println!("{bytes} bytes, {} minutes unchecked", cursor.unchecked());
    assert!((800_000..1 << 20).contains(&bytes), "{bytes}");
    assert!((75..=90).contains(&cursor.unchecked()), "{}", cursor.unchecked());
}

#[derive(Debug, Clone)]
enum Step {
    Tick(i64),
    Sweep(i64),
    Answer(u64),
    Garbage,
    Fail(u8),
    Resume,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Mostly minutes apart; a clock may also be anywhere.
    let now = || prop_oneof![20 => 0_i64..20_000, 1 => any::<i64>()];
    let step = prop_oneof![
        3 => now().prop_map(Step::Tick),
        2 => now().prop_map(Step::Sweep),
        8 => (0_u64..3).prop_map(Step::Answer),
        1 => Just(Step::Garbage),
        6 => (0_u8..4).prop_map(Step::Fail),
        1 => Just(Step::Resume),
    ];
    prop::collection::vec(step, 0..200)
}

fn failure(kind: u8) -> Error {
    let operation = Operation::QueryRange;
    match kind {
        0 => timeout(),
        1 => Error::TooLarge { operation, most: 1 },
        2 => Error::Invalid { operation, what: "no".into() },
        _ => Error::NotSent { operation, source: "no".into() },
    }
}

proptest! {
    #[test]
    fn whatever_fails_in_whatever_order_a_cursor_keeps_its_word(steps in steps()) {
        let mut cursor = Cursor::new(QUERY, at(0), CursorOptions::default()).unwrap();
        let mut told = at(0);
        let nanos = |now: i64| if (0..20_000).contains(&now) { at(now) } else { Nanos::new(now) };
        for step in steps {
            let request = cursor.next_request();
            prop_assert_eq!(&cursor.next_request(), &request, "asked again, it says the same");
            match (step, request) {
                (Step::Tick(now), _) => {
                    told = nanos(now);
                    cursor.tick(told);
                }
                (Step::Sweep(now), _) => {
                    told = nanos(now);
                    cursor.sweep(told);
                }
                (Step::Answer(_), Some(Request::Page(_))) => drop(cursor.answer(Answer::Page(Vec::new())).unwrap()),
                (Step::Answer(count), Some(Request::Counts(query))) => {
                    let counts = BTreeMap::from([(query.first, count), (query.last, count)]);
                    drop(cursor.answer(Answer::Counts(counts)).unwrap());
                }
                (Step::Garbage, Some(Request::Page(query))) => {
                    cursor.answer(Answer::Page(vec![entry(query.window.end)])).unwrap_err();
                }
                (Step::Fail(kind), Some(request)) => {
                    let failure = cursor.failed(&failure(kind));
                    if failure == Failure::Parked {
                        let until = cursor.parked().unwrap().until;
                        prop_assert_ne!(cursor.next_request(), Some(request), "another one");
                        let counts = matches!(cursor.next_request(), Some(Request::Counts(_)));
                        prop_assert!(!counts || until <= told);
                    }
                }
                (Step::Resume, _) => {
                    let state = cursor.state();
                    cursor = Cursor::resume(&state, CursorOptions::default()).unwrap();
                    prop_assert_eq!(cursor.state(), state);
                }
                _ => {}
            }
            // Where a clock takes it, also back, is tested in `clock`.
            prop_assert!(cursor.reached() > at(-60));
        }
    }
}
