//! Nothing that is printed holds a secret. The webhook's URL is one itself.

use std::error::Error as _;
use std::io;
use std::sync::{Arc, Mutex};

use feishu::{CustomBot, Text, Transport};

use crate::group::{Group, Reply, SECRET, TOKEN, webhook};

#[track_caller]
fn assert_shows_no_secret(text: &str) {
    for secret in [SECRET, TOKEN] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn clients_and_builders_print_without_secrets() {
    let group = Group::answers([Reply::done()]);
    let builder = group.builder().secret(SECRET).keyword("告警");
    assert_shows_no_secret(&format!("{builder:?}"));
    let bot = builder.build().expect("a client");
    assert_shows_no_secret(&format!("{bot:?} {bot:#?} {:?} {:?}", webhook(), webhook().url()));
    assert!(format!("{bot:?}").contains("https://open.feishu.cn/…"), "what helps is shown");
}

fn echoes() -> Vec<Reply> {
    let url = format!("https://open.feishu.cn/open-apis/bot/v2/hook/{TOKEN}");
    vec![
        Reply::refused(19001, &format!("no bot at {url} for {TOKEN}")),
        Reply::refused(19021, &format!("no match for {TOKEN}")),
        Reply::body(format!("<html>{url}</html>")),
        Reply::body(format!("<html><b>{} {TOKEN}</b>", "x".repeat(110))),
        Reply::body("").status(302).header("location", format!("{}{TOKEN}", "x".repeat(115))),
        Reply::body(TOKEN).status(429),
        Reply::body(format!(r#"{{"code":"{TOKEN}","msg":0}}"#)).status(500),
        Reply::refused(1, &format!("{}{TOKEN}", "x".repeat(290))),
        Reply::lost(),
        Reply::not_sent(),
    ]
}

#[tokio::test(start_paused = true)]
async fn no_kind_of_error_shows_a_secret() {
    for reply in echoes() {
        let group = Group::answers([reply]);
        let bot = group.builder().secret(SECRET).build().expect("a client");
        let error = bot.send(&Text::new("up").into()).await.expect_err("failed");
        let mut text = format!("{error} {error:?} {error:#?}");
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(&format!("{error} {error:?}"));
            cause = error.source();
        }
        assert_shows_no_secret(&text);
        assert!(!text.contains("EXAMPLE-t"), "nor a part of it: {text}");
    }
}

/// Collects what a subscriber writes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().map_err(|_| io::ErrorKind::Other)?.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_error_of_the_real_transport_does_not_name_the_url() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let transport = feishu::ReqwestTransport::new(std::time::Duration::from_secs(3)).expect("a transport");
    let nobody: feishu::BotWebhook =
        format!("http://127.0.0.1:1/open-apis/bot/v2/hook/{TOKEN}").parse().expect("a webhook");
    let error = transport.post(nobody.url(), "{}".into()).await.expect_err("nobody");
    let mut text = format!("{error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!("{error} {error:?}"));
        cause = error.source();
    }
    assert_shows_no_secret(&text);
}

#[tokio::test(start_paused = true)]
async fn no_trace_shows_a_secret_or_what_a_message_says() {
    // For every thread: a callsite that another test reaches first would otherwise be switched off for good.
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::NEW)
        .with_writer(move || writer.clone())
        .init();
    for reply in echoes() {
        let group = Group::answers([reply.header("date", "Thu, 20 Nov 2025 00:53:20 GMT"), Reply::done()]);
        let bot = group.builder().secret(SECRET).build().expect("a client");
        let _ = bot.send(&Text::new("db-0 password=hunter2").into()).await;
    }
    let log = String::from_utf8(log.0.lock().expect("lock").clone()).expect("text");
    assert_shows_no_secret(&log);
    assert!(log.contains("trying again"), "something is logged: {log}");
    assert!(!log.contains("hunter2"), "{log}");
}
