//! Each call, as this Loki takes it.

use std::time::Duration;

use futures::StreamExt as _;
use jiff::Timestamp;
use loki_client::{
    CountQuery, Cursor, CursorOptions, Direction, Entry, Error, HttpLoki, Labels, LogQuery, Loki as _,
    LokiExt as _, Nanos, PageOptions, PushEncoding, PushEntry, PushStream, RangeQuery, Refusal, TailQuery,
    Value, Window,
};
use testkit::Loki;

use crate::traffic::Traffic;

const QUERY: &str = r#"{app="web"}"#;

async fn client(tenant: &str) -> HttpLoki {
    Traffic::new(1).client(Loki::shared().await.unwrap(), tenant)
}

/// A whole minute, some minutes ago.
fn minute() -> Nanos {
    Nanos::from_seconds((Timestamp::now().as_second() - 600).div_euclid(60) * 60)
}

fn entry(timestamp: Nanos, line: &str) -> PushEntry {
    PushEntry { timestamp, line: line.into(), metadata: Labels::from_iter([("trace_id", "t1")]) }
}

fn stream(entries: Vec<PushEntry>) -> PushStream {
    PushStream { labels: Labels::from_iter([("app", "web"), ("host", "a\"b\\c\nd\u{1}ü")]), entries }
}

async fn read(client: &HttpLoki, window: Window) -> Vec<Entry> {
    let query = LogQuery { query: QUERY.into(), window, limit: 100, direction: Direction::Forward };
    client.query_range(&query).await.unwrap()
}

#[tokio::test]
async fn what_is_pushed_in_either_encoding_comes_back_as_it_was() {
    let loki = Loki::shared().await.unwrap();
    let at = minute();
    let window = Window::new(at, at.after(Duration::from_secs(1)));
    let lines = ["", "a\"b\\c\td", "中文 \u{1b}[31mred\u{1b}[0m", "two\nlines", "\u{fffd}"];
    let pushed = || stream((0..).zip(lines).map(|(n, line)| entry(Nanos::new(at.get() + n), line)).collect());
    for (tenant, encoding) in [("json", PushEncoding::Json), ("protobuf", PushEncoding::SnappyProtobuf)] {
        let client = Traffic::new(1).builder(loki).tenant(tenant).push_encoding(encoding).build().unwrap();
        client.push(&[pushed()]).await.unwrap();
        // Again, as after a lost answer: Loki keeps it once.
        client.push(&[pushed()]).await.unwrap();
        let entries = read(&client, window).await;
        let texts: Vec<_> = entries.iter().map(|entry| entry.line.as_str()).collect();
        assert_eq!(texts, lines, "{tenant}");
        for entry in entries {
            assert_eq!(entry.labels.get("host"), pushed().labels.get("host"), "{tenant}");
            assert_eq!(entry.metadata.get("trace_id"), Some("t1"), "{tenant}");
        }
    }
}

