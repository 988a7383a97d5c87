//! What a container runtime does to lines: it cuts long ones, and writes two streams into one file.

use log_template::{Event, Miner};

use crate::events::{events, lines};
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
