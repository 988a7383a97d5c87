#![cfg(test)]
//! The example `sign`, run the way its documentation says: what somebody compares another signer with.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Requests with the signatures of Tencent's own signer.
const VECTORS: &str = include_str!("fixtures/tc3.json");

/// Runs the example with these lines on its standard input. By cargo, since another package has an example of that
/// name, and both are built to the same place.
fn sign(lines: &str) -> Output {
    let mut child = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked", "--package", "tencent-cvm", "--example", "sign"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Less than a pipe holds, so that nobody waits for anybody; and one that has given up already reads no more.
    let _ = child.stdin.take().unwrap().write_all(lines.as_bytes());
    child.wait_with_output().unwrap()
}

fn vectors() -> Vec<Value> {
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn every_request_gets_the_authorization_of_the_clouds_own_signer() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 12);
    let lines: Vec<_> = vectors.iter().map(Value::to_string).collect();
    let output = sign(&format!("{}\n", lines.join("\n")));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let expected: Vec<_> = vectors.iter().map(|vector| vector["authorization"].as_str().unwrap()).collect();
    assert_eq!(text(&output.stdout).lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_line_that_cannot_be_signed_ends_it_with_an_error_that_names_the_line() {
    let good = vectors()[0].to_string();
    let mut unsigned = vectors()[0].clone();
    unsigned.as_object_mut().unwrap().remove("secret_key");
    let mut timeless = vectors()[0].clone();
    timeless["timestamp"] = "yesterday".into();
    let bad = [
        ("not JSON".to_owned(), "expected ident"),
        (unsigned.to_string(), "missing field `secret_key`"),
        (timeless.to_string(), "timestamp is not in Unix seconds"),
    ];
    for (bad, reason) in bad {
        let output = sign(&format!("{good}\n{bad}\n{good}\n"));
        assert_eq!(output.status.code(), Some(1), "{bad}");
        let said = text(&output.stderr);
        assert!(said.starts_with("sign: line 2: ") && said.contains(reason), "{said}");
        assert_eq!(text(&output.stdout).lines().count(), 1, "what came before it is answered");
    }
}
