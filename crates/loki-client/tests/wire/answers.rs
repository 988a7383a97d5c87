//! What is made of answers that are none: typed errors, repetition, deadlines.

use std::time::Duration;

use futures::TryStreamExt as _;
use loki_client::{
    Direction, Error, Labels, LogQuery, Loki as _, LokiExt as _, Nanos, Operation, PageOptions, PushEntry,
    PushStream, RangeQuery, Refusal, Window,
};
use tokio::time::Instant;

use crate::script::{Say, Script};

fn query() -> LogQuery {
    LogQuery {
        query: r#"{app="web"}"#.into(),
        window: Window::new(Nanos::new(0), Nanos::new(10)),
        limit: 50,
        direction: Direction::Forward,
    }
}

async fn ask(script: &Script) -> Result<(), Error> {
    script.client().query_range(&query()).await.map(|_| ())
}

#[tokio::test(start_paused = true)]
async fn passing_trouble_is_repeated_and_then_an_answer_is_an_answer() {
    let cut = r#"{"status":"success","data":{"resultType":"str"#;
    for trouble in [
        Say::NotSent,
        Say::Lost,
        Say::ok(cut),
        Say::refuse(429, "too many outstanding requests"),
        Say::refuse(500, "failed to get bytes read stats"),
        Say::refuse(503, "Ingester not ready"),
        Say::refuse(499, "The request was cancelled by the client."),
        Say::refuse(502, "<html>bad gateway</html>"),
    ] {
        let script = Script::new([trouble, Say::no_entries()]);
        ask(&script).await.unwrap();
        assert_eq!(script.sent().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn what_will_not_pass_is_asked_once() {
    for (status, text) in [
        (400, "parse error at line 1, col 9: syntax error"),
        (400, "limit must be a positive value"),
        (401, "no org id\n"),
        (500, "multiple org IDs present"),
        (403, "forbidden"),
        (404, "404 page not found\n"),
        (429, "querying is disabled, please contact your Loki operator"),
        // Loki would take as long again: whoever asked should ask for less.
        (504, "request timed out, decrease the duration of the request"),
        (302, ""),
    ] {
        let script = Script::new([Say::refuse(status, text)]);
        let error = ask(&script).await.unwrap_err();
        assert_eq!(script.sent().len(), 1, "{error}");
    }
    let script = Script::new([Say::ok("<html>login</html>")]);
    assert!(matches!(ask(&script).await.unwrap_err(), Error::Decode { .. }));
    assert_eq!(script.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn tries_and_pauses_have_an_end() {
    let script = Script::new([Say::refuse(503, "Ingester not ready")]);
    let start = Instant::now();
    let error = ask(&script).await.unwrap_err();
    assert_eq!(script.sent().len(), 4);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert!(error.is_retryable() && matches!(error.refusal(), Some(Refusal::Unavailable)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_request_without_an_answer_ends_at_its_timeout_and_a_call_at_its_deadline() {
    let day = Duration::from_secs(24 * 3600);
    let script = Script::new([Say::Silence(day), Say::Silence(day), Say::Silence(day)]);
    let client =
        script.builder().timeout(Duration::from_secs(20)).deadline(Duration::from_secs(30)).build().unwrap();
    let start = Instant::now();
    let error = client.query_range(&query()).await.unwrap_err();
    assert!(matches!(error, Error::Unanswered { operation: Operation::QueryRange, .. }), "{error}");
    assert_eq!((script.sent().len(), start.elapsed().as_secs()), (2, 30));
    // The second one had what the first and the pause had left of the call's time.
    let said = std::error::Error::source(&error).unwrap().to_string();
    let seconds = said.strip_prefix("no answer within ").and_then(|said| said.strip_suffix('s')).unwrap();
    assert!(seconds == "10" || (seconds.starts_with("9.") && seconds.len() == 3), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_says_how_long_to_wait_is_heeded() {
    let busy = || Say::With(http::StatusCode::TOO_MANY_REQUESTS, "retry-after", "17");
    let script = Script::new([busy(), Say::no_entries()]);
    let start = Instant::now();
    ask(&script).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(17));
    // Not beyond the deadline, and not where time itself ends.
    for (text, seconds) in [("86400", 86400), ("18446744073709551615", u64::MAX)] {
        let script = Script::new([Say::With(http::StatusCode::TOO_MANY_REQUESTS, "retry-after", text)]);
        let start = Instant::now();
        let error = ask(&script).await.unwrap_err();
        assert_eq!((error.retry_after(), script.sent().len()), (Some(Duration::from_secs(seconds)), 1));
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_names_service_operation_words_and_whether_repeating_helps() {
    let message = async |say: Say| ask(&Script::new([say])).await.unwrap_err().to_string();
    assert_eq!(
        message(Say::refuse(400, "parse error at line 1, col 9:\n  syntax error")).await,
        "Loki query_range: 400 Bad Request: parse error at line 1, col 9: syntax error; \
         repeating will not help: change the query"
    );
    assert_eq!(
        message(Say::refuse(401, "no org id\n")).await,
        "Loki query_range: 401 Unauthorized: no org id; repeating will not help: name one tenant"
    );
    assert_eq!(
        message(Say::refuse(401, "")).await,
        "Loki query_range: 401 Unauthorized: (no words); repeating will not help: check the credentials"
    );
    assert_eq!(
        message(Say::With(http::StatusCode::FOUND, "location", "https://login.example.com/")).await,
        "Loki query_range: 302 Found: moved to https://login.example.com/; repeating will not help"
    );
    let long = message(Say::refuse(400, "parse error ".repeat(10_000))).await;
    assert!(long.len() < 500 && long.contains('…'), "{long}");
}

#[tokio::test(start_paused = true)]
async fn of_a_page_the_words_are_shown_and_not_what_makes_it_look_nice() {
    let page = |words: &str| {
        let style = ".error { color: red; } ".repeat(500);
        let script = "<script>if (1 < 2) { window.x = '<p>' }</script>";
        format!(
            "<!DOCTYPE html><head><style>{style}</style>{script}</head><!-- {style} -->\n<body>{words}</body>"
        )
    };
    let message = async |say: Say| ask(&Script::new([say])).await.unwrap_err().to_string();
    assert_eq!(
        message(Say::refuse(403, page("<h1>Access denied</h1><p>Tom &amp; Jerry&#39;s proxy</p>"))).await,
        "Loki query_range: 403 Forbidden: Access denied Tom & Jerry's proxy; \
         repeating will not help: check the credentials"
    );
    let start = "Loki query_range: the answer is not Loki's";
    for (words, shown) in [("<p>Sign in", "Sign in"), ("", "(a page without words)")] {
        assert_eq!(
            message(Say::ok(page(words))).await,
            format!("{start} ({shown:?}); repeating will not help")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_asks_for_less_says_so() {
    for (status, text) in [
        (400, "the query time range exceeds the limit (query length: 960h0m0s, limit: 30d1h)"),
        (400, "the query would read too many bytes (query: 1TB, limit: 1GB)"),
        (504, "request timed out, decrease the duration of the request"),
    ] {
        let error = ask(&Script::new([Say::refuse(status, text)])).await.unwrap_err();
        assert!(error.asks_for_less(), "{error}");
    }
    let error = ask(&Script::new([Say::refuse(400, "parse error")])).await.unwrap_err();
    assert!(!error.asks_for_less());
}

/// The texts are those of `pkg/querier/queryrange/limits.go` and `logqlmodel/error.go` of Loki 3.7.8, and gRPC's own.
#[tokio::test(start_paused = true)]
async fn whoever_asks_for_too_much_is_told_to_ask_for_less() {
    for (status, text) in [
        (
            400,
            "the query would read too many bytes (query: 5GiB, limit: 1GiB); consider adding more specific stream selectors or reduce the time range of the query",
        ),
        (
            400,
            "query too large to execute on a single querier: (query: 1TiB, limit: 150GB); consider adding more specific stream selectors, reduce the time range of the query, or adjust parallelization settings",
        ),
        (
            400,
            "un-shardable query too large to execute on a single querier: (query: 1TiB, limit: 150GB); consider adding more specific stream selectors or reduce the time range of the query",
        ),
        (
            400,
            "shard query is too large to execute on a single querier: (query: 1TiB, limit: 150GB); consider adding more specific stream selectors or reduce the time range of the query.",
        ),
        (
            400,
            "maximum number of series (500) reached for a single query; consider reducing query cardinality by adding more specific stream selectors, reducing the time range, or aggregating results with functions like sum(), count() or topk()",
        ),
        (
            500,
            "rpc error: code = ResourceExhausted desc = grpc: received message larger than max (5243392 vs. 4194304)",
        ),
    ] {
        let script = Script::new([Say::refuse(status, text)]);
        let error = ask(&script).await.unwrap_err();
        assert!(error.asks_for_less() && !error.is_retryable(), "{error}");
        assert_eq!(script.sent().len(), 1, "{error}");
    }
}

/// The text is that of Loki 3.7.8.
#[tokio::test(start_paused = true)]
async fn a_line_that_a_query_cannot_count_is_the_querys_refusal() {
    let text = "pipeline error: 'LabelFilterErr' for series: '{__error__=\"LabelFilterErr\", app=\"web\", status=\"abc\"}'.\n\
                Use a label filter to intentionally skip this error. (e.g | __error__!=\"LabelFilterErr\").";
    let script = Script::new([Say::refuse(400, text)]);
    let counts = "sum(count_over_time({app=\"web\"} | status >= 500 [1m]))";
    let error = script.client().instant(counts, Nanos::new(0)).await.unwrap_err();
    assert_eq!((error.refusal(), script.sent().len()), (Some(&Refusal::Query), 1), "{error}");
}

#[tokio::test(start_paused = true)]
async fn whoever_pushes_too_much_is_told_to_push_less() {
    for (status, text) in [
        (413, "<html>413 Request Entity Too Large</html>"),
        (500, "rpc error: code = ResourceExhausted desc = grpc: received message larger than max (5 vs. 4)"),
    ] {
        let (error, requests) = push(Say::refuse(status, text)).await;
        assert_eq!((error.refusal(), requests), (Some(&Refusal::PushTooLarge), 1), "{error}");
        assert!(error.asks_for_less() && error.to_string().ends_with("push less at once"), "{error}");
    }
    let error = ask(&Script::new([Say::refuse(413, "")])).await.unwrap_err();
    assert!(error.to_string().ends_with("ask for a shorter window"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_a_gateway_did_not_wait_for_is_asked_again_unless_it_is_a_query() {
    for status in [408, 504] {
        let slow = || Say::refuse(status, "upstream request timeout");
        let (error, requests) = push(slow()).await;
        assert_eq!((error.refusal(), requests), (Some(&Refusal::Unavailable), 4), "{error}");
        assert!(!error.asks_for_less() && error.to_string().ends_with("after a pause"), "{error}");

        let (window, selectors) = (query().window, [query().query]);
        let script = || Script::new([slow(), Say::ok(r#"{"data":[]}"#)]);
        script().client().labels(window).await.unwrap();
        script().client().label_values("app", window).await.unwrap();
        script().client().series(&selectors, window).await.unwrap();
        Script::new([slow(), Say::ok("ready")]).client().ready().await.unwrap();

        let script = Script::new([slow()]);
        let error = ask(&script).await.unwrap_err();
        assert_eq!((error.refusal(), script.sent().len()), (Some(&Refusal::TimedOut), 1), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_somebody_has_blocked_is_said_to_be() {
    let script = Script::new([Say::refuse(400, "query blocked by policy")]);
    let error = ask(&script).await.unwrap_err();
    assert_eq!(error.refusal(), Some(&Refusal::Blocked), "{error}");

    // Loki drops the entries of a tenant whose ingestion is blocked, by default under a status that is no refusal by
    // HTTP, or under one that somebody has configured.
    for status in [260, 400, 403, 429, 503] {
        let text = format!("ingestion blocked for user 'a' until '2027-01-01' with status code '{status}'");
        let (error, requests) = push(Say::refuse(status, text)).await;
        assert_eq!((error.refusal(), requests), (Some(&Refusal::Blocked), 1), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_called_blocked_is_not() {
    let text = "Per stream rate limit exceeded (limit: 3MB/sec) while attempting to ingest for stream \
                '{app=\"blocked\", state=\"disabled\"}' totaling 4MB, consider splitting a stream";
    let (error, requests) = push(Say::refuse(429, text)).await;
    assert_eq!((error.refusal(), requests), (Some(&Refusal::Busy), 4), "{error}");
    assert!(error.is_retryable());
}

#[tokio::test(start_paused = true)]
async fn a_push_that_is_stored_in_part_is_said_to_be() {
    for text in [
        "entry for stream '{app=\"a\"}' has timestamp too old: 2026-01-01T00:00:00Z, oldest acceptable timestamp is: x",
        "max entry size '262144' bytes exceeded for stream '{app=\"a\"}' while adding an entry with length '300000' bytes",
        "stream '{app=\"a\"}' has structured metadata too large: '70000' bytes, limit: '65536' bytes.",
        "stream '{app=\"a\"}' has too many structured metadata labels: '200', limit: '128'.",
        "stream '{app=\"a\"}' includes structured metadata, but this feature is disallowed.",
        // Of another stream the labels are wrong.
        "2 errors like: entry for stream '{app=\"a\"}' has timestamp too new: x; 1 errors like: stream '{app=\"b\"}' has label \
         value too long: 'x'",
    ] {
        let (error, requests) = push(Say::refuse(400, text)).await;
        assert_eq!((error.refusal(), requests), (Some(&Refusal::Entries), 1), "{error}");
    }
}

/// The texts are those of `pkg/validation/validate.go` of Loki 3.7.
#[tokio::test(start_paused = true)]
async fn a_stream_whose_labels_are_refused_is_said_to_be() {
    for text in [
        "entry for stream '{app=\"a\"}' has 16 label names; limit 15",
        "stream '{app=\"a\"}' has label name too long: 'x'",
        "stream '{app=\"a\"}' has label value too long: 'x'",
        "stream '{app=\"a\"}' has duplicate label name: 'x'",
        "Error parsing labels '{1=\"a\"}' with error: parse error at line 1, col 2: syntax error",
        "missing required labels team for user fake for stream {app=\"a\"}",
        "error at least one label pair is required per stream",
        // What a label says is not what Loki says.
        "stream '{app=\"\\\"max entry size\", at=\"has timestamp too old\"}' has label value too long: 'x'",
    ] {
        let (error, requests) = push(Say::refuse(400, text)).await;
        assert_eq!((error.refusal(), requests), (Some(&Refusal::Labels), 1), "{error}");
        assert!(error.to_string().contains("change that stream's labels"), "{error}");
    }
    let (error, _) = push(Say::refuse(400, "something about {app=\"has label value too long\"}")).await;
    assert_eq!(error.refusal(), Some(&Refusal::Parameter), "{error}");
}

/// A gateway shows its page for signing in to everything, and an empty 200 is what some make of Loki's 204.
#[tokio::test(start_paused = true)]
async fn a_page_for_signing_in_is_neither_a_stored_push_nor_a_ready_loki() {
    let page = "<!DOCTYPE html><title>Sign in</title>";
    let (error, requests) = push(Say::ok(page)).await;
    assert_eq!(requests, 1);
    assert_eq!(
        error.to_string(),
        "Loki push: the answer is not Loki's (\"Sign in\"); repeating will not help"
    );
    push(Say::ok(r#"{"status":"ok"}"#)).await;
    for stored in [Say::refuse(204, ""), Say::ok(""), Say::ok("\n")] {
        Script::new([stored]).client().push(&streams()).await.unwrap();
    }

    for other in [page, "", "OK", "not ready"] {
        let error = Script::new([Say::ok(other)]).client().ready().await.unwrap_err();
        assert!(matches!(error, Error::Decode { operation: Operation::Ready, .. }), "{error}");
    }
    Script::new([Say::ok("ready\n")]).client().ready().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_query_of_the_other_kind_is_sent_to_the_method_that_answers_it() {
    let streams =
        r#"{"resultType":"streams","result":[{"stream":{"app":"web"},"values":[["5","a log line"]]}]}"#;
    let matrix = r#"{"resultType":"matrix","result":[{"metric":{"line":"a log line"},"values":[[1,"2"]]}]}"#;
    let client = |data| Script::new([Say::ok(format!(r#"{{"status":"success","data":{data}}}"#))]).client();
    let range = RangeQuery {
        query: query().query,
        start: Nanos::new(0),
        end: Nanos::new(10),
        step: Duration::from_secs(1),
        cached: false,
    };
    let entries = client(matrix).query_range(&query()).await.unwrap_err();
    let counts = client(matrix);
    let pages = counts.pages("rate({a=\"b\"}[1m])", query().window, PageOptions::default());
    let pages = pages.try_collect::<Vec<_>>().await.unwrap_err();
    let numbers = client(streams).range(&range).await.unwrap_err();
    let number = client(streams).instant(&range.query, Nanos::new(0)).await.unwrap_err();
    for (error, kind, method) in [
        (entries, "metric query", "`instant` and `range`"),
        (pages, "metric query", "`instant` and `range`"),
        (numbers, "log query", "`query_range`"),
        (number, "log query", "`query_range`"),
    ] {
        let text = error.to_string();
        assert!(matches!(error, Error::OtherKind { .. }) && !error.is_retryable(), "{text}");
        assert!(text.contains(kind) && text.contains(method), "{text}");
        assert!(!format!("{error:?} {text}").contains("a log line"), "{error:?}");
    }
}

/// The error of a push, and how often it was tried.
async fn push(say: Say) -> (Error, usize) {
    let script = Script::new([say]);
    let error = script.client().push(&streams()).await.unwrap_err();
    (error, script.sent().len())
}

fn streams() -> [PushStream; 1] {
    let entry = PushEntry { timestamp: Nanos::new(1), line: "lost".into(), ..PushEntry::default() };
    [PushStream { labels: Labels::from_iter([("app", "web")]), entries: vec![entry] }]
}
