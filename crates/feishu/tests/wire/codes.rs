//! Each row of Feishu's table of codes.

use std::time::Duration;

use feishu::{Card, Class, CustomBot, Error, Message, Text};
use tokio::time::Instant;

use crate::group::{Group, Reply, Seen, TOKEN};

fn text() -> Message {
    Text::new("up").into()
}

/// Refused at once, for good, after one request.
async fn refused_for_good(reply: Reply, class: Class) -> Error {
    let group = Group::answers([reply]);
    let error = group.bot().send(&text()).await.expect_err("refused");
    assert_eq!(error.class(), Some(class), "{error}");
    assert!(!error.is_retryable(), "{error}");
    assert!(error.to_string().contains("repeating does not help"), "{error}");
    assert!(error.to_string().starts_with("feishu: send a message: refused with code "), "{error}");
    assert_eq!(group.seen().len(), 1);
    error
}

/// Refused once, and taken after a pause of a second at least.
async fn taken_later(reply: Reply) {
    let group = Group::answers([reply.clone(), Reply::done()]);
    let start = Instant::now();
    let delivery = group.bot().send(&text()).await.expect("taken");
    assert_eq!(delivery.tries, 2);
    assert!(!delivery.maybe_doubled, "a refused message does not stand there");
    assert!((1.0..=1.6).contains(&start.elapsed().as_secs_f64()), "{:?}", start.elapsed());

    let group = Group::answers([reply]);
    let error = group.bot().send(&text()).await.expect_err("refused");
    assert!(error.is_retryable(), "{error}");
    let later = ["repeating later helps", "repeating then helps"];
    assert!(later.iter().any(|words| error.to_string().contains(words)), "{error}");
    assert!(group.seen().len() <= 5);
}

