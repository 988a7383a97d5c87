//! A cursor that stood still for longer than its horizon: what came late meanwhile is found, or it says that it is not.

use std::collections::BTreeMap;

use loki_client::{
    Answer, Cursor, CursorOptions, CursorState, Entry, Error, Failure, Labels, Nanos, Operation, Request,
};

const QUERY: &str = r#"{app="web"}"#;
/// A minute's beginning.
const START: i64 = 1_795_186_560;
const HOUR: i64 = 3600;

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

/// What a Loki says that holds an entry in each of these seconds.
fn answer(request: &Request, seconds: &[i64]) -> Answer {
    let times = seconds.iter().copied().map(at);
    match request {
        Request::Page(page) => {
            let inside = times.filter(|at| page.window.contains(*at)).take(page.limit as usize);
            Answer::Page(inside.map(entry).collect())
        }
        Request::Counts(counts) => {
            let step = i64::try_from(counts.step.as_nanos()).unwrap();
            let mut all: BTreeMap<Nanos, u64> = BTreeMap::new();
            for at in times {
                let end = Nanos::new((at.get() - 1).div_euclid(step) * step + step);
                *all.entry(end).or_default() += 1;
            }
            all.retain(|end, _| (counts.first..=counts.last).contains(end));
            Answer::Counts(all)
        }
        _ => unreachable!(),
    }
}

/// Asks until there is nothing left to ask. Returns the seconds of what is new, and how many queries it took.
fn round(cursor: &mut Cursor, seconds: &[i64]) -> (Vec<i64>, usize) {
    let (mut new, mut queries) = (Vec::new(), 0);
    while let Some(request) = cursor.next_request() {
        new.extend(cursor.answer(answer(&request, seconds)).unwrap());
        queries += 1;
    }
    (new.iter().map(|entry| entry.timestamp.get() / 1_000_000_000 - START).collect(), queries)
}

/// A cursor that has read three minutes with a line each, and swept them.
fn swept() -> Cursor {
    let mut cursor = Cursor::new(QUERY, at(0), CursorOptions::default()).unwrap();
    cursor.tick(at(183));
    cursor.sweep(at(183));
    assert_eq!(round(&mut cursor, &[30, 90, 150]).0, [30, 90, 150]);
    cursor
}

/// What Loki holds three hours later. Of the minute of second 150 not even the last instant had been read.
const LATER: [i64; 8] = [30, 90, 95, 150, 155, 200, 7000, 10_000];
const NEW: [i64; 5] = [95, 155, 200, 7000, 10_000];

fn resumed(cursor: &Cursor) -> Cursor {
    let state: CursorState = serde_json::from_value(serde_json::to_value(cursor.state()).unwrap()).unwrap();
    Cursor::resume(&state, CursorOptions::default()).unwrap()
}

fn three_hours_later(mut cursor: Cursor) {
    cursor.tick(at(3 * HOUR));
    cursor.sweep(at(3 * HOUR));
    let (mut new, queries) = round(&mut cursor, &LATER);
    new.sort_unstable();
    assert_eq!(new, NEW);
    assert_eq!((cursor.late(), cursor.unchecked(), cursor.parked()), (2, 0, None));
    assert!(queries < 40, "{queries}");
    cursor.tick(at(3 * HOUR + 10));
    cursor.sweep(at(3 * HOUR + 10));
    assert_eq!(round(&mut cursor, &LATER), (vec![], 2), "and then it is calm");
}

#[test]
fn a_loki_that_is_gone_for_hours_after_a_sweep_that_matched_loses_nothing() {
    let mut cursor = swept();
    for second in (190..3 * HOUR).step_by(10) {
        cursor.tick(at(second));
        if second % 60 == 0 {
            cursor.sweep(at(second));
        }
        for _ in 0..5 {
            if cursor.next_request().is_some() {
                cursor.failed(&timeout());
            }
        }
    }
    assert_eq!((cursor.reached(), cursor.unchecked()), (at(180), 0));
    three_hours_later(cursor);
}

#[test]
fn nor_does_a_restart_that_takes_hours() {
    three_hours_later(resumed(&swept()));
}

