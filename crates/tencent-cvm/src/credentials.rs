//! An API key pair, which no `Debug` can print.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::fmt;

/// The public half of a key pair. It names an account's key; it is not a secret, but still only shown
/// shortened by `Debug`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretId(String);

impl SecretId {
    /// Takes the id as it stands.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as sent to the cloud.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.0.chars().take(6).collect();
        write!(f, "SecretId({shown}…)")
    }
}

/// A `SecretId`, its `SecretKey` and, for STS, the session token.
#[derive(Clone)]
pub struct Credentials {
    secret_id: SecretId,
    secret_key: SecretString,
    token: Option<SecretString>,
}

impl Credentials {
    /// A permanent key pair.
    pub fn new(secret_id: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self {
            secret_id: SecretId::new(secret_id),
            secret_key: SecretString::from(secret_key.into()),
            token: None,
        }
    }

    /// Adds the session token that temporary (STS) keys need.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(SecretString::from(token.into()));
        self
    }

    /// The public half.
    pub fn secret_id(&self) -> &SecretId {
        &self.secret_id
    }

    /// 16 hex digits of a hash over all parts: two credentials with the same fingerprint are the same ones, and
    /// nothing can be read back from it.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for part in [self.secret_id.as_str(), self.secret_key(), self.token().unwrap_or_default()] {
            hash.update(part.len().to_be_bytes());
            hash.update(part.as_bytes());
        }
        hex::encode(&hash.finalize()[..8])
    }

    pub(crate) fn secret_key(&self) -> &str {
        self.secret_key.expose_secret()
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_ref().map(ExposeSecret::expose_secret)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("secret_id", &self.secret_id)
            .field("secret_key", &"…")
            .field("token", &self.token.as_ref().map(|_| "…"))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_changes_with_every_part_and_shows_none() {
        let key = || Credentials::new("AKIDFAKE", "fakeSecretKey");
        assert_eq!(key().fingerprint(), key().fingerprint());
        let others = [
            Credentials::new("AKIDFAKE2", "fakeSecretKey"),
            Credentials::new("AKIDFAKE", "fakeSecretKey2"),
            Credentials::new("AKIDFAKEf", "akeSecretKey"),
            key().with_token("fakeToken"),
        ];
        for other in others {
            assert_ne!(other.fingerprint(), key().fingerprint());
        }
        assert_eq!(key().fingerprint().len(), 16);
    }
}
