//! No text shows a credential, whatever a server echoes.

use loki_client::{Auth, Loki as _};

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
            for say in [Say::refuse(400, echo.clone()), Say::ok(echo)] {
                let script = Script::new([say]);
                let builder = script.builder().auth(auth.clone());
                let mut texts = vec![format!("{builder:?}"), format!("{auth:?}")];
                let client = builder.build().unwrap();
                texts.push(format!("{client:?}"));
                let error = client.format_query("{}").await.unwrap_err();
                texts.extend([error.to_string(), format!("{error:?}")]);
                for text in texts {
                    assert!(!text.contains("EXAMPLE"), "{text}");
                }
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
