//! A Loki in memory behind the client's `Transport`.
//!
//! It keeps to what is documented and measured, and makes use of every freedom that this leaves: entries of one
//! nanosecond come in another order each time, a page takes any of them, streams come in any order.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use loki_client::{Entry, HttpLoki, Labels, Nanos, Transport, TransportError, Upgrade, Window};
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::logql::Query;

/// An entry as it is stored: stream labels, line, metadata.
pub(crate) type Stored = (Labels, String, Labels);

#[derive(Clone)]
pub(crate) struct Model(Arc<Mutex<World>>);

/// Why counts fail where reading works.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Uncountable {
    TimesOut,
    /// A label that is compared with a number holds none.
    NoNumber,
}

struct World {
    entries: BTreeMap<i64, BTreeSet<Stored>>,
    chance: ChaCha8Rng,
    max_entries: usize,
    /// More entries than this in a window are too many bytes.
    max_read: usize,
    /// Of a hundred answers, so many are none.
    faults: u32,
    /// What is said to whatever counts entries.
    uncountable: Option<Uncountable>,
    queries: usize,
}

impl Model {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(World {
            entries: BTreeMap::new(),
            chance: ChaCha8Rng::seed_from_u64(seed),
            max_entries: 5000,
            max_read: usize::MAX,
            faults: 0,
            uncountable: None,
            queries: 0,
        })))
    }

    /// `max_entries_limit_per_query`.
    pub(crate) fn max_entries(self, most: usize) -> Self {
        self.0.lock().unwrap().max_entries = most;
        self
    }

    /// `max_query_bytes_read`, in entries.
    pub(crate) fn max_read(self, most: usize) -> Self {
        self.0.lock().unwrap().max_read = most;
        self
    }

    /// In percent.
    pub(crate) fn faults(&self, percent: u32) {
        self.0.lock().unwrap().faults = percent;
    }

    /// From now on counts fail, or no longer.
    pub(crate) fn uncountable(&self, uncountable: Option<Uncountable>) {
        self.0.lock().unwrap().uncountable = uncountable;
    }

    /// A client of it that repeats nothing by itself.
    pub(crate) fn client(&self) -> HttpLoki {
        HttpLoki::builder("http://loki.test".parse().unwrap())
            .transport(Arc::new(self.clone()))
            .tries(1)
            .build()
            .unwrap()
    }

    pub(crate) fn push(&self, at: Nanos, labels: Labels, line: &str, metadata: Labels) {
        let mut world = self.0.lock().unwrap();
        world.entries.entry(at.get()).or_default().insert((labels, line.to_owned(), metadata));
    }

    /// Whatever lies before is gone.
    pub(crate) fn delete_before(&self, at: Nanos) {
        let mut world = self.0.lock().unwrap();
        world.entries = world.entries.split_off(&at.get());
    }

    /// What a window holds, sorted.
    pub(crate) fn truth(&self, window: Window) -> Vec<(Nanos, Stored)> {
        let world = self.0.lock().unwrap();
        world
            .within(window.start.get(), window.end.get())
            .map(|(at, stored)| (Nanos::new(at), stored.clone()))
            .collect()
    }

    /// How many queries there were since the last time.
    pub(crate) fn queries(&self) -> usize {
        std::mem::take(&mut self.0.lock().unwrap().queries)
    }
}

/// An entry as the model would store it.
pub(crate) fn stored(entry: Entry) -> (Nanos, Stored) {
    (entry.timestamp, ((*entry.labels).clone(), entry.line, entry.metadata))
}

impl World {
    fn within(&self, start: i64, end: i64) -> impl Iterator<Item = (i64, &Stored)> {
        let range = if start < end { start..end } else { 0..0 };
        self.entries.range(range).flat_map(|(at, entries)| entries.iter().map(|entry| (*at, entry)))
    }

