//! The rates of a webhook, as a caller meets them. The window itself is tested beside its code, the storm in `storm`.

use std::sync::Arc;
use std::time::Duration;

use feishu::{CustomBot, Error, HttpCustomBot, RateLimits, Rates, Text};
use tokio::time::Instant;

use crate::group::{Group, Reply, webhook};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn who_finds_no_room_before_the_deadline_is_told_how_long_to_wait() {
    let group = Group::answers([Reply::done()]);
    let bot = group.builder().deadline(10 * SECOND).build().expect("a client");
    for _ in 0..90 {
        while bot.send(&Text::new("up").into()).await.is_err() {}
    }
    let start = Instant::now();
    let error = bot.send(&Text::new("one too many").into()).await.expect_err("no room");
    assert!(matches!(error, Error::RateLimited { .. }) && error.is_retryable(), "{error:?}");
    let wait = error.retry_after().expect("a time");
    assert!(wait > 10 * SECOND, "{wait:?}");
    assert_eq!(group.seen().len(), 90, "nothing was sent");

    tokio::time::sleep(120 * SECOND).await;
    assert_eq!(group.seen().len(), 90, "and nothing waits anywhere");
    tokio::time::sleep(wait).await;
    bot.send(&Text::new("one too many").into()).await.expect("taken");
    assert!(start.elapsed() >= wait);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_time_that_was_named_is_served() {
    let group = Group::answers([Reply::done()]);
    let bot = group.builder().deadline(Duration::ZERO).build().expect("a client");
    let mut sent = 0;
    while sent < 200 {
        match bot.send(&Text::new("up").into()).await {
            Ok(_) => sent += 1,
            Err(error) => tokio::time::sleep(error.retry_after().expect("a time")).await,
        }
    }
    assert_eq!(group.seen().len(), 200);
}

#[tokio::test]
async fn a_deadline_that_is_too_short_is_no_rate_limit() {
    let group = Group::answers([Reply::done()]);
    let bot = group.builder().deadline(Duration::from_nanos(1)).build().expect("a client");
    let error = bot.send(&Text::new("up").into()).await.expect_err("no time");
    assert!(matches!(error, Error::NotSent { .. }), "{error:?}");
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    assert_eq!(cause, "the deadline passed before its turn");
    assert!(group.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn clients_that_share_their_limits_share_a_webhooks_window() {
    let group = Group::answers([Reply::done()]);
    let limits = Arc::new(RateLimits::new(Rates::DOCUMENTED));
    let bots: Vec<_> =
        (0..3).map(|_| group.builder().limits(Arc::clone(&limits)).build().expect("a client")).collect();
    let start = Instant::now();
    for bot in bots.iter().cycle().take(12) {
        bot.send(&Text::new("up").into()).await.expect("taken");
    }
    assert_eq!(start.elapsed(), 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn however_a_webhook_is_written_it_has_one_window() {
    let group = Group::answers([Reply::done()]);
    let limits = Arc::new(RateLimits::new(Rates::DOCUMENTED));
    let bots: Vec<_> = ["", "/", "?from=alarm"]
        .iter()
        .map(|end| {
            let url = format!("{}{end}", webhook().url().expose());
            let builder =
                HttpCustomBot::builder(url.parse().expect("a webhook")).transport(Arc::new(group.clone()));
            builder.limits(Arc::clone(&limits)).build().expect("a client")
        })
        .collect();
    let start = Instant::now();
    for bot in bots.iter().cycle().take(12) {
        bot.send(&Text::new("up").into()).await.expect("taken");
    }
    assert_eq!(start.elapsed(), 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_takes_no_place() {
    let group = Group::answers([Reply::done()]);
    let bot = group.bot();
    for _ in 0..4 {
        bot.send(&Text::new("up").into()).await.expect("taken");
    }
    for _ in 0..50 {
        let message = Text::new("given up").into();
        assert!(tokio::time::timeout(SECOND / 100, bot.send(&message)).await.is_err());
    }
    tokio::time::sleep(SECOND).await;
    let start = Instant::now();
    for _ in 0..4 {
        bot.send(&Text::new("up").into()).await.expect("taken");
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(group.seen().len(), 8);
}
