//! What an answer costs must not grow faster than the answer.
//!
//! Processor time of this thread, so that a busy machine does not matter. `cargo test --release -p loki-client --test
//! wire cost -- --nocapture` prints the numbers of what is shipped.

use std::fmt::Write as _;
use std::time::Duration;

use loki_client::decode;
use rustix::time::{ClockId, clock_gettime};

/// Shorter ones say more about the clock than about the code.
const MEASURED: Duration = Duration::from_millis(2);

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

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}

/// Seconds that one decoding takes, by every decoder.
fn cost(text: &str) -> f64 {
    let start = processor_time();
    let mut runs = 0.0;
    loop {
        let _ = decode::entries(text.as_bytes());
        let _ = decode::value(text.as_bytes());
        let _ = decode::tail_frame(text.as_bytes());
        runs += 1.0;
        let taken = processor_time() - start;
        if taken >= MEASURED {
            return taken.as_secs_f64() / runs;
        }
    }
}

/// How much dearer the second one is, by the medians of five rounds in which they take turns.
fn growth(once: &str, twice: &str) -> f64 {
    let mut costs: Vec<_> = (0..5).map(|_| (cost(once), cost(twice))).collect();
    let mut median = |of: fn(&(f64, f64)) -> f64| {
        costs.sort_by(|one, other| of(one).total_cmp(&of(other)));
        of(&costs[2])
    };
    median(|costs| costs.1) / median(|costs| costs.0)
}

#[test]
fn an_answer_twice_as_large_costs_two_and_a_half_times_at_most() {
    let mut worst = 0.0_f64;
    for size in [64 << 10, 128 << 10] {
        for ((name, once), (_, twice)) in answers(size).into_iter().zip(answers(2 * size)) {
            // A neighbour on the same core can make one measurement wrong. What grows faster does so every time.
            let growth = (0..4).map(|_| growth(&once, &twice)).find(|growth| *growth <= 2.5);
            let growth = growth.unwrap_or_else(|| panic!("{name}: more than 2.5 times, again and again"));
            println!("{growth:.2} times: {} KiB of {name}", size >> 10);
            worst = worst.max(growth);
        }
    }
    println!("{worst:.2} times at most");
}
