//! Every way in which Feishu fails, met by the client over a real socket.

use std::time::Duration;

use feishu::{Card, Class, CustomBot, Error, FlowTrigger, HttpCustomBot, HttpFlowTrigger, Message, Text};
use serde_json::{Value, json};
use sim::feishu::Bot;

use crate::server::{SECRET, Server, TOKEN};

fn text() -> Message {
    Text::new("up").into()
}

#[tokio::test]
async fn each_refusal_of_the_script_means_to_the_client_what_it_is_named_for() {
    for (kind, class) in [
        ("bad_request", Class::Format),
        ("dead_webhook", Class::Webhook),
        ("no_type", Class::Request),
        ("sign_mismatch", Class::Signature),
        ("ip_not_allowed", Class::Address),
        ("keyword_missing", Class::Keyword),
        ("card_refused", Class::Card),
        ("table_limit", Class::Card),
    ] {
        let server = Server::open().await;
        server.play(json!({ "kind": kind })).await;
        let bot = server.client().build().expect("a client");
        let error = bot.send(&text()).await.expect_err(kind);
        assert_eq!(error.class(), Some(class), "{kind}: {error}");
        assert!(server.messages().await.is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn what_passes_is_waited_for() {
    for kind in ["too_many_request", "frequency_limited", "internal"] {
        let server = Server::open().await;
        server.play(json!({ "kind": kind })).await;
        let delivery = server.client().build().expect("a client").send(&text()).await.expect(kind);
        assert_eq!(delivery.tries, 2, "{kind}");
        assert_eq!(server.messages().await.len(), 1);
    }
}

#[tokio::test]
async fn a_gateways_too_many_in_json_is_waited_for() {
    let server = Server::open().await;
    server.play(json!({ "kind": "error", "code": 429, "msg": "slow down", "status": 429 })).await;
    let delivery = server.client().build().expect("a client").send(&text()).await.expect("taken");
    assert_eq!((delivery.tries, delivery.maybe_doubled), (2, false));
    assert_eq!(server.messages().await.len(), 1);
}

#[tokio::test]
async fn a_refused_card_stands_in_the_group_as_text() {
    for kind in ["card_refused", "table_limit", "bad_request"] {
        let server = Server::open().await;
        server.play(json!({ "kind": kind })).await;
        let card = Card::new("etcd-2 is down").markdown("no leader");
        let delivery = server.client().build().expect("a client").send(&card.into()).await.expect(kind);
        assert!(delivery.as_text);
        assert_eq!(server.messages().await[0]["message"]["content"]["text"], "etcd-2 is down\nno leader");
    }
}

#[tokio::test]
async fn a_message_whose_answer_got_lost_stands_there_twice_only_with_a_reference() {
    for kind in ["accept_then_silence", "accept_then_reset", "cut"] {
        let server = Server::open().await;
        server.play(json!({ "kind": kind })).await;
        let bot = server.client().timeout(Duration::from_millis(300)).build().expect("a client");
        let error = bot.send(&text()).await.expect_err(kind);
        assert!(matches!(error, Error::Unknown { .. }), "{kind}: {error:?}");
        assert_eq!(server.messages().await.len(), 1, "{kind}");

        server.play(json!({ "kind": kind })).await;
        let delivery = bot.send(&text().with_reference("INC-42")).await.expect(kind);
        assert!(delivery.maybe_doubled);
        assert_eq!(server.messages().await.len(), 3, "{kind}");
    }
}

#[tokio::test]
async fn what_a_proxy_says_is_not_feishus_word() {
    for play in [
        json!({ "kind": "html" }),
        json!({ "kind": "html", "status": 502 }),
        json!({ "kind": "error", "code": 504, "msg": "gateway timeout", "status": 504 }),
        json!({ "kind": "silence" }),
        json!({ "kind": "reset" }),
    ] {
        let server = Server::open().await;
        server.play(play.clone()).await;
        let bot = server.client().timeout(Duration::from_millis(300)).build().expect("a client");
        let error = bot.send(&text()).await.expect_err("no answer");
        assert!(matches!(error, Error::Unknown { .. }), "{play}: {error:?}");
        assert!(server.messages().await.is_empty());
    }
    let server = Server::open().await;
    server.play(json!({ "kind": "slow", "seconds": 0.1 })).await;
    server.client().build().expect("a client").send(&text()).await.expect("late, but there");
}

#[tokio::test]
async fn what_did_not_get_to_feishu_is_not_sent_again() {
    let server = Server::open().await;
    server.play(json!({ "kind": "html", "status": 403 })).await;
    let bot = server.client().build().expect("a client");
    let elsewhere = format!("{}/elsewhere/open-apis/bot/v2/hook/{TOKEN}", server.base);
    let lost = HttpCustomBot::builder(elsewhere.parse().expect("a webhook")).build().expect("a client");
    for (bot, says) in [(bot, "403, HTML or XML: `Sign in"), (lost, "404, not JSON: `404 page not found`")] {
        let error = bot.send(&text().with_reference("INC-42")).await.expect_err("no answer of Feishu's");
        let Error::NotFeishu { source, .. } = &error else { panic!("{error:?}") };
        assert!(source.to_string().contains(says), "{source}");
    }
    let (_, requests) = server.admin("GET", "requests", &Value::Null).await;
    assert_eq!(requests.as_array().expect("a list").len(), 2, "{requests}");
    assert!(server.messages().await.is_empty());
}

#[tokio::test]
async fn a_wrong_clock_of_ours_is_put_right_by_feishus_date() {
    let server =
        Server::start(Bot { token: TOKEN.into(), secret: Some(SECRET.into()), ..Bot::default() }).await;
    server.admin("POST", "settings", &json!({ "clock_ahead": -86_400 })).await;
    let bot = server.client().secret(SECRET).build().expect("a client");
    assert_eq!(bot.send(&text()).await.expect("taken").tries, 2);
    assert_eq!(bot.clock_offset().map(|offset| offset.as_hours()), Some(-24));
}

#[tokio::test]
async fn every_kind_of_message_of_the_client_is_taken() {
    use feishu::{
        CollapsiblePanel, Column, ColumnSet, Flex, ImageKey, Line, Markdown, Mention, Post, TagColor,
    };
    let server = Server::open().await;
    let bot = server.client().build().expect("a client");
    let runbook = "https://example.com/runbook".parse().expect("a URL");
    let columns = ColumnSet::new().flex(Flex::Stretch).column(Column::new(1).markdown("pod").hr());
    let panel = CollapsiblePanel::new("log")
        .markdown(Markdown::default().code_block("panic"))
        .columns(columns.clone());
    let card = Card::new("down")
        .subtitle("prod")
        .tag("P1", TagColor::Red)
        .markdown("a")
        .hr()
        .columns(columns)
        .panel(panel);
    let large = (0..500).fold(Card::new("500"), |card, n| card.markdown(format!("{n} {}", "长".repeat(100))));
    for message in [
        Text::new("up ").mention(Mention::All).into(),
        Post::new("up")
            .line(
                Line::new()
                    .text("see ")
                    .link("it", &runbook)
                    .mention(Mention::All)
                    .image(ImageKey::new("img_v2_EXAMPLE")),
            )
            .into(),
        ImageKey::new("img_v2_EXAMPLE").into(),
        Message::from(card).with_reference("INC-42"),
        Message::from(large),
    ] {
        let delivery = bot.send(&message).await.expect("taken");
        assert_eq!((delivery.tries, delivery.as_text), (1, false), "{message:?}");
    }
    assert_eq!(server.messages().await.len(), 5);
}

#[tokio::test]
async fn a_flow_takes_any_payload() {
    let server = Server::open().await;
    server.admin("POST", "bots", &json!({ "token": "EXAMPLE-FLOW" })).await;
    let webhook =
        format!("{}/flow/api/trigger-webhook/EXAMPLE-FLOW", server.base).parse().expect("a webhook");
    let flow = HttpFlowTrigger::builder(webhook).build().expect("a client");
    let payload = json!({ "title": "<at id=all></at>", "sign": "a field of the flow's own" });
    flow.trigger(&payload).await.expect("triggered");
    assert_eq!(server.messages().await[0]["message"], payload);
}

#[tokio::test]
async fn the_admin_api_does_what_its_table_of_contents_says() {
    let server = Server::open().await;
    for (method, path, body, status) in [
        ("GET", "", Value::Null, 200),
        ("GET", "bots", Value::Null, 200),
        ("POST", "bots", json!({ "token": "EXAMPLE-2", "secret": "EXAMPLE" }), 200),
        ("POST", "bots", json!({ "tokne": "EXAMPLE-2" }), 400),
        ("GET", "messages?since=0", Value::Null, 200),
        ("DELETE", "messages", Value::Null, 200),
        ("GET", "requests", Value::Null, 200),
        ("DELETE", "requests", Value::Null, 200),
        ("GET", "settings", Value::Null, 200),
        ("POST", "settings", json!({ "throttle": "too_many_request" }), 200),
        ("POST", "settings", json!({ "throttle": "gently" }), 400),
        ("POST", "script", json!({ "play": { "kind": "error", "code": 1, "msg": "x" }, "on": TOKEN }), 200),
        ("POST", "script", json!({ "play": { "kind": "gremlins" } }), 400),
        ("GET", "script", Value::Null, 200),
        ("DELETE", "script/1", Value::Null, 200),
        ("DELETE", "script/1", Value::Null, 404),
        ("DELETE", "script", Value::Null, 200),
        ("GET", "weather", Value::Null, 404),
    ] {
        let (answered, answer) = server.admin(method, path, &body).await;
        assert_eq!(answered, status, "{method} {path} {body}: {answer}");
    }
}
