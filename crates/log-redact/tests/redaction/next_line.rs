//! Where a secret ends: at its line, unless something says that it goes on.

use log_redact::Redactor;

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
fn a_rest_that_nobody_writes_belongs_to_what_is_above() {
    for (text, rest) in [
        ("db_password=S3cretPw9x\naMwjpa!z1\nnext", "aMwjpa"),
        ("api_key=abcDEF123456\ncvhFx88\nnext", "cvhFx88"),
        ("token=abcDEF123456\nxVdcQP\nnext", "xVdcQP"),
        ("mail of chr\nistian@example.com\nnext", "istian"),
        ("Authorization: Bearer abcdef0123456789abcdef\nD4j7kAzmtM\nnext", "D4j7kAzmtM"),
    ] {
        let clean = everything().redact(text);
        assert!(!clean.contains(rest) && clean.ends_with("\nnext"), "{text:?} became {clean:?}");
    }
}

#[test]
fn a_name_below_a_secret_stays() {
    let redactor = everything();
    for name in ["IPv6", "PyAny", "OpenSSL3", "TLSv1", "Ljubljana", "csb_PL", "ELFv2", "MiB", "LaTeX"] {
        for secret in SECRETS {
            let alone = redactor.redact(secret).into_owned();
            assert_eq!(redactor.redact(&format!("{secret}\n{name}\n")), format!("{alone}\n{name}\n"));
        }
    }
}

#[test]
fn a_number_in_groups_is_put_together_wherever_a_line_cut_it() {
    for (text, rest) in [
        ("cannot reach 8.19\n8.209.88\nnext", "209"),
        ("cannot reach 8.9\r\n2.151.76\r\nnext", "151"),
        ("cannot reach 8.227.1\n9.40\nnext", "9.40"),
        ("cannot call 1\n38 1234 5678\nnext", "5678"),
        ("cannot call 138 1\r\n234 5678\nnext", "5678"),
        ("cannot call 13\\\n8 1234 5678\nnext", "5678"),
        ("cannot pay 4111 1111 11\\\n11 1111\nnext", "11 1111"),
        ("cannot pay to G\nB82 WEST 1234 5698 7654 32\nnext", "7654"),
        ("cannot pay to NO93 8\n601 1117 947\nnext", "1117"),
        ("cannot pay to GB82 WEST 1234 5698 7654 3\\\n2\nnext", "7654"),
        ("cannot pay to GB82 WEST 1234 5698 76\n54 32\nnext", "54 32"),
        ("cannot find 1\n88-82-8167\nnext", "8167"),
        ("cannot find 4\n    15-60-1680\nnext", "1680"),
    ] {
        let clean = everything().redact(text);
        assert!(!clean.contains(rest) && clean.ends_with("\nnext"), "{text:?} became {clean:?}");
    }
}

#[test]
fn numbers_on_lines_of_their_own_stay() {
    for text in [
        "1\n38 1234 5678\n",
        "step 1\n02-03-2026\n",
        "step 2\n12-31-1999\n",
        "took 1.5\n2.3.4.5.6\n",
        "version 1.2\n3.4.5\n",
        "count 2\n10.0.0\n",
        "count 2\n10.0.0.1\n",
        "count 2\n10.0.0.1:8080\n",
        "took 1.5\n2.3.4\n",
        "Python 3.8.1\n2.5\n",
        "count 138\n1234 5678 9012\n",
    ] {
        assert_eq!(Redactor::new().unwrap().redact(text), text);
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
