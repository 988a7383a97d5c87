//! `top`: the table is there in the end, however it ends.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::{example, interrupt, lines_until, output, started};

const LOG: &str = "2026-01-02 03:04:05 INFO a.B: took 7 ms\n2026-01-02 03:04:06 ERROR a.B: request failed\n\
                   java.io.IOException: no\n\tat a.B.c(B.java:1)\n2026-01-02 03:04:07 INFO a.B: took 9 ms\n";

/// The table that `top` prints at last, without the columns of numbers.
fn table(arguments: &[&str]) -> String {
    let output = output(example("top").args(arguments), LOG);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn an_interrupted_table_is_printed_nevertheless() {
    let mut child = started(&mut example("top"));
    let mut input = child.stdin.take().expect("a pipe");
    // More than a pipe holds: the first of it was read.
    input.write_all("took 7 ms\n".repeat(40_000).as_bytes()).expect("who reads");
    interrupt(&child);
    let output = child.wait_with_output().expect("its output");
    let table = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(130), "the input has not ended");
    assert!(table.contains("lines, 1 templates\n") && table.ends_with("took <*>\n"), "{table}");
    drop(input);
}

#[test]
fn a_terminal_shows_what_it_did_before_with_the_last_table_below() {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("a terminal of ours");
    let name = ptsname(&terminal, Vec::new()).expect("its name");
    let other = File::options().write(true).open(name.to_str().expect("text")).expect("its other end");
    let mut command = example("top");
    command.args(["--interval", "0.05"]).stdin(Stdio::piped()).stdout(other);
    let mut child = command.spawn().expect("an example that runs");
    // It holds the other end as well.
    drop(command);
    child.stdin.as_mut().expect("a pipe").write_all(LOG.as_bytes()).expect("who reads");
    let mut screen = File::from(terminal);
    let shown = lines_until(&mut screen, |text| text.matches("took <*>").count() > 0);
    assert!(shown.starts_with("\u{1b}[?1049h"), "{shown:?}");
    interrupt(&child);
    let mut rest = Vec::new();
    // A terminal whose other end is closed fails.
    let _ = screen.read_to_end(&mut rest);
    let rest = String::from_utf8(rest).expect("text");
    assert_eq!(child.wait().expect("its end").code(), Some(130));
    let (_, below) = rest.split_once("\u{1b}[?1049l").expect("the screen that was there before");
    assert!(below.contains("5 lines, 2 templates") && below.contains("took <*>"), "{below:?}");
    assert!(!below.contains("\u{1b}[H"), "{below:?}");
}

#[test]
fn a_filter_takes_in_whole_events_and_a_sample_shows_one() {
    assert!(table(&[]).starts_with("5 lines, 2 templates\n"));
    let failed = table(&["--filter", "B\\.java:[0-9]", "--sample"]);
    let lines: Vec<&str> = failed.lines().collect();
    assert!(failed.starts_with("3 lines, 1 templates\n"), "{failed}");
    assert!(lines[3].ends_with("   2026-01-02 03:04:06 ERROR a.B: request failed"), "{failed}");
    let sampled = table(&["--sample"]);
    assert!(sampled.contains("03:04:07 INFO a.B: took 9 ms\n") && !sampled.contains("03:04:05"), "{sampled}");
    assert_eq!(output(example("top").args(["--filter", "("]), "").status.code(), Some(2));
}
