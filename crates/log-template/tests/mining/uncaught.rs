//! What runtimes print of a failure that ends the program, of which only the lines further down tell what it is.

use crate::events::{LOG_LINE, events, headed, headline, lines};

const NODE: &str = "/app/x.js:3
    throw new Error(\"bad\");
    ^

Error: bad
    at f (/app/x.js:3:11)
    at Object.<anonymous> (/app/x.js:6:1)

Node.js v20.11.0
";

const PYTHON: &str = "  File \"/app/x.py\", line 1
    print \"a\"
    ^^^^^^^^^
SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)?
";

const ANYHOW: &str = include_str!("traces/rust-anyhow.txt");

#[test]
fn an_exception_that_nobody_caught_is_one_event_with_where_node_says_it_was_thrown() {
    assert_eq!(headline(NODE), "/app/x.js:3 Error: bad at f (/app/x.js:3:11)");
    assert_eq!(lines(&format!("{LOG_LINE}{NODE}{LOG_LINE}{LOG_LINE}")), [1, 9, 1, 1]);
    let caused = include_str!("traces/node-uncaught.txt");
    assert_eq!(headline(caused), "/app/b.js:2 Error: cannot start at load (/app/b.js:2:69)");
    assert_eq!(lines(&format!("{caused}{caused}")), [caused.lines().count(); 2]);
}

#[test]
fn node_ends_in_many_ways() {
    let frames = "    at async open (node:internal/fs/promises:637:25)\n    at file:///app/f.mjs:1:33\n";
    for ending in [
        // A promise, with properties.
        &format!(
            "node:internal/fs/promises:637\n  return new FileHandle(await PromisePrototypeThen(\n        ^\n\n\
             Error: ENOENT: no such file or directory\n{} {{\n  code: 'ENOENT'\n}}\n",
            frames.trim_end()
        ),
        "node:internal/process/promises:288\n            triggerUncaughtException(err, true);\n            ^\n\n\
         [Error: ENOENT: no such file or directory, open '/nope'] {\n  errno: -2,\n  code: 'ENOENT'\n}\n",
        // An error of syntax, whose source may look like anything.
        "/app/d.js:1\nfoo bar\n    ^^^\n\nSyntaxError: Unexpected identifier 'bar'\n    at wrapSafe (node:internal/modules/cjs/loader:1464:18)\n",
        // No error at all.
        "/app/e.js:1\nthrow \"bad\"\n^\nbad\n(Use `node --trace-uncaught ...` to show where the exception was thrown)\n",
        &format!(
            "file:///app/f.mjs:1\nnew E().emit(\"error\")\n  ^\n\nTypeError: no\n{frames}Emitted 'error' event at:\n{frames}"
        ),
        "C:\\app\\h.js:1\nthrow new Error(\"two\\nlines\")\n^\n\nError: two\nlines\n    at Object.<anonymous> (C:\\app\\h.js:1:21)\n",
    ] {
        let text = format!("{ending}\nNode.js v20.20.2\n");
        assert_eq!(lines(&format!("{LOG_LINE}{text}{LOG_LINE}")), [1, text.lines().count(), 1], "{text}");
    }
    assert_eq!(
        headline(
            "/app/d.js:1\nfoo bar\n    ^^^\n\nSyntaxError: Unexpected identifier 'bar'\n\nNode.js v20.20.2\n"
        ),
        "/app/d.js:1 SyntaxError: Unexpected identifier 'bar'"
    );
}

#[test]
fn what_ends_a_program_is_joined_behind_a_head_on_each_line() {
    for head in ["shop-1  | ", "Jan  2 03:04:05 web1 shop[4711]: ", "[pod/shop-1/app] "] {
        for trace in [NODE, PYTHON, ANYHOW] {
            let text = headed(head, trace);
            assert_eq!(lines(&format!("{text}{head}ready\n")), [trace.lines().count(), 1], "{text}");
            assert_eq!(events(&text)[0].headline(), format!("{head}{}", headline(trace)).as_bytes());
        }
    }
}

#[test]
fn an_error_that_main_of_rust_returned_is_one_event_with_its_causes() {
    assert_eq!(
        headline(ANYHOW),
        "Error: cannot start No such file or directory (os error 2) shop::settings::read"
    );
    assert_eq!(lines(&format!("{LOG_LINE}{ANYHOW}{LOG_LINE}")), [1, ANYHOW.lines().count(), 1]);
    let eyre = "Error: cannot start\n\nCaused by:\n    no such file\n\nLocation:\n    src/main.rs:3:10\n";
    assert_eq!(headline(eyre), "Error: cannot start no such file");
    assert_eq!(lines(&format!("{eyre}ready\n")), [7, 1]);
}

#[test]
fn an_error_of_syntax_in_the_file_that_python_was_started_with_is_one_event() {
    assert_eq!(
        headline(PYTHON),
        "  File \"/app/x.py\", line 1 SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)?"
    );
    assert_eq!(lines(&format!("{LOG_LINE}{PYTHON}{LOG_LINE}")), [1, 4, 1]);
    let unreadable = "  File \"/app/x.py\", line 1\nSyntaxError: Non-UTF-8 code starting with '\\xff'\n";
    assert_eq!(lines(&format!("{unreadable}ready\n")), [2, 1]);
}

#[test]
fn what_only_begins_like_an_end_is_no_trace() {
    for text in [
        format!("/app/x.js:3\n{LOG_LINE}"),
        "/app/x.js:3\n/app/y.js:4\n".to_owned(),
        "serving /app/x.js:3\nserving /app/y.js:4\n".to_owned(),
        "Error: no\nready\n".to_owned(),
        "  File \"/app/x.py\", line 1\nready\n".to_owned(),
    ] {
        assert_eq!(lines(&text), [1, 1], "{text}");
    }
    let events = events("/app/x.js:3\nready\nsteady\n");
    assert!(!events.iter().any(log_template::Event::is_trace));
    assert_eq!(lines("2026-01-02 03:04:05 app: Error: no\n\nCaused by:\n"), [1, 1, 1]);
    let frame = "    at f (/app/x.js:3:11)\n";
    assert_eq!(lines(&format!("2026-01-02 03:04:05 ERROR app: Error: no\n{frame}{frame}{LOG_LINE}")), [3, 1]);
}
