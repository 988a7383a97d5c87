//! Stack traces as the runtimes print them.

use log_template::{Event, Joiner};

pub(crate) fn events(text: &str) -> Vec<Event> {
    let mut joiner = Joiner::default();
    let mut events: Vec<Event> = text.lines().filter_map(|line| joiner.push(line.as_bytes())).collect();
    events.extend(joiner.finish());
    events
}

pub(crate) fn lines(text: &str) -> Vec<usize> {
    events(text).iter().map(Event::lines).collect()
}

pub(crate) fn headline(text: &str) -> String {
    let events = events(text);
    assert_eq!(events.len(), 1, "{events:#?}");
    assert!(events[0].is_trace());
    String::from_utf8(events[0].headline().into_owned()).expect("the test's own text")
}

/// A group of exceptions of Python as uvicorn prints it.
pub(crate) const GROUP: &str = "  + Exception Group Traceback (most recent call last):
  |   File \"/app/main.py\", line 3, in serve
  |     async with create_task_group() as tasks:
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File \"/app/cart.py\", line 17, in total
    |     return sum(items)
    | ValueError: cannot price item 7
    +------------------------------------
";

/// A trace of each language.
pub(crate) const TRACES: [&str; 5] = [
    include_str!("traces/java.txt"),
    include_str!("traces/python.txt"),
    include_str!("traces/go.txt"),
    include_str!("traces/rust.txt"),
    include_str!("traces/node.txt"),
];

