//! Where a secret ends: at its line, unless something says that it goes on.

use crate::promises::everything;

/// Lines that say something else, whatever stands above them.
const HARMLESS: [&str; 24] = [
    "foo",
    "OK",
    "done",
    "LANG",
    "b",
    "200",
    "exit1",
    "step2",
    "web1",
    "node-a1b2",
    "10.0.0.1",
    "3f2a9c1d4e5b",
    "550e8400-e29b-41d4-a716-446655440000",
    "src/main.rs:12:5",
    "main.rs.bk2",
    "BuildOk",
    "OperationCompletedSuccessfully",
    "Host1",
    "a.txt",
    "StartingWorkers",
    "foo\nbar",
    "42\n43",
    "ls\na.txt\nStartingWorkers2",
    "carol\n3\nUtf8Decoder2",
];

const SECRETS: [&str; 11] = [
    "DB_PASSWORD=S3cretPw9",
    "PGPASSWORD=S3cretPw9",
    "export TOKEN=abcDEF123456",
    "token=abcDEF123456",
    "api_key: abcDEF123456",
    "login bob@example.com",
    "remote 8.8.8.8",
    "call +8613812345678",
    "Authorization: Bearer abcdef0123456789abcdef",
    "Cookie: sid=abcDEF123456",
    "password: 'S3cretPw9'",
];

#[test]
fn a_harmless_line_below_a_secret_stays_and_changes_no_id() {
    let redactor = everything();
    for secret in SECRETS {
        let alone = redactor.redact(secret).into_owned();
        assert_ne!(alone, secret);
        for next in HARMLESS.iter().filter(|next| !next.starts_with("10.")) {
            for line_break in ["\n", "\r\n", "\n    "] {
                let text = format!("{secret}{line_break}{next}{line_break}");
                assert_eq!(
                    redactor.redact(&text),
                    format!("{alone}{line_break}{next}{line_break}"),
                    "{text:?}"
                );
            }
        }
    }
}

#[test]
fn a_column_of_names_below_an_address_stays() {
    let redactor = everything();
    let clean = redactor.redact("users:\nalice@example.com\nbob\ncarol\n").into_owned();
    assert!(clean.starts_with("users:\n<email:") && clean.ends_with(">\nbob\ncarol\n"), "{clean}");
}

#[test]
fn what_a_sign_or_its_own_length_says_goes_on_is_found_whole() {
    let hash = "0123456789abcdef0123456789";
    for (text, rest) in [
        ("export TOKEN=abcDEF\\\n  ghi456\nnext".to_owned(), "ghi456"),
        ("password=\"S3cret\nPw9\"\nnext".to_owned(), "Pw9"),
        ("token=abcDEF123456\nx7Qk9vB2mZt7\nnext".to_owned(), "x7Qk9vB2"),
        (format!("signature={hash}\nabcdef\nnext"), "abcdef\n"),
        (format!("aws_secret_access_key={}\nFoo\nnext", "Ab1".repeat(12) + "x"), "Foo"),
    ] {
        let clean = everything().redact(&text);
        assert!(!clean.contains(rest), "{text:?} became {clean:?}");
        assert!(clean.ends_with("\nnext"), "{text:?} became {clean:?}");
    }
}

#[test]
fn a_word_below_base64_stays() {
    let redactor = everything();
    // `{"password":"kuhgras-0123456789-0123456789-0123456789-01"}` and the like, in base64 without padding.
    let encoded = "eyJwYXNzd29yZCI6Imt1aGdyYXMtMDEyMzQ1Njc4OS0wMTIzNDU2Nzg5LTAxIn0K";
    let alone = redactor.redact(encoded).into_owned();
    assert_ne!(alone, encoded);
    for next in ["done", "foo", "OK", "Started"] {
        assert_eq!(redactor.redact(&format!("{encoded}\n{next}\n")), format!("{alone}\n{next}\n"));
    }
}

#[test]
fn a_form_of_its_own_is_found_behind_a_key_too() {
    let token = "0123456789abcdef".repeat(4);
    let text =
        format!("https://oapi.dingtalk.com/robot/send?access_token={}\n{}\nnext", &token[..32], &token[32..]);
    let clean = everything().redact(&text).into_owned();
    assert!(clean.contains("<dingtalk-webhook:") && clean.ends_with(">\n\nnext"), "{clean}");
}
