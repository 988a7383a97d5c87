//! 59 exchanges with a real Loki: what was answered then is read as what it was.
//!
//! `fixtures/loki-3.7.6.jsonl` holds the exchanges. `fixtures/loki-3.7.6.txt` holds what they mean, written by another
//! program than this crate (and the refusals by hand).

use std::fmt::Write as _;
use std::time::Duration;

use loki_client::{
    Direction, Error, Labels, LogQuery, Loki, Nanos, PushEncoding, PushEntry, PushStream, RangeQuery,
    Refusal, Sample, TailQuery, Value, Window,
};
use serde_json::Value as Json;

use crate::script::{Say, Script};

const EXCHANGES: &str = include_str!("../fixtures/loki-3.7.6.jsonl");
const MEANING: &str = include_str!("../fixtures/loki-3.7.6.txt");

#[tokio::test(start_paused = true)]
async fn each_of_59_recordings_is_read_as_what_it_was() {
    let mut meaning = String::new();
    let mut count = 0;
    for line in EXCHANGES.lines() {
        let recording = Recording(serde_json::from_str(line).unwrap());
        writeln!(meaning, "{}", recording.text("/name")).unwrap();
        let lines = recording.play().await.unwrap_or_else(|error| vec![refusal(&error)]);
        lines.iter().for_each(|line| writeln!(meaning, "    {line}").unwrap());
        count += 1;
    }
    assert_eq!(count, 59);
    for (read, meant) in meaning.lines().zip(MEANING.lines()) {
        assert_eq!(read, meant);
    }
    assert_eq!(meaning.len(), MEANING.len());
}

struct Recording(Json);

impl Recording {
    fn text(&self, pointer: &str) -> &str {
        self.0.pointer(pointer).and_then(Json::as_str).unwrap_or_default()
    }

    fn param(&self, name: &str) -> &str {
        self.0["request"]["params"][name].as_str().unwrap_or_default()
    }

    fn nanos(&self, name: &str) -> Option<Nanos> {
        self.param(name).parse().ok().map(Nanos::new)
    }

    fn window(&self) -> Window {
        let start = self.nanos("start").unwrap_or_default();
        // A window that is empty the client does not even ask for: the answer is what matters here.
        Window::new(start, self.nanos("end").filter(|end| *end > start).unwrap_or(Nanos::MAX))
    }

    /// The client's own call, answered as it was answered then.
    async fn play(&self) -> Result<Vec<String>, Error> {
        let body = match &self.0["response"]["body"] {
            Json::String(text) => text.clone(),
            json => json.to_string(),
        };
        let status = self.0["response"]["status"].as_u64().unwrap();
        let script = Script::new([Say::refuse(status.try_into().unwrap(), body)]);
        let client = script.builder().push_encoding(PushEncoding::Json).tries(1).build().unwrap();
        let read = self.ask(&client).await;
        self.compare(&script);
        read
    }

    /// Whether the client asked what was asked then, as far as it was something that it can ask.
    fn compare(&self, script: &Script) {
        let sent = script.only();
        let refused = self.0["response"]["status"].as_u64().unwrap() >= 300;
        let Some(asked) = self.0.get("request").filter(|_| !refused) else { return };
        assert_eq!(sent.method.as_str(), asked["method"].as_str().unwrap());
        let path = format!("/prefix{}", asked["path"].as_str().unwrap());
        assert_eq!(sent.url.parse::<url::Url>().unwrap().path(), path);
        for (name, value) in asked["params"].as_object().into_iter().flatten() {
            // The same step is written in milliseconds, and what is empty is not asked for.
            if name == "step" || (name == "end" && asked["params"]["start"] == *value) {
                continue;
            }
            assert_eq!(Some(&sent.params[name.as_str()][..]), value.as_str(), "{name}");
        }
        if !asked["body"].is_null() {
            let body: Json = serde_json::from_slice(&sent.body).unwrap();
            // Equal streams; of two equal values the recording has each.
            assert_eq!(body, asked["body"]);
        }
    }

