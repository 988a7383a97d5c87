//! What only looks drawn, and what is beside it.

use crate::promises::everything;

const DRAWN: &str = "1k3Jq9XvB2mZt7RwY5cLp8NdHs4GfQa6Ev3Jq9XvB2mZ";

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
        let redactor = log_redact::Redactor::builder()
            .key(log_redact::Key::from_bytes(b"of no use outside of tests").unwrap())
            .build()
            .unwrap();
        assert_eq!(redactor.redact(&text), expected, "{text}");
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
