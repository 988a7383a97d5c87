//! What is started ends: by drop, by panic, and with a killed test process.

#![cfg(test)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, test_kill_process};
use testkit::{Cluster, Launch, Process, Signal, wait, watchdog};

const SOON: Duration = Duration::from_secs(20);
/// Set in a child of this test binary that is about to be killed.
const VICTIM: &str = "TESTKIT_VICTIM_DIRECTORY";
/// Nobody listens there: whoever asks it fails.
const PROXY: &str = "http://127.0.0.1:9";

fn shell(directory: &Path, script: &str) -> Process {
    Launch::new("/bin/sh", directory.join("log")).args(["-c", script]).spawn().unwrap()
}

fn alive(pid: u32) -> bool {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    // A zombie has ended too, but still has a number: without a reaper it may keep it for ever.
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    test_kill_process(pid).is_ok() && !state.contains(") Z ")
}

async fn wait_for_end(pid: u32) {
    wait::until("the end of a process", SOON, async || Ok((!alive(pid)).then_some(()))).await.unwrap();
}

async fn grandchild(process: &mut Process) -> u32 {
    let line = process.wait_for_line("child ", SOON).await.unwrap();
    line.trim_start_matches("child ").parse().unwrap()
}

#[tokio::test]
async fn a_dropped_process_ends_with_its_children() {
    let directory = tempfile::tempdir().unwrap();
    let mut process = shell(directory.path(), "sleep 600 & echo child $!; wait");
    let (own, child) = (process.id(), grandchild(&mut process).await);
    assert!(alive(own) && alive(child));
    drop(process);
    wait_for_end(own).await;
    wait_for_end(child).await;
}

#[tokio::test]
async fn a_panicking_test_ends_what_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().to_owned();
    let (tell, hear) = std::sync::mpsc::channel();
    let test = std::thread::spawn(move || {
        let process = shell(&log, "exec sleep 600");
        tell.send(process.id()).unwrap();
        panic!("as a failing test does");
    });
    let pid = hear.recv().unwrap();
    test.join().unwrap_err();
    wait_for_end(pid).await;
}

#[tokio::test]
async fn a_killed_test_process_takes_everything_with_it() {
    if let Some(directory) = std::env::var_os(VICTIM) {
        let directory = Path::new(&directory);
        watchdog::remove_at_exit(directory).unwrap();
        let mut process = shell(directory, "sleep 600 & echo child $!; wait");
        let child = grandchild(&mut process).await;
        std::fs::write(directory.with_extension("pids"), format!("{} {child}", process.id())).unwrap();
        std::future::pending::<()>().await;
    }
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("the victim's own");
    std::fs::create_dir(&directory).unwrap();
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_killed_test_process_takes_everything_with_it"])
        .env(VICTIM, &directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pids = wait::until("the victim's processes", SOON, async || {
        let text = std::fs::read_to_string(directory.with_extension("pids")).unwrap_or_default();
        let pids: Vec<u32> = text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
        Ok((pids.len() == 2).then_some(pids))
    });
    let pids = pids.await.unwrap();
    assert!(pids.iter().all(|pid| alive(*pid)));
    victim.kill().unwrap();
    victim.wait().unwrap();
    for pid in pids {
        wait_for_end(pid).await;
    }
    wait::until("the removal", SOON, async || Ok((!directory.exists()).then_some(()))).await.unwrap();
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_not_asked_for_loopback() {
    if std::env::var("HTTPS_PROXY").as_deref() != Ok(PROXY) {
        // Once more, in a process with these variables.
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "a_proxy_of_the_environment_is_not_asked_for_loopback"]);
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"] {
            again.env(name, PROXY);
        }
        let output = again.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut process = shell(directory.path(), "env; echo done");
    process.wait_for_line("done", SOON).await.unwrap();
    assert!(!process.log().contains(PROXY), "{}", process.log());

    let kubeconfig = directory.path().join("kubeconfig");
    let text = r#"{"apiVersion": "v1", "kind": "Config", "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
        "clusters": [{"name": "one", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "one", "user": {}}]}"#;
    std::fs::write(&kubeconfig, text).unwrap();
    let cluster = Cluster::new(kubeconfig, "kubectl".into(), directory.path().to_owned());
    cluster.client().await.unwrap();
}

#[tokio::test]
async fn a_released_process_lives_on() {
    let directory = tempfile::tempdir().unwrap();
    let process = Launch::new("sleep", directory.path().join("log")).arg("600").own_session(true).spawn();
    let process = process.unwrap();
    let pid = process.id();
    process.release().unwrap();
    assert!(alive(pid));
    Command::new("kill").arg(pid.to_string()).status().unwrap();
    wait_for_end(pid).await;
}

#[tokio::test]
async fn an_early_end_is_told_at_once_with_the_last_words() {
    let directory = tempfile::tempdir().unwrap();
    let mut process = shell(directory.path(), "echo no such flag; exit 7");
    let started = Instant::now();
    let error = process.wait_for_line("ready", Duration::from_secs(600)).await.unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("no such flag") && text.contains('7'), "{text}");
    assert!(started.elapsed() < SOON);
}

#[tokio::test]
async fn a_stopped_process_holds_still_until_it_is_continued() {
    let directory = tempfile::tempdir().unwrap();
    let script = "trap 'echo told; exit 0' TERM; echo up; while :; do sleep 0.05; done";
    let mut process = shell(directory.path(), script);
    process.wait_for_line("up", SOON).await.unwrap();
    process.signal(Signal::Stop).unwrap();
    process.signal(Signal::Terminate).unwrap();
    let stat = format!("/proc/{}/stat", process.id());
    let stopped = async || Ok(std::fs::read_to_string(&stat)?.contains(") T ").then_some(()));
    wait::until("the stop", SOON, stopped).await.unwrap();
    assert!(process.ended().unwrap().is_none() && !process.log().contains("told"));
    process.signal(Signal::Continue).unwrap();
    process.wait_for_line("told", SOON).await.unwrap();
}
