//! Runs a command, shows what it prints, and counts the tests that it reports.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Tests that were run. An ignored test counts as nothing and is shown apart.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl Count {
    /// A check that is not made of tests.
    pub(crate) fn of_one(passed: bool) -> Self {
        Self { passed: u64::from(passed), failed: u64::from(!passed), ignored: 0 }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }

    pub(crate) fn is_nothing(self) -> bool {
        self.passed == 0 && self.failed == 0
    }
}

/// A command that passes or fails as a whole.
pub(crate) fn whole(command: &mut Command) -> Result<Count> {
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("starting {command:?}"))?;
    Ok(Count::of_one(status.success()))
}

/// A command whose output has lines that count tests: libtest's `test result: ok. 3 passed; 0 failed; ...`
/// or a plain `3 passed, 0 failed`.
pub(crate) fn counted(command: &mut Command) -> Result<Count> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {command:?}"))?;
    let output = child.stdout.take().context("a child without standard output")?;
    let mut count = Count::default();
    for line in BufReader::new(output).lines() {
        let line = line.context("reading the output of tests")?;
        println!("{line}");
        if let Some(counted) = counts_in(&line) {
            count.add(counted);
        }
    }
    let status = child.wait().context("waiting for tests")?;
    match (status.success(), count.failed) {
        // Something did not compile, or crashed before it could count.
        (false, 0) => bail!("ended with {status} after {} tests passed", count.passed),
        (true, failed) if failed > 0 => bail!("{failed} tests failed, and yet it ended with {status}"),
        _ => Ok(count),
    }
}

/// The numbers in a line that counts tests.
fn counts_in(line: &str) -> Option<Count> {
    let counts =
        line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")).map(|(_, rest)| rest);
    let counts = counts.unwrap_or(line);
    let mut count = Count::default();
    let (mut passed, mut failed) = (false, false);
    for part in counts.split([';', ',']) {
        let Some((number, what)) = part.trim().split_once(' ') else { continue };
        match (what, number.parse()) {
            ("passed", Ok(number)) => (count.passed, passed) = (number, true),
            ("failed", Ok(number)) => (count.failed, failed) = (number, true),
            ("ignored", Ok(number)) => count.ignored = number,
            _ => {}
        }
    }
    (passed && failed).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtests_line_is_counted() {
        let line = "test result: FAILED. 5 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; \
                    finished in 0.10s";
        assert_eq!(counts_in(line), Some(Count { passed: 5, failed: 1, ignored: 2 }));
    }

    #[test]
    fn a_plain_line_is_counted_and_prose_is_not() {
        assert_eq!(counts_in("27 passed, 0 failed"), Some(Count { passed: 27, failed: 0, ignored: 0 }));
        assert_eq!(counts_in("2 passed so far, 1 failed attempt"), None);
        assert_eq!(counts_in("test a_name ... ok"), None);
    }

    #[test]
    fn a_command_that_fails_without_a_count_is_an_error() {
        let error = counted(Command::new("sh").args(["-c", "echo '3 passed, 0 failed'; exit 101"]));
        assert!(error.unwrap_err().to_string().contains("after 3 tests"));
    }

    #[test]
    fn a_command_that_hides_its_failures_is_an_error() {
        let error = counted(Command::new("sh").args(["-c", "echo '3 passed, 1 failed'"]));
        assert!(error.unwrap_err().to_string().contains("1 tests failed"));
    }
}
