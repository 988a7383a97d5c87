//! TC3-HMAC-SHA256 as the cloud checks it.
//!
//! Written from the protocol's description, not from the client, so that the two check each other. The
//! check honours whatever headers the caller says it signed, but insists on `content-type` and `host`.

use sha2::{Digest, Sha256};

/// The only algorithm of version 3 signatures.
pub const ALGORITHM: &str = "TC3-HMAC-SHA256";

const BLOCK: usize = 64;

/// What an `Authorization` header claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim<'a> {
    /// Who says to have signed.
    pub secret_id: &'a str,
    /// `YYYY-MM-DD`, UTC, of the signature's scope.
    pub date: &'a str,
    /// The product, `cvm`.
    pub service: &'a str,
    /// Header names as listed, separated by `;`.
    pub signed_headers: &'a str,
    /// 64 lower-case hex digits.
    pub signature: &'a str,
}

impl<'a> Claim<'a> {
    /// Reads the header's value; `None` when it is not of the documented shape.
    pub fn parse(authorization: &'a str) -> Option<Self> {
        let fields = authorization.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for field in fields.split(',') {
            match field.trim().split_once('=')? {
                ("Credential", value) => credential = Some(value),
                ("SignedHeaders", value) => signed_headers = Some(value),
                ("Signature", value) => signature = Some(value),
                _ => return None,
            }
        }
        let mut scope = credential?.split('/');
        let claim = Self {
            secret_id: scope.next()?,
            date: scope.next()?,
            service: scope.next()?,
            signed_headers: signed_headers?,
            signature: signature?,
        };
        (scope.next() == Some("tc3_request") && scope.next().is_none()).then_some(claim)
    }

    /// Whether the two headers that must be signed are.
    pub fn covers_what_it_must(&self) -> bool {
        let signs = |name| self.signed_headers.split(';').any(|signed| signed == name);
        signs("content-type") && signs("host")
    }

    /// The canonical request: a POST of `/` without a query, which is the only thing the API takes.
    /// `None` when a header that is said to be signed is not there.
    pub fn canonical_request<'h>(
        &self,
        header: impl Fn(&str) -> Option<&'h str>,
        body: &[u8],
    ) -> Option<String> {
        let mut canonical = String::with_capacity(256);
        canonical.push_str("POST\n/\n\n");
        for name in self.signed_headers.split(';') {
            canonical.push_str(name);
            canonical.push(':');
            canonical.extend(header(name)?.trim().chars().map(|c| c.to_ascii_lowercase()));
            canonical.push('\n');
        }
        canonical.push('\n');
        canonical.push_str(self.signed_headers);
        canonical.push('\n');
        canonical.push_str(&hex::encode(Sha256::digest(body)));
        Some(canonical)
    }

    /// What the key is applied to, for the `X-TC-Timestamp` in unix seconds.
    pub fn string_to_sign(&self, timestamp: i64, canonical_request: &str) -> String {
        let (date, service) = (self.date, self.service);
        let hash = hex::encode(Sha256::digest(canonical_request));
        format!("{ALGORITHM}\n{timestamp}\n{date}/{service}/tc3_request\n{hash}")
    }
}

/// The key of one day and one product. It is the same for every request of that day.
pub fn signing_key(secret_key: &str, date: &str, service: &str) -> [u8; 32] {
    let day = hmac(format!("TC3{secret_key}").as_bytes(), date.as_bytes());
    hmac(&hmac(&day, service.as_bytes()), b"tc3_request")
}

/// The signature: lower-case hex.
pub fn sign(signing_key: &[u8; 32], string_to_sign: &str) -> String {
    hex::encode(hmac(signing_key, string_to_sign.as_bytes()))
}

/// HMAC-SHA256 (RFC 2104).
pub(crate) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let pad = |byte: u8| block.map(|b| b ^ byte);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}
