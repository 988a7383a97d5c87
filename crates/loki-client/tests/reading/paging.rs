//! Whatever a window holds, however it is paged: every entry once.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use loki_client::{Direction, Error, Labels, LokiExt as _, Nanos, PageOptions, Pager, Window};
use proptest::prelude::*;

use crate::model::{Model, Stored, stored};

const QUERY: &str = r#"{app="web"} != "left out""#;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().copied().collect()
}

fn web(pod: &str) -> Labels {
    labels(&[("app", "web"), ("pod", pod)])
}

/// All that the stream gives, and what the batches promise on top.
async fn read(model: &Model, window: Window, options: PageOptions) -> Result<Vec<(Nanos, Stored)>, Error> {
    let client = model.client();
    let batches: Vec<_> = client.pages(QUERY, window, options).try_collect().await?;
    let ends =
        batches.iter().map(|batch| (batch.first().unwrap().timestamp, batch.last().unwrap().timestamp));
    for ((_, last), (first, _)) in ends.clone().zip(ends.skip(1)) {
        assert!(last != first, "a nanosecond is divided between two batches");
    }
    let entries: Vec<_> = batches.into_iter().flatten().collect();
    let in_order = |one: Nanos, other: Nanos| match options.direction {
        Direction::Forward => one <= other,
        Direction::Backward => one >= other,
    };
    assert!(entries.windows(2).all(|pair| in_order(pair[0].timestamp, pair[1].timestamp)));
    let mut entries: Vec<_> = entries.into_iter().map(stored).collect();
    entries.sort();
    Ok(entries)
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Forward), Just(Direction::Backward)]
}

/// Lines that are hard to tell apart: short, alike, empty, with line breaks and characters of all lengths.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[ab]{0,3}",
        2 => (0_u32..40).prop_map(|n| format!("request {n:05} done")),
        1 => "[\\x00-\\x20\"\\\\`é中\u{fffd}\u{10ffff}\u{d7ff}\u{e000}]{0,3}",
        1 => Just("left out".to_owned()),
    ]
}

fn metadata() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    proptest::collection::vec((prop_oneof![Just("trace_id"), Just("user")], "[ab中]{0,2}"), 0..3)
}

/// An instant, a pod, a line, metadata.
type Pushed = (i64, &'static str, String, Vec<(&'static str, String)>);

/// A few instants, far apart and close together, most entries in the same ones.
fn entry() -> impl Strategy<Value = Pushed> {
    let at = prop_oneof![6 => 0_i64..3, 2 => 0_i64..50, 1 => Just(2_000_000_000), 1 => 0..3_000_000_000_i64];
    (at, prop_oneof![Just("a"), Just("b"), Just("")], line(), metadata())
}

fn filled(seed: u64, entries: Vec<Pushed>) -> Model {
    let model = Model::new(seed);
    for (at, pod, line, metadata) in entries {
        let stream = if pod.is_empty() { labels(&[("app", "web")]) } else { web(pod) };
        // An empty value is no value to Loki.
        let metadata = metadata.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        model.push(Nanos::new(at), stream, &line, metadata);
    }
    model.push(Nanos::new(1), labels(&[("app", "other")]), "of another stream", Labels::default());
    model
}

fn truth(model: &Model, window: Window) -> Vec<(Nanos, Stored)> {
    let mut truth = model.truth(window);
    truth.retain(|(_, (labels, line, _))| labels.get("app") == Some("web") && !line.contains("left out"));
    truth.sort();
    truth
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn every_entry_of_a_window_is_read_once(
        seed: u64,
        entries in proptest::collection::vec(entry(), 0..120),
        window in (0_i64..60, 0_i64..60),
        limit in 1_u32..20,
        most in 2_u32..20,
        direction in direction(),
    ) {
        let model = filled(seed, entries).max_entries(20);
        for window in [Window::new(Nanos::new(window.0), Nanos::new(window.1)), Window::new(Nanos::new(0), Nanos::new(4_000_000_000))] {
            let options = PageOptions { limit, most, direction, ..PageOptions::default() };
            let read = run(read(&model, window, options)).unwrap();
            prop_assert_eq!(read, truth(&model, window));
        }
    }

    #[test]
    fn a_server_that_takes_less_than_it_is_asked_gets_smaller_pages_and_windows(
        seed: u64,
        entries in proptest::collection::vec(entry(), 0..120),
        limit in 1_u32..100,
        direction in direction(),
    ) {
        let model = filled(seed, entries).max_entries(7).max_read(30);
        // A second that holds too much can be cut no shorter: only the windows that span several can be refused.
        let window = Window::new(Nanos::new(0), Nanos::new(4_000_000_000));
        let options = PageOptions { limit, most: 5000, direction, ..PageOptions::default() };
        match run(read(&model, window, options)) {
            Ok(read) => prop_assert_eq!(read, truth(&model, window)),
            Err(error) => prop_assert!(error.asks_for_less(), "{error}"),
        }
    }

    #[test]
    fn a_count_is_what_the_window_holds(
        seed: u64,
        entries in proptest::collection::vec(entry(), 0..60),
        start in 0_i64..60,
        length in prop_oneof![0_i64..60, Just(1_000_000), 0..3_000_000_000_i64],
    ) {
        let model = filled(seed, entries);
        let window = Window::new(Nanos::new(start), Nanos::new(start + length));
        let count = run(model.client().count(QUERY, window)).unwrap();
        prop_assert_eq!(count as usize, truth(&model, window).len());
    }
}

