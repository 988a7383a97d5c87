//! A program that uses the trait `Loki`, and its tests, which need no Loki.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use loki_client::{
    Cursor, CursorOptions, Entry, Error, Failure, Labels, Loki, LokiExt as _, MockLoki, Nanos, Operation,
    PageOptions, Tail, TailFrame, TailQuery, Window,
};

fn entry(at: i64, line: &str) -> Entry {
    Entry {
        timestamp: Nanos::from_seconds(at),
        line: line.into(),
        labels: Arc::new(Labels::from_iter([("app", "web")])),
        metadata: Labels::default(),
        parsed: Labels::default(),
    }
}

fn gone() -> Error {
    Error::Unanswered { operation: Operation::QueryRange, source: "gone".into() }
}

/// The longest line of a window.
async fn longest(loki: &impl Loki, window: Window) -> Result<Option<String>, Error> {
    let entries = loki.entries("{app=\"web\"}", window, PageOptions::default());
    let longest = |one: Option<String>, entry: Entry| async move {
        Ok(one.filter(|one| one.len() >= entry.line.len()).or(Some(entry.line)))
    };
    entries.try_fold(None, longest).await
}

#[tokio::test]
async fn a_program_is_tested_with_a_window_and_with_a_failure() {
    let window = Window::new(Nanos::from_seconds(0), Nanos::from_seconds(60));
    let mut loki = MockLoki::new();
    loki.expect_query_range()
        .once()
        .withf(move |query| query.query == "{app=\"web\"}" && query.window == window)
        .returning(|_| Ok(vec![entry(1, "up"), entry(2, "down again"), entry(3, "up")]));
    assert_eq!(longest(&loki, window).await.unwrap().as_deref(), Some("down again"));

    loki.expect_query_range().once().returning(|_| Err(gone()));
    assert!(longest(&loki, window).await.unwrap_err().is_retryable());
}

#[tokio::test]
async fn a_cursor_is_driven_by_a_mock() {
    let mut loki = MockLoki::new();
    loki.expect_query_range().once().returning(|_| Err(gone()));
    loki.expect_query_range().once().returning(|_| Ok(vec![entry(61, "up")]));
    let mut cursor = Cursor::new("{app=\"web\"}", Nanos::from_seconds(60), CursorOptions::default()).unwrap();
    cursor.tick(Nanos::from_seconds(70));
    let request = cursor.next_request().unwrap();
    let error = request.send(&loki).await.unwrap_err();
    assert_eq!(cursor.failed(&error), Failure::Pause);
    let answer = cursor.next_request().unwrap().send(&loki).await.unwrap();
    assert_eq!(cursor.answer(answer).unwrap(), [entry(61, "up")]);
    assert_eq!(cursor.next_request(), None);
}

#[tokio::test]
async fn a_tail_is_made_of_frames() {
    let mut loki = MockLoki::new();
    loki.expect_tail().once().returning(|_| {
        let frame = TailFrame { entries: vec![entry(1, "up")], dropped: Vec::new() };
        Ok(Tail::from_frames(futures::stream::iter([Ok(frame)])))
    });
    let loki: Arc<dyn Loki> = Arc::new(loki);
    let query = TailQuery { query: "{app=\"web\"}".into(), start: None, limit: 10 };
    let mut tail = loki.tail(&query).await.unwrap();
    let frame = tokio::time::timeout(Duration::from_secs(1), tail.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(frame.entries, [entry(1, "up")]);
    assert!(tail.next().await.is_none());
}