#[test]
fn nor_from_a_state_of_before_sweeps_were_remembered() {
    let mut state = serde_json::to_value(swept().state()).unwrap();
    assert!(state.as_object_mut().unwrap().remove("swept").is_some());
    let state: CursorState = serde_json::from_value(state).unwrap();
    three_hours_later(Cursor::resume(&state, CursorOptions::default()).unwrap());
}

#[test]
fn nor_when_a_minute_is_counted_by_the_first_sweep_and_the_one_that_was_being_read_is_not() {
    let mut cursor = resumed(&swept());
    // By a sweep that is first, all whole minutes are compared, but not the one that was being read.
    cursor.sweep(at(3 * HOUR));
    let (mut new, _) = round(&mut cursor, &LATER);
    cursor.tick(at(3 * HOUR + 1));
    new.extend(round(&mut cursor, &LATER).0);
    new.sort_unstable();
    assert_eq!((new, cursor.unchecked()), (NEW.to_vec(), 0));
}

#[test]
fn nor_when_what_it_reads_again_fails_at_first() {
    let mut cursor = resumed(&swept());
    let mut new = Vec::new();
    for second in 0..20 {
        cursor.tick(at(3 * HOUR + second));
        let mut fail = second < 10;
        while let Some(request) = cursor.next_request() {
            if std::mem::take(&mut fail) {
                // What has failed is asked again at the next tick. What works goes on.
                assert_eq!(cursor.failed(&timeout()), Failure::Pause);
                continue;
            }
            new.extend(cursor.answer(answer(&request, &LATER)).unwrap());
        }
    }
    let mut new: Vec<_> = new.iter().map(|entry| entry.timestamp.get() / 1_000_000_000 - START).collect();
    new.sort_unstable();
    assert_eq!((new, cursor.unchecked()), (NEW.to_vec(), 0));
}

#[test]
fn what_cannot_be_read_again_for_minutes_is_given_up_and_told() {
    let mut cursor = resumed(&swept());
    let (mut new, mut unchecked) = (Vec::new(), 0);
    for second in (0..600).step_by(10) {
        cursor.tick(at(3 * HOUR + second));
        for _ in 0..100 {
            let Some(request) = cursor.next_request() else { break };
            match &request {
                Request::Page(page) if page.window.start >= at(180) => {
                    new.extend(cursor.answer(answer(&request, &LATER)).unwrap());
                }
                _ => drop(cursor.failed(&timeout())),
            }
        }
        let bytes = serde_json::to_vec(&cursor.state()).unwrap().len();
        assert!(bytes < 3000, "{bytes}");
        unchecked += cursor.unchecked();
        cursor = resumed(&cursor);
    }
    // Three minutes, and the one that ends where it started.
    assert_eq!(unchecked, 4);
    assert!(new.iter().any(|entry| entry.timestamp == at(10_000)), "it reads on");
}

#[test]
fn a_cursor_that_is_swept_each_minute_reads_nothing_twice() {
    let mut cursor = Cursor::new(QUERY, at(0), CursorOptions::default()).unwrap();
    let seconds: Vec<_> = (0..3 * HOUR).step_by(30).collect();
    for second in (10..3 * HOUR).step_by(10) {
        cursor.tick(at(second));
        let sweeps = second % 60 == 0;
        if sweeps {
            cursor.sweep(at(second));
        }
        let queries = round(&mut cursor, &seconds).1;
        assert_eq!(queries, 1 + usize::from(sweeps), "second {second}");
    }
}

#[test]
fn a_cursor_that_nobody_sweeps_reads_each_minute_again_before_it_forgets_it() {
    let mut cursor = Cursor::new(QUERY, at(0), CursorOptions::default()).unwrap();
    let mut seconds: Vec<_> = (0..3 * HOUR).step_by(30).collect();
    let (mut late, mut most) = (Vec::new(), 0);
    for second in (10..3 * HOUR).step_by(10) {
        if second == HOUR + 1000 {
            seconds.push(1005);
            seconds.sort_unstable();
        }
        cursor.tick(at(second));
        let (new, queries) = round(&mut cursor, &seconds);
        late.extend(new.into_iter().filter(|new| new + 60 < second));
        most = most.max(queries);
    }
    assert_eq!((late, most, cursor.unchecked()), (vec![1005], 2, 0));
}
