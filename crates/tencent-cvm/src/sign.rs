//! TC3-HMAC-SHA256: what is signed, with which key, gives which `Authorization`.
//!
//! Pure functions without clock or network. The scheme is the document "Signature v3" (API 3.0, 1084/39391);
//! the order of its parts was checked against vectors made with the official SDK's signer and against the two
//! signatures that the document publishes.

use std::sync::{Mutex, PoisonError};

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use crate::Credentials;

const ALGORITHM: &str = "TC3-HMAC-SHA256";
const SIGNED_HEADERS: &str = "content-type;host";

/// The parts of a request that its signature covers. The method is always POST, the path `/` and the query
/// empty.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// The first label of the API's host, `cvm`.
    pub service: &'a str,
    /// The `Host` header exactly as sent, with `:port` when there is one.
    pub host: &'a str,
    /// The `Content-Type` header exactly as sent.
    pub content_type: &'a str,
    /// The `X-TC-Timestamp` header; its UTC day scopes the key.
    pub timestamp: Timestamp,
    /// The exact bytes of the body.
    pub payload: &'a [u8],
}

/// The value of the `Authorization` header.
///
/// # Examples
/// ```
/// use tencent_cvm::{Credentials, sign};
///
/// let value = sign::authorization(
///     &Credentials::new("AKIDFAKE", "fakeSecretKey"),
///     &sign::Parts {
///         service: "cvm",
///         host: "cvm.tencentcloudapi.com",
///         content_type: "application/json",
///         timestamp: jiff::Timestamp::from_second(1_733_124_379)?,
///         payload: b"{}",
///     },
/// );
/// assert!(value.starts_with("TC3-HMAC-SHA256 Credential=AKIDFAKE/2024-12-02/cvm/tc3_request, "));
/// # Ok::<(), jiff::Error>(())
/// ```
pub fn authorization(credentials: &Credentials, parts: &Parts<'_>) -> String {
    DayKey::default().authorization(credentials, parts)
}

/// The key of the day that was signed for last. All requests of one key pair and service on that day share it, and to
/// make it is most of the work of a signature.
#[derive(Default)]
pub(crate) struct DayKey(Mutex<Option<(String, [u8; 32])>>);

impl DayKey {
    /// As [`authorization`]; the credentials and the service have to be the same each time.
    pub(crate) fn authorization(&self, credentials: &Credentials, parts: &Parts<'_>) -> String {
        let day = day(parts.timestamp);
        let scope = scope(&day, parts.service);
        let headers = [("content-type", parts.content_type), ("host", parts.host)];
        let canonical = canonical_request(&headers, parts.payload);
        let key = self.of(day, credentials, parts.service);
        let signature = signature(&key, &string_to_sign(parts.timestamp, &scope, &canonical));
        let id = credentials.secret_id().as_str();
        format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={SIGNED_HEADERS}, Signature={signature}")
    }

    fn of(&self, day: String, credentials: &Credentials, service: &str) -> [u8; 32] {
        // Nothing panics while it is held.
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((known, key)) if *known == day => *key,
            _ => {
                let key = signing_key(credentials.secret_key(), &day, service);
                *last = Some((day, key));
                key
            }
        }
    }
}

/// The canonical request. `headers` are lower-case names with their values as sent, in the order in which
/// `SignedHeaders` lists them.
fn canonical_request(headers: &[(&str, &str)], payload: &[u8]) -> String {
    let mut block = String::new();
    let mut names = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        block.push_str(name);
        block.push(':');
        block.push_str(value.trim());
        block.push('\n');
        names.push(*name);
    }
    // The empty line after the path is the query. The header block ends with a line feed of its own, so that
    // another empty line follows it.
    format!("POST\n/\n\n{block}\n{}\n{}", names.join(";"), hex::encode(Sha256::digest(payload)))
}

fn string_to_sign(timestamp: Timestamp, scope: &str, canonical_request: &str) -> String {
    let hashed = hex::encode(Sha256::digest(canonical_request.as_bytes()));
    format!("{ALGORITHM}\n{}\n{scope}\n{hashed}", timestamp.as_second())
}

/// `{UTC day}/{service}/tc3_request`.
fn scope(day: &str, service: &str) -> String {
    format!("{day}/{service}/tc3_request")
}

fn day(timestamp: Timestamp) -> String {
    TimeZone::UTC.to_datetime(timestamp).date().to_string()
}

/// The key for one UTC day and one service.
fn signing_key(secret_key: &str, day: &str, service: &str) -> [u8; 32] {
    let key = hmac(format!("TC3{secret_key}").as_bytes(), day.as_bytes());
    let key = hmac(&key, service.as_bytes());
    hmac(&key, b"tc3_request")
}

