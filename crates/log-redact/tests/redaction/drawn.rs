//! What only looks drawn, and what is beside it.

use log_redact::{Key, Redactor};

use crate::promises::everything;

const DRAWN: &str = "1k3Jq9XvB2mZt7RwY5cLp8NdHs4GfQa6Ev3Jq9XvB2mZ";

/// Without names of hosts.
fn as_shipped() -> Redactor {
    let key = Key::from_bytes(b"of no use outside of tests").unwrap();
    Redactor::builder().key(key).build().unwrap()
}

fn placeholder(secret: &str) -> String {
    let clean = everything().redact(secret).into_owned();
    assert!(clean.starts_with('<') && clean.ends_with('>'), "{clean}");
    clean
}

#[test]
fn of_a_path_only_what_is_drawn_goes_and_is_the_same_everywhere() {
    let alone = placeholder(DRAWN);
    for path in [
        "https://docs.google.com/document/d/SECRET/edit",
        "https://x.example.com/d/SECRET/edit",
        "https://docs.example.org/SECRET",
        "http://localhost:8080/d/SECRET",
        "path/SECRET",
        "SECRET/edit",
        "d/SECRET/edit?id=1",
        "GET /api/v1/files/SECRET 200",
        "GET /SECRET/ 200",
        "/srv/my-bucket_2/550e8400-e29b-41d4-a716-446655440000/SECRET",
        "id=SECRET",
    ] {
        let text = path.replace("SECRET", DRAWN);
        let expected = path.replace("SECRET", &alone);
        assert_eq!(as_shipped().redact(&text), expected, "{text}");
    }
}

#[test]
fn base64_with_slashes_goes_as_a_whole() {
    for secret in [
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzQ7mWv5Kt2h",
        "a/k3Jq9XvB2mZt7RwY5cLp8NdHs4GfQa6Ev3Jq9XvB2",
        "k3Jq9XvB2m+Zt7RwY5c/Lp8NdHs4GfQa6Ev3Jq9Xv/B2",
    ] {
        placeholder(secret);
        let clean = everything().redact(&format!("the key is {secret}.")).into_owned();
        assert!(clean.starts_with("the key is <") && clean.ends_with(">."), "{clean}");
    }
}

#[test]
fn a_known_token_in_a_path_keeps_its_class() {
    let token = format!("{}{}", "ghp_", "Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0Uv1Wx2");
    let alone = placeholder(&token);
    assert!(alone.starts_with("<github-token:"), "{alone}");
    for path in ["https://x.example.com/SECRET/y", "a/SECRET", "SECRET/b", "/SECRET/"] {
        let clean = everything().redact(&path.replace("SECRET", &token)).into_owned();
        assert!(clean.contains(&alone) && !clean.contains("random-token"), "{path} became {clean}");
    }
    let two = everything().redact(&format!("{DRAWN}/{token}")).into_owned();
    assert_eq!(two, format!("{}/{alone}", placeholder(DRAWN)));
}

/// Base64 in lines of 64, as PEM has it: no certificate of anybody.
fn body() -> Vec<String> {
    const LINE: &str = "k3Jq9XvB2mZt7RwY5c/Lp8NdHs4GfQa6Ev3Jq9XvB2m+Zt7RwY5cLp8NdHs4GfQ";
    let mut lines: Vec<String> = ["M", "a", "b", "c"].iter().map(|first| format!("{first}{LINE}")).collect();
    lines.push("Lp8NdHs4GfQa6Ev3Jq9XvB2m/Zt7RwY5cLp8NdHs4Q==".to_owned());
    lines
}

#[test]
fn certificates_and_public_keys_stay_and_private_ones_go() {
    for (label, stays) in [
        ("CERTIFICATE", true),
        ("TRUSTED CERTIFICATE", true),
        ("CERTIFICATE REQUEST", true),
        ("PUBLIC KEY", true),
        ("PRIVATE KEY", false),
        ("EC PRIVATE KEY", false),
    ] {
        for line_break in ["\n", "\r\n", "\n    ", r"\n", r"\\n", r"\r\n"] {
            let lines = body().join(line_break);
            let pem = format!("-----BEGIN {label}-----{line_break}{lines}{line_break}-----END {label}-----");
            let text = format!("tls: \"{pem}{line_break}\" read\n");
            let clean = everything().redact(&text).into_owned();
            assert_eq!(clean == text, stays, "{text} became {clean}");
        }
    }
    let cut = format!("-----BEGIN CERTIFICATE-----\n{}\nthe key is {DRAWN}\n", body()[0]);
    assert_eq!(everything().redact(&cut), cut.replace(DRAWN, &placeholder(DRAWN)), "it ends with its lines");
}

#[test]
fn a_long_certificate_stays_where_a_block_ends_in_it() {
    let lines = body()[..4].join("\n");
    let pem = format!("-----BEGIN CERTIFICATE-----\n{lines}\n{lines}\n{lines}\n-----END CERTIFICATE-----\n");
    for before in (0..900).step_by(31) {
        let text = "nothing\n".repeat(16 * 1024 - 113) + &"-".repeat(before) + "\n" + &pem;
        assert_eq!(everything().redact(&text), text, "{before}");
    }
}

#[test]
fn sums_and_pictures_with_slashes_in_them_stay() {
    let base64 = "k3Jq9XvB2mZt7RwY5c/Lp8NdHs4GfQa6Ev3Jq9XvB2mZt7RwY5cLp8NdHs4GfQa/Ev3Jq9XvB2mZt7RwY5cLp8NdHs4GfQa6EQ==";
    for text in [
        "github.com/rivo/uniseg v0.4.7 h1:k3Jq9XvB2mZt/RwY5cLp8NdHs4GfQa6Ev3Jq9XvB2mQ=",
        "github.com/rivo/uniseg v0.4.7/go.mod h1:k3Jq9XvB2mZt7RwY5cLp8NdHs4GfQa6Ev3Jq/XvB2mQ=",
        r#""integrity": "sha512-BASE64""#,
        r#"<script integrity="sha384-BASE64" src="/a.js">"#,
        "pin-sha256=\"x\" sha256/k3Jq9XvB2mZt7RwY5cLp8NdHs4GfQa6Ev3Jq9XvB2mQ=",
        r#"{"img":"data:image/png;base64,BASE64"}"#,
        "url(data:font/woff2;charset=utf-8;base64,BASE64)",
    ] {
        let text = text.replace("BASE64", base64);
        assert_eq!(as_shipped().redact(&text), text);
        let escaped = text.replace('/', r"\/");
        assert_eq!(as_shipped().redact(&escaped), escaped);
    }
    let text = format!("data:application/octet-stream;base64,{DRAWN}");
    assert_eq!(as_shipped().redact(&text), text.replace(DRAWN, &placeholder(DRAWN)));
}
