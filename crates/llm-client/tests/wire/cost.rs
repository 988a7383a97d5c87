//! Twice the input costs twice the time, whatever the input is.
//!
//! Processor time of this thread, so that a busy machine does not matter. `cargo test --release -p llm-client --test
//! wire twice -- --nocapture` prints the numbers of what is shipped.

use std::time::Duration;

use llm_client::decode::{Decoder, json_in};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

use crate::endpoint::{answer, delta};

const SIZES: [usize; 3] = [64 << 10, 128 << 10, 256 << 10];
const ROUNDS: usize = 5;
const ATTEMPTS: usize = 4;
/// Shorter ones say more about the clock than about the code.
const MEASURED: Duration = Duration::from_millis(2);
const MOST: f64 = 2.5;

/// A kind of input, as long as it is wanted.
type Input = (&'static str, fn(usize) -> Vec<u8>);
type Decode = (&'static str, fn(&[u8]));

fn repeated(unit: &str, size: usize) -> String {
    unit.repeat(size.div_ceil(unit.len()))
}

fn inputs() -> Vec<Input> {
    vec![
        ("a stream of words", |size| {
            repeated(&format!("data: {}\n\n", delta(&json!({"content": "word "}))), size).into()
        }),
        ("a stream of reasoning in tags", |size| {
            let start = format!("data: {}\n\n", delta(&json!({"content": "<think>"})));
            (start + &repeated(&format!("data: {}\n\n", delta(&json!({"content": "</thin"}))), size)).into()
        }),
        ("a stream of tool calls", |size| {
            let unit = |index: usize| {
                let call = json!({"index": index, "function": {"name": "f", "arguments": "{}"}});
                format!("data: {}\n\n", delta(&json!({"tool_calls": [call]})))
            };
            (0..size / unit(0).len()).map(unit).collect::<String>().into()
        }),
        ("comments", |size| repeated(": keep-alive\n\n", size).into()),
        ("line ends", |size| repeated("\r\n\r\r\n\n", size).into()),
        ("one event of many lines", |size| repeated("data:\n", size).into()),
        ("one line without end", |size| ("data: ".to_owned() + &repeated("x", size)).into()),
        ("one answer", |size| {
            answer(&json!({"content": repeated("word ", size)}), "stop").to_string().into()
        }),
        ("one answer of escapes", |size| {
            answer(&json!({"content": repeated("\"\n", size / 2)}), "stop").to_string().into()
        }),
        ("many choices", |size| format!("{{\"choices\": [{}0]}}", repeated("{\"index\": 1},", size)).into()),
        ("many fields", |size| {
            let fields: String = (0..size / 12).map(|number| format!("\"{number:07}\":1,")).collect();
            format!("{{{fields}\"choices\":[]}}").into()
        }),
        ("an error of many words", |size| {
            json!({"error": {"message": repeated("no ", size)}}).to_string().into()
        }),
        ("open braces", |size| repeated("{", size).into()),
        ("open objects", |size| repeated("{\"a\":", size).into()),
        ("braces in prose", |size| repeated("{not json} [nor this ", size).into()),
        ("many small values", |size| {
            (0..size / 12).map(|number| format!("x{{\"a\":{number}}}")).collect::<String>().into()
        }),
        ("fences", |size| repeated("```json\n{\"a\": 1}\n```\n", size).into()),
        ("open fences", |size| repeated("```{", size).into()),
        ("ends of thoughts", |size| repeated("</think>{", size).into()),
        ("bytes that are no text", |size| {
            repeated("data: ", 6).into_bytes().into_iter().chain(vec![0xff; size]).collect()
        }),
    ]
}

fn decoders() -> Vec<Decode> {
    vec![
        ("stream", |bytes| {
            let mut decoder = Decoder::default();
            let mut deltas = Vec::new();
            let _ = decoder.push(bytes, &mut deltas);
            let _ = decoder.finish(&mut deltas);
        }),
        ("stream in pieces of 7 bytes", |bytes| {
            let mut decoder = Decoder::default();
            let mut deltas = Vec::new();
            let _ = bytes.chunks(7).try_for_each(|piece| decoder.push(piece, &mut deltas));
            let _ = decoder.finish(&mut deltas);
        }),
        ("whole", |bytes| drop(Decoder::whole(bytes))),
        ("json in text", |bytes| drop(json_in(&String::from_utf8_lossy(bytes)))),
    ]
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Seconds that one run takes.
fn cost(decode: fn(&[u8]), input: &[u8]) -> f64 {
    let start = processor_time();
    let mut runs = 0.0;
    loop {
        decode(input);
        runs += 1.0;
        let taken = processor_time() - start;
        if taken >= MEASURED {
            return taken.as_secs_f64() / runs;
        }
    }
}

/// How much dearer the dearer of two doublings is, by the median of the rounds. They take turns, so that a slow moment
/// of the machine hits all sizes.
fn growth(decode: fn(&[u8]), sized: &[Vec<u8>; 3]) -> f64 {
    let mut costs = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        for (costs, input) in costs.iter_mut().zip(sized) {
            costs.push(cost(decode, input));
        }
    }
    let [one, two, four] = costs.map(|mut costs: Vec<f64>| {
        costs.sort_by(f64::total_cmp);
        costs[ROUNDS / 2]
    });
    (two / one).max(four / two)
}

#[test]
fn twice_the_input_costs_at_most_two_and_a_half_times_as_much() {
    let mut worst = 0.0_f64;
    for (what, make) in inputs() {
        let sized = SIZES.map(make);
        for (name, decode) in decoders() {
            // A neighbour on the same core can make one measurement wrong. What grows faster does so every time.
            let growth = (0..ATTEMPTS).map(|_| growth(decode, &sized)).find(|growth| *growth <= MOST);
            let growth =
                growth.unwrap_or_else(|| panic!("{what}, {name}: more than {MOST} times, again and again"));
            println!("{growth:.2} times: {what}, {name}");
            worst = worst.max(growth);
        }
    }
    println!("{worst:.2} times at most");
}