fn signature(signing_key: &[u8], string_to_sign: &str) -> String {
    hex::encode(hmac(signing_key, string_to_sign.as_bytes()))
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // HMAC first brings a key to the length of a block: a longer one is hashed, a shorter one padded with
    // zeros. Done here, the constructor that takes exactly one block cannot fail.
    let mut block = [0_u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../tests/fixtures/tc3.json")).expect("fixture")
    }

    fn text<'a>(vector: &'a Value, key: &str) -> &'a str {
        vector[key].as_str().unwrap_or_else(|| panic!("{key} of {}", vector["name"]))
    }

    fn time(vector: &Value) -> Timestamp {
        Timestamp::from_second(vector["timestamp"].as_i64().expect("timestamp")).expect("in range")
    }

    #[test]
    fn each_step_and_the_authorization_match_the_official_signer() {
        let vectors = vectors();
        let vectors = vectors["vectors"].as_array().expect("array");
        assert_eq!(vectors.len(), 12);
        for vector in vectors {
            let parts = Parts {
                service: text(vector, "service"),
                host: text(vector, "host"),
                content_type: text(vector, "content_type"),
                timestamp: time(vector),
                payload: text(vector, "payload").as_bytes(),
            };
            let headers = [("content-type", parts.content_type), ("host", parts.host)];
            let canonical = canonical_request(&headers, parts.payload);
            assert_eq!(canonical, text(vector, "canonical_request"), "{}", vector["name"]);
            assert_eq!(
                string_to_sign(parts.timestamp, &scope(&day(parts.timestamp), parts.service), &canonical),
                text(vector, "string_to_sign"),
                "{}",
                vector["name"]
            );
            let key = signing_key(text(vector, "secret_key"), &day(parts.timestamp), parts.service);
            assert_eq!(hex::encode(key), text(vector, "secret_signing_hex"), "{}", vector["name"]);

            let credentials = Credentials::new(text(vector, "secret_id"), text(vector, "secret_key"));
            assert_eq!(
                authorization(&credentials, &parts),
                text(vector, "authorization"),
                "{}",
                vector["name"]
            );
        }
    }

    #[test]
    fn the_published_signature_over_two_headers_is_reproduced() {
        let vectors = vectors();
        let example = &vectors["published_examples"][0];
        assert_eq!(text(example, "name"), "doc_two_signed_headers");
        let headers =
            [("content-type", "application/json; charset=utf-8"), ("host", "cvm.tencentcloudapi.com")];
        let canonical = canonical_request(&headers, text(example, "payload").as_bytes());
        assert_eq!(canonical, text(example, "canonical_request"));
        let to_sign =
            string_to_sign(time(example), &scope(&day(time(example)), text(example, "service")), &canonical);
        assert_eq!(to_sign, text(example, "string_to_sign"));
        let key = signing_key(text(example, "secret_key"), &day(time(example)), text(example, "service"));
        assert_eq!(signature(&key, &to_sign), text(example, "signature"));
    }

    #[test]
    fn the_published_signature_over_three_headers_is_reproduced() {
        let vectors = vectors();
        let example = &vectors["published_examples"][1];
        assert_eq!(text(example, "name"), "doc_three_signed_headers");
        let headers = [
            ("content-type", "application/json; charset=utf-8"),
            ("host", "cvm.tencentcloudapi.com"),
            ("x-tc-action", "describeinstances"),
        ];
        let canonical = canonical_request(&headers, text(example, "payload").as_bytes());
        assert_eq!(canonical, text(example, "canonical_request"));
        let to_sign =
            string_to_sign(time(example), &scope(&day(time(example)), text(example, "service")), &canonical);
        assert_eq!(to_sign, text(example, "string_to_sign"));
        // The document masks the key, but publishes what is derived from it.
        let key = hex::decode(text(example, "secret_signing_hex")).expect("hex");
        assert_eq!(signature(&key, &to_sign), text(example, "signature"));
    }

    #[test]
    fn the_key_of_one_day_does_not_sign_on_another() {
        let vectors = vectors();
        let vector = &vectors["vectors"][0];
        let credentials = Credentials::new(text(vector, "secret_id"), text(vector, "secret_key"));
        let day_key = DayKey::default();
        let (today, tomorrow) = (time(vector), time(vector) + jiff::SignedDuration::from_hours(24));
        for timestamp in [today, tomorrow, tomorrow, today] {
            let parts = Parts {
                service: text(vector, "service"),
                host: text(vector, "host"),
                content_type: text(vector, "content_type"),
                timestamp,
                payload: text(vector, "payload").as_bytes(),
            };
            let key = signing_key(text(vector, "secret_key"), &day(timestamp), parts.service);
            assert_eq!(day_key.of(day(timestamp), &credentials, parts.service), key);
            assert_eq!(day_key.authorization(&credentials, &parts), authorization(&credentials, &parts));
        }
    }

    #[test]
    fn a_key_longer_than_a_block_is_hashed_as_hmac_demands() {
        // RFC 4231, test case 6: a key of 131 bytes.
        let mac = hmac(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(hex::encode(mac), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }
}
