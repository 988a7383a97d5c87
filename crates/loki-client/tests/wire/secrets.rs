//! No text shows a credential, whatever a server echoes.

use std::io;
use std::sync::{Arc, Mutex};

use loki_client::{Auth, Labels, Loki as _, Nanos, PushEntry, PushStream};
use tracing_subscriber::fmt::format::FmtSpan;

use crate::script::{Say, Script};

/// Put together here, so that it stands nowhere as it would be printed.
fn secret() -> String {
    ["EXAMPLE", "TOKEN", "7"].join("-")
}

#[tokio::test(start_paused = true)]
async fn neither_errors_nor_debug_show_a_secret() {
    let secrets = [
        Auth::Basic { user: "me".into(), password: secret().into() },
        Auth::Bearer(secret().into()),
        Auth::Header { name: http::HeaderName::from_static("x-api-key"), value: secret().into() },
    ];
    for auth in secrets {
        // A gateway that shows what it was sent, long enough for the text to be cut within the secret.
        for padding in [0, 290, 295, 300] {
            let echo = format!("{} you sent {}", "x ".repeat(padding / 2), secret());
            // The last two are JSON, of which the parser would quote what it did not expect.
            let json = [
                format!(r#"{{"data":{echo:?}}}"#),
                format!(r#"{{"data":{{"resultType":{echo:?},"result":[]}}}}"#),
            ];
            let [string, kind] = json.map(Say::ok);
            for say in [Say::refuse(400, echo.clone()), Say::ok(echo), string, kind] {
                let script = Script::new([say]);
                let builder = script.builder().auth(auth.clone());
                let mut texts = vec![format!("{builder:?}"), format!("{auth:?}")];
                let client = builder.build().unwrap();
                texts.push(format!("{client:?}"));
                let error = client.instant("x", Nanos::new(0)).await.unwrap_err();
                texts.push(format!("{error:?}"));
                let causes =
                    std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
                texts.extend(causes.map(ToString::to_string));
                for text in texts {
                    assert!(!text.contains("EXAMPLE"), "{text}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_secret_is_not_shown_by_halves_where_a_text_is_cut() {
    let secret = format!("{}{}", secret(), "EXAMPLE".repeat(70));
    for auth in [
        Auth::Bearer(secret.clone().into()),
        Auth::Basic { user: "me".into(), password: secret.clone().into() },
    ] {
        // So often that what is left of them is shorter than what is shown, and cut at different places of one.
        for (padding, times) in [(0, 3), (200, 3), (400, 3), (0, 400), (200, 400), (400, 400)] {
            let echo = format!("{}{}", " ".repeat(padding), secret.repeat(times));
            for say in [Say::refuse(400, echo.clone()), Say::ok(echo)] {
                let client = Script::new([say]).builder().auth(auth.clone()).build().unwrap();
                let error = client.format_query("{}").await.unwrap_err();
                let text = format!("{error} {error:?}");
                assert!(
                    text.contains("[redacted]") && !text.contains("EXAMPLE"),
                    "{padding}, {times}: {text}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_on_a_page_is_not_shown_however_it_is_written_there() {
    // Also where taking the tags off would leave half of it.
    for secret in [secret(), format!("EXAMPLE<b>{}", secret()), format!("{}&EXAMPLE", secret())] {
        let escaped = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        for echo in [&secret, &escaped] {
            let page = format!("<html><style>{}</style>you sent {echo}</html>", "a ".repeat(1000));
            for say in [Say::refuse(403, page.clone()), Say::ok(page)] {
                let auth = Auth::Bearer(secret.clone().into());
                let client = Script::new([say]).builder().auth(auth).build().unwrap();
                let error = client.format_query("{}").await.unwrap_err();
                let text = format!("{error} {error:?}");
                assert!(text.contains("you sent [redacted]") && !text.contains("EXAMPLE"), "{text}");
            }
        }
    }
}

#[test]
fn credentials_in_the_url_are_refused_and_not_shown() {
    let url = format!("http://me:{}@loki.test", secret()).parse().unwrap();
    let builder = loki_client::HttpLoki::builder(url);
    assert!(!format!("{builder:?}").contains("EXAMPLE"));
    let error = builder.build().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("EXAMPLE"), "{error:?}");
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn no_trace_shows_a_secret_or_a_line() {
    // For every thread: a callsite that another test reaches first would otherwise be switched off for good.
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::NEW)
        .with_writer(move || writer.clone())
        .init();
    let echo = || format!("you sent {}", secret());
    let script = Script::new([503, 500, 400].map(|status| Say::refuse(status, echo())));
    let client = script.builder().auth(Auth::Bearer(secret().into())).build().unwrap();
    let entry = PushEntry { line: "password=hunter2".into(), ..PushEntry::default() };
    let stream = PushStream { labels: Labels::from_iter([("app", "web")]), entries: vec![entry] };
    client.push(&[stream]).await.unwrap_err();
    client.format_query("{}").await.unwrap_err();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("trying again") && log.contains("[redacted]"), "something is logged: {log}");
    assert!(!log.contains("EXAMPLE") && !log.contains("hunter2"), "{log}");
}