#[tokio::test]
async fn numbers_labels_and_series() {
    let client = client("numbers").await;
    let at = minute();
    let window = Window::new(at, at.after(Duration::from_secs(120)));
    let times = [0, 1, 60_000_000_000, 60_000_000_001].map(|after| Nanos::new(at.get() + after));
    client.push(&[stream(times.iter().map(|time| entry(*time, "x")).collect())]).await.unwrap();

    let end = Nanos::new(window.end.get());
    let Value::Vector(vector) =
        client.instant(&format!("sum by (app) (count_over_time({QUERY}[120s]))"), end).await.unwrap()
    else {
        panic!("no vector")
    };
    // `(at, at + 120 s]`: without the first.
    assert_eq!((vector[0].0.get("app"), vector[0].1.value), (Some("web"), 3.0));
    let query =
        CountQuery { query: QUERY.into(), first: at, last: window.end, step: Duration::from_secs(60) };
    let counts = client.counts(&query).await.unwrap();
    let minutes = [0, 1, 2].map(|n| counts.get(&Nanos::new(at.get() + n * 60_000_000_000)).copied());
    // Right-closed: each minute's first nanosecond belongs to the one before.
    assert_eq!(minutes, [Some(1), Some(2), Some(1)]);
    let range = RangeQuery {
        query: format!("sum(count_over_time({QUERY}[60s]))"),
        start: at,
        end: window.end,
        step: Duration::from_secs(60),
        cached: false,
    };
    assert_eq!(client.range(&range).await.unwrap()[0].samples.len(), 3);

    let window = Window::new(at.before(Duration::from_secs(60)), window.end);
    assert_eq!(client.labels(window).await.unwrap(), ["app", "host", "service_name"]);
    assert_eq!(client.label_values("app", window).await.unwrap(), ["web"]);
    assert_eq!(client.series(&[QUERY.into()], window).await.unwrap()[0].get("app"), Some("web"));
    assert_eq!(client.format_query(r#"{app="web"}|="x""#).await.unwrap(), r#"{app="web"} |= "x""#);
    assert!(client.build_info().await.unwrap().version.starts_with("3."));
    client.ready().await.unwrap();
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let loki = Loki::shared().await.unwrap();
    let at = minute();
    let one = client("refusals").await;
    let refusal = |error: loki_client::Error| error.refusal().cloned().unwrap_or_else(|| panic!("{error:?}"));

    let log = |query: &str, limit| LogQuery {
        query: query.into(),
        window: Window::new(at, at.after(Duration::from_secs(1))),
        limit,
        direction: Direction::Forward,
    };
    assert_eq!(refusal(one.query_range(&log(r#"{app="web""#, 10)).await.unwrap_err()), Refusal::Query);
    assert_eq!(
        refusal(one.query_range(&log(QUERY, 5001)).await.unwrap_err()),
        Refusal::Limit { most: Some(5000) }
    );
    assert_eq!(refusal(one.instant(QUERY, at).await.unwrap_err()), Refusal::Query);
    let year = Window::new(at.before(Duration::from_secs(365 * 86400)), at);
    let long = LogQuery { window: year, ..log(QUERY, 10) };
    assert_eq!(refusal(one.query_range(&long).await.unwrap_err()), Refusal::TooMuch);

    // The good one is stored, the one from last month is not.
    let month = at.before(Duration::from_secs(30 * 86400));
    let error = one.push(&[stream(vec![entry(at, "good"), entry(month, "old")])]).await.unwrap_err();
    assert_eq!(refusal(error), Refusal::Entries);
    assert_eq!(read(&one, Window::instant(at)).await[0].line, "good");

    let nobody = Traffic::new(1).builder(loki).tries(1).build().unwrap();
    assert_eq!(refusal(nobody.query_range(&log(QUERY, 10)).await.unwrap_err()), Refusal::Tenant);
    let two = Traffic::new(1).builder(loki).tenant("a").tenant("b").tries(1).build().unwrap();
    assert_eq!(refusal(two.query_range(&log(QUERY, 10)).await.unwrap_err()), Refusal::Tenant);
}

#[tokio::test]
async fn a_query_of_the_other_kind_names_the_method_that_answers_it() {
    let client = client("kinds").await;
    let at = minute();
    client.push(&[stream(vec![entry(at, "x")])]).await.unwrap();
    let query = LogQuery {
        query: format!("sum(count_over_time({QUERY}[60s]))"),
        window: Window::new(at, at.after(Duration::from_secs(60))),
        limit: 10,
        direction: Direction::Forward,
    };
    let error = client.query_range(&query).await.unwrap_err();
    assert!(matches!(error, Error::OtherKind { .. }), "{error:?}");
    let range = RangeQuery {
        query: QUERY.into(),
        start: at,
        end: query.window.end,
        step: Duration::from_secs(60),
        cached: false,
    };
    let error = client.range(&range).await.unwrap_err();
    assert!(matches!(error, Error::OtherKind { .. }), "{error:?}");
}

#[tokio::test]
async fn a_value_that_is_no_number_is_read_and_not_counted() {
    let client = client("numerals").await;
    let at = minute();
    let status = |line: &str, status: &str| PushEntry {
        metadata: Labels::from_iter([("status", status)]),
        ..entry(at, line)
    };
    client.push(&[stream(vec![status("bad", "abc"), status("good", "500")])]).await.unwrap();
    let window = Window::new(at, at.after(Duration::from_secs(1)));
    let lines = async |query: &str| {
        let entries = client.entries(query, window, PageOptions::default()).map(Result::unwrap);
        let mut lines: Vec<_> = entries.map(|entry| entry.line).collect().await;
        lines.sort();
        lines
    };

    let compared = format!("{QUERY} | status >= 500");
    assert_eq!(lines(&compared).await, ["bad", "good"]);
    let error = client.count(&compared, window).await.unwrap_err();
    assert_eq!(error.refusal(), Some(&Refusal::Query), "{error}");

    let without = format!(r#"{compared} | __error__="""#);
    assert_eq!(lines(&without).await, ["good"]);
    assert_eq!(client.count(&without, window).await.unwrap(), 1);
    Cursor::new(without, at, CursorOptions::default()).unwrap();
}

/// Loki itself merges them, so that there is nothing left for the client to tell apart.
#[tokio::test]
async fn of_lines_that_a_formatter_makes_equal_as_many_are_read_as_loki_gives() {
    let client = client("formatters").await;
    let at = minute();
    let window = Window::new(at, at.after(Duration::from_millis(1)));
    let pushed = ["one", "two", "three"].map(|line| entry(at, line));
    client.push(&[stream(pushed.into())]).await.unwrap();
    let query = format!(r#"{QUERY} | line_format "done""#);
    let page = LogQuery { query: query.clone(), window, limit: 10, direction: Direction::Forward };
    let given = client.query_range(&page).await.unwrap().len();
    let counted = client.count(&query, window).await.unwrap();
    println!("{given} given, {counted} counted");
    assert_eq!(client.entries(&query, window, PageOptions::default()).count().await, given);
    assert_eq!(client.entries(QUERY, window, PageOptions::default()).count().await, 3);
}

#[tokio::test]
async fn a_tail_shows_what_is_pushed() {
    let client = client("tail").await;
    let query = TailQuery { query: QUERY.into(), start: None, limit: 10 };
    let mut tail = client.tail(&query).await.unwrap();
    // A tail may leave out what comes while Loki is still setting it up: pushed until one is shown.
    let mut pushed = Vec::new();
    let frame = loop {
        assert!(pushed.len() < 60, "nothing is shown");
        let now = Timestamp::now().into();
        client.push(&[stream(vec![entry(now, "hello")])]).await.unwrap();
        pushed.push(now);
        if let Ok(frame) = tokio::time::timeout(Duration::from_secs(1), tail.next()).await {
            break frame.unwrap().unwrap();
        }
    };
    let entry = &frame.entries[0];
    assert_eq!((entry.line.as_str(), entry.labels.get("app")), ("hello", Some("web")));
    assert!(pushed.contains(&entry.timestamp), "{:?}", entry.timestamp);
    let refused = client.tail(&TailQuery { query: "{".into(), ..query }).await.unwrap_err();
    assert!(!refused.is_retryable(), "{refused}");
}

#[tokio::test]
async fn labels_that_are_refused_are_told_apart_and_cost_no_other_stream() {
    let at = minute();
    let window = Window::new(at, at.after(Duration::from_secs(1)));
    let numbered: Labels = (0..40).map(|n| (format!("l{n}"), "x".to_owned())).collect();
    let cases = [
        ("many", numbered),
        ("long-name", Labels::from_iter([("n".repeat(3000), "x".to_owned())])),
        ("long-value", Labels::from_iter([("n".to_owned(), "x".repeat(5000))])),
    ];
    for (tenant, labels) in cases {
        for encoding in [PushEncoding::Json, PushEncoding::SnappyProtobuf] {
            let loki = Loki::shared().await.unwrap();
            let client =
                Traffic::new(1).builder(loki).tenant(tenant).push_encoding(encoding).build().unwrap();
            let bad = PushStream { labels: labels.clone(), entries: vec![entry(at, "refused")] };
            let error = client.push(&[bad, stream(vec![entry(at, "stored")])]).await.unwrap_err();
            assert_eq!(error.refusal(), Some(&Refusal::Labels), "{tenant} {encoding:?}: {error}");
            let lines: Vec<_> = read(&client, window).await.into_iter().map(|entry| entry.line).collect();
            assert_eq!(lines, ["stored"], "{tenant} {encoding:?}: {error}");
        }
    }
}
