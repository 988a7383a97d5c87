//! Twice the input costs twice the time, whatever the input is.
//!
//! `cargo test --release -p loki-client -p llm-client -p feishu --test wire cost -- --nocapture --test-threads 1`
//! prints the numbers of what is shipped.

use llm_client::decode::{Decoder, json_in};
use serde_json::json;

use crate::endpoint::{answer, delta};
use crate::growth::Growths;

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

#[test]
fn twice_the_input_costs_at_most_two_and_a_half_times_as_much() {
    let mut growths = Growths::default();
    for (kind, make) in inputs() {
        for (decoder, decode) in decoders() {
            growths.measure(&format!("{kind}, {decoder}"), |size| {
                let input = make(size);
                move || decode(&input)
            });
        }
    }
    growths.judge();
}
