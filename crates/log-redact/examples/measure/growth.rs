//! What twice as much input costs, for inputs made to be slow.

use std::time::Duration;

use log_redact::Redactor;

use super::Row;
use super::clock::processor_time;

const SMALLEST: usize = 64 * 1024;
const DOUBLINGS: usize = 4;
const REPETITIONS: usize = 5;
/// So long a text and its double are redacted in turn, and the fastest time of each counts: the others were disturbed.
const LONG_ENOUGH: Duration = Duration::from_millis(12);
/// So often at least, however long that takes.
const TURNS: usize = 3;

/// Parts that are repeated to the wanted length. Each starts something that may go on, or nests.
const PARTS: &[(&str, &str)] = &[
    ("letters", "x"),
    ("digits", "1"),
    ("digits in groups", "1234 "),
    ("digits and dashes", "1-"),
    ("lines of digits", "1234\n"),
    ("lines of one word", "word\n"),
    ("empty lines", "\n"),
    ("lines of blanks", "        \n"),
    ("indent", " "),
    ("wide lines of one word", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/\n"),
    ("keys", "password="),
    ("keys and colons", "password: "),
    ("keys without values", "password "),
    ("keys on lines", "password:\n"),
    ("values on lines", "password=x1y2z3\n"),
    ("quoted keys", "\"password\":\""),
    ("blocks of YAML", "password: |\n  x1y2\n"),
    ("at signs", "@"),
    ("addresses", "a@b."),
    ("mail", "bob@example.com "),
    ("URLs", "a://"),
    ("URLs with users", "a://b:c@"),
    ("commands", "x=curl;mysql -p\"a "),
    ("flags", "mysql --"),
    ("colons", ":"),
    ("dots", "1."),
    ("slashes", "/"),
    ("percent", "%"),
    ("percent-encoded", "%25"),
    ("percent in words", "a=%41 "),
    ("backslashes", "\\"),
    ("escaped quotes", "\\\""),
    ("escaped lines", "\\n"),
    ("escapes on lines", "\\\"\n"),
    ("JWTs", "eyJhbGciOiJub25lIn0."),
    ("PEM", "-----BEGIN PRIVATE KEY-----\n"),
    ("base64", "cGFzc3dvcmQ9eDF5MnoK"),
    ("base64 on lines", "cGFzc3dvcmQ9eDF5MnpwYXNzd29yZD14MXkyenBhc3N3b3JkPXgxeTJ6cGFzc3dvcmQ9\n"),
    ("colours", "\u{1b}[1;31m"),
    ("cookies", "cookie: a=b; "),
    ("headers", "Authorization: Basic "),
    ("tokens", "glpat-"),
    ("tokens on lines", "glpat-EXAMPLEEXAMPLEEXAMPLE1\n"),
    ("continued lines", "token=x1\\\n"),
    ("placeholders", "<password:ABCDEFGH>"),
    ("account numbers", "DE89 3704 "),
    ("Chinese", "\u{5bc6}\u{7801}\u{662f}"),
    ("ampersands", "token=a&"),
];

pub(crate) fn measure(redactor: &Redactor, show: bool) -> Row {
    let (mut worst, mut worst_part) = (0.0, "");
    let (mut slowest, mut slowest_part) = (f64::MAX, "");
    if show {
        println!("\n{:<24} {:>8} {:>12}", "input made to be slow", "growth", "MB/s at 1 MiB");
    }
    for (name, part) in PARTS {
        let text = part.repeat((SMALLEST << DOUBLINGS) / part.len() + 1);
        let (mut growth, mut speed) = (0.0_f64, 0.0);
        for doubling in 0..DOUBLINGS {
            let half = &text.as_bytes()[..SMALLEST << doubling];
            let whole = &text.as_bytes()[..half.len() * 2];
            let pairs = [(); REPETITIONS].map(|()| costs(redactor, half, whole));
            growth = growth.max(median(pairs.map(|[half, whole]| whole / half)));
            speed = whole.len() as f64 / 1e6 / median(pairs.map(|[_, whole]| whole));
        }
        if show {
            println!("{name:<24} {growth:>8.2} {speed:>12.1}");
        }
        if growth > worst {
            (worst, worst_part) = (growth, name);
        }
        if speed < slowest {
            (slowest, slowest_part) = (speed, name);
        }
    }
    Row {
        what: "twice the input",
        measured: format!("{worst:.2} times ({worst_part}), {slowest:.1} MB/s ({slowest_part}) at worst"),
        wanted: "<= 2.5 times",
        reached: worst <= 2.5,
    }
}

fn median(mut figures: [f64; REPETITIONS]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[REPETITIONS / 2]
}

/// What both texts cost, in seconds of processor time. They are redacted in turn, equally often: what else runs on the
/// machine slows both.
fn costs(redactor: &Redactor, half: &[u8], whole: &[u8]) -> [f64; 2] {
    let (mut spent, mut turns) = (Duration::ZERO, 0);
    let mut least = [Duration::MAX; 2];
    while turns < TURNS || spent < LONG_ENOUGH {
        for (least, text) in least.iter_mut().zip([half, whole]) {
            let start = processor_time();
            std::hint::black_box(redactor.redact_bytes(text));
            let once = processor_time().saturating_sub(start);
            *least = once.min(*least);
            spent += once;
        }
        turns += 1;
    }
    least.map(|least| least.as_secs_f64().max(1e-9))
}
