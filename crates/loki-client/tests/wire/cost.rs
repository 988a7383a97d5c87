//! What an answer costs must not grow faster than the answer. Measured where it counts, in a release build:
//! `cargo test --release -p loki-client --test wire cost -- --nocapture`.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use loki_client::decode;

/// Answers that grow in different ways, of about `size` bytes.
fn answers(size: usize) -> Vec<(&'static str, String)> {
    let repeated = |before: &str, part: &dyn Fn(usize) -> String, after: &str| {
        let mut text = before.to_owned();
        let mut n = 0;
        while text.len() < size {
            let comma = if n == 0 { "" } else { "," };
            write!(text, "{comma}{}", part(n)).unwrap();
            n += 1;
        }
        text + after
    };
    let streams = r#"{"data":{"resultType":"streams","result":["#;
    let one = |inside: &str| format!(r#"{streams}{{"stream":{{}},"values":[{inside}"#);
    vec![
        (
            "entries",
            repeated(
                &one(""),
                &|n| format!(r#"["{n}","line {n}",{{"structuredMetadata":{{"k":"{n}"}}}}]"#),
                "]}]}}",
            ),
        ),
        (
            "streams",
            repeated(streams, &|n| format!(r#"{{"stream":{{"a":"{n}"}},"values":[["1",""]]}}"#), "]}}"),
        ),
        (
            "labels",
            repeated(
                &format!(r#"{streams}{{"stream":{{"#),
                &|n| format!(r#""l{n}":"""#),
                r#"},"values":[]}]}}"#,
            ),
        ),
        (
            "one label again and again",
            repeated(&format!(r#"{streams}{{"stream":{{"#), &|_| r#""a":"""#.into(), r#"},"values":[]}]}}"#),
        ),
        ("a long line", format!(r#"{}["1","{}"]]}}]}}}}"#, one(""), "x".repeat(size))),
        ("escapes", format!(r#"{}["1","{}"]]}}]}}}}"#, one(""), r"\u0000".repeat(size / 6))),
        ("a number of digits", format!(r#"{}["{}",""]]}}]}}}}"#, one(""), "1".repeat(size))),
        ("brackets", "[".repeat(size)),
        (
            "statistics",
            repeated(
                r#"{"stats":["#,
                &|n| format!(r#"{{"a":[{n}]}}"#),
                r#"],"data":{"resultType":"streams","result":[]}}"#,
            ),
        ),
        (
            "samples",
            repeated(
                r#"{"data":{"resultType":"matrix","result":[{"metric":{},"values":["#,
                &|n| format!(r#"[{n}.5,"{n}"]"#),
                "]}]}}",
            ),
        ),
        (
            "dropped entries",
            repeated(
                r#"{"dropped_entries":["#,
                &|n| format!(r#"{{"labels":{{"a":"{n}"}},"timestamp":"{n}"}}"#),
                "]}",
            ),
        ),
    ]
}

fn median_of_5(text: &str) -> Duration {
    let mut times: Vec<_> = (0..5)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..10 {
                let _ = decode::entries(text.as_bytes());
                let _ = decode::value(text.as_bytes());
                let _ = decode::tail_frame(text.as_bytes());
            }
            start.elapsed()
        })
        .collect();
    times.sort();
    times[2]
}

#[test]
fn an_answer_twice_as_large_costs_two_and_a_half_times_at_most() {
    for size in [64 << 10, 256 << 10, 1 << 20] {
        for ((name, once), (_, twice)) in answers(size).into_iter().zip(answers(2 * size)) {
            let (once, twice) = (median_of_5(&once), median_of_5(&twice));
            let ratio = twice.as_secs_f64() / once.as_secs_f64();
            println!("{:>4} KiB of {name}: {once:?}, twice as many: {ratio:.2} times", size >> 10);
            // What ends at the first bytes costs nothing, whatever follows.
            assert!(ratio <= 2.5 || twice < Duration::from_micros(100), "{name}: {ratio}");
        }
    }
}
