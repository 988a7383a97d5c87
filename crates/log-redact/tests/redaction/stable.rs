//! What stands in place of secrets, and where.

use log_redact::{Group, Key, Redactor};

use crate::promises::everything;

const LINES: &str =
    "first line\nlogin of bob@example.com\n  password=Tr0ub4dor&3 next=1\npassword=Tr0ub4dor&3\n";

#[test]
fn a_find_says_where_it_is_and_never_what() {
    let redactor = everything();
    let finds = redactor.find(LINES.as_bytes());
    let places: Vec<_> = finds.iter().map(|find| (find.class, find.line, find.column)).collect();
    assert_eq!(places, [("email", 2, 10), ("password", 3, 12), ("password", 4, 10)]);
    assert_eq!(finds[0].group, Group::Personal);
    assert_eq!(&LINES[finds[1].range.clone()], "Tr0ub4dor&3");
    assert!(!format!("{redactor:?}{finds:?}").contains("Tr0ub4dor"));
}

#[test]
fn the_same_secret_has_the_same_placeholder_under_the_same_key_only() {
    let redactor = everything();
    let finds = redactor.find(LINES.as_bytes());
    assert_eq!(finds[1].id, finds[2].id);
    assert_eq!(redactor.redact(LINES), everything().redact(LINES));
    let random = Redactor::builder().key(Key::random().unwrap()).build().unwrap();
    assert_ne!(random.redact(LINES), redactor.redact(LINES));
    assert_ne!(Redactor::new().unwrap().redact(LINES), Redactor::new().unwrap().redact(LINES));
}

#[test]
fn one_secret_has_one_placeholder_however_it_is_spelled() {
    let redactor = everything();
    let ids = [
        "password=pa&ss/wörd1",
        "password=\"pa&ss/wörd1\"",
        "GET /?password=pa%26ss%2Fw%C3%B6rd1&x=1",
        r#"{"password":"pa&ss\/w\u00f6rd1"}"#,
        r#"{"log":"{\"password\":\"pa&ss/wörd1\"}"}"#,
    ]
    .map(|text| {
        let clean = redactor.redact(text);
        assert!(!clean.contains("rd1"), "{text} -> {clean}");
        redactor.find(text.as_bytes()).pop().unwrap().id
    });
    assert!(ids.iter().skip(1).all(|id| *id == ids[1]), "{ids:?}");
}

#[test]
fn what_was_redacted_stays_as_it_is() {
    let redactor = everything();
    let clean = redactor.redact(LINES).into_owned();
    assert_eq!(redactor.redact(&clean), clean);
}

#[test]
fn line_breaks_inside_a_secret_stay() {
    let redactor = everything();
    let dashes = "-".repeat(5);
    let text = format!(
        "a\r\n{dashes}BEGIN PRIVATE KEY{dashes}\r\n{0}\r\n{0}\r\n{dashes}END PRIVATE KEY{dashes}\r\nb\r\n",
        "RVhBTVBMRUVYQU1QTEVFWEFNUExF"
    );
    let clean = redactor.redact(&text);
    let lines: Vec<_> = clean.split("\r\n").collect();
    assert_eq!(lines.len(), 7, "{clean}");
    assert!(lines[1].starts_with("<private-key:") && lines[2..5] == ["", "", ""], "{clean}");
    assert_eq!((lines[0], lines[5]), ("a", "b"));
}

#[test]
fn the_line_after_a_secret_stays_whatever_it_says() {
    let redactor = everything();
    for secret in [
        "> Authorization: token kuhgras1",
        "Authorization: ApiKey kuhgras1",
        "> Cookie: sid=kuhgras1",
        "Cookie: sid=kuhgras1; b=2",
        "GET /?token=kuh%2Bgras1",
        "amqp://app:kuh%2Bgras@mq/",
        "postgres://app:kuhgras1@db/x",
    ] {
        let alone = redactor.redact(secret).into_owned();
        assert_ne!(alone, secret);
        for next in [
            "> User-Agent: curl/8.5.0\n> Accept: */*",
            "[03T10:11:12] GET /a/b?c=1 200",
            "I0303 10:11:12.12345 1 foo.go:12] hello world",
            "user42 logged in",
            "step done\nfoo",
            "redis://cache:6379/0\nkafka://mq:9092",
        ] {
            let text = format!("{secret}\n{next}\n");
            assert_eq!(redactor.redact(&text), format!("{alone}\n{next}\n"));
        }
    }
    let text = "CancellationToken: cancelled\ncancellation_token=None\nstack pointer 0xc000123456\n";
    assert_eq!(redactor.redact(text), text);
}
