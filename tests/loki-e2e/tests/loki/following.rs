//! The storm without its weather, followed as it comes: every line once, for two queries a tick at most.

use loki_client::{Cursor, CursorOptions, HttpLoki};
use testkit::Loki;

use crate::storm::{Line, SECONDS, SELECTOR, Storm, push};
use crate::traffic::Traffic;

const SEED: u64 = 42;
const TICK: i64 = 10;

/// Asks until there is nothing left to ask.
async fn catch_up(client: &HttpLoki, cursor: &mut Cursor) -> Vec<Line> {
    let mut lines = Vec::new();
    while let Some(request) = cursor.next_request() {
        let answer = request.send(client).await.unwrap();
        lines.extend(cursor.answer(answer).unwrap().into_iter().map(Line::from));
    }
    lines
}

#[tokio::test]
async fn a_calm_tick_takes_two_queries_at_most() {
    let loki = Loki::shared().await.unwrap();
    let traffic = Traffic::new();
    let client = traffic.client(loki, "calm");
    let pusher = Traffic::new().client(loki, "calm");
    let mut storm = Storm::new(SEED);
    storm.be_calm();
    let truth = storm.lines();
    let mut cursor = Cursor::new(SELECTOR, storm.start, CursorOptions::default()).unwrap();
    let (mut lines, mut most) = (Vec::new(), 0);
    for second in (0..=SECONDS + TICK).step_by(TICK as usize) {
        push(&pusher, &storm.arrived(second)).await;
        cursor.tick(storm.at(second));
        if second % 60 == 0 {
            cursor.sweep(storm.at(second));
        }
        lines.extend(catch_up(&client, &mut cursor).await);
        let queries = traffic.requests();
        most = most.max(queries);
        assert!(queries <= 2, "{queries} in second {second}");
    }
    println!("at most {most} queries a tick, with a sweep each minute");
    lines.sort();
    assert!(lines == truth);
}
