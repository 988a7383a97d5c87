//! The signature that a bot may demand, written from the vendor's guide and not from the client, so that the two check
//! each other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::cvm::signature::hmac;

/// Whether a body is signed with this secret, at a time within an hour from now.
pub(super) fn is_valid(body: &Value, secret: &str, now: Timestamp) -> bool {
    let (Some(timestamp), Some(sign)) = (body["timestamp"].as_str(), body["sign"].as_str()) else {
        return false;
    };
    let Some(signed_at) = timestamp.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok())
    else {
        return false;
    };
    let key = format!("{timestamp}\n{secret}");
    now.duration_since(signed_at).abs() < SignedDuration::from_hours(1)
        && sign == STANDARD.encode(hmac(key.as_bytes(), b""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_signature_made_by_others_is_taken_for_an_hour() {
        let body =
            json!({ "timestamp": "1599360473", "sign": "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=" });
        let at = |seconds: i64| Timestamp::from_second(1_599_360_473 + seconds).unwrap();
        assert!(is_valid(&body, "demo", at(0)));
        assert!(is_valid(&body, "demo", at(3599)));
        assert!(is_valid(&body, "demo", at(-3599)));
        assert!(!is_valid(&body, "demo", at(3600)));
        assert!(!is_valid(&body, "other", at(0)));
        assert!(!is_valid(&json!({}), "demo", at(0)));
        let number = json!({ "timestamp": 1_599_360_473, "sign": body["sign"] });
        assert!(!is_valid(&number, "demo", at(0)), "the guide sends a text");
    }
}
