//! The rules that Feishu documents for a message.

use feishu::sign;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sim::feishu::Bot;

use crate::server::{SECRET, Server, TOKEN};

fn text(text: &str) -> Value {
    json!({ "msg_type": "text", "content": { "text": text } })
}

#[tokio::test]
async fn a_good_message_is_posted_and_answered_with_both_sets_of_names() {
    let server = Server::open().await;
    let (status, answer) = server.post(text("up").to_string()).await.expect("an answer");
    assert_eq!((status, &answer["code"], &answer["StatusCode"]), (200, &json!(0), &json!(0)));
    assert_eq!(server.messages().await[0]["message"], text("up"));
}

#[tokio::test]
async fn signatures_are_checked_against_feishus_clock() {
    let server =
        Server::start(Bot { token: TOKEN.into(), secret: Some(SECRET.into()), ..Bot::default() }).await;
    let signed = |at: Timestamp, secret: &str| {
        let mut body = text("up");
        body["timestamp"] = json!(at.as_second().to_string());
        body["sign"] = json!(sign::signature(at, secret));
        body
    };
    let now = Timestamp::now();
    assert_eq!(server.code(&text("up")).await, 19021);
    assert_eq!(server.code(&signed(now, "EXAMPLE-other")).await, 19021);
    assert_eq!(server.code(&signed(now - SignedDuration::from_mins(61), SECRET)).await, 19021);
    assert_eq!(server.code(&signed(now, SECRET)).await, 0);
    assert!(server.messages().await[0]["message"].get("sign").is_none());
    server.admin("POST", "settings", &json!({ "clock_ahead": 7200 })).await;
    assert_eq!(server.code(&signed(now, SECRET)).await, 19021);
}

#[tokio::test]
async fn a_keyword_must_be_in_any_text_of_it() {
    let server =
        Server::start(Bot { token: TOKEN.into(), keywords: vec!["告警".into()], ..Bot::default() }).await;
    assert_eq!(server.code(&text("up")).await, 19024);
    assert_eq!(server.code(&text("告警 up")).await, 0);
    let card = json!({ "msg_type": "interactive", "card": {
        "schema": "2.0",
        "header": { "title": { "tag": "plain_text", "content": "[告警] down" } },
        "body": { "elements": [] },
    } });
    assert_eq!(server.code(&card).await, 0);
}

#[tokio::test]
async fn the_sixth_message_of_a_second_is_one_too_many() {
    let server = Server::open().await;
    let codes = futures::future::join_all((0..6).map(|_| {
        let server = &server;
        async move { server.code(&text("up")).await }
    }))
    .await;
    assert_eq!(codes.iter().filter(|code| **code == 11232).count(), 1, "{codes:?}");
    assert_eq!(server.messages().await.len(), 5);
    let (_, bots) = server.admin("GET", "bots", &Value::Null).await;
    assert_eq!(bots[0]["most"]["in_a_second"], 6);
    assert_eq!(bots[0]["answers"], json!({ "0": 5, "11232": 1 }));
}

#[tokio::test]
async fn what_is_no_message_is_refused_in_feishus_words() {
    let server = Server::open().await;
    for (body, code, message) in [
        ("no JSON".to_owned(), 9499, "Bad Request"),
        ("[]".to_owned(), 9499, "Bad Request"),
        (text(&"x".repeat(20 * 1024)).to_string(), 9499, "Bad Request"),
        (json!({ "content": {} }).to_string(), 19002, "params error, msg_type need"),
    ] {
        let (status, answer) = server.post(body).await.expect("an answer");
        assert_eq!(
            (status, answer["code"].as_i64(), answer["msg"].as_str()),
            (200, Some(code), Some(message))
        );
    }
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    for body in [
        json!({ "msg_type": "text", "content": { "text": 1 } }),
        json!({ "msg_type": "post", "content": { "post": { "zh_cn": { "content": [[{ "tag": "marquee" }]] } } } }),
        json!({ "msg_type": "carrier_pigeon", "content": {} }),
    ] {
        assert_eq!(server.code(&body).await, 9499, "{body}");
    }
    assert!(server.messages().await.is_empty());
}

#[tokio::test]
async fn the_cap_is_twenty_kilobytes_to_the_byte() {
    let server = Server::open().await;
    let overhead = text("").to_string().len();
    assert_eq!(server.code(&text(&"x".repeat(20_480 - overhead))).await, 0);
    assert_eq!(server.code(&text(&"x".repeat(20_481 - overhead))).await, 9499);
}

#[tokio::test]
async fn a_webhook_nobody_listens_to_and_an_address_not_on_the_list_are_refused() {
    let server = Server::open().await;
    server.admin("POST", "bots", &json!({ "token": TOKEN, "refuses_ip": true })).await;
    assert_eq!(server.code(&text("up")).await, 19022);
    assert_eq!(server.admin("DELETE", &format!("bots/{TOKEN}"), &Value::Null).await.0, 200);
    assert_eq!(server.code(&text("up")).await, 19001);
    assert_eq!(server.admin("DELETE", &format!("bots/{TOKEN}"), &Value::Null).await.0, 404);
}
