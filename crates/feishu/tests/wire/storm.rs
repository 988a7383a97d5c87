//! Ten thousand messages through one bot, in virtual time, while everything that may go wrong does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use feishu::{
    Card, CustomBot, Error, HttpCustomBot, Message, RateLimits, Rates, SecretUrl, Text, Transport,
    TransportError, sign,
};
use http::Response;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::group::{Clock, SECRET, http_date, time_since, webhook};

const MESSAGES: usize = 10_000;
const CAP: usize = 20 * 1024;
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// SplitMix64: the same storm for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// The other side: it takes notes of all that arrives, and judges nothing but single requests.
struct Feishu {
    start: Instant,
    dice: Mutex<Dice>,
    arrived: Mutex<Vec<Instant>>,
    largest: AtomicUsize,
    /// How often each message stands in the group.
    group: Mutex<HashMap<usize, usize>>,
    refusals: Mutex<HashMap<&'static str, usize>>,
}

impl Feishu {
    fn roll(&self, sides: u64) -> u64 {
        self.dice.lock().expect("lock").roll(sides)
    }

    fn judge(&self, body: &Value, now: Timestamp) -> (u16, &'static str, i64) {
        let timestamp = body["timestamp"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
        let signed = Timestamp::from_second(timestamp).expect("in range");
        if body["sign"] != sign::signature(signed, SECRET)
            || now.duration_since(signed).abs().as_secs() >= 3600
        {
            return (200, "sign match fail or timestamp is not within one hour from current time", 19021);
        }
        match self.roll(100) {
            0..=2 => (400, "too many request", 9499),
            3 => (200, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]", 11232),
            4 => (200, "internal error", 2200),
            // A card that Feishu cannot read. As text it passes.
            5 | 6 if body["msg_type"] == "interactive" => (200, "Bad Request", 9499),
            7 if body["msg_type"] == "interactive" => (200, "card table number over limit", 11310),
            _ => (200, "success", 0),
        }
    }
}

/// The number in `#0042#`, wherever it stands.
fn number_of(body: &Value) -> usize {
    let text = body.to_string();
    let (_, rest) = text.split_once("REF-").expect("a reference");
    rest[..5].parse().expect("a number")
}

#[async_trait]
impl Transport for Feishu {
    async fn post(&self, _: &SecretUrl, body: Bytes) -> Result<Response<Bytes>, TransportError> {
        if self.roll(200) == 0 {
            return Err(TransportError::NotSent("connection refused".into()));
        }
        // Requests overtake each other: what left later may arrive sooner.
        sleep(Duration::from_millis(self.roll(900))).await;
        self.arrived.lock().expect("lock").push(Instant::now());
        self.largest.fetch_max(body.len(), Ordering::Relaxed);
        let now = time_since(self.start);
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        let (status, message, code) = self.judge(&body, now);
        if code == 0 {
            *self.group.lock().expect("lock").entry(number_of(&body)).or_default() += 1;
        } else {
            *self.refusals.lock().expect("lock").entry(message).or_default() += 1;
        }
        match self.roll(100) {
            0 => return Err(TransportError::Unknown("connection reset".into())),
            // Past the client's timeout.
            1 => sleep(Duration::from_secs(20)).await,
            _ => sleep(Duration::from_millis(self.roll(400))).await,
        }
        let answer = json!({ "code": code, "msg": message, "data": {} }).to_string();
        let response = Response::builder().status(status).header("date", http_date(now));
        Ok(response.body(Bytes::from(answer)).expect("a response"))
    }
}

/// Text of any length, dear to escape or not.
fn text(dice: &mut Dice) -> String {
    let piece =
        ["节点失联。", "panic: no route to host\n", "<at id=all></at>", "\u{202e}"][dice.roll(4) as usize];
    let times = if dice.roll(100) == 0 { 8000 } else { dice.roll(40) };
    piece.repeat(times as usize)
}

fn message(number: usize, dice: &mut Dice) -> Message {
    let message: Message = if dice.roll(2) == 0 {
        Text::new(text(dice)).into()
    } else {
        Card::new("incident").markdown(text(dice)).into()
    };
    message.with_reference(format!("REF-{number:05}"))
}

/// The most that arrived within any such time.
fn most_within(arrived: &[Instant], window: Duration) -> usize {
    let mut first = 0;
    let mut most = 0;
    for (last, at) in arrived.iter().enumerate() {
        while *at - arrived[first] >= window {
            first += 1;
        }
        most = most.max(last - first + 1);
    }
    most
}

/// Sends everything, each message until it is delivered, from many tasks at once.
async fn send_all(bot: &HttpCustomBot, seed: u64, workers: usize) -> usize {
    let next = AtomicUsize::new(0);
    let limited = AtomicUsize::new(0);
    let work = (0..workers).map(|_| async {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= MESSAGES {
                return;
            }
            let message = message(number, &mut Dice(seed ^ (number as u64) << 20));
            loop {
                match bot.send(&message).await {
                    Ok(_) => break,
                    Err(Error::RateLimited { wait, .. }) => {
                        limited.fetch_add(1, Ordering::Relaxed);
                        sleep(wait).await;
                    }
                    Err(error) => {
                        let again = error.is_retryable() || matches!(error, Error::Unknown { .. });
                        assert!(again, "message {number}: {error:?}");
                    }
                }
            }
        }
    });
    futures::future::join_all(work).await;
    limited.into_inner()
}

