//! Signatures and clocks.

use feishu::{Class, CustomBot, Text, sign};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use crate::group::{Clock, Group, Reply, SECRET, Seen, http_date, time_since};

const MISMATCH: &str = "sign match fail or timestamp is not within one hour from current time";

/// What Feishu checks.
fn is_signed(seen: &Seen, secret: &str, now: Timestamp) -> bool {
    let Some(timestamp) = seen.body["timestamp"].as_str().and_then(|seconds| seconds.parse().ok()) else {
        return false;
    };
    let timestamp = Timestamp::from_second(timestamp).expect("in range");
    seen.body["sign"] == sign::signature(timestamp, secret)
        && now.duration_since(timestamp).abs().as_secs() < 3600
}

fn checking_group() -> Group {
    let start = Instant::now();
    Group::new(move |seen| {
        let now = time_since(start);
        let reply =
            if is_signed(seen, SECRET, now) { Reply::done() } else { Reply::refused(19021, MISMATCH) };
        reply.header("date", http_date(now))
    })
}

#[tokio::test(start_paused = true)]
async fn a_signature_is_made_with_the_present_after_the_wait() {
    let group = checking_group();
    let bot =
        group.builder().secret(SECRET).clock(Clock::ahead(SignedDuration::ZERO)).build().expect("a client");
    for _ in 0..91 {
        while let Err(error) = bot.send(&Text::new("up").into()).await {
            sleep(error.retry_after().expect("no room yet")).await;
        }
    }
    let seen = group.seen();
    let time = |seen: &Seen| seen.body["timestamp"].as_str().map(str::to_owned);
    assert_eq!(time(&seen[0]).as_deref(), Some("1763600000"));
    assert_eq!(time(&seen[90]).as_deref(), Some("1763600060"), "a text: that is how Feishu wants it");
}

#[tokio::test(start_paused = true)]
async fn code_19021_corrects_a_wrong_clock_once_by_the_date_header() {
    for hours in [-30, -2, 2, 30] {
        let group = checking_group();
        let wrong = Clock::ahead(SignedDuration::from_hours(hours));
        let bot = group.builder().secret(SECRET).clock(wrong).build().expect("a client");
        let delivery = bot.send(&Text::new("up").into()).await.expect("taken");
        assert_eq!(delivery.tries, 2);
        assert_eq!(bot.clock_offset().map(|offset| offset.as_hours()), Some(-hours));
        let delivery = bot.send(&Text::new("up").into()).await.expect("taken");
        assert_eq!(delivery.tries, 1, "what was learnt is kept");
    }
}

#[tokio::test(start_paused = true)]
async fn code_19021_with_a_right_clock_is_a_wrong_secret() {
    let group = checking_group();
    let bot = group
        .builder()
        .secret("EXAMPLE-another-secret")
        .clock(Clock::ahead(SignedDuration::ZERO))
        .build()
        .expect("a client");
    let error = bot.send(&Text::new("up").into()).await.expect_err("refused");
    assert_eq!(error.class(), Some(Class::Signature));
    assert_eq!(group.seen().len(), 2, "signed again once, and not for ever");
}

#[tokio::test(start_paused = true)]
async fn code_19021_without_a_date_is_not_repeated() {
    let group = Group::answers([Reply::refused(19021, MISMATCH)]);
    let bot = group.builder().secret(SECRET).build().expect("a client");
    bot.send(&Text::new("up").into()).await.expect_err("refused");
    assert_eq!(group.seen().len(), 1);
}
