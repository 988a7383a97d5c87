//! The alert rules against their tests.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

const RULES: &str = "deploy/prometheus/spotpool.rules.yaml";
const TESTS: &str = "deploy/prometheus/spotpool.rules.test.yaml";

/// Each alert has a test in which it fires; and where Prometheus' own tool is installed, they pass.
pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let (rules, tests) = (read(root, RULES)?, read(root, TESTS)?);
    let fired = fired(&tests);
    let silent = alerts(&rules).into_iter().filter(|alert| !fired.contains(alert));
    let mut broken: Vec<String> =
        silent.map(|alert| format!("{TESTS}: there is no test in which {alert} fires")).collect();
    match Command::new("promtool").args(["test", "rules"]).arg(root.join(TESTS)).output() {
        Ok(told) if told.status.success() => {}
        Ok(told) => broken.push(format!("{TESTS}: {}", String::from_utf8_lossy(&told.stderr).trim())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("skipped: promtool is not installed, {TESTS} was not run (Debian: package prometheus)");
        }
        Err(error) => return Err(error).context("start promtool"),
    }
    Ok(broken)
}

fn read(root: &Path, path: &str) -> Result<Value> {
    let text = fs::read_to_string(root.join(path)).with_context(|| format!("read {path}"))?;
    serde_saphyr::from_str(&text).with_context(|| format!("read {path}"))
}

/// All elements of the lists at `inner` of the objects in the list at `outer`.
fn elements<'a>(file: &'a Value, outer: &str, inner: &str) -> Vec<&'a Value> {
    let of = |value: &'a Value, key: &str| value[key].as_array().into_iter().flatten();
    of(file, outer).flat_map(|element| of(element, inner)).collect()
}

fn alerts(rules: &Value) -> BTreeSet<&str> {
    elements(rules, "groups", "rules").into_iter().filter_map(|rule| rule["alert"].as_str()).collect()
}

fn fired(tests: &Value) -> BTreeSet<&str> {
    let fires = |test: &&Value| test["exp_alerts"].as_array().is_some_and(|alerts| !alerts.is_empty());
    elements(tests, "tests", "alert_rule_test")
        .into_iter()
        .filter(fires)
        .filter_map(|test| test["alertname"].as_str())
        .collect()
}