async fn storm(seed: u64, hours_ahead: i64, workers: usize, deadline: Duration, rates: Rates) {
    let feishu = Arc::new(Feishu {
        start: Instant::now(),
        dice: Mutex::new(Dice(seed)),
        arrived: Mutex::default(),
        largest: AtomicUsize::new(0),
        group: Mutex::default(),
        refusals: Mutex::default(),
    });
    let bot = HttpCustomBot::builder(webhook())
        .transport(Arc::clone(&feishu) as Arc<dyn Transport>)
        .secret(SECRET)
        .clock(Clock::ahead(SignedDuration::from_hours(hours_ahead)))
        .limits(Arc::new(RateLimits::new(rates)))
        .deadline(deadline)
        .jitter_seed(seed)
        .build()
        .expect("a client");
    let limited = send_all(&bot, seed, workers).await;

    let arrived = feishu.arrived.lock().expect("lock").clone();
    assert!(most_within(&arrived, SECOND) <= 5, "{} in a second", most_within(&arrived, SECOND));
    assert!(most_within(&arrived, MINUTE) <= 100, "{} in a minute", most_within(&arrived, MINUTE));
    let group = feishu.group.lock().expect("lock");
    assert_eq!(group.len(), MESSAGES, "none is lost");
    assert!(feishu.largest.load(Ordering::Relaxed) <= CAP);
    assert!(feishu.largest.load(Ordering::Relaxed) > CAP - 200, "some had to be shortened");
    let refusals = feishu.refusals.lock().expect("lock");
    assert!(refusals["too many request"] > 100 && refusals["Bad Request"] > 50, "{refusals:?}");
    assert_eq!(refusals.keys().any(|message| message.starts_with("sign")), hours_ahead != 0);
    let took = feishu.start.elapsed();
    let doubled = group.values().filter(|times| **times > 1).count();
    println!(
        "{} requests in {took:?}: most {} in 1 s, {} in 60 s, {limited} times no room, {doubled} doubled, \
         largest body {}",
        arrived.len(),
        most_within(&arrived, SECOND),
        most_within(&arrived, MINUTE),
        feishu.largest.load(Ordering::Relaxed),
    );
    // The rate is used, not only kept: 90 a minute, less what pauses and slow answers cost.
    assert!(took < MINUTE * 600, "{took:?}");
}

/// One for every change; `STORMS=20` for longer.
fn storms() -> u32 {
    std::env::var("STORMS").ok().and_then(|storms| storms.parse().ok()).unwrap_or(1)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: storms(), max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ten_thousand_messages_keep_both_rates_and_the_cap_and_none_is_lost(
        seed in any::<u64>(),
        hours_ahead in prop::sample::select(vec![-30, -2, 0, 2, 30_i64]),
        workers in 1..60_usize,
        // A shorter one is over before some answers are there.
        deadline in 2..90_u64,
        documented in any::<bool>(),
    ) {
        let rates = if documented { Rates::DOCUMENTED } else { Rates::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(storm(seed, hours_ahead, workers, Duration::from_secs(deadline), rates));
    }
}
