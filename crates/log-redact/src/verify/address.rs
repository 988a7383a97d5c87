//! Addresses of machines.

use crate::alphabet::Alphabet;
use crate::class::Code;
use crate::scan::Scan;
use crate::shape;
use crate::verify::number;

/// So far back the name of a version is looked for.
const LONGEST_NAME: usize = 32;

/// Looks at a dot and a digit: `1.2.3.4` around it.
pub(crate) fn ipv4(scan: &mut Scan<'_>, at: usize) {
    let text = scan.text;
    if at < scan.done.addresses || at == 0 || !text[at - 1].is_ascii_digit() {
        return;
    }
    let start = Alphabet::DIGITS.start_of_run(text, at, 4);
    let Some((end, octets)) = dotted_quad(text, start) else { return };
    scan.done.addresses = end;
    let before = start.checked_sub(1).map(|before| text[before]);
    let glued = !shape::begins_a_word(text, start) || matches!(before, Some(b'.' | b'_'));
    let goes_on = text.get(end).is_some_and(|byte| Alphabet::WORD.has(*byte));
    let dotted = text.get(end) == Some(&b'.') && text.get(end + 1).is_some_and(u8::is_ascii_digit);
    let is_version = is_a_version(text, start) || is_of_a_product(text, start, octets);
    if glued || goes_on || dotted || is_version {
        return;
    }
    let code = if is_private(octets) { Code::IpPrivate } else { Code::Ip };
    if let Some(class) = scan.code(code) {
        scan.find(class, (start, end));
    }
}

/// Whether a name before it says that this is the version of something.
fn is_a_version(text: &[u8], start: usize) -> bool {
    const NAMES: [&[u8]; 8] =
        [b"version", b"ver", b"release", b"build", b"ssl", b"driver", b"firmware", b"kernel"];
    let tied = text[start.saturating_sub(LONGEST_NAME)..start].trim_ascii_end();
    let signs = tied.iter().rev().take_while(|byte| matches!(byte, b'=' | b':' | b'"' | b'/')).count();
    let word = number::last_word(tied[..tied.len() - signs].trim_ascii_end());
    NAMES.iter().any(|name| word.eq_ignore_ascii_case(name))
}

/// `Chrome/120.0.0.0`, as browsers name themselves (RFC 9110, 10.1.5): no machine's address ends so.
fn is_of_a_product(text: &[u8], start: usize, octets: [u8; 4]) -> bool {
    let product = text[..start].strip_suffix(b"/").and_then(<[u8]>::last);
    octets[2..] == [0, 0] && product.is_some_and(u8::is_ascii_alphabetic)
}

fn dotted_quad(text: &[u8], start: usize) -> Option<(usize, [u8; 4])> {
    let mut octets = [0; 4];
    let mut at = start;
    for (place, octet) in octets.iter_mut().enumerate() {
        if place > 0 {
            if text.get(at) != Some(&b'.') {
                return None;
            }
            at += 1;
        }
        let end = Alphabet::DIGITS.end_of_run(text, at, 4);
        if !(1..=3).contains(&(end - at)) {
            return None;
        }
        let value = text[at..end].iter().fold(0_u16, |value, digit| value * 10 + u16::from(digit - b'0'));
        *octet = u8::try_from(value).ok()?;
        at = end;
    }
    Some((at, octets))
}

/// RFC 6890: addresses that mean nothing outside.
fn is_private(octets: [u8; 4]) -> bool {
    let address = std::net::Ipv4Addr::from(octets);
    let shared = octets[0] == 100 && (64..128).contains(&octets[1]);
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || octets[0] == 0
        || shared
}