    async fn ask(&self, client: &impl Loki) -> Result<Vec<String>, Error> {
        let (query, window) = (self.param("query"), self.window());
        let at = |sample: Sample| format!("{}@{}", sample.value, sample.millis);
        Ok(match self.text("/request/path") {
            "/loki/api/v1/push" => {
                client.push(&self.streams()).await?;
                vec!["stored".into()]
            }
            // Without a request of their own: the answers are those of any push, and of any query.
            "" if self.text("/name").starts_with("push") => {
                client.push(&one_entry()).await?;
                vec!["stored".into()]
            }
            "/loki/api/v1/query_range" if !query.starts_with('{') && !query.is_empty() => {
                let range = RangeQuery {
                    query: query.into(),
                    start: window.start,
                    end: window.end,
                    step: Duration::from_secs(10),
                    cached: false,
                };
                let series = client.range(&range).await?.into_iter();
                series
                    .map(|one| {
                        format!(
                            "{} {}",
                            one.labels,
                            one.samples.into_iter().map(at).collect::<Vec<_>>().join(" ")
                        )
                    })
                    .collect()
            }
            "/loki/api/v1/query_range" | "" | "/loki/api/v1/nope" => {
                let direction = match self.param("direction") {
                    "forward" => Direction::Forward,
                    _ => Direction::Backward,
                };
                let limit = self.param("limit").parse().unwrap_or(100);
                let query = LogQuery { query: query.into(), window, limit, direction };
                let base: i64 = self.text("/base_ns").parse().unwrap_or_default();
                let entries = client.query_range(&query).await?.into_iter();
                entries
                    .map(|entry| {
                        let after = entry.timestamp.get() - base;
                        let line = entry.line.replace('\u{1b}', "\\e");
                        format!("+{after} {} {line} {} {}", entry.labels, entry.metadata, entry.parsed)
                    })
                    .collect()
            }
            "/loki/api/v1/query" => {
                match client.instant(query, self.nanos("time").unwrap_or_default()).await? {
                    Value::Scalar(sample) => vec![at(sample)],
                    Value::Vector(vector) => vector
                        .into_iter()
                        .map(|(labels, sample)| format!("{labels} {}", at(sample)))
                        .collect(),
                    other => panic!("{other:?}"),
                }
            }
            "/loki/api/v1/labels" => client.labels(window).await?,
            "/loki/api/v1/label/app/values" => client.label_values("app", window).await?,
            "/loki/api/v1/series" => {
                let series = client.series(&[self.param("match[]").into()], window).await?;
                series.iter().map(ToString::to_string).collect()
            }
            "/loki/api/v1/index/stats" => {
                let stats = client.index_stats(query, window).await?;
                let (streams, chunks) = (stats.streams, stats.chunks);
                vec![format!(
                    "{streams} streams, {chunks} chunks, {} bytes, {} entries",
                    stats.bytes, stats.entries
                )]
            }
            "/loki/api/v1/detected_fields" => {
                let fields = client.detected_fields(query, window).await?.into_iter();
                fields
                    .map(|one| {
                        format!("{} {} {} [{}]", one.name, one.kind, one.cardinality, one.parsers.join(" "))
                    })
                    .collect()
            }
            "/loki/api/v1/detected_labels" => {
                let labels = client.detected_labels(query, window).await?.into_iter();
                labels.map(|one| format!("{} {}", one.name, one.cardinality)).collect()
            }
            "/loki/api/v1/patterns" => {
                client.patterns(query, window).await?.into_iter().map(|one| one.pattern).collect()
            }
            "/loki/api/v1/format_query" => vec![client.format_query(query).await?],
            "/ready" => {
                client.ready().await?;
                vec!["ready".into()]
            }
            "/loki/api/v1/status/buildinfo" => {
                vec![format!("version {}", client.build_info().await?.version)]
            }
            "/loki/api/v1/tail" => {
                let query = TailQuery { query: query.into(), start: None, limit: 100 };
                client.tail(&query).await?;
                vec![]
            }
            other => panic!("{other}"),
        })
    }

    /// What was pushed then; an entry where that was something that the client does not push.
    fn streams(&self) -> Vec<PushStream> {
        let labels = |json: &Json| serde_json::from_value::<Labels>(json.clone()).ok();
        let entry = |json: &Json| {
            Some(PushEntry {
                timestamp: Nanos::new(json[0].as_str()?.parse().ok()?),
                line: json[1].as_str()?.to_owned(),
                metadata: labels(&json[2]).unwrap_or_default(),
            })
        };
        let stream = |json: &Json| {
            let entries = json["values"].as_array()?.iter().map(entry).collect::<Option<_>>()?;
            Some(PushStream { labels: labels(&json["stream"])?, entries })
        };
        let streams = self.0["request"]["body"]["streams"].as_array().into_iter().flatten();
        match streams.map(stream).collect::<Option<Vec<_>>>() {
            Some(streams) if !streams.is_empty() => streams,
            _ => one_entry(),
        }
    }
}

fn one_entry() -> Vec<PushStream> {
    vec![PushStream { labels: Labels::from_iter([("app", "web")]), entries: vec![PushEntry::default()] }]
}

fn refusal(error: &Error) -> String {
    match error {
        Error::Refused { refusal: Refusal::Limit { most: Some(most) }, .. } => {
            format!("refused: Limit {most}")
        }
        Error::Refused { refusal, .. } => format!("refused: {refusal:?}"),
        other => panic!("{other:?}"),
    }
}
