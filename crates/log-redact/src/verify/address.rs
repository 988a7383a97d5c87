//! Addresses of machines.

use crate::alphabet::Alphabet;
use crate::class::Code;
use crate::scan::Scan;

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
    let glued = before.is_some_and(|byte| Alphabet::WORD.has(byte) || byte == b'.');
    let version = before == Some(b'v') || text.get(end).is_some_and(|byte| Alphabet::WORD.has(*byte));
    let dotted = text.get(end) == Some(&b'.') && text.get(end + 1).is_some_and(u8::is_ascii_digit);
    if glued || version || dotted {
        return;
    }
    let code = if is_private(octets) { Code::Ipv4Private } else { Code::Ipv4Public };
    if let Some(class) = scan.code(code) {
        scan.find(class, (start, end));
    }
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
