//! Secrets to plant, made at run time from a seed: nothing here is a secret, and nothing that looks like one
//! is in this text.
//!
//! Written from what the issuers say about their tokens, apart from the detector, which is not looked at: a
//! mistake in one of the
//! two is a miss. Where an issuer gives a checksum, it is computed here.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::letters::*;

/// A kind of secret.
pub(crate) struct Kind {
    /// The class that should find it.
    pub(crate) class: &'static str,
    /// The names of keys that tell what it is, if it does not tell so itself.
    pub(crate) keys: &'static [&'static str],
    pub(crate) make: fn(&mut ChaCha8Rng) -> Secret,
}

/// A secret, with what is around it and may be known.
pub(crate) struct Secret {
    pub(crate) before: String,
    pub(crate) secret: String,
    pub(crate) after: String,
}

impl Secret {
    pub(crate) fn whole(&self) -> String {
        format!("{}{}{}", self.before, self.secret, self.after)
    }
}

fn plain(secret: String) -> Secret {
    Secret { before: String::new(), secret, after: String::new() }
}

fn inside(before: &str, secret: String, after: &str) -> Secret {
    Secret { before: before.to_owned(), secret, after: after.to_owned() }
}

macro_rules! kind {
    ($class:literal, |$rng:ident| $make:expr) => {
        Kind { class: $class, keys: &[], make: |$rng| $make }
    };
    ($class:literal, $keys:expr, |$rng:ident| $make:expr) => {
        Kind { class: $class, keys: &$keys, make: |$rng| $make }
    };
}

/// A token of a prefix and so many letters.
macro_rules! token {
    ($class:literal, $prefixes:expr, $alphabet:expr, $least:literal ..= $most:literal) => {
        kind!($class, |rng| {
            let prefix = choose(rng, &$prefixes);
            plain(format!("{prefix}{}", between(rng, $alphabet, $least, $most)))
        })
    };
    ($class:literal, $prefixes:expr, $alphabet:expr, $length:literal) => {
        token!($class, $prefixes, $alphabet, $length..=$length)
    };
}

// Below the macros, which it uses.
mod kinds;
pub(crate) use kinds::KINDS;

/// CRC-32 of the random part as six digits of base62, as GitHub and npm append it.
fn with_checksum(prefix: &str, random: &str) -> String {
    const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut number = crc32fast::hash(random.as_bytes());
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(number % 62) as usize];
        number /= 62;
    }
    format!("{prefix}{random}{}", String::from_utf8_lossy(&digits))
}

fn luhn_digit(digits: &str) -> u32 {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0') * if place % 2 == 0 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    (10 - sum % 10) % 10
}

fn card(rng: &mut ChaCha8Rng) -> Secret {
    let (start, length) = [
        ("4", 16),
        ("51", 16),
        ("55", 16),
        ("2221", 16),
        ("34", 15),
        ("37", 15),
        ("6221", 16),
        ("6228", 19),
        ("3530", 16),
        ("6011", 16),
    ][rng.random_range(0..10)];
    let digits = format!("{start}{}", digits(rng, length - start.len() - 1));
    let digits = format!("{digits}{}", luhn_digit(&digits));
    let grouped = digits.len() == 16 && rng.random_bool(0.3);
    let separator = choose(rng, &[" ", "-"]);
    let parts: Vec<&str> =
        if grouped { (0..4).map(|part| &digits[part * 4..part * 4 + 4]).collect() } else { vec![&digits] };
    plain(parts.join(separator))
}

fn digits(rng: &mut ChaCha8Rng, length: usize) -> String {
    (0..length).map(|_| one(rng, DIGITS)).collect()
}

fn chinese_identity(rng: &mut ChaCha8Rng) -> Secret {
    let region = choose(rng, &["110105", "310104", "440305", "510107", "330106", "650102"]);
    let day = format!(
        "{:04}{:02}{:02}",
        rng.random_range(1940..2020),
        rng.random_range(1..=12),
        rng.random_range(1..=28)
    );
    let body = format!("{region}{day}{}", digits(rng, 3));
    // The standard's weights are the powers of two modulo 11, from the last digit on.
    let sum: u32 = body
        .bytes()
        .enumerate()
        .map(|(place, digit)| u32::from(digit - b'0') * (2_u32.pow(17 - place as u32) % 11))
        .sum();
    let check = (12 - sum % 11) % 11;
    let check = if check == 10 { 'X' } else { char::from_digit(check, 10).unwrap_or('0') };
    plain(format!("{body}{check}"))
}