/// 12,000 lines in one nanosecond, between others.
fn burst() -> Model {
    let model = Model::new(1);
    for n in 0..12_000 {
        model.push(
            Nanos::new(500),
            web(&format!("pod-{}", n % 3)),
            &format!("burst line {n}"),
            Labels::default(),
        );
    }
    for n in 0..1000 {
        model.push(Nanos::new(n), web("pod-0"), "steady", Labels::default());
    }
    model
}

#[tokio::test]
async fn a_nanosecond_of_12_000_lines_takes_a_dozen_queries() {
    let model = burst();
    let window = Window::new(Nanos::new(0), Nanos::new(1000));
    for direction in [Direction::Forward, Direction::Backward] {
        let options = PageOptions { direction, ..PageOptions::default() };
        assert_eq!(read(&model, window, options).await.unwrap(), truth(&model, window));
        let queries = model.queries();
        assert!(queries <= 16, "{queries}");
    }
}

#[tokio::test]
async fn equal_lines_that_differ_in_metadata_alone_are_told_apart() {
    let model = Model::new(1).max_entries(50);
    for n in 0..500 {
        model.push(Nanos::new(7), web("a"), "same", labels(&[("trace_id", &format!("{n:x}"))]));
    }
    let window = Window::new(Nanos::new(0), Nanos::new(10));
    let options = PageOptions { limit: 10, most: 50, ..PageOptions::default() };
    assert_eq!(read(&model, window, options).await.unwrap(), truth(&model, window));
}

#[tokio::test]
async fn what_cannot_be_told_apart_is_an_error_and_no_loss() {
    let model = Model::new(1).max_entries(50);
    for n in 0..60 {
        // A name that LogQL cannot write.
        model.push(Nanos::new(7), web("a"), "same", labels(&[("trace.id", &n.to_string())]));
    }
    let window = Window::new(Nanos::new(0), Nanos::new(10));
    let options = PageOptions { limit: 10, most: 50, ..PageOptions::default() };
    let error = read(&model, window, options).await.unwrap_err();
    let Error::Inseparable { at, limit: 50, .. } = error else { panic!("{error:?}") };
    assert!(!error.is_retryable());
    for advice in
        ["repeating will not help", "max_entries_limit_per_query and `most`", "leave out that nanosecond"]
    {
        assert!(error.to_string().contains(advice), "{error}");
    }

    // What is advised helps.
    model.push(Nanos::new(6), web("a"), "before", Labels::default());
    model.push(Nanos::new(8), web("a"), "after", Labels::default());
    let mut around = read(&model, Window::new(window.start, at), options).await.unwrap();
    around.extend(read(&model, Window::new(at.next(), window.end), options).await.unwrap());
    assert_eq!(around.len(), 2);
    let model = model.max_entries(100);
    let options = PageOptions { most: 100, ..options };
    assert_eq!(read(&model, window, options).await.unwrap().len(), 62);
}

#[tokio::test]
async fn lines_that_a_formatter_makes_equal_stay_as_many_as_loki_gives() {
    let query = format!(r#"{QUERY} | line_format "done""#);
    let model = Model::new(1).max_entries(50);
    for n in 0..3 {
        model.push(Nanos::new(5), web("a"), &format!("request {n} done"), Labels::default());
        model.push(Nanos::new(2_000_000), web("a"), &format!("request {n} done"), Labels::default());
    }
    // More than the largest page, which only their pods tell apart.
    for n in 0..120 {
        model.push(Nanos::new(7), web(&format!("pod-{}", n % 6)), &format!("{n} done"), Labels::default());
    }
    let window = Window::new(Nanos::new(0), Nanos::new(2_000_001));
    for (limit, direction) in [
        (3, Direction::Forward),
        (3, Direction::Backward),
        (50, Direction::Forward),
        (50, Direction::Backward),
    ] {
        let options = PageOptions { limit, most: 50, direction, ..PageOptions::default() };
        let read: Vec<_> = model.client().entries(&query, window, options).try_collect().await.unwrap();
        let at = |nanos| read.iter().filter(|entry| entry.timestamp == Nanos::new(nanos)).count();
        assert_eq!((read.len(), at(5), at(7), at(2_000_000)), (126, 3, 120, 3), "{limit} {direction:?}");
        assert!(read.iter().all(|entry| entry.line == "done"));
    }
    assert_eq!(model.client().count(&query, window).await.unwrap(), 126);
}

/// As an entry does that was pushed twice, to two shards of its stream.
#[test]
fn an_entry_that_loki_gives_twice_is_one() {
    let entry = loki_client::Entry {
        timestamp: Nanos::new(5),
        line: "twice".to_owned(),
        labels: std::sync::Arc::new(web("a")),
        metadata: Labels::default(),
        parsed: Labels::default(),
    };
    let window = Window::new(Nanos::new(0), Nanos::new(10));
    let mut pager = Pager::new(QUERY, window, PageOptions::default());
    assert_eq!(pager.answer(vec![entry.clone(), entry.clone()]).unwrap(), [entry]);
}

#[tokio::test]
async fn long_windows_are_read_in_pieces() {
    let model = burst();
    let window = Window::new(Nanos::new(0), Nanos::from_seconds(3600));
    let span = Duration::from_secs(600);
    let options = PageOptions { span, ..PageOptions::default() };
    let client = model.client();
    let read = client.entries(QUERY, window, options).count().await;
    assert_eq!(read, truth(&model, window).len());
}

#[tokio::test]
async fn an_empty_window_asks_nothing() {
    let model = burst();
    let window = Window::new(Nanos::new(5), Nanos::new(5));
    assert_eq!(read(&model, window, PageOptions::default()).await.unwrap(), []);
    assert_eq!(model.client().count(QUERY, window).await.unwrap(), 0);
    assert_eq!(model.queries(), 0);
}