pub(crate) const LOG_LINE: &str = "2026-01-02 03:04:05 ERROR [main] a.B: request failed\n";

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
fn a_rust_panic_that_names_the_threads_number_is_one_event() {
    let trace = include_str!("traces/rust-1.95.txt");
    assert_eq!(
        headline(trace),
        "thread 'main' (16874) panicked at src/main.rs:1:59: index out of bounds: the len is 3 but the index is 5 \
         app::shop::total"
    );
    assert_eq!(lines(&format!("{LOG_LINE}\n{trace}{LOG_LINE}")), [1, 1, trace.lines().count(), 1]);
    let head = "Jan  2 03:04:05 web1 shop[4711]: ";
    assert_eq!(lines(&format!("{}{head}ready\n", headed(head, trace))), [trace.lines().count(), 1]);
    assert_eq!(lines("thread 'a' (see below) panicked at noon\nnote: no panic\n"), [1, 1]);
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
    for trace in TRACES {
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

#[test]
fn the_brace_behind_an_errors_properties_is_no_exception() {
    let trace = "Error: x\n    at main (/app/index.js:10:11) {\n  code: 1\n}\n";
    assert_eq!(headline(trace), "Error: x at main (/app/index.js:10:11)");
    let above = LOG_LINE.trim_end();
    let text = format!("{LOG_LINE}{}", include_str!("traces/node-properties.txt"));
    assert_eq!(
        headline(&text),
        format!("{above} AggregateError: many at Object.<anonymous> (/app/index.js:10:11)")
    );
    assert_eq!(lines(&format!("{text}{LOG_LINE}")), [text.lines().count(), 1]);
}

pub(crate) fn headed(head: &str, trace: &str) -> String {
    trace.lines().map(|line| format!("{head}{line}").trim_end().to_owned() + "\n").collect()
}

#[test]
fn a_trace_is_joined_behind_a_head_that_each_of_its_lines_has() {
    let python = include_str!("traces/python.txt");
    for (head, other) in [
        ("ERROR 06-12 10:11:12 [core.py:396] ", "INFO 06-12 10:11:13 [core.py:20] "),
        (
            "(EngineCore_0 pid=71) ERROR 06-12 10:11:12 [core.py:396] ",
            "(EngineCore_0 pid=71) INFO 06-12 10:11:13 [core.py:2] ",
        ),
        ("2026-01-02 03:04:05,123 - shop.cart - ERROR - ", "2026-01-02 03:04:05,123 - shop.cart - INFO - "),
        ("Jan  2 03:04:05 web1 shop[4711]: ", "Jan  2 03:04:05 web1 shop[4711]: "),
        ("shop-1  | ", "shop-1  | "),
        ("[pod/shop-1/app] ", "[pod/shop-1/app] "),
    ] {
        for trace in [python, include_str!("traces/go.txt"), include_str!("traces/rust.txt")] {
            let text = format!("{other}up\n{}{other}ready\n", headed(head, trace));
            assert_eq!(lines(&text), [1, trace.lines().count(), 1], "{text}");
        }
        for trace in [include_str!("traces/java.txt"), include_str!("traces/node.txt")] {
            let text = format!("{}{other}ready\n", headed(head, trace));
            assert_eq!(lines(&text), [trace.lines().count(), 1], "{text}");
        }
    }
}

#[test]
fn the_headline_behind_heads_is_that_of_the_bare_trace() {
    let trace = include_str!("traces/python.txt");
    let head = "ERROR 06-12 10:11:12 [core.py:396] ";
    let bare = headline(trace);
    assert_eq!(headline(&headed(head, trace)), format!("{head}{bare}"));
    // Its record's first line, with another time.
    let first = "ERROR 06-12 10:11:09 [core.py:396] EngineCore failed to start.";
    let rest = bare.split_once(": ").expect("an exception").1;
    assert_eq!(headline(&format!("{first}\n{}", headed(head, trace))), format!("{first} {rest}"));
}

#[test]
fn a_head_on_the_first_line_only_is_enough() {
    let trace = include_str!("traces/python.txt");
    let text = format!("2026-01-02 03:04:05 ERROR app: {trace}{LOG_LINE}");
    assert_eq!(lines(&text), [trace.lines().count(), 1]);
}

#[test]
fn a_trace_is_an_event_of_its_own_below_a_line_that_tells_of_no_failure() {
    let ready = "2026-01-02 03:04:05 INFO [main] a.B: ready\n";
    for trace in
        [include_str!("traces/java.txt"), include_str!("traces/python.txt"), include_str!("traces/node.txt")]
    {
        let count = trace.lines().count();
        assert_eq!(lines(&format!("{ready}{trace}{ready}")), [1, count, 1], "{trace}");
        assert_eq!(lines(&format!("{LOG_LINE}{trace}{ready}")), [1 + count, 1], "{trace}");
    }
    let uncaught = "Exception in thread \"main\" java.lang.Error: no\n\tat a.B.c(B.java:1)\n";
    assert_eq!(
        lines(&format!("{LOG_LINE}{uncaught}{ready}")),
        [1, 2, 1],
        "a runtime knows nothing of loggers"
    );
    assert_eq!(lines(&format!("ERROR:root:no\n{}", include_str!("traces/python.txt"))).len(), 1);
}

#[test]
fn an_empty_line_in_a_trace_does_not_end_it() {
    let text = "java.lang.Error: no\n\n\tat a.B.c(B.java:1)\n\tat a.B.d(B.java:2)\n\nCaused by: java.lang.Error: inner\n\
                \tat a.B.e(B.java:3)\n";
    assert_eq!(lines(&format!("{LOG_LINE}{text}{LOG_LINE}")), [8, 1]);
    assert_eq!(lines(&format!("{LOG_LINE}\n{LOG_LINE}")), [1, 1, 1]);
}

#[test]
fn a_group_of_exceptions_of_python_is_one_event() {
    let line = "ERROR:    Exception in ASGI application\n";
    assert_eq!(
        headline(&format!("{line}{GROUP}")),
        "ERROR:    Exception in ASGI application ValueError: cannot price item 7 File \"/app/cart.py\", line 17, in total"
    );
    assert_eq!(lines(&format!("{line}{GROUP}{LOG_LINE}")), [11, 1]);
    assert_eq!(lines(&format!("INFO:     ready\n{GROUP}{LOG_LINE}")), [1, 10, 1]);
}

#[test]
fn goroutines_belong_to_who_says_that_he_caught_a_panic() {
    let stack = "goroutine 431 [running]:
k8s.io/apimachinery/pkg/util/runtime.logPanic({0x1a4d5e0, 0x2c5d2a0})
\t/go/pkg/mod/k8s.io/apimachinery@v0.33.1/pkg/util/runtime/runtime.go:75 +0x85
panic({0x1a4d5e0?, 0x2c5d2a0?})
\t/usr/local/go/src/runtime/panic.go:884 +0x213
example.com/shop/controllers.(*Cart).Reconcile(0xc0001, {0x1, 0x2})
\t/src/controllers/cart.go:42 +0x1b
created by example.com/shop/controllers.Start in goroutine 1
\t/src/controllers/start.go:7 +0x1b
";
    for line in [
        "E0612 10:11:12.123456       1 runtime.go:79] Observed a panic: nil pointer dereference\n",
        "2026/01/02 03:04:05 http: panic serving 10.0.0.1:4711: no\n",
    ] {
        let text = format!("{line}{stack}");
        assert_eq!(
            headline(&text),
            format!(
                "{} example.com/shop/controllers.(*Cart).Reconcile(0xc0001, {{0x1, 0x2}})",
                line.trim_end()
            )
        );
        assert_eq!(lines(&format!("{text}{LOG_LINE}")), [10, 1]);
    }
    assert_eq!(lines(&format!("SIGQUIT: quit\n{stack}")), [1, 9]);
}

#[test]
fn an_exception_without_a_message_is_in_the_headline() {
    let text = format!("{LOG_LINE}java.lang.StackOverflowError\n\tat a.B.c(B.java:1)\n");
    assert_eq!(
        headline(&text),
        format!("{} java.lang.StackOverflowError at a.B.c(B.java:1)", LOG_LINE.trim_end())
    );
}

#[test]
fn functions_and_places_below_an_error_of_go_belong_to_it() {
    let line = "2026-06-12T10:11:12Z\tERROR\tcontroller\tReconciler error\t{\"error\": \"no\"}\n";
    let stack = "sigs.k8s.io/controller-runtime/pkg/internal/controller.(*Controller).reconcileHandler
\t/go/pkg/mod/sigs.k8s.io/controller-runtime@v0.20.0/pkg/internal/controller/controller.go:329
main.serve
\t/src/main.go:12
runtime.goexit
\t/usr/local/go/src/runtime/asm_amd64.s:1700
";
    let text = format!("{line}{stack}");
    assert_eq!(headline(&text), format!("{} main.serve", line.trim_end()));
    assert_eq!(lines(&format!("{text}{LOG_LINE}{LOG_LINE}")), [7, 1, 1]);
    assert_eq!(lines(&format!("{LOG_LINE}config.yaml\nmain.go\n")), [1, 1, 1], "no functions");
}
