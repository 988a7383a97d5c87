//! Stack traces as the runtimes print them.

use log_template::{Event, Joiner};

fn events(text: &str) -> Vec<Event> {
    let mut joiner = Joiner::default();
    let mut events: Vec<Event> = text.lines().filter_map(|line| joiner.push(line.as_bytes())).collect();
    events.extend(joiner.finish());
    events
}

fn lines(text: &str) -> Vec<usize> {
    events(text).iter().map(Event::lines).collect()
}

fn headline(text: &str) -> String {
    let events = events(text);
    assert_eq!(events.len(), 1, "{events:#?}");
    assert!(events[0].is_trace());
    String::from_utf8(events[0].headline().into_owned()).expect("the test's own text")
}

const LOG_LINE: &str = "2026-01-02 03:04:05 ERROR [main] a.B: request failed\n";

#[test]
fn a_java_exception_with_its_causes_belongs_to_the_line_above() {
    let trace = include_str!("traces/java.txt");
    let headline = headline(&format!("{LOG_LINE}{trace}"));
    assert_eq!(
        headline,
        "2026-01-02 03:04:05 ERROR [main] a.B: request failed \
         org.springframework.web.util.NestedServletException: Request processing failed \
         at com.example.shop.Cart.add(Cart.java:42)"
    );
    assert_eq!(lines(&format!("{LOG_LINE}{trace}{LOG_LINE}{LOG_LINE}")), [1 + trace.lines().count(), 1, 1]);
}

#[test]
fn a_python_traceback_ends_with_its_last_exception() {
    let trace = include_str!("traces/python.txt");
    assert_eq!(
        headline(trace),
        "Traceback (most recent call last): ValueError: cannot price item 7 File \"/app/shop/cart.py\", line 17, in total"
    );
    assert_eq!(lines(&format!("{trace}{LOG_LINE}")), [trace.lines().count(), 1]);
}

#[test]
fn a_go_panic_takes_all_goroutines_with_it() {
    let trace = include_str!("traces/go.txt");
    assert_eq!(
        headline(trace),
        "panic: runtime error: index out of range [5] with length 3 main.(*Cart).total(...)"
    );
    assert_eq!(lines(&format!("{LOG_LINE}{trace}{LOG_LINE}")), [1, trace.lines().count(), 1]);
}

#[test]
fn a_rust_panic_takes_its_message_and_backtrace_with_it() {
    let trace = include_str!("traces/rust.txt");
    assert_eq!(
        headline(trace),
        "thread 'main' panicked at src/cart.rs:12:9: index out of bounds: the len is 3 but the index is 5 \
         shop::cart::total"
    );
    assert_eq!(lines(&format!("{LOG_LINE}{trace}{LOG_LINE}")), [1, trace.lines().count(), 1]);
}

#[test]
fn a_node_error_belongs_to_the_line_above() {
    let trace = include_str!("traces/node.txt");
    let headline = headline(&format!("{LOG_LINE}{trace}"));
    assert_eq!(
        headline,
        "2026-01-02 03:04:05 ERROR [main] a.B: request failed \
         TypeError: Cannot read properties of undefined (reading 'price') at total (/app/cart.js:12:20)"
    );
    assert_eq!(lines(&format!("{LOG_LINE}{trace}{LOG_LINE}")), [1 + trace.lines().count(), 1]);
}

#[test]
fn traces_are_joined_behind_the_prefix_of_a_container_runtime() {
    for trace in [
        include_str!("traces/java.txt"),
        include_str!("traces/python.txt"),
        include_str!("traces/go.txt"),
        include_str!("traces/rust.txt"),
        include_str!("traces/node.txt"),
    ] {
        let wrapped: String =
            trace.lines().map(|line| format!("2026-01-02T03:04:05.000000006Z stderr F {line}\n")).collect();
        let after = "2026-01-02T03:04:06.000000006Z stderr F ready\n";
        assert_eq!(lines(&format!("{wrapped}{after}")), [trace.lines().count(), 1], "{wrapped}");
    }
}

#[test]
fn a_line_that_a_container_runtime_cut_goes_on_in_the_next() {
    let text = "2026-01-02T03:04:05Z stdout P one \n2026-01-02T03:04:05Z stdout P two \n\
                2026-01-02T03:04:05Z stdout F three\n2026-01-02T03:04:06Z stdout F four\n";
    assert_eq!(lines(text), [3, 1]);
    let all: Vec<u8> = events(text).iter().map(Event::text).collect::<Vec<_>>().join(&b'\n');
    assert_eq!(all, text.trim_end().as_bytes(), "blanks at their ends as well");
}

#[test]
fn lines_without_a_trace_stay_alone() {
    let text = "started at 03:04\n  indented, but no frame\nat the end of the day (really)\nException handling is on\n";
    assert_eq!(lines(text), [1, 1, 1, 1]);
}

#[test]
fn an_event_without_an_end_is_ended_by_force_and_loses_no_line() {
    let mut text = "java.lang.StackOverflowError\n".to_owned();
    for _ in 0..5000 {
        text.push_str("\tat a.B.c(B.java:1)\n");
    }
    let events = events(&text);
    assert!(events.len() > 1);
    let all: Vec<u8> = events.iter().map(Event::text).collect::<Vec<_>>().join(&b'\n');
    assert_eq!(all, text.trim_end().as_bytes());
    assert_eq!(events.iter().map(Event::lines).sum::<usize>(), 5001);
}

#[test]
fn the_same_failure_at_another_line_of_the_same_place_has_the_same_template() {
    let mut miner = log_template::Miner::default();
    let trace = include_str!("traces/java.txt");
    let mut id = |trace: &str| {
        let events = events(&format!("{LOG_LINE}{trace}"));
        miner.observe(&events[0].headline()).template
    };
    assert_eq!(id(trace), id(&trace.replace("B.java:1", "B.java:2")));
    assert_ne!(
        id(trace),
        id(&trace.replace("com.example.shop.Cart.add(Cart", "com.example.shop.Order.sum(Order"))
    );
}

#[test]
fn what_node_prints_of_an_errors_own_properties_belongs_to_it() {
    let trace = "Error: ENOENT: no such file or directory, open '/app/x.json'
    at Object.openSync (node:fs:573:18)
    at load (/app/config.js:4:12)
    at Object.<anonymous> (/app/index.js:10:4) {
  errno: -2,
  code: 'ENOENT',
  syscall: 'open',
  [cause]: Error: inner
      at deep (/app/deep.js:1:1) {
    detail: { a: 1 }
  },
  path: '/app/x.json'
}
";
    assert_eq!(lines(&format!("{LOG_LINE}{trace}{LOG_LINE}{LOG_LINE}")), [1, trace.lines().count(), 1, 1]);
    // A brace that nothing has opened, and properties that end without one.
    assert_eq!(lines("at the start {\n  a: 1\n}\n"), [1, 1, 1]);
    let cut: String = trace.lines().take(6).flat_map(|line| [line, "\n"]).collect();
    assert_eq!(lines(&format!("{cut}{LOG_LINE}")), [6, 1]);
}