    fn answer(&mut self, path: &str, params: &HashMap<String, String>) -> (StatusCode, String) {
        let refuse = |text: &str| (StatusCode::BAD_REQUEST, text.to_owned());
        let query = Query::parse(&params["query"]);
        let number = |name: &str| params[name].parse::<i64>().unwrap();
        if path == "/loki/api/v1/query" {
            let at = number("time");
            let count = self.count(&query, at);
            let vector: Vec<_> = count
                .map(|count| json!({"metric": {}, "value": [at / 1_000_000_000, count]}))
                .into_iter()
                .collect();
            return success("vector", &json!(vector));
        }
        let (start, end) = (number("start"), number("end"));
        match self.uncountable.filter(|_| query.range.is_some()) {
            Some(Uncountable::TimesOut) => {
                return (StatusCode::GATEWAY_TIMEOUT, "request timed out".to_owned());
            }
            Some(Uncountable::NoNumber) => {
                return refuse(
                    "pipeline error: 'LabelFilterErr' for series: '{__error__=\"LabelFilterErr\", app=\"web\"}'.\nUse a \
                     label filter to intentionally skip this error. (e.g | __error__!=\"LabelFilterErr\").",
                );
            }
            None => {}
        }
        if query.range.is_some() {
            let step = params["step"].strip_suffix("ms").unwrap().parse::<i64>().unwrap() * 1_000_000;
            let start = start - start.rem_euclid(step);
            let times = (0..).map(|n| start + n * step).take_while(|at| *at <= end);
            let values: Vec<_> = times
                .filter_map(|at| self.count(&query, at).map(|count| json!([at / 1_000_000_000, count])))
                .collect();
            let series: Vec<_> =
                if values.is_empty() { vec![] } else { vec![json!({"metric": {}, "values": values})] };
            return success("matrix", &json!(series));
        }
        let limit: usize = params["limit"].parse().unwrap();
        if limit > self.max_entries {
            return refuse(&format!(
                "max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {})",
                self.max_entries
            ));
        }
        if self.within(start, end).nth(self.max_read).is_some() && end - start > 1_000_000_000 {
            return refuse(
                "the query would read too many bytes (query: 1GiB, limit: 1MiB); consider adding more specific stream selectors",
            );
        }
        let mut found: Vec<_> = self
            .within(start, end)
            .filter_map(|(at, (labels, line, metadata))| {
                let line = query.finds(labels, metadata, line)?.to_owned();
                Some((at, (labels.clone(), line, metadata.clone())))
            })
            .collect();
        found.shuffle(&mut self.chance);
        found.sort_by_key(|(at, _)| *at);
        if params["direction"] == "backward" {
            found.reverse();
        }
        found.truncate(limit);
        let mut streams: HashMap<Labels, Vec<Value>> = HashMap::new();
        for (at, (labels, line, metadata)) in found {
            let value = json!([at.to_string(), line, {"structuredMetadata": metadata}]);
            streams.entry(labels).or_default().push(value);
        }
        let streams: Vec<_> =
            streams.into_iter().map(|(stream, values)| json!({"stream": stream, "values": values})).collect();
        success("streams", &json!(streams))
    }

    /// As a string, and not at all when it is nothing.
    fn count(&self, query: &Query, at: i64) -> Option<String> {
        let start = at - query.range.unwrap() * 1_000_000;
        let found = self.within(start + 1, at + 1);
        let count = found
            .filter(|(_, (labels, line, metadata))| query.finds(labels, metadata, line).is_some())
            .count();
        (count > 0).then(|| count.to_string())
    }

    fn fault(&mut self) -> Option<(StatusCode, &'static str)> {
        if self.chance.random_range(0..100) >= self.faults {
            return None;
        }
        Some(match self.chance.random_range(0..3) {
            0 => (StatusCode::TOO_MANY_REQUESTS, "too many outstanding requests"),
            1 => (StatusCode::GATEWAY_TIMEOUT, "request timed out, decrease the duration of the request"),
            _ => (StatusCode::OK, ""),
        })
    }
}

fn success(kind: &str, result: &Value) -> (StatusCode, String) {
    let data = json!({"resultType": kind, "result": result, "stats": {"summary": {}}});
    (StatusCode::OK, json!({"status": "success", "data": data}).to_string())
}

#[async_trait]
impl Transport for Model {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let mut world = self.0.lock().unwrap();
        world.queries += 1;
        let form = if request.method() == http::Method::POST { request.body() } else { &Bytes::new() };
        let params = request.uri().query().unwrap_or_default().as_bytes();
        let params =
            url::form_urlencoded::parse(if params.is_empty() { form } else { params }).into_owned().collect();
        let (mut status, mut text) = world.answer(request.uri().path(), &params);
        match world.fault() {
            // Cut short, wherever that is.
            Some((StatusCode::OK, _)) => {
                let mut end = world.chance.random_range(0..text.len());
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                text.truncate(end);
            }
            Some((refused, said)) => (status, text) = (refused, said.to_owned()),
            None => {}
        }
        Ok(Response::builder().status(status).body(text.into()).unwrap())
    }

    async fn upgrade(&self, _: Request<Bytes>) -> Result<Upgrade, TransportError> {
        Err(TransportError::NotSent("the model has no tail".into()))
    }
}
