//! Tails over real WebSockets.

use futures::{SinkExt as _, StreamExt as _};
use loki_client::{Auth, Error, Labels, Loki as _, Nanos, Refusal, TailQuery};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::http::client;

fn query() -> TailQuery {
    TailQuery { query: r#"{app="web"}"#.into(), start: None, limit: 10 }
}

/// The URL of a server whose only connection is handled by `talk`.
async fn server<F: Future<Output = ()> + Send + 'static>(
    talk: impl FnOnce(WebSocketStream<TcpStream>) -> F + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (connection, _) = listener.accept().await.unwrap();
        talk(tokio_tungstenite::accept_async(connection).await.unwrap()).await;
    });
    format!("http://{address}")
}

#[tokio::test]
async fn frames_bring_entries_and_what_was_dropped() {
    let frame = r#"{"streams":[{"stream":{"app":"web","__stream_shard__":"3"},"values":[["7","x",{"structuredMetadata":{"trace_id":"t"}}]]}],
        "dropped_entries":[{"labels":{"app":"web"},"timestamp":"9"}],"encodingFlags":["categorize-labels"]}"#;
    let url = server(async move |mut socket| {
        socket.send(Message::Ping(Vec::new().into())).await.unwrap();
        socket.send(Message::text(frame)).await.unwrap();
        socket.send(Message::text(r#"{"streams":null,"dropped_entries":null}"#)).await.unwrap();
        socket.close(None).await.unwrap();
        while socket.next().await.is_some() {}
    })
    .await;
    let mut tail = client(&url).build().unwrap().tail(&query()).await.unwrap();
    let frame = tail.next().await.unwrap().unwrap();
    let app = Labels::from_iter([("app", "web")]);
    assert_eq!((&*frame.entries[0].labels, frame.entries[0].timestamp), (&app, Nanos::new(7)));
    assert_eq!(frame.entries[0].metadata, Labels::from_iter([("trace_id", "t")]));
    assert_eq!((&frame.dropped[0].labels, frame.dropped[0].timestamp), (&app, Nanos::new(9)));
    assert_eq!(tail.next().await.unwrap().unwrap(), loki_client::TailFrame::default());
    assert!(tail.next().await.is_none(), "Loki closed it in peace");
}

#[tokio::test]
async fn a_tail_that_breaks_ends_with_an_error() {
    let refused = CloseFrame { code: CloseCode::Error, reason: "max tail duration".into() };
    let closed = server(async move |mut socket| socket.close(Some(refused)).await.unwrap()).await;
    let garbage = server(async |mut socket| socket.send(Message::text("{")).await.unwrap()).await;
    let cut = server(async |mut socket| socket.get_mut().shutdown().await.unwrap()).await;
    for url in [closed, garbage, cut] {
        let mut tail = client(&url).build().unwrap().tail(&query()).await.unwrap();
        let error = tail.next().await.unwrap().unwrap_err();
        assert!(error.is_retryable() && matches!(error, Error::Unanswered { .. }), "{error:?}");
        assert!(tail.next().await.is_none());
    }
}

#[tokio::test]
async fn the_words_of_a_tail_that_is_closed_show_no_secret() {
    let secret = ["EXAMPLE", "TOKEN", "7"].join("-");
    let reason = format!("you sent {secret}\nand I\u{1b}[31m do not like it").into();
    let refused = CloseFrame { code: CloseCode::Policy, reason };
    let url = server(async move |mut socket| socket.close(Some(refused)).await.unwrap()).await;
    let client = client(&url).auth(Auth::Bearer(secret.into())).build().unwrap();
    let error = client.tail(&query()).await.unwrap().next().await.unwrap().unwrap_err();
    assert!(!format!("{error:?}").contains("EXAMPLE"), "{error:?}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "Loki closed the tail: you sent [redacted] and I [31m do not like it");
}

#[tokio::test]
async fn a_refused_tail_says_why() {
    let server = wiremock::MockServer::start().await;
    let refusal =
        wiremock::ResponseTemplate::new(400).set_body_string("max concurrent tail requests limit exceeded");
    wiremock::Mock::given(wiremock::matchers::any()).respond_with(refusal).mount(&server).await;
    let error = client(&server.uri()).build().unwrap().tail(&query()).await.unwrap_err();
    assert!(matches!(error.refusal(), Some(Refusal::Parameter)), "{error}");
    assert!(error.to_string().contains("max concurrent tail"), "{error}");
}
