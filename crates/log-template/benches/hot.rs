//! The hot loops: a line of a known template, a line that is learnt, the lines of a trace, a state.

use divan::{Bencher, black_box, counter::ItemsCount};
use log_template::{Joiner, Miner};

/// Whose format a line has, and the line. All of it is made up.
const LINES: [(&str, &str); 6] = [
    ("log4j", "2026-01-02 03:04:05,123 INFO [main] shop.Cart: added item 7 for ann@mail.example.com"),
    ("syslog", "Jan  2 03:04:05 web1 sshd[123]: Accepted publickey for root from 10.0.0.1 port 4711 ssh2"),
    (
        "logfmt in a container runtime's",
        "2026-01-02T03:04:05.000000006Z stdout F time=\"2026-01-02T03:04:05Z\" level=info msg=\"pulled nginx\" took=5ms",
    ),
    (
        "JSON",
        r#"{"level":"info","ts":"2026-01-02T03:04:05Z","msg":"connected to 10.0.0.1:5432","caller":"main.go:12"}"#,
    ),
    (
        "klog",
        "I0102 15:04:05.123456   12345 controller.go:123] \"Starting workers\" controller=\"node\" count=5",
    ),
    (
        "access log",
        "10.0.0.1 - - [10/Oct/2026:13:55:36 -0700] \"GET /cart?id=7 HTTP/1.1\" 200 2326 \"-\" \"curl/8.5.0\"",
    ),
];

fn main() {
    divan::main();
}

fn miner() -> Miner {
    let mut miner = Miner::default();
    for (_, line) in LINES {
        miner.observe(line.as_bytes());
    }
    miner
}

#[divan::bench(args = LINES.map(|(format, _)| format))]
fn a_known_line_of(bencher: Bencher<'_, '_>, format: &str) {
    let mut miner = miner();
    let line = LINES.iter().find(|(other, _)| *other == format).map_or("", |(_, line)| line);
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| miner.observe(black_box(line.as_bytes())));
}

#[divan::bench]
fn a_line_that_is_learnt(bencher: Bencher<'_, '_>) {
    let mut miner = miner();
    let mut number = 0_u32;
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        number += 1;
        // Letters, so that it is a word.
        let word: String = number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
        miner.observe(format!("{word} was never seen {word} before {word}").as_bytes())
    });
}

#[divan::bench]
fn the_lines_of_a_trace(bencher: Bencher<'_, '_>) {
    let trace = include_str!("../tests/mining/traces/java.txt");
    let mut joiner = Joiner::default();
    bencher.counter(ItemsCount::new(trace.lines().count())).bench_local(|| {
        trace
            .lines()
            .filter_map(|line| joiner.push(line.as_bytes()))
            .map(|event| event.headline().len())
            .sum::<usize>()
    });
}

#[divan::bench]
fn a_state_is_saved_and_loaded(bencher: Bencher<'_, '_>) {
    let miner = miner();
    bencher.bench_local(|| Miner::load(&miner.save()));
}
