//! What belongs to an exception besides its frames, and what follows it, which must survive.

use crate::events::{GROUP, LOG_LINE, events, headed, headline, lines};

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
    let line = "ERROR:    Exception in ASGI application\n";
    let health = "INFO:     10.0.0.1:5 - \"GET /health HTTP/1.1\" 200 OK\n";
    assert_eq!(lines(&format!("{line}{GROUP}{health}{health}")), [11, 1, 1]);
    assert_eq!(
        headline(&format!("{line}{GROUP}")),
        "ERROR:    Exception in ASGI application ValueError: cannot price item 7 File \"/app/cart.py\", line 17, in total"
    );
    survive(GROUP);
    assert_eq!(lines(&format!("{line}{GROUP}ready\nsteady\n")), [11, 1, 1], "also a line without a head");
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
    let ready = "2026-01-02 03:04:05 INFO [main] a.B: ready\n";
    let own = events(&format!("{ready}{trace}")).pop().expect("the trace");
    assert_eq!(
        String::from_utf8_lossy(&own.headline()),
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
    // Nothing is known of the log.
    assert_eq!(lines("java.sql.SQLException: bad\n  Position: 15\nready\n"), [2, 1]);
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

const RAISED: &str =
    "Traceback (most recent call last):\n  File \"/app/main.py\", line 3, in serve\n    raise error\n";

#[test]
fn an_exception_of_python_keeps_all_lines_of_its_message() {
    let pydantic = include_str!("traces/python-pydantic.txt");
    assert_eq!(
        headline(pydantic),
        "Traceback (most recent call last): \
         pydantic_core._pydantic_core.ValidationError: 3 validation errors for Settings \
         File \"/app/settings.py\", line 8, in <module>"
    );
    survive(pydantic);
    for message in [
        "RuntimeError: CUDA error: device-side assert triggered
CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.
For debugging consider passing CUDA_LAUNCH_BLOCKING=1
Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.

",
        "sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection to server at \"db\", port 5432 failed: no
\tIs the server running on that host and accepting TCP/IP connections?

(Background on this error at: https://sqlalche.me/e/20/e3q8)
",
        "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) no such table: nope
[SQL: select * from nope where id=?]
[parameters: (7,)]
(Background on this error at: https://sqlalche.me/e/21/e3q8)
",
        "psycopg2.errors.UniqueViolation: duplicate key value violates unique constraint \"items_pkey\"
DETAIL:  Key (id)=(7) already exists.

",
        "app.errors.make.<locals>.Odd: no\na note\nof two\n",
    ] {
        let trace = format!("{RAISED}{message}");
        survive(&trace);
        let exception = message.lines().next().expect("a message");
        let above = LOG_LINE.trim_end();
        let expected = format!("{above} {exception} File \"/app/main.py\", line 3, in serve");
        assert_eq!(headline(&format!("{LOG_LINE}{trace}")), expected);
        let head = "ERROR 06-12 10:11:12 [core.py:396] ";
        let text = format!("{}INFO 06-12 10:11:13 [core.py:20] ready\n", headed(head, trace.trim_end()));
        assert_eq!(lines(&text), [trace.trim_end().lines().count(), 1], "{text}");
    }
}

#[test]
fn a_message_of_several_lines_is_no_end_of_its_chain() {
    let error = "RuntimeError: CUDA error\nCUDA kernel errors might be asynchronously reported.\n";
    let link = "\nDuring handling of the above exception, another exception occurred:\n\n";
    let trace = format!("{RAISED}{error}{link}{RAISED}ValueError: no\n");
    assert_eq!(lines(&format!("{LOG_LINE}{trace}{LOG_LINE}")), [1 + trace.lines().count(), 1]);
    assert!(headline(&format!("{LOG_LINE}{trace}")).contains("ValueError: no File"));
    // Without a link the next traceback is another failure.
    assert_eq!(lines(&format!("{LOG_LINE}{RAISED}{error}\n{RAISED}{error}")), [7, 5]);
}

#[test]
fn the_same_failure_with_other_lines_in_its_message_has_the_same_template() {
    let mut miner = log_template::Miner::default();
    let mut id = |trace: &str| miner.observe(headline(trace).as_bytes()).template;
    let trace = include_str!("traces/python-pydantic.txt");
    let fewer: String = trace.lines().take(10).flat_map(|line| [line, "\n"]).collect();
    assert_eq!(id(trace), id(&fewer.replace("3 validation", "1 validation")));
}

#[test]
fn below_an_exception_the_lines_of_a_log_without_heads_survive() {
    assert_eq!(
        lines(&format!("{RAISED}ValueError: no\nready\nsteady\n")),
        [4, 1, 1],
        "nothing is known of it"
    );
    for above in ["up\n", "shop is starting\n"] {
        assert_eq!(lines(&format!("{above}{RAISED}ValueError: no\nready\nsteady\n")), [1, 4, 1, 1]);
        assert_eq!(lines(&format!("{above}{RAISED}ValueError: no\n\nready\n")), [1, 5, 1]);
    }
    assert_eq!(
        lines(&format!("up\n{RAISED}ValueError: 5 is too much\nready\n")),
        [1, 4, 1],
        "no count of errors"
    );
    // As many as the message announces belong to it.
    let pydantic = include_str!("traces/python-pydantic.txt");
    assert_eq!(lines(&format!("{pydantic}ready\nsteady\n")), [pydantic.lines().count(), 1, 1]);
    for head in ["shop-1  | ", "[pod/shop-1/app] ", "Jan  2 03:04:05 web1 shop[4711]: "] {
        let text = format!("{head}up\n{}{head}ready\n", headed(head, &format!("{RAISED}ValueError: no")));
        assert_eq!(lines(&text), [1, 4, 1], "{text}");
        let other = head.replace('1', "2").replace("02:", "03:");
        let text =
            format!("{head}INFO: up\n{}{other}ready\n", headed(head, &format!("{RAISED}ValueError: no")));
        assert_eq!(lines(&text), [1, 4, 1], "of another program: {text}");
    }
}

#[test]
fn messages_behind_the_head_that_a_tool_puts_before_every_line_are_joined() {
    for head in ["shop-1  | ", "[pod/shop-1/app] "] {
        let trace = headed(head, include_str!("traces/python-pydantic.txt"));
        let text = format!("{head}{LOG_LINE}{trace}{head}{LOG_LINE}");
        assert_eq!(lines(&text), [1 + trace.lines().count(), 1], "{text}");
    }
}

#[test]
fn a_fatal_error_of_go_takes_the_stack_of_the_runtime_with_it() {
    let trace = include_str!("traces/go-fatal.txt");
    assert_eq!(headline(trace), "fatal error: stack overflow main.depth(0x2aaaa4d?)");
    for next in NEXT {
        assert_eq!(lines(&format!("{LOG_LINE}{trace}{next}\n")), [1, trace.lines().count(), 1], "{next}");
    }
    assert_eq!(lines("runtime stack: is deep\nready\n"), [1, 1]);
}

#[test]
fn a_panic_of_go_keeps_the_lines_of_its_message() {
    let trace = "panic: a
\tb [recovered]
\tpanic: second
\tline: a

goroutine 1 [running]:
main.main.func1()
\t/app/main.go:3 +0x59
panic({0x4af3c0?, 0xf875398020?})
\t/usr/local/go/src/runtime/panic.go:860 +0x13a
main.main()
\t/app/main.go:3 +0x58
";
    assert_eq!(headline(trace), "panic: a main.main.func1()");
    assert_eq!(lines(&format!("{LOG_LINE}{trace}{LOG_LINE}")), [1, trace.lines().count(), 1]);
}

#[test]
fn each_panic_of_go_is_an_event() {
    for trace in [include_str!("traces/go.txt"), include_str!("traces/go-fatal.txt")] {
        let count = trace.lines().count();
        assert_eq!(lines(&trace.repeat(3)), [count; 3], "of a program that is started again and again");
    }
}

#[test]
fn below_a_cause_and_an_uncaught_exception_frames_are_sure_to_follow() {
    let trace = "Exception in thread \"main\" java.lang.RuntimeException: could not execute statement
ORA-06512: at line 1
\tat com.example.shop.Store.save(Store.java:12)
Caused by: java.sql.SQLException: no
Hint: none
\tat com.example.shop.Store.insert(Store.java:30)
\t... 8 more
";
    assert_eq!(lines(&format!("starting\n{trace}ready\n{LOG_LINE}")), [1, 7, 1, 1]);
    for next in NEXT {
        let text = format!("Exception in thread \"main\" java.lang.Error: no\n{next}\n");
        assert_eq!(lines(&text), [1, 1], "{text}");
    }
}
