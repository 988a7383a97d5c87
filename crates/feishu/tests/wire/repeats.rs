//! What is sent again, and what never is.

use std::time::Duration;

use feishu::{Card, CustomBot, Error, ImageKey, Message, Text};
use tokio::time::Instant;

use crate::group::{Group, Reply};

fn named() -> Message {
    Message::from(Text::new("up")).with_reference("INC-42")
}

#[tokio::test(start_paused = true)]
async fn a_timeout_after_send_is_repeated_only_with_a_visible_reference() {
    let late = Reply::done().after(Duration::from_secs(60));
    let group = Group::answers([late.clone(), Reply::done()]);
    let delivery = group.bot().send(&named()).await.expect("taken");
    assert_eq!(delivery.tries, 2);
    assert!(delivery.maybe_doubled);
    let seen = group.seen();
    assert_eq!(seen[0].text(), "up\nINC-42");
    assert_eq!(seen[0].text(), seen[1].text(), "readers see that it is the same");

    let group = Group::answers([late]);
    let error = group.bot().send(&Text::new("up").into()).await.expect_err("unknown");
    assert!(matches!(error, Error::Unknown { .. }) && !error.is_retryable(), "{error:?}");
    assert_eq!(group.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_a_timeout_too() {
    let group = Group::answers([Reply::lost(), Reply::body("<html>"), Reply::done()]);
    let delivery = group.bot().send(&named()).await.expect("taken");
    assert_eq!((delivery.tries, delivery.maybe_doubled), (3, true));
}

#[tokio::test(start_paused = true)]
async fn an_image_shows_no_reference_and_is_not_repeated() {
    let group = Group::answers([Reply::lost()]);
    let image = Message::from(ImageKey::new("img_v2_EXAMPLE")).with_reference("INC-42");
    group.bot().send(&image).await.expect_err("unknown");
    assert_eq!(group.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_did_not_leave_is_repeated() {
    let group = Group::answers([Reply::not_sent(), Reply::done()]);
    let delivery = group.bot().send(&Text::new("up").into()).await.expect("taken");
    assert_eq!((delivery.tries, delivery.maybe_doubled), (2, false));

    let group = Group::answers([Reply::not_sent()]);
    let error = group.bot().send(&Text::new("up").into()).await.expect_err("nobody there");
    assert!(matches!(error, Error::NotSent { .. }) && error.is_retryable(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn that_it_may_stand_there_outlives_what_later_tries_say() {
    for later in
        [Reply::not_sent(), Reply::refused(11232, "frequency limited"), Reply::refused(19001, "gone")]
    {
        let group = Group::answers([Reply::lost(), later]);
        let error = group.bot().send(&named()).await.expect_err("unknown");
        assert!(matches!(error, Error::Unknown { .. }), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_its_deadline_although_nobody_answers() {
    for (millis, tries) in [(8_000, 1), (16_000, 2), (400, 1)] {
        let group = Group::answers([Reply::done().after(Duration::from_secs(3600))]);
        let deadline = Duration::from_millis(millis);
        let bot = group.builder().deadline(deadline).build().expect("a client");
        let start = Instant::now();
        let error = bot.send(&named()).await.expect_err("unknown");
        assert!(matches!(error, Error::Unknown { .. }), "{error:?}");
        assert!(start.elapsed() <= deadline, "{:?} of {deadline:?}", start.elapsed());
        assert_eq!(group.seen().len(), tries);
    }
}

#[tokio::test(start_paused = true)]
async fn no_request_leaves_when_there_is_no_time_for_its_answer() {
    for busy in [Reply::refused(2200, "internal error"), Reply::refused(11232, "frequency limited")] {
        for deadline in [2, 5, 9, 20].map(Duration::from_secs) {
            let group = Group::answers([busy.clone()]);
            let bot = group.builder().deadline(deadline).build().expect("a client");
            let start = Instant::now();
            bot.send(&named()).await.expect_err("refused");
            let last = group.seen().last().expect("some").at - start;
            assert!(last <= deadline - (deadline / 4).min(Duration::from_secs(1)), "{last:?}");
            assert!(start.elapsed() <= deadline);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_request_leaves_after_the_deadline() {
    let group = Group::answers([Reply::refused(2200, "internal error")]);
    let bot = group.builder().deadline(Duration::from_secs(5)).build().expect("a client");
    let start = Instant::now();
    bot.send(&named()).await.expect_err("refused");
    assert!(group.seen().iter().all(|seen| seen.at - start <= Duration::from_secs(5)));
    assert!(start.elapsed() <= Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_card_carries_its_reference_at_the_end() {
    let group = Group::answers([Reply::done()]);
    let card = Message::from(Card::new("down").markdown("no leader")).with_reference("INC-42\nINC-43");
    group.bot().send(&card).await.expect("taken");
    let elements = &group.seen()[0].body["card"]["body"]["elements"];
    assert_eq!(elements[1]["content"], "INC-42 INC-43");
    assert_eq!(elements[1]["text_size"], "notation");
}
