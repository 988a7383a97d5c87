//! The examples as somebody uses them, who has a shell only.
#![cfg(test)]

mod group;
mod top;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;

/// An example as `cargo run` builds it.
fn example(name: &str) -> Command {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(build);
    Command::new(FOLDER.join(name))
}

/// Builds the examples, which `cargo test --all-targets` builds as tests only, and says where they are.
fn build() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let target = test.ancestors().nth(3).expect("where cargo builds");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).arg("build").arg("--target-dir").arg(target);
    cargo.args([
        "--quiet",
        "--locked",
        "--package",
        "log-template",
        "--example",
        "group",
        "--example",
        "top",
    ]);
    assert!(cargo.status().expect("cargo").success(), "{cargo:?}");
    target.join("debug/examples")
}

/// What `command` prints for `input`.
fn output(command: &mut Command, input: &str) -> Output {
    let mut child = started(command);
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("who reads");
    child.wait_with_output().expect("its output")
}

fn started(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("an example that runs")
}

/// Ctrl-C.
fn interrupt(child: &Child) {
    let id = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).expect("a process that is there");
}

/// The next lines of `output` up to the one that `is_last`.
fn lines_until(output: &mut impl Read, is_last: impl Fn(&str) -> bool) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while output.read(&mut byte).is_ok_and(|read| read == 1) {
        text.push(byte[0]);
        if byte[0] == b'\n' && is_last(&String::from_utf8_lossy(&text)) {
            break;
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}
