//! Whatever the bytes are: no panic, and nothing is lost.

use log_template::{Event, Joiner, Miner};
use proptest::prelude::*;

use crate::property;

/// What must hold for any line.
fn check(miner: &mut Miner, line: &[u8]) {
    let id = miner.observe(line).template;
    let template = miner.template(id).expect("few templates are never forgotten");
    let values = template.values(line).expect("a line is of its template");
    assert!(values.iter().all(|place| place.start <= place.end && place.end <= line.len()));
    assert!(values.is_sorted_by(|a, b| a.end <= b.start));
    assert_eq!(miner.observe(line).template, id, "the same line is the same template");
}

#[test]
fn bytes_that_are_no_text_have_a_template_and_come_back_as_they_were() {
    let mut miner = Miner::default();
    for line in [
        &b""[..],
        b"\0",
        b"\xff\xfe broken \x80 text",
        b"\x1b[31mred\x1b[0m",
        b"\xe4\xbd",
        b"\xf0\x9f\x98",
        b"{",
        b"{\"msg\":\"",
        b"=",
    ] {
        check(&mut miner, line);
    }
}

#[test]
fn a_line_of_ten_megabytes_is_one_line() {
    for unit in
        [&b"a"[..], b"a ", b"1 ", b"{\"", b"\\", b"[(", b"=:", b"k=v ", b"\xe4\xbd\xa0", b"1.", b"12:", b"/"]
    {
        let line = unit.repeat(10_000_000 / unit.len());
        check(&mut Miner::default(), &line);
    }
}

proptest! {
    #[test]
    fn any_bytes_have_a_template(lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..20)) {
        let mut miner = Miner::default();
        for line in &lines {
            check(&mut miner, line);
        }
    }

    #[test]
    fn anything_that_looks_like_a_log_has_a_template(
        lines in proptest::collection::vec(
            proptest::collection::vec(prop_oneof![
                Just("2026-01-02T03:04:05Z "), Just("INFO "), Just("[main] "), Just("a.b.C: "), Just("{\"msg\":\""), Just("\"}"),
                Just("msg="), Just("10.0.0.1"), Just(":"), Just(", "), Just("("), Just(")"), Just("words "), Just("ms "),
                Just("7"), Just("\""), Just("<34>1 "), Just("- "), Just("\tat "), Just("stdout F "), Just("任务"), Just("。"), Just("Jan  2 "),
            ], 0..30),
            1..20,
        ),
    ) {
        let mut miner = Miner::default();
        for line in &lines {
            check(&mut miner, line.concat().as_bytes());
        }
    }

    #[test]
    fn no_line_of_an_event_is_lost(lines in proptest::collection::vec(prop_oneof![
        Just("panic: x"), Just(""), Just("goroutine 1 [running]:"), Just("\tat a.b(C.java:1)"), Just("a.B: c"), Just("Error: d"),
        Just("Traceback (most recent call last):"), Just("  File \"x\", line 1"), Just("KeyError: 1"), Just("thread 'x' panicked at y:"),
        Just("2026-01-02T03:04:05Z stdout P half"), Just("2026-01-02T03:04:05Z stderr P half"),
        Just("2026-01-02T03:04:05Z stdout F whole"), Just("2026-01-02T03:04:05Z stderr F \tat a.b(C.java:1)"),
        Just("{\"log\":\"a.B: c\\n\",\"stream\":\"stdout\",\"time\":\"\"}"), Just("Caused by: x"), Just("\tgo.go:1"),
    ], 0..40)) {
        let mut joiner = Joiner::default();
        let mut events: Vec<_> = lines.iter().filter_map(|line| joiner.push(line.as_bytes())).collect();
        events.extend(joiner.finish());
        prop_assert_eq!(property::lines(&events).join(&b'\n'), lines.join("\n").into_bytes());
        prop_assert_eq!(events.iter().map(Event::lines).sum::<usize>(), lines.len());
        for event in &events {
            prop_assert!(!event.headline().contains(&b'\n') || !event.is_trace());
        }
    }
}