/// Looks at a colon and a hexadecimal digit or another colon: the address of version 6 (RFC 4291, 2.2)
/// around it.
pub(crate) fn ipv6(scan: &mut Scan<'_>, at: usize) {
    const LONGEST: usize = 45;
    let text = scan.text;
    if at < scan.done.wide_addresses {
        return;
    }
    let inside = |byte: &u8| Alphabet::HEX.has(*byte) || *byte == b':';
    let from = at.saturating_sub(LONGEST);
    let start = text[from..at].iter().rposition(|byte| !inside(byte)).map_or(from, |place| from + place + 1);
    let length = text[start..].iter().take(LONGEST + 1).take_while(|byte| inside(byte)).count();
    let mut end = start + length;
    scan.done.wide_addresses = end;
    // The colon after an address in a sentence.
    if text[..end].ends_with(b":") && !text[..end].ends_with(b"::") {
        end -= 1;
    }
    let word = |byte: &u8| Alphabet::WORD.has(*byte);
    let glued = !shape::begins_a_word(text, start) || text.get(end).is_some_and(word);
    let spelled = &text[start..end];
    // Times have colons too: eight groups, or zeros left out.
    let colons = memchr::memchr_iter(b':', spelled).count();
    let complete = colons == 7 || memchr::memmem::find(spelled, b"::").is_some();
    if glued || !complete || spelled.len() - colons < 4 {
        return;
    }
    let Some(address) =
        std::str::from_utf8(spelled).ok().and_then(|text| text.parse::<std::net::Ipv6Addr>().ok())
    else {
        return;
    };
    let private = address.is_loopback()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.is_multicast();
    // All others that anyone was given begin so (RFC 4291, 2.4; RFC 6052): `12::34` is none of them.
    let first = address.segments()[0];
    if !private && !matches!(first, 0x2000..=0x3fff | 0x64) {
        return;
    }
    if let Some(class) = scan.code(if private { Code::IpPrivate } else { Code::Ip }) {
        scan.find(class, (start, end));
    }
}

/// Looks at a colon or a dash and a hexadecimal digit: an EUI-48 address (IEEE 802), `00:1b:..` or `00-1B-..`.
pub(crate) fn mac(scan: &mut Scan<'_>, at: usize) {
    let text = scan.text;
    let Some(start) = at.checked_sub(2).filter(|_| at >= scan.done.macs) else { return };
    let Some(spelled) = text.get(start..start + 17) else { return };
    let separator = text[at];
    let well_formed = spelled.iter().enumerate().all(|(place, byte)| match place % 3 {
        2 => *byte == separator,
        _ => Alphabet::HEX.has(*byte),
    });
    let inside = |byte: u8| Alphabet::WORD.has(byte) || byte == separator;
    let glued = !shape::begins_a_word(text, start)
        || start.checked_sub(1).is_some_and(|before| text[before] == separator)
        || text.get(start + 17).is_some_and(|byte| inside(*byte));
    if let Some(class) = scan.code(Code::Mac).filter(|_| well_formed && !glued) {
        scan.find(class, (start, start + 17));
        scan.done.macs = start + 17;
    }
}

/// Looks at the end of a name such as `.internal`: the host's name (RFC 1123, 2.1) before it.
pub(crate) fn host(scan: &mut Scan<'_>, at: usize, after: usize) {
    let text = scan.text;
    if at < scan.done.hosts {
        return;
    }
    let start = Alphabet::HOST.start_of_run(text, at, 253).max(scan.done.hosts);
    let end = Alphabet::HOST.end_of_run(text, after, 253);
    let end = end - usize::from(end > after && text[end - 1] == b'.');
    let name = &text[start..end];
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let glued = start.checked_sub(1).is_some_and(|before| matches!(text[before], b'_' | b'@'))
        || text.get(end).is_some_and(|byte| Alphabet::WORD.has(*byte));
    let labels = name
        .split(|byte| *byte == b'.')
        .all(|label| !label.is_empty() && label.len() <= 63 && label[0] != b'-');
    // The suffix is the last label, or one inside the cluster's own domain.
    let is_suffix = after - at == last.len() + 1 && end == after;
    if !glued
        && labels
        && is_suffix
        && let Some(class) = scan.code(Code::Host)
    {
        scan.find(class, (start, end));
        scan.done.hosts = end;
    }
}
