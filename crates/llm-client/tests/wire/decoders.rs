//! Any bytes at all, in any pieces.

use llm_client::decode::{Decoder, Delta, SseParser, json_in};
use proptest::prelude::*;
use serde_json::json;

use crate::endpoint::{delta, last, usage};

fn stream() -> Vec<u8> {
    let events = [
        delta(&json!({"content": "<think>hm</think>"})),
        delta(&json!({"content": "über "})),
        delta(
            &json!({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{\"a\":"}}]}),
        ),
        delta(&json!({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]})),
        last("tool_calls"),
        usage(3, 4),
    ];
    let mut text: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    text += ": keep-alive\n\ndata: [DONE]\n\n";
    text.into_bytes()
}

/// The text and what was put together, for bytes in these pieces.
fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (String, Option<llm_client::decode::Answer>) {
    let mut decoder = Decoder::default();
    let mut deltas = Vec::new();
    for piece in pieces {
        if decoder.push(piece, &mut deltas).is_err() {
            break;
        }
    }
    let answer = decoder.finish(&mut deltas).ok();
    let text = |delta| if let Delta::Content(text) = delta { Some(text) } else { None };
    (deltas.into_iter().filter_map(text).collect(), answer)
}

/// Inputs from which the fuzzer (`fuzz/`) starts, and what it found.
#[test]
fn the_corpus_of_the_fuzzer_means_the_same_however_it_is_cut() {
    let corpus = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus")).expect("the corpus");
    let mut inputs = 0;
    for file in corpus {
        let path = file.expect("a file").path();
        let bytes = std::fs::read(&path).expect("its bytes");
        let whole = decode([bytes.as_slice()]);
        for size in [1, 2, 3, 7, 64] {
            assert_eq!(whole, decode(bytes.chunks(size)), "{} in pieces of {size}", path.display());
        }
        let _ = Decoder::whole(&bytes);
        let _ = json_in(&String::from_utf8_lossy(&bytes));
        inputs += 1;
    }
    assert!(inputs >= 20, "{inputs}");
}

proptest! {
    #[test]
    fn a_stream_means_the_same_however_it_is_cut(cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20)) {
        let bytes = stream();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|two| &bytes[two[0]..two[1]]);
        let (text, answer) = decode(pieces);
        let answer = answer.expect("whole");
        prop_assert_eq!(&text, "über ");
        prop_assert_eq!(&answer.content, "über ");
        prop_assert_eq!(answer.reasoning.as_deref(), Some("hm"));
        prop_assert_eq!(&answer.tool_calls[0].arguments, "{\"a\":1}");
        prop_assert_eq!(answer.usage.expect("counted").total_tokens(), 7);
    }

    #[test]
    fn a_damaged_stream_is_decoded_alike_whole_and_byte_by_byte(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let mut bytes = stream();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        prop_assert_eq!(decode([bytes.as_slice()]), decode(bytes.chunks(1)));
    }

    #[test]
    fn any_bytes_are_decoded_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = Decoder::whole(&bytes);
        let _ = decode([bytes.as_slice()]);
        let mut events = Vec::new();
        let _ = SseParser::default().push(&bytes, &mut events);
        let _ = json_in(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn json_is_found_in_any_prose_without_braces(before in "[^{}\\[\\]`<]{0,200}", after in "[^{}\\[\\]`<]{0,200}") {
        let value = json!({"a": [1, {"b": "c"}]});
        let found = json_in(&format!("{before}{value}{after}"));
        prop_assert_eq!(found.first(), Some(&value));
    }
}
