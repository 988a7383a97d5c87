//! The storm as it comes, followed through faults and restarts: every line once.

use std::collections::BTreeSet;

use loki_client::{Cursor, CursorOptions, CursorState, Failure, HttpLoki, Nanos};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use testkit::Loki;

use crate::storm::{LATEST, Line, SECONDS, SELECTOR, Storm, push};
use crate::traffic::Traffic;

const SEED: u64 = 42;
const TICK: i64 = 10;

/// Drives a cursor as an operator would. Lines and state are saved together: the state as JSON, and how many of the
/// lines belong to it.
struct Follower {
    client: HttpLoki,
    cursor: Cursor,
    lines: Vec<Line>,
    saved: (String, usize),
    chance: ChaCha8Rng,
    /// Of a hundred answers, after how many it is restarted.
    restarts: u32,
    restarted: usize,
    /// What sweeps found, also what a restart forgot again.
    late: u64,
}

impl Follower {
    fn new(client: HttpLoki, start: Nanos) -> Self {
        let cursor = Cursor::new(SELECTOR, start, CursorOptions::default()).unwrap();
        let saved = (json(&cursor), 0);
        let chance = ChaCha8Rng::seed_from_u64(SEED);
        Self { client, cursor, lines: Vec::new(), saved, chance, restarts: 0, restarted: 0, late: 0 }
    }

    /// Asks until there is nothing left to ask.
    async fn run(&mut self) {
        while let Some(request) = self.cursor.next_request() {
            match request.send(&self.client).await {
                Ok(answer) => {
                    let before = self.cursor.late();
                    self.lines.extend(self.cursor.answer(answer).unwrap().into_iter().map(Line::from));
                    self.late += self.cursor.late() - before;
                }
                Err(error) => assert_ne!(self.cursor.failed(&error), Failure::Stuck, "{error}"),
            }
            if self.chance.random_range(0..100) < self.restarts {
                let state: CursorState = serde_json::from_str(&self.saved.0).unwrap();
                self.cursor = Cursor::resume(&state, CursorOptions::default()).unwrap();
                self.lines.truncate(self.saved.1);
                self.restarted += 1;
            } else if self.chance.random_range(0..3) == 0 {
                self.saved = (json(&self.cursor), self.lines.len());
            }
        }
    }
}

fn json(cursor: &Cursor) -> String {
    serde_json::to_string(&cursor.state()).unwrap()
}

#[tokio::test]
async fn a_storm_is_followed_through_faults_and_restarts_without_loss() {
    let loki = Loki::shared().await.unwrap();
    let traffic = Traffic::new(SEED);
    let undisturbed = Traffic::new(SEED).client(loki, "following");
    let mut storm = Storm::new(SEED);
    let truth = storm.lines();
    let mut follower = Follower::new(traffic.impatient(loki, "following"), storm.start);
    follower.restarts = 3;
    traffic.faults(20);
    // As an operator would while the storm lasts; then, to save time, less often.
    let lasts = SECONDS + 120;
    let end = lasts + LATEST;
    for second in (0..lasts).step_by(TICK as usize).chain((lasts..=end).step_by(60)) {
        push(&undisturbed, &storm.arrived(second)).await;
        follower.cursor.tick(storm.at(second));
        if second % if second < lasts { 60 } else { 300 } == 0 {
            follower.cursor.sweep(storm.at(second));
        }
        follower.run().await;
    }
    // The last rounds are undisturbed, so that everything has had its chance. A busy machine may need more than one.
    traffic.faults(0);
    follower.restarts = 0;
    let mut rounds = Vec::new();
    for round in 1.. {
        let before = follower.lines.len();
        // A sweep that faults have parked is gone on with after ten minutes at most.
        follower.cursor.sweep(storm.at(end + 60 * round));
        follower.run().await;
        rounds.push(follower.lines.len() - before);
        if round >= 3 && follower.cursor.parked().is_none() {
            break;
        }
    }
    let read: BTreeSet<_> = follower.lines.iter().collect();
    println!(
        "{} lines of {}, {} twice, {} found late, {rounds:?} of them in the last rounds; {} restarts, {} queries; the state has {} bytes",
        read.len(),
        truth.len(),
        follower.lines.len() - read.len(),
        follower.late,
        follower.restarted,
        traffic.requests(),
        json(&follower.cursor).len(),
    );
    let lost: Vec<_> = truth.iter().filter(|line| !read.contains(line)).collect();
    assert!(lost.is_empty(), "{} lost, such as {:?}", lost.len(), lost[0]);
    assert_eq!(follower.lines.len(), truth.len(), "none twice");
    assert!(follower.restarted > 10 && follower.late > 0);
}

#[tokio::test]
async fn a_calm_tick_takes_two_queries_at_most() {
    let loki = Loki::shared().await.unwrap();
    let traffic = Traffic::new(SEED);
    let pusher = Traffic::new(SEED).client(loki, "calm");
    let mut storm = Storm::new(SEED);
    storm.be_calm();
    let truth = storm.lines();
    let mut follower = Follower::new(traffic.client(loki, "calm"), storm.start);
    let mut most = 0;
    for second in (0..=SECONDS + TICK).step_by(TICK as usize) {
        push(&pusher, &storm.arrived(second)).await;
        follower.cursor.tick(storm.at(second));
        if second % 60 == 0 {
            follower.cursor.sweep(storm.at(second));
        }
        follower.run().await;
        let queries = traffic.requests();
        most = most.max(queries);
        assert!(queries <= 2, "{queries} in second {second}");
    }
    println!("at most {most} queries a tick, with a sweep each minute");
    follower.lines.sort();
    assert!(follower.lines == truth);
}
