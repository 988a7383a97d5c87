//! What each verb sends.

use std::time::Duration;

use http::Method;
use loki_client::{
    Auth, CountQuery, Direction, Error, Labels, LogQuery, Loki as _, LokiExt as _, Nanos, PushEncoding,
    PushEntry, PushStream, RangeQuery, TailQuery, Window,
};

use crate::script::{Say, Script, Sent};

const WINDOW: Window = Window::new(Nanos::from_seconds(100), Nanos::from_seconds(200));
const API: &str = "http://loki.test:3100/prefix/loki/api/v1/";

fn log_query(query: &str) -> LogQuery {
    LogQuery { query: query.into(), window: WINDOW, limit: 50, direction: Direction::Backward }
}

fn params(sent: &Sent) -> Vec<(&str, &str)> {
    let mut params: Vec<_> =
        sent.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    params.sort_unstable();
    params
}

fn path(sent: &Sent) -> &str {
    sent.url.split('?').next().unwrap()
}

#[tokio::test]
async fn a_log_query_asks_for_categorised_labels_past_the_caches() {
    let script = Script::new([Say::no_entries()]);
    script.client().query_range(&log_query(r#"{app="web"} |= "a&b""#)).await.unwrap();
    let sent = script.only();
    assert_eq!((&sent.method, path(&sent)), (&Method::GET, format!("{API}query_range").as_str()));
    assert_eq!(
        params(&sent),
        [
            ("direction", "backward"),
            ("end", "200000000000"),
            ("limit", "50"),
            ("query", r#"{app="web"} |= "a&b""#),
            ("start", "100000000000"),
        ]
    );
    assert_eq!(sent.headers["x-loki-response-encoding-flags"], "categorize-labels");
    assert_eq!(sent.headers["cache-control"], "no-cache");
    assert!(!sent.headers.contains_key("x-scope-orgid") && !sent.headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_query_too_long_for_a_url_is_sent_as_a_form() {
    let script = Script::new([Say::no_entries()]);
    let query = format!(r#"{{app="web"}} |= "{}""#, "x".repeat(5000));
    script.client().query_range(&log_query(&query)).await.unwrap();
    let sent = script.only();
    assert_eq!((&sent.method, sent.url.as_str()), (&Method::POST, format!("{API}query_range").as_str()));
    assert_eq!(sent.headers["content-type"], "application/x-www-form-urlencoded");
    let form: Vec<_> = url::form_urlencoded::parse(&sent.body).collect();
    assert!(form.iter().any(|(name, value)| name == "query" && *value == query));
}

#[tokio::test]
async fn metric_queries_name_times_in_nanoseconds_and_steps_in_milliseconds() {
    let vector = r#"{"data":{"resultType":"vector","result":[]}}"#;
    let matrix = r#"{"data":{"resultType":"matrix","result":[]}}"#;
    let script = Script::new([Say::ok(vector), Say::ok(matrix), Say::ok(matrix)]);
    let client = script.client();
    client.instant("vector(1)", Nanos::new(7)).await.unwrap();
    let mut range = RangeQuery {
        query: "rate(x)".into(),
        start: WINDOW.start,
        end: WINDOW.end,
        step: Duration::from_millis(1500),
        cached: false,
    };
    client.range(&range).await.unwrap();
    range.cached = true;
    client.range(&range).await.unwrap();
    let sent = script.sent();
    assert_eq!(
        (path(&sent[0]), params(&sent[0])),
        (format!("{API}query").as_str(), vec![("query", "vector(1)"), ("time", "7")])
    );
    assert_eq!(sent[0].headers["cache-control"], "no-cache");
    assert_eq!(
        params(&sent[1]),
        [("end", "200000000000"), ("query", "rate(x)"), ("start", "100000000000"), ("step", "1500ms")]
    );
    assert_eq!(sent[1].headers["cache-control"], "no-cache");
    assert!(!sent[2].headers.contains_key("cache-control"));

    for step in [Duration::ZERO, Duration::from_nanos(1), Duration::from_micros(1500)] {
        let error = client.range(&RangeQuery { step, ..range.clone() }).await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::Invalid { .. }) && text.contains("whole milliseconds"), "{text}");
    }
    assert_eq!(script.sent().len(), 3, "nothing is sent of what would be answered with other steps");
}

#[tokio::test]
async fn a_count_of_buckets_is_a_metric_query_at_their_ends() {
    let matrix =
        r#"{"data":{"resultType":"matrix","result":[{"metric":{},"values":[[120,"3"],[180,"5"]]}]}}"#;
    let script = Script::new([Say::ok(matrix)]);
    let query = CountQuery {
        query: r#"{app="web"} # all"#.into(),
        first: Nanos::from_seconds(120),
        last: Nanos::from_seconds(180),
        step: Duration::from_secs(60),
    };
    let counts = script.client().counts(&query).await.unwrap();
    assert_eq!(
        counts.into_iter().collect::<Vec<_>>(),
        [(Nanos::from_seconds(120), 3), (Nanos::from_seconds(180), 5)]
    );
    // The query may end in a comment.
    assert_eq!(script.only().params["query"], "sum(count_over_time({app=\"web\"} # all\n[60000ms]))");
    let askew = CountQuery { first: Nanos::from_seconds(121), ..query };
    script.client().counts(&askew).await.unwrap_err();
    assert_eq!(script.sent().len(), 1, "Loki would move the buckets without a word");
}

#[tokio::test]
async fn an_exact_count_ends_a_nanosecond_before_its_window() {
    let vector = r#"{"data":{"resultType":"vector","result":[{"metric":{},"value":[199,"12"]}]}}"#;
    let script = Script::new([Say::ok(vector)]);
    assert_eq!(script.client().count(r#"{app="web"}"#, WINDOW).await.unwrap(), 12);
    let sent = script.only();
    assert_eq!(
        params(&sent),
        [("query", "sum(count_over_time({app=\"web\"}\n[100000ms]))"), ("time", "199999999999"),]
    );
}

#[tokio::test]
async fn lists_are_asked_for_within_a_window() {
    let script = Script::new([Say::ok(r#"{"status":"success"}"#)]);
    let client = script.client();
    assert!(client.labels(WINDOW).await.unwrap().is_empty(), "Loki leaves an empty list out");
    client.label_values("a/b c", WINDOW).await.unwrap();
    client.series(&[r#"{a="1"}"#.into(), r#"{b="2"}"#.into()], WINDOW).await.unwrap();
    client.patterns(r#"{a="1"}"#, WINDOW).await.unwrap();
    let sent = script.sent();
    let window = "start=100000000000&end=200000000000";
    assert_eq!(sent[0].url, format!("{API}labels?{window}"));
    assert_eq!(sent[1].url, format!("{API}label/a%2Fb%20c/values?{window}"));
    assert_eq!(
        sent[2].url,
        format!("{API}series?match%5B%5D=%7Ba%3D%221%22%7D&match%5B%5D=%7Bb%3D%222%22%7D&{window}")
    );
    assert_eq!(sent[3].url, format!("{API}patterns?query=%7Ba%3D%221%22%7D&{window}"));
}

#[tokio::test]
async fn an_empty_window_is_not_asked_for() {
    let script = Script::new([]);
    for end in [100, 99] {
        let window = Window::new(Nanos::new(100), Nanos::new(end));
        let query = LogQuery { window, ..log_query(r#"{app="web"}"#) };
        assert!(script.client().query_range(&query).await.unwrap().is_empty());
    }
    assert!(script.sent().is_empty());
}

#[tokio::test]
async fn entries_are_pushed_as_snappy_protobuf_or_json() {
    let streams = [PushStream {
        labels: Labels::from_iter([("app", "web")]),
        entries: vec![PushEntry { timestamp: Nanos::new(7), line: "x".into(), ..PushEntry::default() }],
    }];
    let script = Script::new([Say::refuse(204, "")]);
    script.client().push(&streams).await.unwrap();
    script.builder().push_encoding(PushEncoding::Json).build().unwrap().push(&streams).await.unwrap();
    script.client().push(&[]).await.unwrap();
    let sent = script.sent();
    assert_eq!(sent.len(), 2, "nothing to store is no request: Loki would refuse it");
    assert!(sent.iter().all(|one| one.method == Method::POST && one.url == format!("{API}push")));
    assert_eq!(sent[0].headers["content-type"], "application/x-protobuf");
    assert_eq!(sent[1].headers["content-type"], "application/json");
    assert_eq!(&sent[1].body[..], br#"{"streams":[{"stream":{"app":"web"},"values":[["7","x"]]}]}"#);
}

#[tokio::test]
async fn tenants_and_credentials_stand_in_headers() {
    let header = |name: &'static str, value: &str| Auth::Header {
        name: http::HeaderName::from_static(name),
        value: value.to_owned().into(),
    };
    let cases = [
        (
            Auth::Basic { user: "me".into(), password: "EXAMPLE".to_owned().into() },
            "authorization",
            "Basic bWU6RVhBTVBMRQ==",
        ),
        (Auth::Bearer("EXAMPLE".to_owned().into()), "authorization", "Bearer EXAMPLE"),
        (header("x-api-key", "EXAMPLE"), "x-api-key", "EXAMPLE"),
    ];
    for (auth, name, value) in cases {
        let script = Script::new([Say::ok("ready")]);
        let client = script.builder().auth(auth).tenant("team-a").tenant("team-b").build().unwrap();
        client.ready().await.unwrap();
        let sent = script.only();
        assert_eq!(sent.url, "http://loki.test:3100/prefix/ready");
        assert_eq!(
            (&sent.headers[name], &sent.headers["x-scope-orgid"]),
            (&http::HeaderValue::from_str(value).unwrap(), &http::HeaderValue::from_static("team-a|team-b"))
        );
    }
}

#[tokio::test]
async fn a_tail_asks_for_a_web_socket() {
    let script = Script::new([Say::refuse(400, "Bad Request\n")]);
    let query = TailQuery { query: r#"{app="web"}"#.into(), start: Some(Nanos::new(7)), limit: 3 };
    script.client().tail(&query).await.unwrap_err();
    let sent = script.only();
    assert_eq!(params(&sent), [("limit", "3"), ("query", r#"{app="web"}"#), ("start", "7")]);
    assert_eq!(
        (&sent.headers["upgrade"], &sent.headers["sec-websocket-version"]),
        (&http::HeaderValue::from_static("websocket"), &http::HeaderValue::from_static("13"))
    );
    assert_eq!(sent.headers["x-loki-response-encoding-flags"], "categorize-labels");
}
