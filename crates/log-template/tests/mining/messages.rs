//! What belongs to an exception besides its frames, and what follows it, which must survive.

use crate::events::{LOG_LINE, headed, headline, lines};

/// First lines of what comes after a trace, each in another format.
const NEXT: [&str; 12] = [
    "2026-01-02 03:04:06 INFO [main] a.B: ready",
    "[2026-01-02 03:04:06,123] INFO in app: ready",
    "INFO:     10.0.0.1:5 - \"GET /health HTTP/1.1\" 200 OK",
    "INFO 06-12 10:11:13 [core.py:20] ready",
    " WARN [main] a.B: slow",
    "[INFO] ready",
    "info: ready",
    "{\"level\":\"info\",\"msg\":\"ready\"}",
    "level=info msg=ready",
    "time=2026-01-02T03:04:06Z level=INFO msg=ready",
    "I0102 03:04:06.123456       1 main.go:12] ready",
    "10.0.0.1 - - [02/Jan/2026:03:04:06 +0000] \"GET / HTTP/1.1\" 200 5",
];

/// The lines that stand alone behind `trace`, whatever they look like.
fn survive(trace: &str) {
    for next in NEXT {
        let text = format!("{LOG_LINE}{trace}{next}\n{next}\n");
        assert_eq!(lines(&text), [1 + trace.lines().count(), 1, 1], "{text}");
    }
}

#[test]
fn a_group_of_exceptions_ends_with_its_rule() {
    let trace = "  + Exception Group Traceback (most recent call last):
  |   File \"/app/main.py\", line 3, in serve
  |     async with create_task_group() as tasks:
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File \"/app/cart.py\", line 17, in total
    |     return sum(items)
    | ValueError: x
    +------------------------------------
";
    let line = "ERROR:    Exception in ASGI application\n";
    let health = "INFO:     10.0.0.1:5 - \"GET /health HTTP/1.1\" 200 OK\n";
    assert_eq!(lines(&format!("{line}{trace}{health}{health}")), [11, 1, 1]);
    assert_eq!(
        headline(&format!("{line}{trace}")),
        "ERROR:    Exception in ASGI application ValueError: x File \"/app/cart.py\", line 17, in total"
    );
    survive(trace);
    assert_eq!(lines(&format!("{line}{trace}ready\nsteady\n")), [11, 1, 1], "also a line without a head");
}

#[test]
fn groups_within_groups_are_one_event() {
    let trace = include_str!("traces/python-group.txt");
    let count = trace.lines().count();
    assert_eq!(lines(&format!("{LOG_LINE}{trace}{LOG_LINE}")), [1 + count, 1]);
    let other = "\nDuring handling of the above exception, another exception occurred:\n\n";
    let all = format!("{trace}{other}{}", include_str!("traces/python.txt"));
    assert_eq!(lines(&format!("{LOG_LINE}{all}{LOG_LINE}")), [1 + all.lines().count(), 1]);
    let head = "ERROR 06-12 10:11:12 [core.py:396] ";
    let text = format!("{}INFO 06-12 10:11:13 [core.py:20] ready\n", headed(head, trace));
    assert_eq!(lines(&text), [count, 1]);
    survive(trace);
}

#[test]
fn a_traceback_that_was_cut_short_takes_no_line_with_it() {
    survive("Traceback (most recent call last):\n  File \"/app/main.py\", line 3, in serve\n");
}

#[test]
fn an_exception_of_java_keeps_all_lines_of_its_message() {
    let line = "2026-01-02 03:04:05 ERROR a failed\n";
    let trace = "java.sql.SQLException: bad\n  Position: 15\n\tat a.B.c(B.java:1)\n";
    assert_eq!(
        headline(&format!("{line}{trace}")),
        "2026-01-02 03:04:05 ERROR a failed java.sql.SQLException: bad at a.B.c(B.java:1)"
    );
    survive(trace);
    let trace = include_str!("traces/java-message.txt");
    assert_eq!(
        headline(&format!("{line}{trace}")),
        "2026-01-02 03:04:05 ERROR a failed java.lang.RuntimeException: could not execute statement \
         at com.example.shop.Store.save(Store.java:12)"
    );
    assert_eq!(
        headline(trace),
        "java.lang.RuntimeException: could not execute statement \
         Caused by: org.postgresql.util.PSQLException: ERROR: duplicate key value violates unique constraint \"items_pkey\" \
         at com.example.shop.Store.save(Store.java:12)"
    );
    survive(trace);
}

#[test]
fn a_message_takes_no_record_of_the_log_with_it() {
    for next in NEXT {
        let text = format!("{LOG_LINE}java.sql.SQLException: bad\n{next}\n{next}\n");
        assert_eq!(lines(&text), [2, 1, 1], "{text}");
    }
}

#[test]
fn in_a_log_without_heads_only_what_is_indented_belongs_to_a_message() {
    let text = "shop is starting\njava.sql.SQLException: bad\n  Position: 15\nshop has stopped\nbye\n";
    assert_eq!(lines(text), [1, 2, 1, 1]);
    let text = "shop-1  | up\nshop-1  | java.sql.SQLException: bad\nshop-1  | stopped\n";
    assert_eq!(lines(text), [1, 1, 1]);
}

#[test]
fn a_message_has_an_end() {
    let text = format!("{LOG_LINE}java.sql.SQLException: bad\n{}", "and more\n".repeat(100));
    let counts = lines(&text);
    assert_eq!(counts.iter().sum::<usize>(), 102);
    assert!(counts[0] <= 40, "{counts:?}");
    assert!(counts[1..].iter().all(|&lines| lines == 1), "{counts:?}");
}
