//! What was asked, kept for tests to look at.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// Older ones are forgotten; their numbers are not given again.
const MOST: usize = 20_000;

/// One request.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// 1 for the first.
    pub seq: u64,
    /// When it came.
    pub at: Timestamp,
    /// Its method.
    pub method: String,
    /// Its path, with the query.
    pub path: String,
    /// Its headers, names in lower case. Of `Authorization` only the scheme: somebody may have sent a real key.
    pub headers: BTreeMap<String, String>,
    /// Its body as JSON; as a text when it is none.
    pub body: Value,
    /// What became of it, in a word of the stand-in's.
    pub answer: Option<String>,
}

/// The requests of a stand-in, in order.
#[derive(Debug, Default)]
pub struct Records {
    kept: VecDeque<Record>,
    last: u64,
}

impl Records {
    /// Writes a request down; returns its number.
    pub fn add(&mut self, at: Timestamp, request: &Request<Bytes>) -> u64 {
        self.last += 1;
        if self.kept.len() == MOST {
            self.kept.pop_front();
        }
        let headers = request.headers().iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            let shown =
                if name == AUTHORIZATION { value.split(' ').next().unwrap_or_default() } else { &value };
            (name.as_str().to_owned(), shown.to_owned())
        });
        self.kept.push_back(Record {
            seq: self.last,
            at,
            method: request.method().to_string(),
            path: request.uri().to_string(),
            headers: headers.collect(),
            body: serde_json::from_slice(request.body())
                .unwrap_or_else(|_| String::from_utf8_lossy(request.body()).into_owned().into()),
            answer: None,
        });
        self.last
    }

    /// Notes what became of a request.
    pub fn answered(&mut self, seq: u64, answer: impl Into<String>) {
        if let Some(record) = self.kept.iter_mut().rfind(|record| record.seq == seq) {
            record.answer = Some(answer.into());
        }
    }

    /// Those after number `seq`, in order.
    pub fn since(&self, seq: u64) -> impl Iterator<Item = &Record> {
        self.kept.iter().skip_while(move |record| record.seq <= seq)
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.kept.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_kept_without_the_key_it_came_with() {
        let mut records = Records::default();
        let request = Request::post("/v1/chat?x=1")
            .header(AUTHORIZATION, "Bearer EXAMPLE")
            .body(Bytes::from_static(b"{\"a\": 1}"))
            .unwrap();
        let seq = records.add(Timestamp::UNIX_EPOCH, &request);
        records.answered(seq, "200");
        let shown = serde_json::to_string(&records.since(0).collect::<Vec<_>>()).unwrap();
        assert!(!shown.contains("EXAMPLE") && shown.contains("\"authorization\":\"Bearer\""), "{shown}");
        assert_eq!(records.since(0).next().unwrap().body["a"], 1);
        assert_eq!(records.since(seq).count(), 0);
    }

    #[test]
    fn the_oldest_are_forgotten_first() {
        let mut records = Records::default();
        let request = Request::get("/").body(Bytes::new()).unwrap();
        for _ in 0..=MOST {
            records.add(Timestamp::UNIX_EPOCH, &request);
        }
        assert_eq!(records.since(0).map(|record| record.seq).next(), Some(2));
    }
}
