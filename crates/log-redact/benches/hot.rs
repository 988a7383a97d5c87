//! The hot loops: lines of a log with and without something to find, many such lines, and the building of it all.

#![expect(clippy::expect_used, reason = "a benchmark has nobody to report to")]

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use log_redact::{Key, Redactor};

/// What is on the line, and the line. All of it is made up.
const LINES: [(&str, &str); 8] = [
    ("nothing", "2026-01-02 03:04:05,123 INFO [main] shop.Cart: added item 7 to the cart in 35 ms"),
    (
        "an address",
        "Jan  2 03:04:05 web1 sshd[123]: Accepted publickey for root from 203.0.113.9 port 4711 ssh2",
    ),
    ("mail", "2026-01-02T03:04:05Z INFO mailer: message 4711 to ann@example.com was queued as 250 2.0.0 Ok"),
    (
        "a key and its value",
        "2026/01/02 03:04:05 [error] db: cannot connect with user=app password=x1y2z3-EXAMPLE",
    ),
    (
        "JSON in JSON",
        r#"{"level":"warn","msg":"body {\"user\":\"ann\",\"token\":\"x1y2z3-EXAMPLE\"}","status":401}"#,
    ),
    ("per cent", "10.0.0.1 - - \"GET /cb?state=a%20b&next=%2Fcart%3Fid%3D7&note=50%25 HTTP/1.1\" 302 17"),
    ("base64", "kubectl: data: {key: cGFzc3dvcmQ9eDF5MnozLUVYQU1QTEUgYW5kIG1vcmUgb2YgaXQ=}"),
    (
        "a hash",
        "I0102 15:04:05.123456 1 image.go:7] pulled sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c",
    ),
];
/// So many bytes of lines.
const CHUNK: usize = 64 * 1024;

fn main() {
    divan::main();
}

fn redactor() -> Redactor {
    let key = Key::from_bytes(b"of no use outside of measurements").expect("long enough");
    Redactor::builder().key(key).build().expect("no extra patterns")
}

fn line(what: &str) -> &'static [u8] {
    LINES.iter().find(|(name, _)| *name == what).map_or(b"", |(_, line)| line.as_bytes())
}

#[divan::bench(args = LINES.map(|(what, _)| what))]
fn a_line_with(bencher: Bencher<'_, '_>, what: &str) {
    let (redactor, line) = (redactor(), line(what));
    bencher.counter(BytesCount::of_slice(line)).bench_local(|| redactor.redact_bytes(black_box(line)).len());
}

#[divan::bench(args = LINES.map(|(what, _)| what))]
fn lines_with(bencher: Bencher<'_, '_>, what: &str) {
    let redactor = redactor();
    let line = [line(what), b"\n"].concat();
    let chunk = line.repeat(CHUNK / line.len());
    bencher
        .counter(BytesCount::of_slice(&chunk))
        .bench_local(|| redactor.redact_bytes(black_box(&chunk)).len());
}

#[divan::bench]
fn a_redactor_is_built() -> Redactor {
    redactor()
}
