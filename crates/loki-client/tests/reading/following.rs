//! A cursor under faults, restarts and late entries: everything once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use loki_client::{
    Answer, Cursor, CursorOptions, CursorState, Entry, Error, Failure, HttpLoki, Labels, Nanos, Window,
};
use proptest::prelude::*;
use rand::{Rng, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::model::{Model, Stored, stored};

const QUERY: &str = r#"{app="web"} != "left out""#;
const TICK: i64 = 10;
/// Some time that is no multiple of anything.
const START: i64 = 1_795_186_568;

/// What is stored together.
#[derive(Clone)]
struct Saved {
    state: CursorState,
    lines: BTreeMap<(Nanos, Stored), u32>,
}

/// Drives a cursor as an operator would.
struct Follower {
    client: HttpLoki,
    options: CursorOptions,
    cursor: Cursor,
    lines: BTreeMap<(Nanos, Stored), u32>,
    saved: Saved,
    chance: ChaCha8Rng,
    /// Of a hundred answers, after how many it is restarted without saving, and after how many it saves.
    restarts: u32,
    saves: u32,
}

impl Follower {
    fn new(model: &Model, seed: u64, options: CursorOptions) -> Self {
        let cursor = Cursor::new(QUERY, Nanos::from_seconds(START), options.clone()).unwrap();
        let saved = Saved { state: cursor.state(), lines: BTreeMap::new() };
        let chance = ChaCha8Rng::seed_from_u64(seed);
        Self {
            client: model.client(),
            options,
            cursor,
            lines: BTreeMap::new(),
            saved,
            chance,
            restarts: 0,
            saves: 100,
        }
    }

    /// Asks until there is nothing left to ask, or patience ends.
    async fn run(&mut self) {
        let mut patience = 200;
        while let Some(request) = self.cursor.next_request() {
            assert_eq!(self.cursor.next_request().as_ref(), Some(&request), "asked again, it says the same");
            match request.send(&self.client).await {
                Ok(answer) => {
                    for entry in self.cursor.answer(answer).unwrap() {
                        *self.lines.entry(stored(entry)).or_default() += 1;
                    }
                }
                Err(error) => {
                    assert_ne!(self.cursor.failed(&error), Failure::Stuck, "{error}");
                }
            }
            patience -= 1;
            if patience == 0 {
                return;
            }
            let chance = self.chance.random_range(0..100);
            if chance < self.restarts {
                self.restart();
            } else if self.chance.random_range(0..100) < self.saves {
                self.save();
            }
        }
    }

    fn save(&mut self) {
        self.saved = Saved { state: self.cursor.state(), lines: self.lines.clone() };
    }

    /// All that was not saved is lost; the state goes through JSON.
    fn restart(&mut self) {
        let text = serde_json::to_string(&self.saved.state).unwrap();
        let state = serde_json::from_str(&text).unwrap();
        self.cursor = Cursor::resume(&state, self.options.clone()).unwrap();
        self.lines = self.saved.lines.clone();
    }
}

/// Lines that arrive at a second: when they say that they happened.
fn arrivals(
    chance: &mut impl Rng,
    seconds: i64,
    rate: f64,
    late: f64,
    latest: i64,
) -> BTreeMap<i64, Vec<Nanos>> {
    let mut arrivals: BTreeMap<i64, Vec<Nanos>> = BTreeMap::new();
    for _ in 0..(seconds as f64 * rate) as usize {
        let at = chance.random_range(0..seconds * 1_000_000_000);
        let delay = if chance.random_bool(late) { chance.random_range(0..latest) } else { 0 };
        let time = Nanos::new(START * 1_000_000_000 + at);
        arrivals.entry(at / 1_000_000_000 + 1 + delay).or_default().push(time);
    }
    arrivals
}

struct Scene {
    seed: u64,
    seconds: i64,
    rate: f64,
    late: f64,
    latest: i64,
    faults: u32,
    restarts: u32,
    saves: u32,
    /// Seconds in which nobody follows, before a restart.
    away: Range<i64>,
    options: CursorOptions,
}

/// Plays a scene and compares. Returns what the cursor found late.
async fn play(scene: Scene) -> u64 {
    let model = Model::new(scene.seed).max_entries(500);
    let mut chance = ChaCha8Rng::seed_from_u64(scene.seed);
    let mut arrivals = arrivals(&mut chance, scene.seconds, scene.rate, scene.late, scene.latest);
    let mut follower = Follower::new(&model, scene.seed, scene.options);
    (follower.restarts, follower.saves) = (scene.restarts, scene.saves);
    model.faults(scene.faults);
    let (mut pushed, mut late) = (0, 0);
    let end = scene.seconds + scene.latest + 780 + (scene.away.end - scene.away.start);
    for second in 0..end {
        for at in arrivals.remove(&second).unwrap_or_default() {
            let labels = Labels::from_iter([("app", "web"), ("pod", ["a", "b"][pushed % 2])]);
            model.push(at, labels, &format!("line {pushed}"), Labels::default());
            pushed += 1;
        }
        if scene.away.contains(&second) {
            continue;
        }
        if second == scene.away.end {
            follower.restart();
        }
        let now = Nanos::from_seconds(START + second);
        // The last rounds are undisturbed, so that everything has had its chance: also what is parked by then.
        if second == end - 720 {
            model.faults(0);
            follower.restarts = 0;
        }
        if second % TICK == 0 {
            follower.cursor.tick(now);
        }
        if second % 60 == 0 {
            follower.cursor.sweep(now);
        }
        follower.run().await;
        // A restart forgets it.
        late = late.max(follower.cursor.late());
    }
    let everything = Window::new(Nanos::from_seconds(START), Nanos::MAX);
    let truth: BTreeMap<_, _> = model.truth(everything).into_iter().map(|line| (line, 1)).collect();
    let lost = truth.keys().filter(|line| !follower.lines.contains_key(line)).count();
    let twice = follower.lines.values().filter(|times| **times > 1).count();
    assert_eq!((lost, twice, follower.lines.len()), (0, 0, truth.len()), "lost, twice, read");
    late
}

fn options() -> CursorOptions {
    CursorOptions { limit: 50, most: 500, ..CursorOptions::default() }
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_doubled(
        seed: u64,
        rate in 0.1_f64..4.0,
        late in 0.0_f64..0.5,
        faults in 0_u32..40,
        restarts in 0_u32..30,
        saves in 10_u32..100,
        from in 30_i64..900,
        hours in prop_oneof![Just(0), 1_i64..4],
    ) {
        let away = from..from + hours * 3600;
        let options = options();
        run(play(Scene { seed, seconds: 300, rate, late, latest: 600, faults, restarts, saves, away, options }));
    }
}

#[test]
fn lines_that_are_55_minutes_late_are_found() {
    let scene = Scene {
        seed: 7,
        seconds: 600,
        rate: 2.0,
        late: 0.1,
        latest: 55 * 60,
        faults: 20,
        restarts: 5,
        saves: 30,
        away: 0..0,
        options: options(),
    };
    let late = run(play(scene));
    assert!(late > 0, "a test without late lines tests nothing");
}

#[tokio::test(start_paused = true)]
async fn a_calm_tick_takes_one_query_and_a_sweep_one_more() {
    let model = Model::new(1);
    let mut follower = Follower::new(&model, 1, options());
    for tick in 1..=60 {
        for n in 0..20 {
            let at = Nanos::new((START + tick * TICK - 8) * 1_000_000_000 + n);
            model.push(at, Labels::from_iter([("app", "web")]), "steady", Labels::default());
        }
        follower.cursor.tick(Nanos::from_seconds(START + tick * TICK));
        let swept = tick % 6 == 0;
        if swept {
            follower.cursor.sweep(Nanos::from_seconds(START + tick * TICK));
        }
        follower.run().await;
        // The first of all also reads from the beginning of its minute.
        assert_eq!(model.queries(), 1 + usize::from(swept), "tick {tick}");
    }
    assert_eq!(follower.lines.len(), 60 * 20);
}

#[tokio::test(start_paused = true)]
async fn a_server_with_smaller_pages_says_so_once() {
    for (limit, most) in [(1000, 5000), (20, 5000)] {
        let model = Model::new(1).max_entries(50);
        let options = CursorOptions { limit, most, ..CursorOptions::default() };
        let mut follower = Follower::new(&model, 1, options);
        let (mut refused, mut pushed) = (0, 0);
        for tick in 1..=60 {
            let now = Nanos::from_seconds(START + tick * TICK);
            // Also late ones, for which a whole minute is read again, and more of a nanosecond than a page holds.
            for behind in [8, 60, 120] {
                for _ in 0..if tick == 30 { 120 } else { 2 } {
                    let at = Nanos::from_seconds((START + tick * TICK - behind).max(START));
                    model.push(
                        at,
                        Labels::from_iter([("app", "web")]),
                        &format!("line {pushed}"),
                        Labels::default(),
                    );
                    pushed += 1;
                }
            }
            follower.cursor.tick(now);
            follower.cursor.sweep(now);
            while let Some(request) = follower.cursor.next_request() {
                match request.send(&follower.client).await {
                    Ok(answer) => {
                        for entry in follower.cursor.answer(answer).unwrap() {
                            *follower.lines.entry(stored(entry)).or_default() += 1;
                        }
                    }
                    Err(error) => {
                        assert_eq!(follower.cursor.failed(&error), Failure::Less, "{error}");
                        refused += 1;
                    }
                }
            }
        }
        assert_eq!((refused, follower.lines.len()), (1, pushed), "pages of {limit}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_deleted_is_not_missed_and_not_read_over_and_over() {
    let model = Model::new(1);
    let mut follower = Follower::new(&model, 1, options());
    for n in 0..600 {
        model.push(
            Nanos::from_seconds(START + n),
            Labels::from_iter([("app", "web")]),
            "x",
            Labels::default(),
        );
    }
    let now = Nanos::from_seconds(START + 700);
    follower.cursor.tick(now);
    follower.run().await;
    assert_eq!(follower.lines.len(), 600);
    model.delete_before(Nanos::from_seconds(START + 90));
    model.queries();
    follower.cursor.sweep(now);
    follower.run().await;
    // The count, and the two minutes that changed.
    assert!(model.queries() <= 4);
    follower.cursor.sweep(now);
    follower.run().await;
    assert_eq!(model.queries(), 1);
    assert_eq!(follower.lines.len(), 600);
    // What comes late into a minute of which something was deleted is still found.
    let at = Nanos::from_seconds(START + 91).next();
    model.push(at, Labels::from_iter([("app", "web")]), "late", Labels::default());
    follower.cursor.sweep(now);
    follower.run().await;
    assert_eq!((follower.lines.len(), follower.cursor.late()), (601, 1));
}

#[tokio::test(start_paused = true)]
async fn counts_that_entries_do_not_bear_out_are_asked_after_less_and_less_often() {
    let mut cursor = Cursor::new(QUERY, Nanos::from_seconds(START), options()).unwrap();
    let now = Nanos::from_seconds(START + 300);
    cursor.tick(now);
    let mut pages = 0;
    for _ in 0..64 {
        cursor.sweep(now);
        while let Some(request) = cursor.next_request() {
            let answer = match request {
                loki_client::Request::Page(_) => {
                    pages += 1;
                    Answer::Page(Vec::new())
                }
                // As if a part of Loki counted three and gave out none.
                _ => Answer::Counts(BTreeMap::from([(Nanos::from_seconds((START / 60 + 2) * 60), 3)])),
            };
            cursor.answer(answer).unwrap();
        }
    }
    assert!((5..12).contains(&pages), "{pages}");
}

#[test]
fn a_query_that_cannot_be_counted_is_refused_at_once() {
    for query in [r#"{app="web"} | json"#, "rate({app=\"web\"}[1m])", ""] {
        let error = Cursor::new(query, Nanos::new(0), CursorOptions::default()).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    }
}

#[test]
fn a_state_that_is_damaged_or_of_other_buckets_is_refused() {
    let cursor = Cursor::new(QUERY, Nanos::new(0), CursorOptions::default()).unwrap();
    let other = CursorOptions { bucket: Duration::from_secs(30), ..CursorOptions::default() };
    let error = Cursor::resume(&cursor.state(), other).unwrap_err();
    assert!(error.to_string().contains("30s"), "{error}");
    let mut damaged = serde_json::to_value(cursor.state()).unwrap();
    damaged["version"] = 7.into();
    let damaged = serde_json::from_value(damaged).unwrap();
    assert!(Cursor::resume(&damaged, CursorOptions::default()).is_err());
}

#[test]
fn a_fatal_error_says_so_and_skips_nothing() {
    let mut cursor = Cursor::new(QUERY, Nanos::from_seconds(START), options()).unwrap();
    cursor.tick(Nanos::from_seconds(START + 60));
    let request = cursor.next_request().unwrap();
    let refused = Error::Invalid { operation: loki_client::Operation::QueryRange, what: "no".into() };
    assert!(!cursor.is_stuck());
    assert_eq!(cursor.failed(&refused), Failure::Stuck);
    assert!(cursor.is_stuck());
    assert_eq!(cursor.next_request(), Some(request));
}

/// So many entries of an instant that no query can tell apart.
fn alike(at: Nanos, count: usize) -> Answer {
    let labels = std::sync::Arc::new(Labels::from_iter([("app", "web")]));
    let entry = Entry {
        timestamp: at,
        line: "x".into(),
        labels,
        metadata: Labels::default(),
        parsed: Labels::default(),
    };
    Answer::Page(vec![entry; count])
}

#[test]
fn an_answer_that_cannot_be_used_says_whether_reading_on_is_stuck_by_it() {
    let options = CursorOptions { limit: 50, most: 50, ..options() };
    let begin = START / 60 * 60;
    let at = |second: i64| Nanos::from_seconds(begin + second);
    let mut cursor = Cursor::new(QUERY, at(0), options).unwrap();
    cursor.tick(at(183));
    let request = cursor.next_request();
    assert!(matches!(cursor.answer(alike(at(30), 50)), Err(Error::Inseparable { .. })));
    assert!(cursor.is_stuck());
    assert_eq!(cursor.next_request(), request, "reading on asks for the same");
    cursor.answer(Answer::Page(Vec::new())).unwrap();
    assert!(!cursor.is_stuck());

    // A minute that is read again does not keep it.
    cursor.sweep(at(183));
    cursor.next_request();
    cursor.answer(Answer::Counts(BTreeMap::from([(at(60), 50), (at(120), 1)]))).unwrap();
    let request = cursor.next_request();
    assert!(matches!(cursor.answer(alike(at(30), 50)), Err(Error::Inseparable { .. })));
    assert!(!cursor.is_stuck() && cursor.parked().is_some());
    cursor.tick(at(193));
    assert!(cursor.next_request().is_some_and(|next| Some(next) != request), "it has other work");
}

#[test]
fn a_state_of_an_hour_at_50_lines_a_second_is_smaller_than_a_mebibyte() {
    let mut cursor = Cursor::new(QUERY, Nanos::from_seconds(START), CursorOptions::default()).unwrap();
    let labels = std::sync::Arc::new(Labels::from_iter([("app", "web")]));
    let now = Nanos::from_seconds(START + 65 * 60);
    cursor.tick(now);
    while let Some(request) = cursor.next_request() {
        let loki_client::Request::Page(query) = request else { panic!("{request:?}") };
        // 50 a second, evenly.
        let every = 20_000_000;
        let first = (query.window.start.get() + every - 1).div_euclid(every) * every;
        let times = (0..i64::from(query.limit)).map(|n| Nanos::new(first + n * every));
        let entries = times.take_while(|at| *at < query.window.end).map(|timestamp| loki_client::Entry {
            timestamp,
            line: "steady".into(),
            labels: labels.clone(),
            metadata: Labels::default(),
            parsed: Labels::default(),
        });
        cursor.answer(Answer::Page(entries.collect())).unwrap();
    }
    let bytes = serde_json::to_vec(&cursor.state()).unwrap().len();
    println!("{bytes} bytes");
    assert!((800_000..1 << 20).contains(&bytes), "{bytes}");
}

#[test]
fn late_lines_beside_a_burst_are_found_through_restarts() {
    let mut found = 0;
    for seed in 0..3 {
        found += run(beside_a_burst(seed));
    }
    assert!(found > 0, "a test without late lines tests nothing");
}

/// Five lines a second, 5 % of them late, and 1,200 in one nanosecond, of which a page holds 500.
async fn beside_a_burst(seed: u64) -> u64 {
    let model = Model::new(seed).max_entries(500);
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut arrivals = arrivals(&mut chance, 600, 5.0, 0.05, 55 * 60);
    let mut follower = Follower::new(&model, seed, CursorOptions { limit: 100, most: 500, ..options() });
    (follower.restarts, follower.saves) = (3, 33);
    model.faults(20);
    let burst = Nanos::new(START * 1_000_000_000 + 300_500_000_000);
    arrivals.entry(301).or_default().extend([burst; 1200]);
    let end = 720 + 55 * 60;
    let mut late = 0;
    let mut pushed = 0;
    for second in (0..720).step_by(10).chain((720..=end).step_by(60)) {
        let later = arrivals.split_off(&(second + 1));
        for at in std::mem::replace(&mut arrivals, later).into_values().flatten() {
            let labels = Labels::from_iter([("app", "web"), ("pod", ["a", "b"][pushed % 2])]);
            model.push(at, labels, &format!("line {pushed}"), Labels::default());
            pushed += 1;
        }
        if second == end {
            model.faults(0);
            follower.restarts = 0;
        }
        let now = Nanos::from_seconds(START + second);
        follower.cursor.tick(now);
        if second % if second < 720 { 60 } else { 300 } == 0 || second == end {
            follower.cursor.sweep(now);
        }
        follower.run().await;
        // A restart forgets it.
        late = late.max(follower.cursor.late());
    }
    let everything = Window::new(Nanos::from_seconds(START), Nanos::MAX);
    let truth = model.truth(everything);
    let lost: Vec<_> = truth.iter().filter(|line| !follower.lines.contains_key(line)).collect();
    assert!(lost.is_empty(), "seed {seed}: {} lost of {}, such as {:?}", lost.len(), truth.len(), lost[0]);
    assert!(follower.lines.values().all(|times| *times == 1));
    late
}
