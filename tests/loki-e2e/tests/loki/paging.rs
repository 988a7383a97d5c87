//! Whatever window is read, in whatever pages: every line once.

use std::time::Duration;

use futures::TryStreamExt as _;
use loki_client::{Direction, HttpLoki, LokiExt as _, PageOptions, Window};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use testkit::Loki;

use crate::storm::{Line, SECONDS, SELECTOR, Storm, push, within};
use crate::traffic::Traffic;

const SEED: u64 = 2017;
/// Set it to 10000 before a release.
const WINDOWS: &str = "LOKI_WINDOWS";
/// Other windows of the same storm.
const WINDOW_SEED: &str = "LOKI_WINDOW_SEED";

/// A number of the environment.
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

async fn read(client: &HttpLoki, window: Window, options: PageOptions) -> Vec<Line> {
    let entries: Vec<_> = client.entries(SELECTOR, window, options).try_collect().await.unwrap();
    let in_order = |pair: &[loki_client::Entry]| match options.direction {
        Direction::Forward => pair[0].timestamp <= pair[1].timestamp,
        Direction::Backward => pair[0].timestamp >= pair[1].timestamp,
    };
    assert!(entries.windows(2).all(in_order), "{window:?} {options:?}");
    let mut lines: Vec<_> = entries.into_iter().map(Line::from).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn every_line_of_random_windows_is_read_once() {
    let loki = Loki::shared().await.unwrap();
    let traffic = Traffic::new(1);
    let client = traffic.client(loki, "paging");
    let storm = Storm::new(SEED);
    let lines = storm.lines();
    push(&client, &storm.as_it_came()).await;

    let mut chance = ChaCha8Rng::seed_from_u64(number(WINDOW_SEED, SEED));
    let windows = number(WINDOWS, 1000);
    let (mut read_lines, mut bursts) = (0, 0);
    traffic.requests();
    for n in 0..windows {
        // As many of nanoseconds as of seconds.
        let length = 60_000_000_000_f64.powf(chance.random::<f64>()) as u64;
        let start = match n % 50 {
            // Around the burst, where chance alone would seldom look.
            0 => storm.burst.before(Duration::from_nanos(chance.random_range(0..length))),
            _ => storm
                .start
                .after(Duration::from_nanos(chance.random_range(0..SECONDS as u64 * 1_000_000_000))),
        };
        let window = Window::new(start, start.after(Duration::from_nanos(length)));
        let options = PageOptions {
            limit: (50.0 * 100_f64.powf(chance.random::<f64>())) as u32,
            direction: [Direction::Forward, Direction::Backward][chance.random_range(0..2)],
            ..PageOptions::default()
        };
        let truth = within(&lines, window);
        let read = read(&client, window, options).await;
        assert!(read == truth, "{window:?} {options:?}: {} lines, not {}", read.len(), truth.len());
        read_lines += read.len();
        bursts += usize::from(window.contains(storm.burst));
    }
    let queries = traffic.requests();
    println!("{windows} windows, {bursts} of them with the burst: {read_lines} lines in {queries} queries");

    // The steady stream: 500 lines in 10 s.
    let (mut queries, mut counted) = (0, 0);
    for tick in 0..SECONDS / 10 {
        let window = Window::new(storm.at(tick * 10), storm.at(tick * 10 + 10));
        for direction in [Direction::Forward, Direction::Backward] {
            let options = PageOptions { limit: 1000, direction, ..PageOptions::default() };
            assert!(read(&client, window, options).await == within(&lines, window));
            let asked = traffic.requests();
            if window.contains(storm.burst) {
                println!(
                    "the burst's window: {asked} queries {direction:?} for {} lines",
                    within(&lines, window).len()
                );
                assert!(asked <= 20, "{asked}");
            } else {
                queries += asked;
                counted += 1;
            }
        }
    }
    let mean = queries as f64 / f64::from(counted);
    println!("{mean:.2} queries for a window of 10 s at limit 1000");
    assert!(mean <= 5.0, "{mean}");
}

#[tokio::test]
async fn a_count_is_exact_for_any_window() {
    let loki = Loki::shared().await.unwrap();
    let client = Traffic::new(1).client(loki, "counts");
    let storm = Storm::new(SEED);
    let lines = storm.lines();
    push(&client, &lines).await;
    let mut chance = ChaCha8Rng::seed_from_u64(SEED);
    for n in 0..100 {
        let length = 60_000_000_000_f64.powf(chance.random::<f64>()) as u64;
        // From a line on, and up to one: where it matters that one bound is inside and the other is not.
        let at = lines[chance.random_range(0..lines.len())].at;
        let length = Duration::from_nanos(length);
        let window =
            if n % 2 == 0 { Window::new(at, at.after(length)) } else { Window::new(at.before(length), at) };
        let count = client.count(SELECTOR, window).await.unwrap();
        assert_eq!(count, within(&lines, window).len() as u64, "{window:?}");
    }
}