fn iban(rng: &mut ChaCha8Rng) -> Secret {
    let (country, account) = match rng.random_range(0..4) {
        0 => ("DE", digits(rng, 18)),
        1 => ("GB", format!("{}{}", letters(rng, 4), digits(rng, 14))),
        2 => ("FR", format!("{}{}", digits(rng, 10), some(rng, UPPER_DIGITS, 13))),
        _ => ("NO", digits(rng, 11)),
    };
    let spelled: String = format!("{account}{country}00")
        .chars()
        .map(|letter| letter.to_digit(36).unwrap_or(0).to_string())
        .collect();
    let remainder =
        spelled.bytes().fold(0_u32, |remainder, digit| (remainder * 10 + u32::from(digit - b'0')) % 97);
    let number = format!("{country}{:02}{account}", 98 - remainder);
    if rng.random_bool(0.3) {
        let groups: Vec<String> =
            number.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
        return plain(groups.join(" "));
    }
    plain(number)
}

fn letters(rng: &mut ChaCha8Rng, length: usize) -> String {
    (0..length).map(|_| one(rng, UPPER)).collect()
}

fn jwt(rng: &mut ChaCha8Rng, claims: &str) -> Secret {
    let header = choose(
        rng,
        &[
            r#"{"alg":"HS256","typ":"JWT"}"#,
            r#"{"alg":"RS256","kid":"2026"}"#,
            r#"{"typ":"JWT","alg":"ES256"}"#,
        ],
    );
    let signature = bytes(rng, 64);
    plain(format!("{}.{}.{}", url64(header.as_bytes()), url64(claims.as_bytes()), url64(&signature)))
}

fn private_key(rng: &mut ChaCha8Rng) -> Secret {
    let label = choose(
        rng,
        &["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY"],
    );
    let length = rng.random_range(120..1200);
    let body = base64_of(rng, length);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    let dashes = "-".repeat(5);
    plain(format!("{dashes}BEGIN {label}{dashes}\n{}\n{dashes}END {label}{dashes}", lines.join("\n")))
}

fn password(rng: &mut ChaCha8Rng) -> Secret {
    let length = rng.random_range(10..24);
    // Symbols that need no quotes in any of the surroundings.
    let middle: String = (0..length)
        .map(|_| one(rng, "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789!@^*+_~"))
        .collect();
    plain(format!("{}{middle}{}", one(rng, UPPER), one(rng, DIGITS)))
}

fn url_password(rng: &mut ChaCha8Rng) -> Secret {
    let (scheme, host) = [
        ("postgres", "db:5432/app"),
        ("postgresql", "10.0.0.7/app?sslmode=require"),
        ("mysql", "db.example.com:3306/app"),
        ("mongodb", "a.example.com:27017,b.example.com:27017/app"),
        ("mongodb+srv", "cluster0.example.mongodb.net/app"),
        ("redis", "cache:6379/0"),
        ("amqp", "mq:5672/%2f"),
        ("clickhouse", "ch:9000/logs"),
        ("mssql", "sql.example.com:1433/app"),
        ("https", "git.example.com/team/app.git"),
    ][rng.random_range(0..10)];
    let password = between(rng, ALNUM, 10, 30);
    inside(&format!("{scheme}://app:"), password, &format!("@{host}"))
}

fn basic(rng: &mut ChaCha8Rng) -> Secret {
    use base64::Engine as _;
    let user = format!("svc-{}:{}", some(rng, LOWER, 5), between(rng, ALNUM, 12, 24));
    inside("Basic ", base64::engine::general_purpose::STANDARD.encode(user), "")
}

fn mobile(rng: &mut ChaCha8Rng) -> Secret {
    let start = choose(rng, &["138", "139", "150", "159", "177", "186", "199", "166"]);
    let rest = digits(rng, 8);
    plain(match rng.random_range(0..4) {
        0 => format!("+86{start}{rest}"),
        1 => format!("{start}-{}-{}", &rest[..4], &rest[4..]),
        2 => format!("{start} {} {}", &rest[..4], &rest[4..]),
        _ => format!("{start}{rest}"),
    })
}

fn email(rng: &mut ChaCha8Rng) -> Secret {
    let local = format!("{}.{}", between(rng, LOWER, 3, 8), between(rng, LOWER_DIGITS, 3, 8));
    let domain = choose(rng, &["example.com", "mail.example.co.uk", "example.org", "corp.example.cn"]);
    plain(format!("{local}@{domain}"))
}
