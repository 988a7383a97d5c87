//! What a container runtime does to lines: it cuts long ones, and writes two streams into one file.

use log_template::{Event, Miner};

use crate::events::{TRACES, events, lines};
use crate::template_of;

#[test]
fn a_cut_line_goes_on_behind_a_line_of_the_other_stream() {
    let text = "2026-01-02T03:04:05Z stdout P part one \n2026-01-02T03:04:05Z stderr F an error in between\n\
                2026-01-02T03:04:05Z stdout F and part two\n2026-01-02T03:04:06Z stdout F ready\n";
    let events = events(text);
    let texts: Vec<String> =
        events.iter().map(|event| String::from_utf8_lossy(event.text()).into_owned()).collect();
    let all: Vec<&str> = text.lines().collect();
    assert_eq!(texts, [all[1].to_owned(), format!("{}\n{}", all[0], all[2]), all[3].to_owned()]);
    let places: Vec<Vec<u64>> = events.iter().map(|event| event.places().flatten().collect()).collect();
    assert_eq!(places, [vec![1], vec![0, 2], vec![3]]);
}

#[test]
fn a_cut_line_that_never_goes_on_takes_no_other_with_it() {
    let cut = "2026-01-02T03:04:05Z stdout P part one \n";
    let other = "2026-01-02T03:04:05Z stderr F served\n";
    let traced = "2026-01-02T03:04:05Z stderr F java.lang.Error: no\n2026-01-02T03:04:05Z stderr F \tat a.B.c(B.java:1)\n";
    let text = format!("{cut}{}{traced}", other.repeat(1000));
    let counts = lines(&text);
    assert_eq!(counts.iter().sum::<usize>(), 1003);
    assert_eq!(counts.last(), Some(&2), "traces are joined again");
    assert_eq!(lines(&format!("{cut}ready\nsteady\n")), [1, 1, 1], "a line that no runtime carried");
    assert_eq!(events(cut).len(), 1);
}

#[test]
fn every_line_stands_in_one_event() {
    let streams = ["stdout", "stderr"];
    let text: String = (0..500_usize)
        .map(|number| {
            let (stream, tag) =
                (streams[number * 7 / 3 % 2], if number * 5 / 3 % 3 == 0 { "P" } else { "F" });
            format!("2026-01-02T03:04:05Z {stream} {tag} line {number}\n")
        })
        .collect();
    let mut found: Vec<u64> = events(&text).iter().flat_map(Event::places).flatten().collect();
    found.sort_unstable();
    assert_eq!(found, (0..500).collect::<Vec<u64>>());
}

#[test]
fn a_cut_line_has_the_template_of_the_whole() {
    let whole = "2026-01-02T03:04:05Z stdout F {\"level\":\"info\",\"msg\":\"long message 7\",\"n\":1}\n";
    let cut = "2026-01-02T03:04:05Z stdout P {\"level\":\"info\",\"msg\":\"long \n\
               2026-01-02T03:04:05Z stdout P message\n2026-01-02T03:04:05Z stdout F  8\",\"n\":1}\n";
    let template = |text: &str| {
        let events = events(text);
        assert_eq!(events.len(), 1);
        template_of(&mut Miner::default(), &String::from_utf8_lossy(&events[0].headline()))
    };
    assert_eq!(template(cut), template(whole));
    assert_eq!(template(whole), "long message <*>");
}

#[test]
fn a_cut_line_of_a_trace_is_a_line_of_it() {
    let text = "2026-01-02T03:04:05Z stderr P java.lang.IllegalStateException: not \n\
                2026-01-02T03:04:05Z stderr F priced\n\
                2026-01-02T03:04:05Z stderr F \tat shop.Cart.total(Cart.java:7)\n\
                2026-01-02T03:04:06Z stderr F ready\n";
    let events = events(text);
    assert_eq!(events.iter().map(Event::lines).collect::<Vec<_>>(), [3, 1]);
    let headline = String::from_utf8_lossy(&events[0].headline()).into_owned();
    assert_eq!(
        headline,
        "2026-01-02T03:04:05Z stderr P java.lang.IllegalStateException: not priced at shop.Cart.total(Cart.java:7)"
    );
}

/// `line` as Docker's `json-file` keeps it.
fn docker(line: &str, stream: &str) -> String {
    let log = line.replace('\\', "\\\\").replace('"', "\\\"").replace('\t', "\\t");
    format!("{{\"log\":\"{log}\\n\",\"stream\":\"{stream}\",\"time\":\"2026-01-02T03:04:05.000000006Z\"}}\n")
}

#[test]
fn traces_are_joined_in_the_files_of_docker() {
    for trace in TRACES {
        let line = "2026-01-02 03:04:05 INFO [main] a.B: served \"cart\" in 7 ms";
        let kept: String = [line]
            .into_iter()
            .chain(trace.lines())
            .chain([line])
            .map(|line| docker(line, "stderr"))
            .collect();
        let events = events(&kept);
        assert_eq!(
            events.iter().map(Event::lines).collect::<Vec<_>>(),
            [1, trace.lines().count(), 1],
            "{kept}"
        );
        let plain = crate::events::events(trace);
        assert_eq!(events[1].headline(), plain[0].headline());
        assert_eq!(events[0].headline(), line.as_bytes());
        assert_eq!(events[0].text(), docker(line, "stderr").trim_end().as_bytes());
        let tab = kept.replace("\\t", "\\u0009");
        assert_eq!(crate::events::events(&tab)[1].headline(), plain[0].headline());
    }
}

#[test]
fn a_line_that_docker_cut_is_whole_again() {
    let (first, last) = ("a".repeat(16 << 10), "b".repeat(100));
    let cut = docker(&first, "stdout").replace("\\n", "");
    let text = format!("{cut}{}{}", docker("served", "stderr"), docker(&last, "stdout"));
    let events = events(&text);
    assert_eq!(events.iter().map(Event::lines).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(events[1].headline(), format!("{first}{last}").as_bytes());
    // Others leave out the line end of a line that is whole.
    assert_eq!(lines(&docker("short", "stdout").replace("\\n", "").repeat(2)), [1, 1]);
}

#[test]
fn a_line_of_docker_has_the_template_of_what_the_program_wrote() {
    let line = docker("2026-01-02 03:04:05 INFO [main] a.B: took 7 ms", "stdout");
    assert_eq!(template_of(&mut Miner::default(), line.trim_end()), "took <*>");
    let line = docker("starting the shop", "stdout");
    assert_eq!(template_of(&mut Miner::default(), line.trim_end()), "starting the shop");
}

#[test]
fn a_line_of_the_other_stream_is_none_of_a_message() {
    let on = |stream: &str, text: &str| -> String {
        text.lines().map(|line| format!("2026-01-02T03:04:05Z {stream} F {line}\n")).collect()
    };
    let log = on("stderr", "ERROR:    Exception in ASGI application");
    let trace = on("stderr", include_str!("traces/python-pydantic.txt"));
    let count = 1 + trace.lines().count();
    assert_eq!(lines(&format!("{log}{trace}{}", on("stdout", "ready\nsteady"))), [count, 1, 1]);
    assert_eq!(lines(&format!("{log}{trace}{}", on("stderr", "a note"))), [count + 1]);
}
