//! What an answer, or a stored state, costs must not grow faster than it does itself.
//!
//! `cargo test --release -p loki-client -p llm-client -p feishu --test wire cost -- --nocapture --test-threads 1`
//! prints the numbers of what is shipped.

use loki_client::{Cursor, CursorOptions, CursorState, decode};

use crate::growth::Growths;

const STREAMS: &str = r#"{"data":{"resultType":"streams","result":["#;
const STATE: &str = r#"{"version":1,"query":"{a=\"b\"}","start":0,"reached":0,"ledger":{"step":60000000000,"floor":0,"buckets":["#;

/// A text of about so many bytes.
type Make = Box<dyn Fn(usize) -> String>;

/// Numbered parts between commas.
fn repeated(
    before: impl Into<String>,
    part: impl Fn(usize) -> String + 'static,
    after: &'static str,
) -> Make {
    let before = before.into();
    Box::new(move |size| {
        let mut text = before.clone();
        for n in 0.. {
            if text.len() >= size {
                break;
            }
            if n > 0 {
                text.push(',');
            }
            text += &part(n);
        }
        text + after
    })
}

/// A stream up to its first value.
fn stream() -> String {
    format!(r#"{STREAMS}{{"stream":{{}},"values":["#)
}

/// Up to a stream's first label.
fn labels() -> String {
    format!(r#"{STREAMS}{{"stream":{{"#)
}

/// One bucket of a ledger in which all fingerprints are zero: how many bits one takes depends on how many there are.
fn state_of_one_bucket(size: usize) -> String {
    let lines = size / 4;
    let bits = lines * (1 + ((1_u64 << 40) / lines as u64).ilog2() as usize);
    let prints = "A".repeat((bits.div_ceil(8) * 8).div_ceil(6));
    format!(r#"{STATE}{{"number":0,"lines":{lines},"prints":"{prints}"}}]}}}}"#)
}

/// Texts that grow in different ways.
fn kinds() -> Vec<(&'static str, Make)> {
    vec![
        (
            "entries",
            repeated(
                stream(),
                |n| format!(r#"["{n}","line {n}",{{"structuredMetadata":{{"k":"{n}"}}}}]"#),
                "]}]}}",
            ),
        ),
        (
            "streams",
            repeated(STREAMS, |n| format!(r#"{{"stream":{{"a":"{n}"}},"values":[["1",""]]}}"#), "]}}"),
        ),
        ("labels", repeated(labels(), |n| format!(r#""l{n}":"""#), r#"},"values":[]}]}}"#)),
        ("one label again and again", repeated(labels(), |_| r#""a":"""#.into(), r#"},"values":[]}]}}"#)),
        ("a long line", Box::new(|size| format!(r#"{}["1","{}"]]}}]}}}}"#, stream(), "x".repeat(size)))),
        (
            "escapes",
            Box::new(|size| format!(r#"{}["1","{}"]]}}]}}}}"#, stream(), r"\u0000".repeat(size / 6))),
        ),
        (
            "a number of digits",
            Box::new(|size| format!(r#"{}["{}",""]]}}]}}}}"#, stream(), "1".repeat(size))),
        ),
        ("brackets", Box::new(|size| "[".repeat(size))),
        (
            "statistics",
            repeated(
                r#"{"stats":["#,
                |n| format!(r#"{{"a":[{n}]}}"#),
                r#"],"data":{"resultType":"streams","result":[]}}"#,
            ),
        ),
        (
            "samples",
            repeated(
                r#"{"data":{"resultType":"matrix","result":[{"metric":{},"values":["#,
                |n| format!(r#"[{n}.5,"{n}"]"#),
                "]}]}}",
            ),
        ),
        (
            "dropped entries",
            repeated(
                r#"{"dropped_entries":["#,
                |n| format!(r#"{{"labels":{{"a":"{n}"}},"timestamp":"{n}"}}"#),
                "]}",
            ),
        ),
        (
            "a state of many buckets",
            repeated(STATE, |n| format!(r#"{{"number":{n},"lines":0,"prints":""}}"#), "]}}"),
        ),
        ("a state of one bucket", Box::new(state_of_one_bucket)),
    ]
}

/// Whether the text is a state that can be taken up.
fn is_state(text: &str) -> bool {
    serde_json::from_str::<CursorState>(text)
        .is_ok_and(|state| Cursor::resume(&state, CursorOptions::default()).is_ok())
}

#[test]
fn twice_as_much_costs_two_and_a_half_times_at_most() {
    let mut growths = Growths::default();
    for (kind, make) in kinds() {
        assert_eq!(is_state(&make(1 << 10)), kind.starts_with("a state"), "{kind}");
        growths.measure(kind, |size| {
            let text = make(size);
            move || {
                let _ = decode::entries(text.as_bytes());
                let _ = decode::value(text.as_bytes());
                let _ = decode::tail_frame(text.as_bytes());
                is_state(&text);
            }
        });
    }
    growths.judge();
}
