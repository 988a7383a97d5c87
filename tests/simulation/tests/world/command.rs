//! The program as a person at a terminal uses it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

#[test]
fn whoever_stops_reading_does_not_stop_the_run() {
    let mut run = Command::new(env!("CARGO_BIN_EXE_simulation"))
        .args(["--seeds", "1", "--seed", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the simulation starts");
    let mut story = BufReader::new(run.stdout.take().expect("stdout is a pipe"));
    let mut first = String::new();
    story.read_line(&mut first).expect("the story has a first line");
    drop(story);
    let ended = run.wait_with_output().expect("the run ends");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!first.is_empty());
    assert!(ended.status.success(), "{}: {said}", ended.status);
    assert!(!said.contains("panicked") && !said.contains("error"), "{said}");
}
