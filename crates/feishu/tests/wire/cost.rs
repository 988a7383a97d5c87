//! Twice as much input costs no more than two and a half times as much.
//!
//! Times are the thread's own on a processor, so that a busy machine does not fail the test.

use std::time::Duration;

use feishu::{Card, Markdown, Message, answer};
use http::StatusCode;
use rustix::time::{ClockId, clock_gettime};

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).expect("below a second"))
}

/// The median of five runs, each long enough to be measured.
fn cost(run: impl Fn()) -> Duration {
    let mut costs: Vec<Duration> = (0..5)
        .map(|_| {
            let start = cpu_time();
            let mut runs = 0;
            while cpu_time() - start < Duration::from_millis(4) {
                run();
                runs += 1;
            }
            (cpu_time() - start) / runs
        })
        .collect();
    costs.sort_unstable();
    costs[2]
}

/// A neighbour that takes the caches for a while may spoil a measurement, not five in a row; what grows with the square
/// spoils them all.
fn assert_linear(what: &str, make: impl Fn(usize) -> Box<dyn Fn()>) {
    for size in [64 * 1024, 256 * 1024] {
        let measured = (0..5).map(|_| (cost(make(size)), cost(make(2 * size))));
        let mut measured = measured.skip_while(|(one, two)| two.as_secs_f64() > 2.5 * one.as_secs_f64());
        assert!(
            measured.next().is_some(),
            "{what}: twice as much as {size} bytes costs more than 2.5 times as much"
        );
    }
}

#[test]
fn the_decoder_is_linear() {
    for piece in ["a", "长", "\\u202e", "[", "{\"a\":", "\"code\":1,", "\\n", "\u{200b}", " "] {
        for (before, after) in
            [("{\"code\":1,\"msg\":\"", "\"}"), ("", ""), ("{\"x\":[", "]}"), ("{\"code\":", "}")]
        {
            assert_linear(piece, |size| {
                let body = format!("{before}{}{after}", piece.repeat(size / piece.len()));
                Box::new(move || {
                    let _ = std::hint::black_box(answer::read(StatusCode::OK, body.as_bytes()));
                })
            });
        }
    }
}

#[test]
fn a_message_is_rendered_in_linear_time() {
    for piece in ["a", "长", "*", "`", "<at", "a.b", "http://", "\u{202e}", "\n", " "] {
        assert_linear(piece, |size| {
            let text = piece.repeat(size / piece.len());
            let message =
                Message::from(Card::new(text.clone()).markdown(Markdown::new(text.clone()).code_block(text)));
            Box::new(move || {
                let _ = std::hint::black_box(message.render(None));
            })
        });
    }
}
