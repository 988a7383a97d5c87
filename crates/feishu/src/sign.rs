//! The signature that a bot with signature checks demands. Pure: no clock, no network.
//!
//! The guide "Custom bot usage guide" describes it upside down from what one would expect: the time and the secret are
//! the *key* of the HMAC, and the message is empty.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// `base64(HMAC-SHA256(key = "{seconds}\n{secret}", message = ""))`, the value of a body's `sign`. The body's
/// `timestamp` must name the same second; Feishu takes it for an hour.
///
/// # Examples
/// ```
/// let time = jiff::Timestamp::from_second(1_599_360_473)?;
/// assert_eq!(feishu::sign::signature(time, "demo"), "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=");
/// # Ok::<(), jiff::Error>(())
/// ```
pub fn signature(time: Timestamp, secret: &str) -> String {
    let key = format!("{}\n{secret}", time.as_second());
    // HMAC first brings a key to the length of a block: a longer one is hashed, a shorter one padded with zeros.
    // Done here, the constructor that takes exactly one block cannot fail.
    let mut block = [0_u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key.as_bytes()));
    } else {
        block[..key.len()].copy_from_slice(key.as_bytes());
    }
    STANDARD.encode(Hmac::<Sha256>::new(&block.into()).finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both stand in the tests of several public projects that share no code, one of them as computed by the
    /// Python of Feishu's own guide, another by .NET's `HMACSHA256`.
    #[test]
    fn signatures_that_others_made_are_reproduced() {
        for (seconds, expected) in [
            (100, "jquNHnVOwmDRfw+vqTIrY5dooJAgi5EcRtLsQE4wfXg="),
            (1_599_360_473, "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="),
        ] {
            let time = Timestamp::from_second(seconds).expect("in range");
            assert_eq!(signature(time, "demo"), expected);
        }
    }

    /// As OpenSSL gives it: `openssl dgst -sha256 -hmac "$(printf '100\n%070d' 0)" -binary </dev/null | base64`.
    #[test]
    fn a_key_longer_than_a_block_is_hashed_as_hmac_demands() {
        let time = Timestamp::from_second(100).expect("in range");
        assert_eq!(signature(time, &"0".repeat(70)), "uF6cjfJY0WwmW67B27mhWf/+8HhY+0aqHI6G40A11X4=");
    }
}
