//! What is a value by its looks, whatever program wrote it.

use super::class::{ALPHA, DIGIT, JOIN, SPACE, class};

/// Words that are values of a type.
const LITERALS: [&str; 4] = ["true", "false", "null", "undefined"];
/// Words that are values after `=` or `:`.
const AFTER_SIGN: [&str; 6] = ["none", "nil", "yes", "no", "on", "off"];
/// The last part of a host's name.
const TOP_DOMAINS: [&str; 13] = [
    "com",
    "net",
    "org",
    "edu",
    "gov",
    "mil",
    "int",
    "info",
    "biz",
    "arpa",
    "local",
    "internal",
    "localdomain",
];
/// Countries whose letters are not the last part of a setting's name as well, like `id`, `is` or `in`.
const COUNTRIES: [&str; 40] = [
    "cn", "hk", "tw", "jp", "kr", "sg", "de", "fr", "uk", "nl", "be", "ch", "at", "it", "es", "pt", "pl",
    "cz", "sk", "hu", "ro", "bg", "gr", "tr", "ru", "ua", "se", "dk", "fi", "ie", "il", "za", "br", "ar",
    "mx", "cl", "ca", "au", "nz", "eu",
];
/// Other last parts, which only a port after them tells from the end of a method's or a setting's name.
const BEFORE_A_PORT: [&str; 14] =
    ["io", "ai", "app", "cc", "cloud", "co", "dev", "in", "me", "online", "svc", "tv", "us", "xyz"];
/// The first part of a package's name, which is a host's name backwards.
const PACKAGES: [&str; 8] = ["com", "org", "net", "java", "javax", "io", "edu", "gov"];
/// No word that somebody wrote by hand is longer without a joint.
const LONGEST_WORD: usize = 40;

pub(super) fn is_unit(byte: u8) -> bool {
    matches!(class(byte), ALPHA | DIGIT | JOIN)
}

/// Where an address ends whose part after `://` begins at `from`.
pub(super) fn address_end(text: &[u8], from: usize) -> usize {
    let run = text[from..]
        .iter()
        .take_while(|&&b| class(b) != SPACE && !matches!(b, b'"' | b'\'' | b'<' | b'>' | b'`'))
        .count();
    trimmed(text, from, from + run, b".,;:)]}!")
}

/// What a request of HTTP may do.
pub(super) fn is_method(word: &[u8]) -> bool {
    matches!(word, b"GET" | b"HEAD" | b"POST" | b"PUT" | b"DELETE" | b"PATCH" | b"OPTIONS")
}

/// Where a path ends whose first backslash is at `from`.
pub(super) fn windows_path_end(text: &[u8], from: usize) -> usize {
    let run = text[from..]
        .iter()
        .take_while(|&&b| class(b) != SPACE && !matches!(b, b'"' | b'\'' | b',' | b';' | b')' | b']'))
        .count();
    trimmed(text, from, from + run, b".:")
}

fn trimmed(text: &[u8], from: usize, mut end: usize, trailing: &[u8]) -> usize {
    while end > from && trailing.contains(&text[end - 1]) {
        end -= 1;
    }
    end
}

/// Where a hardware or IPv6 address ends that begins at `start`: groups of one to four hex digits, two colons at least.
pub(super) fn colon_hex_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let mut colons = 0;
    loop {
        let group = text[at..].iter().take(5).take_while(|b| b.is_ascii_hexdigit()).count();
        if group > 4 || (group == 0 && colons == 0) {
            return None;
        }
        at += group;
        if text.get(at) != Some(&b':')
            || !text.get(at + 1).is_some_and(|b| b.is_ascii_hexdigit() || *b == b':')
        {
            break;
        }
        at += 1;
        colons += 1;
    }
    let ends = !text.get(at).is_some_and(|&b| matches!(class(b), ALPHA | DIGIT));
    (colons >= 2 && ends).then_some(at)
}

pub(super) fn is_number(unit: &[u8]) -> bool {
    unit.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'<' | b'>'))
}

/// Where a number that ends at `end` ends together with its unit of measure.
pub(super) fn measure_end(text: &[u8], end: usize) -> usize {
    let from = if text.get(end) == Some(&b' ') { end + 1 } else { end };
    let length = text[from..].iter().take(13).take_while(|b| b.is_ascii_alphabetic()).count();
    let next = text.get(from + length).copied().unwrap_or(b' ');
    let alone = !matches!(class(next), ALPHA | DIGIT) && next != b'=';
    if length > 0 && alone && is_measure(&text[from..from + length]) { from + length } else { end }
}

/// Units of measure that follow a number. They change with its size (`384.0 B`, `1.2 MB`), so they belong to it.
fn is_measure(word: &[u8]) -> bool {
    matches!(
        word,
        b"B" | b"b"
            | b"KB"
            | b"kB"
            | b"kb"
            | b"MB"
            | b"mb"
            | b"GB"
            | b"gb"
            | b"TB"
            | b"PB"
            | b"KiB"
            | b"MiB"
            | b"GiB"
            | b"TiB"
            | b"bytes"
            | b"byte"
            | b"Bytes"
            | b"K"
            | b"M"
            | b"G"
            | b"T"
            | b"ns"
            | b"us"
            | b"ms"
            | b"s"
            | b"sec"
            | b"secs"
            | b"second"
            | b"seconds"
            | b"msec"
            | b"msecs"
            | b"millis"
            | b"milliseconds"
            | b"min"
            | b"mins"
            | b"minute"
            | b"minutes"
            | b"h"
            | b"hour"
            | b"hours"
            | b"day"
            | b"days"
            | b"MHz"
    )
}

