//! `group`: what a run has learnt is there in the next one, or the next one says why not.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::{example, interrupt, lines_until, output, started};

const USERS: [&str; 6] = ["anna", "bela", "carlo", "dora", "emil", "fatima"];

fn logins(users: &[&str]) -> String {
    users.iter().map(|user| format!("user {user} logged in from the office\n")).collect()
}

/// What `group` prints with `state` for `input`.
fn grouped(state: &Path, input: &str) -> String {
    let output = output(example("group").arg("-").arg("--state").arg(state), input);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_group_keeps_its_id_from_one_run_to_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("web.state");
    let first = grouped(&state, &format!("ready\n{}", logins(&USERS)));
    assert_eq!(first.lines().last(), Some("1\tuser <*> logged in from the office"));
    assert_eq!(
        grouped(&state, "user georg logged in from the office\n"),
        "1\tuser <*> logged in from the office\n"
    );
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1, "nothing but the state is left");
}

#[test]
fn a_damaged_state_is_refused_by_name_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("web.state");
    grouped(&state, "ready\n");
    let mut bytes = fs::read(&state).expect("the state");
    bytes.pop();
    fs::write(&state, &bytes).expect("a file");
    for flag in ["--state", "--merge"] {
        let output = output(example("group").arg("-").arg(flag).arg(&state), "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1));
        assert!(said.contains("web.state: the state is damaged") && said.contains("move it away"), "{said}");
    }
    assert_eq!(fs::read(&state).expect("the state"), bytes);
}

#[test]
fn the_states_of_two_readers_are_put_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (folder.path().join("a"), folder.path().join("b"));
    // Neither has seen enough names.
    assert_eq!(grouped(&ours, &logins(&USERS[..1])), "0\tuser anna logged in from the office\n");
    grouped(&theirs, &format!("ready\n{}", logins(&USERS[3..4])));
    let merged =
        output(example("group").args(["/dev/null", "--state"]).arg(&ours).arg("--merge").arg(&theirs), "");
    assert!(merged.status.success(), "{merged:?}");
    let told = String::from_utf8(merged.stderr).expect("text");
    assert!(told.contains("adopted\t0\t1\n") && told.contains("adopted\t1\t0\n"), "{told}");
    assert_eq!(
        grouped(&ours, "user emil logged in from the office\n"),
        "0\tuser <*> logged in from the office\n"
    );
    let missing = output(example("group").args(["/dev/null", "--merge", "/nowhere/b"]), "");
    assert!(String::from_utf8_lossy(&missing.stderr).contains("/nowhere/b: "));
}

#[test]
fn a_stream_that_is_interrupted_leaves_its_state() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("web.state");
    let mut child = started(example("group").args(["-", "--stream", "--state"]).arg(&state));
    // It stays open: `wait` would close it, were it the child's.
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(b"ready\n").expect("who reads");
    let printed = lines_until(child.stdout.as_mut().expect("a pipe"), |_| true);
    assert_eq!(printed, "0\tready\n");
    interrupt(&child);
    assert_eq!(child.wait().expect("its end").code(), Some(130), "the input has not ended");
    assert_eq!(grouped(&state, "steady\nready\n"), "1\tsteady\n0\tready\n");
}
