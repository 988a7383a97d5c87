//! Secrets behind the escapes of strings and of addresses.

use log_redact::{Key, Redactor};

use crate::promises::everything;

/// What stands before a secret in a string of JSON.
const ESCAPES: [&str; 11] = [
    r"a\n",
    r"a\t",
    r"a\r",
    r"a\b",
    r"a\f",
    r"a\r\n",
    r"\u4e2d",
    r"\ud83d\ude00",
    r"\u001b[1;31m",
    r"a\\n",
    r"{\\\\\\n",
];

fn token() -> String {
    format!("{}{}", "ghp_", "Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0Uv1Wx2")
}

fn drawn() -> String {
    "k3Jq9XvB2mZt7RwY5cLp8NdHs4GfQa6E".repeat(2)
}

#[test]
fn behind_an_escape_a_secret_is_the_same_and_the_escape_stays() {
    let redactor = everything();
    let secrets =
        [token(), drawn(), "bob@example.com".to_owned(), "+8613800138000".to_owned(), "fe80::1:2".to_owned()];
    for secret in secrets {
        let alone = redactor.redact(&format!("a {secret} b")).into_owned();
        let placeholder = &alone[2..alone.len() - 2];
        for escape in ESCAPES {
            let text = format!(r#"{{"m":"{escape}{secret}\nb"}}"#);
            let expected = format!(r#"{{"m":"{escape}{placeholder}\nb"}}"#);
            assert_eq!(redactor.redact(&text), expected, "{text}");
        }
    }
}

#[test]
fn behind_a_percent_encoded_letter_a_secret_is_the_same() {
    for secret in ["bob@example.com".to_owned(), drawn()] {
        let alone = everything().redact(&secret).into_owned();
        for escape in ["a%0A", "%20", "%E4%B8%AD"] {
            let text = format!("GET /a?q={escape}{secret}&b=1");
            assert_eq!(everything().redact(&text), text.replace(&secret, &alone));
        }
    }
}

#[test]
fn an_allowed_value_behind_an_escape_stays() {
    let redactor = Redactor::builder().allow("support@example.com").build().unwrap();
    let text = r#"{"m":"to:\nsupport@example.com"}"#;
    assert_eq!(redactor.redact(text), text);
}

#[test]
fn a_path_of_windows_in_a_string_has_no_escapes() {
    let key = Key::from_bytes(&[7; 32]).unwrap();
    let redactor = Redactor::builder().key(key).build().unwrap();
    let alone = redactor.redact("nina@example.com").into_owned();
    let path = r#"{"dir":"C:\\Users\\nina@example.com"}"#;
    assert_eq!(redactor.redact(path), path.replace("nina@example.com", &alone));
    // Spelled plainly it cannot be told from a line break, which is what it mostly is.
    assert!(redactor.redact(r"C:\Users\nina@example.com").starts_with(r"C:\Users\n<email:"));
    let regex = r"grep '\bx-1\b' of \d+\.\w+ and C:\new\table\read.txt";
    assert_eq!(redactor.redact(regex), regex);
}

#[test]
fn a_number_of_json_becomes_a_string() {
    for text in [
        r#"{"token":12345678,"b":1}"#,
        "{\n  \"phone\": 13800138000\n}",
        r#"{"a":{"card" : 4111111111111111}}"#,
        r#"{"log":"{\"phone\":13800138000,\"b\":\"{\\\"phone\\\":13800138000}\"}"}"#,
    ] {
        serde_json::from_str::<serde_json::Value>(text).unwrap();
        let clean = everything().redact(text).into_owned();
        assert!(clean.contains("\"<") && !clean.contains("138") && !clean.contains("345"), "{clean}");
        let mut value = serde_json::from_str::<serde_json::Value>(&clean).unwrap();
        while let Some(log) = value["log"].as_str().or(value["b"].as_str()) {
            value = serde_json::from_str(log).unwrap();
        }
        assert_eq!(everything().redact(&clean), clean, "again");
    }
    let clean = everything().redact("token: 12345678, phone=13800138000}").into_owned();
    assert!(!clean.contains('"'), "{clean}");
}