/// Where the same quantity in other words ends, if it follows at `end`: ` (1.27 KB)`.
pub(super) fn paraphrase_end(text: &[u8], end: usize) -> Option<usize> {
    let inner = text.get(end..)?.strip_prefix(b" (")?;
    let digits = inner.iter().take(24).take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    if digits == 0 {
        return None;
    }
    let after = measure_end(text, end + 2 + digits);
    (after > end + 2 + digits && text.get(after) == Some(&b')')).then_some(after + 1)
}

pub(super) fn is_literal(unit: &[u8], after_sign: bool) -> bool {
    let known =
        |literals: &[&str]| literals.iter().any(|literal| unit.eq_ignore_ascii_case(literal.as_bytes()));
    // Most words are told by their first letter.
    let may_be = matches!(unit.first(), Some(b't' | b'T' | b'f' | b'F' | b'n' | b'N' | b'u' | b'U'));
    may_be && (4..=9).contains(&unit.len()) && known(&LITERALS) || after_sign && known(&AFTER_SIGN)
}

/// Where the name of a browser ends that is quoted at `at`, or the dash that stands for none: a product and its
/// version, then any number of words.
pub(super) fn product_end(text: &[u8], at: usize) -> Option<usize> {
    let inside = &text[at + 1..];
    if inside.starts_with(b"-\"") {
        return Some(at + 2);
    }
    let name =
        inside.iter().take(32).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.')).count();
    let version = inside.get(name) == Some(&b'/') && inside.get(name + 1).is_some_and(u8::is_ascii_digit);
    if name == 0 || !version {
        return None;
    }
    inside.iter().take(1024).position(|&b| b == b'"').map(|length| at + 1 + length)
}

pub(super) fn is_short_hex(unit: &[u8]) -> bool {
    unit.len() <= 4 && unit.iter().all(u8::is_ascii_hexdigit)
}

pub(super) fn is_mail(unit: &[u8]) -> bool {
    unit.iter().position(|&b| b == b'@').is_some_and(|at| at > 0 && unit[at..].contains(&b'.'))
}

pub(super) fn is_host(unit: &[u8]) -> bool {
    if !unit.contains(&b'.') || unit.iter().any(|b| !matches!(b, b'a'..=b'z' | b'.' | b'-' | b'_')) {
        return false;
    }
    let known = |names: &[&str], part: &[u8]| names.iter().any(|name| name.as_bytes() == part);
    let labels = unit.split(|&b| b == b'.').count();
    let first = unit.split(|&b| b == b'.').next().unwrap_or_default();
    let last = unit.rsplit(|&b| b == b'.').next().unwrap_or_default();
    let country = labels >= 3 && known(&COUNTRIES, last);
    !known(&PACKAGES, first) && (country || known(&TOP_DOMAINS, last))
}

/// `api.acme.io:443`, of which `unit` stands before the colon.
pub(super) fn is_host_before_port(unit: &[u8], after: &[u8]) -> bool {
    let port =
        after.strip_prefix(b":").map_or(0, |port| port.iter().take_while(|b| b.is_ascii_digit()).count());
    let last = unit.rsplit(|&b| b == b'.').next().unwrap_or_default();
    let name = unit.iter().all(|b| matches!(b, b'a'..=b'z' | b'.' | b'-' | b'_')) && last.len() < unit.len();
    name && (2..=5).contains(&port) && BEFORE_A_PORT.iter().any(|known| known.as_bytes() == last)
}

/// The name of a pod whose random parts happen to have no digit, `web-zmsgnwjdp-qszcm`: Kubernetes draws them from
/// letters that make no words.
pub(super) fn is_pod(unit: &[u8]) -> bool {
    let drawn = |part: Option<&[u8]>, lengths: std::ops::RangeInclusive<usize>| {
        part.is_some_and(|part| {
            lengths.contains(&part.len()) && part.iter().all(|b| b"bcdfghjklmnpqrstvwxz".contains(b))
        })
    };
    let mut parts = unit.rsplit(|&b| b == b'-');
    drawn(parts.next(), 5..=5) && drawn(parts.next(), 8..=10) && parts.next().is_some()
}

/// Where an image ends whose path ends at `end`: a version after it would be part of it as well.
pub(super) fn tag_end(text: &[u8], end: usize) -> usize {
    const TAG: &[u8] = b":latest";
    let rest = text.get(end..).unwrap_or_default();
    let ends =
        rest.get(TAG.len()).is_none_or(|&b| !matches!(class(b), ALPHA | DIGIT) && !matches!(b, b'-' | b'.'));
    if rest.starts_with(TAG) && ends { end + TAG.len() } else { end }
}

/// Random letters: keys and encoded data without a digit.
pub(super) fn is_opaque(unit: &[u8]) -> bool {
    unit.len() > LONGEST_WORD
        && unit.is_ascii()
        && unit.split(|b| !b.is_ascii_alphabetic()).any(|part| part.len() > LONGEST_WORD)
}