#[tokio::test(start_paused = true)]
async fn who_was_one_too_many_and_has_no_time_left_is_told_how_long_to_wait() {
    let slow = || Reply::refused(11232, "frequency limited");
    for (reply, wait, said) in [
        (slow(), 1.0..=1.5, "refused with code 11232 `frequency limited`"),
        (slow().header("retry-after", "86400"), 86400.0..=86400.0, "refused with code 11232"),
        (
            Reply::body("<b>slow down</b>").status(429).header("retry-after", "7"),
            7.0..=7.0,
            "the answer is not Feishu's (HTTP status 429, HTML or XML: `slow down`)",
        ),
    ] {
        let group = Group::answers([reply, Reply::done()]);
        let bot = group.builder().deadline(Duration::from_millis(900)).build().expect("a client");
        let error = bot.send(&text()).await.expect_err("refused");
        assert!(matches!(error, Error::RateLimited { .. }) && error.is_retryable(), "{error:?}");
        let asked = error.retry_after().expect("a time");
        assert!(wait.contains(&asked.as_secs_f64()), "{asked:?}");
        let cause = std::error::Error::source(&error).expect("what was answered").to_string();
        assert!(cause.contains(said), "{cause}");
        tokio::time::sleep(asked).await;
        bot.send(&text()).await.expect("taken");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_gateway_asks_for_is_waited_for() {
    let busy = Reply::body("<html>429 Too Many Requests</html>").status(429).header("retry-after", "7");
    let group = Group::answers([busy, Reply::done()]);
    let start = Instant::now();
    let delivery = group.bot().send(&text()).await.expect("taken");
    assert_eq!((delivery.tries, delivery.maybe_doubled, start.elapsed().as_secs()), (2, false, 7));
}

#[tokio::test(start_paused = true)]
async fn code_0_is_done() {
    let group = Group::answers([Reply::done()]);
    let delivery = group.bot().send(&text()).await.expect("taken");
    assert_eq!((delivery.tries, delivery.shortened, delivery.as_text), (1, false, false));
    assert_eq!(group.seen()[0].body.to_string(), r#"{"content":{"text":"up"},"msg_type":"text"}"#);
}

#[tokio::test(start_paused = true)]
async fn code_9499_bad_request_turns_a_card_into_text_and_halves_a_text() {
    let group = Group::new(|seen| {
        if seen.kind() == "text" && seen.bytes <= 4096 {
            Reply::done()
        } else {
            Reply::refused(9499, "Bad Request")
        }
    });
    let card = Card::new("etcd-2 is down").markdown("no leader ".repeat(800));
    let delivery = group.bot().send(&card.into()).await.expect("taken");
    let seen = group.seen();
    let kinds: Vec<&str> = seen.iter().map(Seen::kind).collect();
    assert_eq!(kinds, ["interactive", "text", "text"]);
    assert!(seen[2].bytes <= seen[1].bytes / 2, "{} of {}", seen[2].bytes, seen[1].bytes);
    assert!(seen[2].text().starts_with("etcd-2 is down\nno leader no leader"), "{}", seen[2].text());
    assert!(seen[2].text().contains("characters)"), "it says that something is missing");
    assert!(delivery.as_text && delivery.shortened);
    assert_eq!(delivery.tries, 3);

    refused_for_good(Reply::refused(9499, "Bad Request"), Class::Format).await;
}

#[tokio::test(start_paused = true)]
async fn code_9499_too_many_request_with_status_400_is_waited_for() {
    taken_later(Reply::refused(9499, "too many request").status(400)).await;
    taken_later(Reply::refused(9499, "too many request")).await;
}

#[tokio::test(start_paused = true)]
async fn code_11232_is_waited_for() {
    let message = "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]";
    taken_later(Reply::refused(11232, message)).await;
}

#[tokio::test(start_paused = true)]
async fn code_11232_holds_back_whoever_else_sends() {
    let group = Group::answers([Reply::refused(11232, "frequency limited"), Reply::done()]);
    let bot = group.bot();
    let (start, message) = (Instant::now(), text());
    let (one, two) = tokio::join!(bot.send(&message), async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        bot.send(&message).await
    });
    one.and(two).expect("taken");
    assert!(group.seen()[1..].iter().all(|seen| seen.at - start >= Duration::from_secs(1)));
}

#[tokio::test(start_paused = true)]
async fn code_19001_means_that_the_webhook_is_dead() {
    let message = "param invalid: incoming webhook access token invalid";
    let error = refused_for_good(Reply::refused(19001, message), Class::Webhook).await;
    assert!(error.to_string().contains("`param invalid: incoming webhook access token invalid`"), "{error}");
    assert_eq!(error.code(), Some(19001));
}

#[tokio::test(start_paused = true)]
async fn code_19002_is_a_defect_of_the_client() {
    refused_for_good(Reply::refused(19002, "params error, msg_type need"), Class::Request).await;
}

#[tokio::test(start_paused = true)]
async fn code_19021_without_a_secret_is_a_configuration() {
    let message = "sign match fail or timestamp is not within one hour from current time";
    refused_for_good(Reply::refused(19021, message), Class::Signature).await;
}

#[tokio::test(start_paused = true)]
async fn code_19022_is_a_configuration() {
    refused_for_good(Reply::refused(19022, "Ip Not Allowed"), Class::Address).await;
}

#[tokio::test(start_paused = true)]
async fn code_19024_is_a_configuration() {
    refused_for_good(Reply::refused(19024, "Key Words Not Found"), Class::Keyword).await;
}

#[tokio::test(start_paused = true)]
async fn a_keyword_stands_first_in_every_kind_of_message() {
    let group = Group::answers([Reply::done()]);
    let bot = group.builder().keyword("告警").build().expect("a client");
    for message in [
        text(),
        Text::new("告警 is there already").into(),
        Card::new("resolved").into(),
        feishu::Post::new("resolved").into(),
    ] {
        bot.send(&message).await.expect("taken");
    }
    let seen = group.seen();
    assert_eq!(seen[0].text(), "告警 up");
    assert_eq!(seen[1].text(), "告警 is there already");
    assert_eq!(seen[2].body["card"]["header"]["title"]["content"], "告警 resolved");
    assert_eq!(seen[3].body["content"]["post"]["zh_cn"]["title"], "告警 resolved");

    let image = feishu::ImageKey::new("img_v2_EXAMPLE").into();
    let error = bot.send(&image).await.expect_err("no room");
    assert!(matches!(error, Error::Invalid { .. }), "{error}");
    assert_eq!(group.seen().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn code_11310_and_200621_turn_a_card_into_text() {
    for (code, message) in [
        (11310, "card table number over limit"),
        (200_621, "parse card json err, please check whether the card json is correct"),
        (230_099, "Failed to create card content, ext=ErrCode: 11310; ErrMsg: unknown property"),
    ] {
        let group = Group::answers([Reply::refused(code, message), Reply::done()]);
        let card = Card::new("etcd-2 is down").subtitle("prod").markdown("no leader");
        let delivery = group.bot().send(&card.into()).await.expect("taken");
        assert!(delivery.as_text && !delivery.shortened);
        assert_eq!(group.seen()[1].text(), "etcd-2 is down\nprod\nno leader");
        let error = refused_for_good(Reply::refused(code, message), Class::Card).await;
        assert_eq!(error.code(), Some(code));
    }
}

#[tokio::test(start_paused = true)]
async fn code_2200_is_waited_for() {
    taken_later(Reply::refused(2200, "internal error")).await;
}

#[tokio::test(start_paused = true)]
async fn a_code_of_no_table_is_an_error_with_the_servers_words() {
    let group = Group::answers([Reply::refused(99999, "something new").status(418)]);
    let error = group.bot().send(&text()).await.expect_err("refused");
    assert!(
        matches!(error, Error::Refused { code: 99999, class: Class::Other, status: 418, .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("`something new`"), "{error}");
    assert!(!error.is_retryable());
    assert_eq!(group.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_200_that_is_html_is_a_failure() {
    let group = Group::answers([Reply::body("<html><body>Sign in to the proxy</body></html>")]);
    let error = group.bot().send(&text()).await.expect_err("no answer of Feishu's");
    assert!(matches!(error, Error::Unknown { .. }), "{error:?}");
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    assert_eq!(cause, "the answer is not Feishu's (HTTP status 200, HTML or XML: `Sign in to the proxy`)");
    assert_eq!(group.seen().len(), 1, "it may have been a proxy's word after Feishu's");
}

/// Sent once, although its readers could tell a double; what the error says of the answer.
async fn undelivered(group: &Group, status: u16) -> String {
    let error = group.bot().send(&text().with_reference("INC-42")).await.expect_err("no answer of Feishu's");
    let Error::NotFeishu { source, .. } = &error else { panic!("{error:?}") };
    assert_eq!(source.status, status);
    assert!(!error.is_retryable() && error.to_string().contains("repeating does not help"), "{error}");
    assert_eq!(group.seen().len(), 1, "{error}");
    source.to_string()
}

#[tokio::test(start_paused = true)]
async fn what_a_proxy_finds_wrong_with_a_request_is_not_repeated() {
    for (status, body, words) in [
        (404, "404 page not found", "not JSON: `404 page not found`"),
        (403, "<html><b>Forbidden</b>", "HTML or XML: `Forbidden`"),
        (407, "", "empty"),
        (
            404,
            r#"{"message":"no Route matched"}"#,
            r#"JSON without a code: `{"message":"no Route matched"}`"#,
        ),
    ] {
        let group = Group::answers([Reply::body(body).status(status)]);
        let cause = undelivered(&group, status).await;
        assert_eq!(cause, format!("the answer is not Feishu's (HTTP status {status}, {words})"));
    }
    let group = Group::answers([Reply::body("").status(408), Reply::done()]);
    let delivery = group.bot().send(&text().with_reference("INC-42")).await.expect("taken");
    assert_eq!(delivery.tries, 2, "408 passes");
}

#[tokio::test(start_paused = true)]
async fn a_redirect_says_where_to() {
    let url = format!("https://login.example.com/?for={TOKEN}&then=\u{202e}on");
    let group = Group::answers([Reply::body("").status(302).header("location", url)]);
    let cause = undelivered(&group, 302).await;
    assert_eq!(
        cause,
        "the answer is not Feishu's (HTTP status 302, a redirect: \
         `https://login.example.com/?for=[token]&then=\\u{202e}on`)"
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_answer_asks_for_is_waited_for() {
    let busy = Reply::refused(11232, "frequency limited").header("retry-after", "7");
    let group = Group::answers([busy, Reply::done()]);
    let start = Instant::now();
    group.bot().send(&text()).await.expect("taken");
    assert_eq!(start.elapsed().as_secs(), 7);
}
